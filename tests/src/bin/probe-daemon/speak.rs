//! What the daemon says to its supervisor.

use std::env;
use std::ffi::OsStr;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use nix::fcntl::OFlag;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::socket::{sendmsg, ControlMessage, MsgFlags, UnixAddr};
use nix::unistd::pipe2;

use crate::sys;

/// One thing that it says or does to be heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Say {
    /// A datagram to $NOTIFY_SOCKET.
    Notify(String),
    /// The same, by a child that lives on.
    NotifyByChild(String),
    /// A datagram with the read end of a new pipe, in which the words stand.
    NotifyWith(String, String),
    /// A datagram with the descriptors that it was given, as sd_listen_fds(3) has it.
    NotifyAgain(String),
    /// A barrier, waited for.
    Barrier,
    /// Bytes to a descriptor.
    Write(i32, String),
    /// The end of a descriptor.
    Close(i32),
}

/// `%n` stands for a newline, because no shell takes anything of it away, and
/// `%p` for the pid of this process.
pub(crate) fn text(escaped: &str) -> String {
    escaped
        .replace("%n", "\n")
        .replace("%p", &sys::ids().pid.to_string())
}

/// Says it. A datagram waits for as long as the socket is full.
pub(crate) fn say(say: &Say) -> io::Result<()> {
    match say {
        Say::Notify(text) => notify(text),
        Say::NotifyByChild(text) => by_child(text),
        Say::NotifyWith(text, words) => with_pipe(text, words),
        Say::NotifyAgain(text) => with_given(text),
        Say::Barrier => barrier(),
        Say::Write(fd, text) => sys::write_bytes(*fd, text.as_bytes()),
        Say::Close(fd) => sys::close(*fd),
    }
}

fn notify(text: &str) -> io::Result<()> {
    let address = env::var_os("NOTIFY_SOCKET").unwrap_or_default();
    let address = match address.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        path => SocketAddr::from_pathname(OsStr::from_bytes(path))?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.send_to_addr(text.as_bytes(), &address)?;
    Ok(())
}

/// Both ends of the pipe are left to the receiver; without words the other end is closed.
fn with_pipe(text: &str, words: &str) -> io::Result<()> {
    let (read, write) = pipe2(OFlag::O_CLOEXEC)?;
    if words.is_empty() {
        return send(text, &[read.as_raw_fd()]);
    }
    sys::write_bytes(write.as_raw_fd(), words.as_bytes())?;
    send(text, &[read.as_raw_fd(), write.as_raw_fd()])
}

fn with_given(text: &str) -> io::Result<()> {
    let count = env::var("LISTEN_FDS").unwrap_or_default();
    let count: i32 = count.parse().unwrap_or(0);
    match count {
        0 => Ok(()),
        _ => send(text, &(3..3 + count).collect::<Vec<_>>()),
    }
}

/// Until everything that was sent before was heard.
fn barrier() -> io::Result<()> {
    let (read, write) = pipe2(OFlag::O_CLOEXEC)?;
    send("BARRIER=1", &[write.as_raw_fd()])?;
    drop(write);
    poll(
        &mut [PollFd::new(read.as_fd(), PollFlags::empty())],
        PollTimeout::NONE,
    )?;
    Ok(())
}

fn send(text: &str, descriptors: &[i32]) -> io::Result<()> {
    let path = env::var_os("NOTIFY_SOCKET").unwrap_or_default();
    let address = UnixAddr::new(path.as_bytes())?;
    let socket = UnixDatagram::unbound()?;
    let parts = [IoSlice::new(text.as_bytes())];
    let with = [ControlMessage::ScmRights(descriptors)];
    let flags = MsgFlags::empty();
    sendmsg(socket.as_raw_fd(), &parts, &with, flags, Some(&address))?;
    Ok(())
}

fn by_child(text: &str) -> io::Result<()> {
    if sys::fork()?.is_some() {
        return Ok(());
    }
    let code = i32::from(notify(text).is_err());
    if code == 0 {
        sys::wait_for_the_end();
    }
    sys::exit_now(code)
}
