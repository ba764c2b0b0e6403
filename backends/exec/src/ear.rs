//! Where a service says what it has to say, a socket of its own or a pipe; and who is believed.
//!
//! Whoever can write to the socket may be anybody, so what counts is what the kernel says of the
//! sender.

use crate::cgroup::Cgroup;
use crate::process;
use crate::sd_notify::Access;
use nix::fcntl::{fcntl, FcntlArg, OFlag};
use nix::sys::socket::{
    bind, getsockname, setsockopt, socket, sockopt, AddressFamily, SockFlag, SockType, UnixAddr,
};
use nix::unistd::{getsid, pipe2, Pid};
use std::fs;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{chown, PermissionsExt};
use std::path::{Path, PathBuf};

/// The socket of a service.
pub struct Ear {
    /// Its descriptor, which never waits.
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

impl AsFd for Ear {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Ear {
    /// One that the service's user can write to; for root's services everybody, who may have
    /// become somebody else. An address has 107 bytes.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn at(path: PathBuf, user: Option<u32>) -> io::Result<Ear> {
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
    ///
    /// # Errors
    /// The descriptor is no such socket.
    pub fn of(socket: OwnedFd) -> io::Result<Ear> {
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

    /// One that is found without a path: in a chroot there is none.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn nameless() -> io::Result<Ear> {
        let name = format!("rc-sv/{:016x}", process::random());
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
}

/// The processes of an instance.
#[derive(Clone, Copy)]
pub struct Family<'a> {
    /// The one that was begun, which leads a session.
    pub leader: i32,
    /// The main process: the same, or the one that it has named.
    pub main: i32,
    /// Where all of them are, if there is such a place.
    pub cgroup: Option<&'a Cgroup>,
}

impl Family<'_> {
    /// Whether a process is listened to. One that has gone by now cannot be told from another, and
    /// is not.
    pub fn is_heard(&self, access: Access, pid: i32) -> bool {
        match access {
            Access::Nobody => false,
            Access::Main => pid == self.main,
            Access::All => self.has(pid),
        }
    }

    /// Whether a process belongs to the instance: it is in its cgroup, or in the session that its
    /// main process leads or is in.
    pub fn has(&self, pid: i32) -> bool {
        if pid <= 0 {
            // The kernel did not say.
            return false;
        }
        let session = |pid| getsid(Some(Pid::from_raw(pid)));
        let of_pid = session(pid);
        // That of a session outside of a namespace is 0.
        let leads = self.leader > 0 && of_pid == Ok(Pid::from_raw(self.leader));
        if leads || pid == self.leader || pid == self.main {
            return true;
        }
        if self.main != self.leader && of_pid.is_ok() && of_pid == session(self.main) {
            return true;
        }
        let Some(cgroup) = self.cgroup else {
            return false;
        };
        let members = fs::read_to_string(cgroup.path().join("cgroup.procs")).unwrap_or_default();
        members.lines().any(|line| line.parse() == Ok(pid))
    }
}

fn unbound() -> io::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(AddressFamily::Unix, SockType::Datagram, flags, None)?;
    setsockopt(&socket, sockopt::PassCred, &true)?;
    Ok(socket)
}

/// A pipe: our end, which never waits, and that of the service.
///
/// # Errors
/// There is no descriptor left.
pub fn line() -> io::Result<(OwnedFd, OwnedFd)> {
    let (ours, theirs) = pipe2(OFlag::O_CLOEXEC)?;
    fcntl(&ours, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    Ok((ours, theirs))
}
