//! The supervisor's own log: datagrams to `/dev/log`, without ever waiting for its reader.

use nix::sys::socket::{
    connect, send, socket, AddressFamily, MsgFlags, SockFlag, SockType, UnixAddr,
};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

/// How bad it is: the numbers of syslog(3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Error = 3,
    Warning = 4,
    Notice = 5,
    Info = 6,
}

/// `LOG_DAEMON`.
const FACILITY: i32 = 3 << 3;

/// Longest line, in bytes: what every syslog daemon takes.
const MAX_LINE: usize = 1024;

/// Where the supervisor tells what it does. Lines are lost while nobody reads `/dev/log`.
pub(super) struct Log {
    path: &'static str,
    socket: Option<OwnedFd>,
}

impl Log {
    pub(super) fn new() -> Log {
        Log {
            path: "/dev/log",
            socket: None,
        }
    }

    /// Logs one line.
    pub(super) fn line(&mut self, level: Level, text: &str) {
        let packet = packet(level, std::process::id(), text);
        // A log daemon that was restarted has a new socket.
        if !self.write(&packet) && self.reconnect() {
            self.write(&packet);
        }
    }

    /// Connects to the log daemon that is there now.
    pub(super) fn reconnect(&mut self) -> bool {
        self.socket = self.open().ok();
        self.socket.is_some()
    }

    fn open(&self) -> nix::Result<OwnedFd> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = socket(AddressFamily::Unix, SockType::Datagram, flags, None)?;
        connect(socket.as_raw_fd(), &UnixAddr::new(Path::new(self.path))?)?;
        Ok(socket)
    }

    /// Whether the line is gone, one way or the other: a full queue loses it.
    fn write(&self, packet: &[u8]) -> bool {
        let Some(socket) = &self.socket else {
            return false;
        };
        let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
        matches!(
            send(socket.as_raw_fd(), packet, flags),
            Ok(_) | Err(nix::errno::Errno::EAGAIN)
        )
    }
}

/// The packet without a time of its own: the log daemon's is better than ours would be.
fn packet(level: Level, pid: u32, text: &str) -> Vec<u8> {
    let priority = FACILITY | level as i32;
    let mut line = format!("<{priority}>rc-sv-supervisor[{pid}]: ");
    line.extend(text.chars().map(|c| if c.is_control() { ' ' } else { c }));
    let mut bytes = line.into_bytes();
    bytes.truncate(MAX_LINE);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_one_bounded_packet() {
        let line = packet(Level::Warning, 7, "foo: a\nb\0c");
        assert_eq!(line, b"<28>rc-sv-supervisor[7]: foo: a b c");
        assert_eq!(packet(Level::Info, 7, &"x".repeat(5_000)).len(), MAX_LINE);
    }

    #[test]
    fn without_a_log_daemon_lines_are_lost_and_nothing_else() {
        let mut log = Log {
            path: "/nonexistent/log",
            socket: None,
        };
        log.line(Level::Error, "nobody reads this");
        assert!(log.socket.is_none());
    }
}
