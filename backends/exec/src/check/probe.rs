//! Looking at an address, without ever waiting: whoever drives it waits until the descriptor is as
//! [`Wait`] says, and drops it after its time-out.

use super::answer::{self, judge};
use super::target::Http;
use super::{Outcome, Target};
use nix::errno::Errno;
use nix::sys::socket::{
    connect, getsockopt, recv, send, socket, sockopt, AddressFamily, MsgFlags, SockFlag, SockType,
    SockaddrStorage, UnixAddr,
};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// One look at an address.
#[derive(Debug)]
pub struct Probe {
    socket: OwnedFd,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Connecting(Vec<u8>),
    /// What is left of the request.
    Asking(Vec<u8>),
    /// What was answered so far.
    Hearing(Vec<u8>),
}

/// What the descriptor has to be for the next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Readable.
    Readable,
    /// Writable.
    Writable,
}

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Wait for this.
    Wait(Wait),
    /// It is over; the words say why it did not pass.
    Done(Outcome, String),
}

impl Probe {
    /// Begins to look at an address; `None` for a target that is no address.
    ///
    /// # Errors
    /// It is over already: how, and why in words.
    pub fn begin(target: &Target) -> Option<Result<Probe, (Outcome, String)>> {
        let (address, request) = match target {
            Target::Tcp(address) => (Address::Tcp(*address), Vec::new()),
            Target::Http(http) => (Address::Tcp(http.address), request(http)),
            Target::Unix(path) => match UnixAddr::new(path) {
                Ok(address) => (Address::Unix(address), Vec::new()),
                Err(errno) => return Some(Err((Outcome::Unknown, errno.desc().into()))),
            },
            Target::Exec(_) | Target::Hook | Target::Memory(_) => return None,
        };
        Some(address.connect().map(|socket| Probe {
            socket,
            stage: Stage::Connecting(request),
        }))
    }

    /// What is waited for at first.
    pub const FIRST: Wait = Wait::Writable;

    /// Goes on as far as it can.
    pub fn advance(&mut self) -> Step {
        match self.go_on() {
            Ok(step) => step,
            Err(Errno::EAGAIN | Errno::EINTR) => Step::Wait(match self.stage {
                Stage::Hearing(_) => Wait::Readable,
                Stage::Connecting(_) | Stage::Asking(_) => Wait::Writable,
            }),
            Err(errno) => fail(errno),
        }
    }

    fn go_on(&mut self) -> nix::Result<Step> {
        if let Stage::Connecting(request) = &mut self.stage {
            match getsockopt(&self.socket, sockopt::SocketError)? {
                0 => {}
                error => return Ok(fail(Errno::from_raw(error))),
            }
            if request.is_empty() {
                return Ok(Step::Done(Outcome::Pass, String::new()));
            }
            self.stage = Stage::Asking(std::mem::take(request));
        }
        let fd = self.socket.as_raw_fd();
        while let Stage::Asking(rest) = &mut self.stage {
            let sent = send(fd, rest, MsgFlags::MSG_NOSIGNAL)?;
            rest.drain(..sent.min(rest.len()));
            if rest.is_empty() {
                self.stage = Stage::Hearing(Vec::new());
            }
        }
        while let Stage::Hearing(answer) = &mut self.stage {
            let mut part = [0u8; 512];
            let room = part.len().min(answer::LONGEST - answer.len());
            let got = recv(fd, &mut part[..room], MsgFlags::empty())?;
            answer.extend(&part[..got]);
            if let Some((outcome, said)) = judge(answer, got == 0) {
                return Ok(Step::Done(outcome, said));
            }
        }
        Ok(Step::Wait(Wait::Writable))
    }
}

impl AsFd for Probe {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

enum Address {
    Tcp(SocketAddr),
    Unix(UnixAddr),
}

impl Address {
    fn connect(&self) -> Result<OwnedFd, (Outcome, String)> {
        let family = match self {
            Address::Tcp(SocketAddr::V4(_)) => AddressFamily::Inet,
            Address::Tcp(SocketAddr::V6(_)) => AddressFamily::Inet6,
            Address::Unix(_) => AddressFamily::Unix,
        };
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        // Whether the service works is not told by our own lack of descriptors.
        let socket = socket(family, SockType::Stream, flags, None)
            .map_err(|errno| (Outcome::Unknown, format!("make a socket: {}", errno.desc())))?;
        let fd = socket.as_raw_fd();
        let connected = match self {
            Address::Tcp(address) => connect(fd, &SockaddrStorage::from(*address)),
            Address::Unix(address) => connect(fd, address),
        };
        match connected {
            Ok(()) | Err(Errno::EINPROGRESS | Errno::EINTR) => Ok(socket),
            // Of a local socket: nobody takes connections out of its queue.
            Err(Errno::EAGAIN) => Err((Outcome::Fail, "its queue of connections is full".into())),
            Err(Errno::EADDRNOTAVAIL) => Err((Outcome::Unknown, "no local port is free".into())),
            Err(errno) => Err((Outcome::Fail, errno.desc().into())),
        }
    }
}

fn fail(errno: Errno) -> Step {
    Step::Done(Outcome::Fail, errno.desc().into())
}

fn request(http: &Http) -> Vec<u8> {
    let Http { host, path, .. } = http;
    let agent = concat!("rc-sv/", env!("CARGO_PKG_VERSION"));
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {agent}\r\nAccept: */*\r\n\
         Connection: close\r\n\r\n"
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::poll::{poll, PollFd, PollFlags};
    use nix::sys::socket::{shutdown, Shutdown};
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::os::unix::net::UnixListener;
    use std::thread;

    /// Drives it to its end.
    fn look(target: &Target) -> (Outcome, String) {
        let mut probe = match Probe::begin(target).unwrap() {
            Ok(probe) => probe,
            Err(over) => return over,
        };
        let mut wait = Probe::FIRST;
        loop {
            let flags = match wait {
                Wait::Readable => PollFlags::POLLIN,
                Wait::Writable => PollFlags::POLLOUT,
            };
            let mut fds = [PollFd::new(probe.as_fd(), flags)];
            assert_eq!(poll(&mut fds, 30_000u16), Ok(1), "nothing happens");
            match probe.advance() {
                Step::Wait(next) => wait = next,
                Step::Done(outcome, said) => return (outcome, said),
            }
        }
    }

    fn target(text: &str) -> Target {
        Target::parse(text.as_bytes()).unwrap()
    }

    fn pass() -> (Outcome, String) {
        (Outcome::Pass, String::new())
    }

    /// Whether a server that answers `parts`, one by one, passes; and what it was asked.
    fn served(parts: &'static [&'static str]) -> ((Outcome, String), String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = String::new();
            while !asked.ends_with("\r\n\r\n") {
                let mut part = [0; 64];
                let got = stream.read(&mut part).unwrap();
                asked += std::str::from_utf8(&part[..got]).unwrap();
            }
            for part in parts {
                stream.write_all(part.as_bytes()).unwrap();
            }
            asked
        });
        let looked = look(&target(&format!("http://127.0.0.1:{port}/health?x=1")));
        (looked, server.join().unwrap())
    }

    /// Makes a listener refuse from now on. To close it is not enough: other tests fork at any moment,
    /// and until their child has executed its program it has a copy.
    fn refuse(listener: impl AsRawFd) {
        shutdown(listener.as_raw_fd(), Shutdown::Both).unwrap();
    }

    #[test]
    fn who_listens_passes_and_who_does_not_fails() {
        // On an address of its own: a port that was given up may be somebody else's at once.
        let address = "127.4.2.1:0";
        let listener = TcpListener::bind(address).unwrap();
        let tcp = target(&format!("tcp:{}", listener.local_addr().unwrap()));
        assert_eq!(look(&tcp), pass());
        refuse(listener);
        assert_eq!(look(&tcp), (Outcome::Fail, "Connection refused".into()));
    }

    #[test]
    fn a_local_socket_is_looked_at_too() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let unix = Target::Unix(path.clone());
        assert_eq!(
            look(&unix),
            (Outcome::Fail, "No such file or directory".into())
        );
        let listener = UnixListener::bind(&path).unwrap();
        assert_eq!(look(&unix), pass());
        refuse(listener);
        assert_eq!(look(&unix), (Outcome::Fail, "Connection refused".into()));
    }

    #[test]
    fn a_local_socket_whose_queue_is_full_fails() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let _listener = UnixListener::bind(&path).unwrap();
        let unix = Target::Unix(path);
        let held: Vec<_> = std::iter::from_fn(|| Probe::begin(&unix).unwrap().ok())
            .take(100_000)
            .collect();
        assert!(!held.is_empty());
        let full = "its queue of connections is full".to_string();
        assert_eq!(look(&unix), (Outcome::Fail, full));
    }

    #[test]
    fn a_server_is_asked_and_its_status_counts() {
        let (looked, asked) = served(&["HTTP/1.1 20", "0 OK\r\n", "\r\nfine"]);
        assert_eq!(looked, pass());
        assert!(
            asked.starts_with("GET /health?x=1 HTTP/1.1\r\nHost: 127.0.0.1:"),
            "{asked}"
        );
        let (looked, _) = served(&["HTTP/1.1 503 Busy\r\n\r\n"]);
        assert_eq!(looked, (Outcome::Fail, "answers with status 503".into()));
        let (looked, _) = served(&[]);
        assert_eq!(looked, (Outcome::Fail, "closes without an answer".into()));
    }
}
