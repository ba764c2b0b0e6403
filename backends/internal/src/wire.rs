//! The control socket: where it is, and how it is reached.

use nix::fcntl::{open, OFlag};
use nix::sys::socket::{
    connect, setsockopt, socket, sockopt, AddressFamily, SockFlag, SockType, UnixAddr,
};
use nix::sys::stat::Mode;
use nix::sys::time::{TimeVal, TimeValLike};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The name of the socket in the supervisor's directory.
pub(crate) const SOCKET: &str = "socket";

/// The name of the lock file: who holds it is the supervisor.
pub(crate) const LOCK: &str = "lock";

/// The name of the file with the supervisor's pid.
pub(crate) const PID: &str = "pid";

/// The supervisor's directory in `svcdir`.
pub(crate) fn directory(svcdir: &Path) -> PathBuf {
    svcdir.join("rc-sv/.internal")
}

/// Whether a supervisor has left its socket, which it removes when it ends by itself.
pub(crate) fn is_left_behind(svcdir: &Path) -> bool {
    directory(svcdir).join(SOCKET).exists()
}

/// An address that fits `sun_path` even where the path does not.
pub(crate) struct Address {
    pub(crate) address: UnixAddr,
    /// Keeps the way to the directory open that `address` goes.
    _directory: Option<OwnedFd>,
}

impl Address {
    /// The address of `name` in `directory`.
    ///
    /// # Errors
    /// The path is long and the directory cannot be opened.
    pub(crate) fn new(directory: &Path, name: &str) -> io::Result<Address> {
        if let Ok(address) = UnixAddr::new(&directory.join(name)) {
            return Ok(Address {
                address,
                _directory: None,
            });
        }
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let opened = open(directory, flags, Mode::empty())?;
        let short = format!("/proc/self/fd/{}/{name}", opened.as_raw_fd());
        Ok(Address {
            address: UnixAddr::new(short.as_str())?,
            _directory: Some(opened),
        })
    }
}

/// Connects to the supervisor of `svcdir`; waits for at most `patience` in its queue.
///
/// # Errors
/// `ENOENT` or `ECONNREFUSED`: none is there.
pub(crate) fn reach(svcdir: &Path, patience: Duration) -> io::Result<OwnedFd> {
    let address = Address::new(&directory(svcdir), SOCKET)?;
    let flags = SockFlag::SOCK_CLOEXEC;
    let socket = socket(AddressFamily::Unix, SockType::SeqPacket, flags, None)?;
    let millis = i64::try_from(patience.as_millis())
        .unwrap_or(i64::MAX)
        .max(1);
    setsockopt(
        &socket,
        sockopt::SendTimeout,
        &TimeVal::milliseconds(millis),
    )?;
    connect(socket.as_raw_fd(), &address.address)?;
    Ok(socket)
}
