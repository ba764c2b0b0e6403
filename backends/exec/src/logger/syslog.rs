//! The system's log: datagrams to `/dev/log`, with a bound to all waiting.

use super::end::End;
use super::spool::Spool;
use crate::log::render::{Moment, Renderer};
use crate::log::{lines, Kept};
use nix::errno::Errno;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::socket::{
    connect, send, socket, AddressFamily, MsgFlags, SockFlag, SockType, UnixAddr,
};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// `daemon.warning`, for what the logger itself has to say.
pub(super) const OWN: u8 = (libc::LOG_DAEMON | libc::LOG_WARNING) as u8;

/// Longest line, in bytes: with what stands before it every log daemon takes it. Longer ones are
/// cut into several.
const LONGEST: usize = 900;

/// How long the log daemon may be busy, in milliseconds.
const PATIENCE_MS: u8 = 200;

/// How many lines are sent before the service is looked at again.
const TURN: usize = 64;

/// A way to the log daemon.
pub(super) struct Syslog {
    prefix: String,
    socket: Option<OwnedFd>,
    renderer: Renderer,
    said: Option<String>,
}

impl Syslog {
    /// `number` is that in front of a message, `name` who says it.
    pub(super) fn new(number: u8, name: &str) -> Syslog {
        Syslog::limited(number, name, &Kept::default())
    }

    /// The same with a limit of lines in a second.
    pub(super) fn limited(number: u8, name: &str, kept: &Kept) -> Syslog {
        Syslog {
            prefix: format!("<{number}>{name}: "),
            socket: None,
            renderer: Renderer::new(kept),
            said: None,
        }
    }

    /// Says something once; it is lost where nobody listens.
    pub(super) fn tell(&mut self, words: &str) {
        let _ = self.send(words.as_bytes());
    }

    fn send(&mut self, line: &[u8]) -> io::Result<()> {
        let mut packet = self.prefix.clone().into_bytes();
        let shown = |byte: &u8| {
            if *byte < b' ' && *byte != b'\t' {
                b' '
            } else {
                *byte
            }
        };
        packet.extend(line.iter().map(shown));
        match self.transmit(&packet) {
            // A log daemon that was started anew has a new socket.
            Err(Errno::ECONNREFUSED | Errno::ENOTCONN | Errno::ECONNRESET | Errno::EPIPE) => {
                self.socket = None;
                self.transmit(&packet)
            }
            sent => sent,
        }
        .map_err(|errno| {
            let cause = io::Error::from(errno);
            io::Error::new(cause.kind(), format!("/dev/log: {cause}"))
        })
    }

    fn transmit(&mut self, packet: &[u8]) -> nix::Result<()> {
        let socket = match self.socket.take() {
            Some(socket) => socket,
            None => reach()?,
        };
        let socket = self.socket.insert(socket);
        let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
        match send(socket.as_raw_fd(), packet, flags) {
            Err(Errno::EAGAIN) => {}
            sent => return sent.map(drop),
        }
        let mut fds = [PollFd::new(socket.as_fd(), PollFlags::POLLOUT)];
        poll(&mut fds, PollTimeout::from(PATIENCE_MS))?;
        send(socket.as_raw_fd(), packet, flags).map(drop)
    }
}

fn reach() -> nix::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(AddressFamily::Unix, SockType::Datagram, flags, None)?;
    connect(socket.as_raw_fd(), &UnixAddr::new("/dev/log")?)?;
    Ok(socket)
}

impl End for Syslog {
    /// A logger that is killed between a line and the note that it is delivered sends it again.
    fn deliver(&mut self, spool: &mut Spool, is_end: bool, now: Moment) -> io::Result<bool> {
        if let Some(words) = self.said.take().or_else(|| self.renderer.words(now)) {
            if let Err(cause) = self.send(words.as_bytes()) {
                self.said = Some(words);
                return Err(cause);
            }
        }
        let bytes = spool.peek(TURN * LONGEST);
        let mut done = 0;
        while let Some((content, whole)) = lines::first(&bytes[done..], LONGEST, is_end) {
            // An empty line is none for a log daemon.
            if content > 0 && self.renderer.allows(now) {
                self.send(&bytes[done..done + content])?;
            }
            spool.advance(whole as u64);
            done += whole;
        }
        Ok(done > 0)
    }

    fn say(&mut self, words: String) {
        self.said = Some(words);
    }

    fn due(&self) -> Option<u64> {
        self.renderer.due()
    }
}
