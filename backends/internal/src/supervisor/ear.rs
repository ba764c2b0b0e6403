//! Where a service says what it has to say: a socket of its own, or a pipe.

use super::sys;
use nix::fcntl::{fcntl, FcntlArg, OFlag};
use nix::sys::socket::{
    bind, getsockname, setsockopt, socket, sockopt, AddressFamily, SockFlag, SockType, UnixAddr,
};
use nix::unistd::pipe2;
use rc_sv_exec::sd_notify::Access;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{chown, PermissionsExt};
use std::path::{Path, PathBuf};

/// The socket of a service.
pub(super) struct Ear {
    pub socket: OwnedFd,
    /// Where it is; `None` for one without a name in the file system.
    pub path: Option<PathBuf>,
    /// As `NOTIFY_SOCKET` has it.
    pub address: String,
    /// Whom to listen to.
    pub access: Access,
}

impl Drop for Ear {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // It is gone already where somebody removed the state directory.
            let _ = fs::remove_file(path);
        }
    }
}

impl Ear {
    /// One that the service's user can write to; for root's services everybody, who may have
    /// become somebody else.
    pub(super) fn at(path: PathBuf, user: Option<u32>) -> io::Result<Ear> {
        // What a supervisor that was killed has left.
        match fs::remove_file(&path) {
            Err(cause) if cause.kind() != ErrorKind::NotFound => return Err(cause),
            _ => {}
        }
        let address = UnixAddr::new(&path)?;
        let socket = unbound()?;
        bind(socket.as_raw_fd(), &address)?;
        let text = path.to_str().ok_or(ErrorKind::InvalidInput)?.to_string();
        let ear = Ear {
            socket,
            path: Some(path),
            address: text,
            access: Access::All,
        };
        ear.open_to(user)?;
        Ok(ear)
    }

    /// The one that an earlier supervisor had.
    pub(super) fn of(socket: OwnedFd) -> io::Result<Ear> {
        let name: UnixAddr = getsockname(socket.as_raw_fd())?;
        let (path, address) = match (name.path(), name.as_abstract()) {
            (Some(path), _) => {
                let text = path.to_str().ok_or(ErrorKind::InvalidInput)?;
                (Some(path.to_path_buf()), text.to_string())
            }
            (None, Some(name)) => (None, format!("@{}", String::from_utf8_lossy(name))),
            (None, None) => return Err(ErrorKind::InvalidInput.into()),
        };
        Ok(Ear {
            socket,
            path,
            address,
            access: Access::All,
        })
    }

    fn open_to(&self, user: Option<u32>) -> io::Result<()> {
        let path = self.path.as_deref().unwrap_or(Path::new(""));
        let user = user.filter(|user| *user != 0);
        let mode = if user.is_some() { 0o600 } else { 0o666 };
        fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
        match user {
            Some(_) => chown(path, user, None),
            None => Ok(()),
        }
    }

    /// One that is found without a path: in a chroot there is none.
    pub(super) fn nameless() -> io::Result<Ear> {
        let name = format!("rc-sv/{:016x}", sys::random());
        let socket = unbound()?;
        bind(
            socket.as_raw_fd(),
            &UnixAddr::new_abstract(name.as_bytes())?,
        )?;
        Ok(Ear {
            socket,
            path: None,
            address: format!("@{name}"),
            access: Access::All,
        })
    }
}

fn unbound() -> io::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(AddressFamily::Unix, SockType::Datagram, flags, None)?;
    setsockopt(&socket, sockopt::PassCred, &true)?;
    Ok(socket)
}

/// A pipe: our end, which never waits, and that of the service.
pub(super) fn line() -> io::Result<(OwnedFd, OwnedFd)> {
    let (ours, theirs) = pipe2(OFlag::O_CLOEXEC)?;
    fcntl(&ours, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    Ok((ours, theirs))
}
