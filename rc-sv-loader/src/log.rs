//! The system's log, which nobody waits for.
//!
//! syslog(3) blocks while the log daemon hangs, and a service is not to hang with it.

use nix::errno::Errno;
use nix::sys::socket::{
    connect, send, socket, AddressFamily, MsgFlags, SockFlag, SockType, UnixAddr,
};
use std::os::fd::AsRawFd;
use std::path::Path;

/// Where the log daemon listens.
const SOCKET: &str = "/dev/log";
/// LOG_DAEMON.
const FACILITY: i32 = 3 << 3;

/// Sends one line to the system's log as a message of a daemon; `level` is 0 to 7. Where nobody
/// takes it at once it is lost.
pub fn log(level: i32, line: &str) {
    log_to(Path::new(SOCKET), &message(level, line));
}

fn log_to(socket: &Path, message: &str) {
    // Nearly all daemons take datagrams; on a stream a NUL ends a message.
    let sent = send_by(socket, SockType::Datagram, message.as_bytes());
    if sent == Err(Errno::EPROTOTYPE) {
        // A failure of the log is told to nobody.
        let _ = send_by(socket, SockType::Stream, format!("{message}\0").as_bytes());
    }
}

fn send_by(path: &Path, kind: SockType, message: &[u8]) -> nix::Result<usize> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(AddressFamily::Unix, kind, flags, None)?;
    connect(socket.as_raw_fd(), &UnixAddr::new(path)?)?;
    send(socket.as_raw_fd(), message, MsgFlags::MSG_NOSIGNAL)
}

/// As syslog(3) writes it, but for the time, which daemons add.
fn message(level: i32, line: &str) -> String {
    let priority = FACILITY | (level & 7);
    let program = std::env::args_os().next().unwrap_or_default();
    let name = Path::new(&program).file_name().unwrap_or_default();
    let (name, pid) = (name.to_string_lossy(), std::process::id());
    format!("<{priority}>{name}[{pid}]: {line}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::unix::net::{UnixDatagram, UnixListener};

    #[test]
    fn a_line_has_priority_name_and_pid() {
        let text = message(4, "mind the gap");
        let end = format!("[{}]: mind the gap", std::process::id());
        assert!(text.starts_with("<28>") && text.ends_with(&end), "{text}");
    }

    #[test]
    fn both_kinds_of_daemons_are_told_and_nobody_waits() {
        let path = std::env::temp_dir().join(format!("rc-sv-log-{}", std::process::id()));
        log_to(&path, "nobody is there");
        let datagrams = UnixDatagram::bind(&path).unwrap();
        // More than fits, to a daemon that does not read.
        for _ in 0..10_000 {
            log_to(&path, "one");
        }
        let mut buffer = [0; 16];
        assert_eq!(datagrams.recv(&mut buffer).unwrap(), 3);
        assert_eq!(&buffer[..3], b"one");
        std::fs::remove_file(&path).unwrap();
        let stream = UnixListener::bind(&path).unwrap();
        log_to(&path, "two");
        let mut text = String::new();
        let mut connection = stream.accept().unwrap().0;
        connection.read_to_string(&mut text).unwrap();
        assert_eq!(text, "two\0");
        std::fs::remove_file(&path).unwrap();
    }
}
