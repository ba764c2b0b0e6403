//! The pipe of a stream. It has a name, so that it outlives everybody who has it open but the
//! service, and a supervisor that is new finds it again.

use crate::log::Which;
use crate::place::Dir;
use nix::errno::Errno;
use nix::fcntl::{fcntl, openat, FcntlArg, OFlag};
use nix::sys::stat::{fstat, Mode, SFlag};
use nix::unistd::{fchown, mkfifoat, Uid};
use rc_sv_api::{Error, Result};
use std::os::fd::{AsFd, OwnedFd};

/// The end to read from, made where it is missing. The pipe belongs to `user`, so that the service
/// can open its `/dev/stdout`; nobody gets to it by its name.
///
/// # Errors
/// It cannot be made, or is none.
pub fn make(dir: &Dir, which: Which, user: Option<u32>) -> Result<OwnedFd> {
    let name = name(which);
    let failed = |errno: Errno| {
        Error::io(
            format_args!("make {}/{name}", dir.path().display()),
            &errno.into(),
        )
    };
    match mkfifoat(dir, name.as_str(), Mode::S_IRUSR | Mode::S_IWUSR) {
        Ok(()) | Err(Errno::EEXIST) => {}
        Err(errno) => return Err(failed(errno)),
    }
    let end = open(dir, which, OFlag::O_RDONLY).map_err(failed)?;
    let kind = SFlag::from_bits_truncate(fstat(&end).map_err(failed)?.st_mode) & SFlag::S_IFMT;
    if kind != SFlag::S_IFIFO {
        return Err(failed(Errno::EEXIST));
    }
    if let Some(user) = user {
        fchown(&end, Some(Uid::from_raw(user)), None).map_err(failed)?;
    }
    Ok(end)
}

/// A new end to write to, which waits as usual. Somebody must have it open for reading.
///
/// # Errors
/// It cannot be opened.
pub fn writer(dir: &Dir, which: Which) -> Result<OwnedFd> {
    let failed = |errno: Errno| {
        let shown = dir.path().display();
        Error::io(format_args!("open {shown}/{}", name(which)), &errno.into())
    };
    let end = open(dir, which, OFlag::O_WRONLY).map_err(failed)?;
    fcntl(&end, FcntlArg::F_SETFL(OFlag::empty())).map_err(failed)?;
    Ok(end)
}

fn open(dir: &Dir, which: Which, how: OFlag) -> nix::Result<OwnedFd> {
    let flags = how | OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    openat(dir.as_fd(), name(which).as_str(), flags, Mode::empty())
}

fn name(which: Which) -> String {
    format!("{}.pipe", which.name())
}
