//! A connection to the supervisor.

use crate::protocol::{record, Reply, Request, MAX_REPLY};
use crate::supervisor::sys;
use crate::wire;
use nix::errno::Errno;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::socket::{send, MsgFlags};
use rc_sv_api::{Code, Error, Result, ServiceName, Status};
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

/// A list longer than this is not read: more than ten thousand services.
const MAX_LIST: u64 = 16 << 20;

/// A connection to the supervisor of one state directory.
#[derive(Debug)]
pub struct Connection {
    socket: OwnedFd,
    last_id: u64,
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Connection {
    /// Connects to the supervisor of `svcdir`, waiting in its queue for at most `patience`.
    /// `None` when there is none.
    ///
    /// # Errors
    /// It cannot be reached though it is there.
    pub fn open(svcdir: &Path, patience: Duration) -> Result<Option<Connection>> {
        match wire::reach(svcdir, patience) {
            Ok(socket) => Ok(Some(Connection { socket, last_id: 0 })),
            Err(cause) => match cause.raw_os_error() {
                Some(libc::ENOENT | libc::ECONNREFUSED) => Ok(None),
                Some(libc::EAGAIN) => Err(Error::new(
                    Code::Timeout,
                    "the supervisor does not take connections",
                )),
                _ => Err(Error::io("connect to the supervisor", &cause)),
            },
        }
    }

    /// Sends a request; answers its id.
    ///
    /// # Errors
    /// The supervisor has ended, or does not take it before `deadline`.
    pub fn send(&mut self, request: &Request, deadline: Instant) -> Result<u64> {
        self.last_id += 1;
        let packet = request.encode(self.last_id);
        let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
        loop {
            match send(self.socket.as_raw_fd(), &packet, flags) {
                Ok(_) => return Ok(self.last_id),
                Err(Errno::EAGAIN) => self.wait(PollFlags::POLLOUT, deadline)?,
                Err(Errno::EINTR) => {}
                Err(Errno::EPIPE | Errno::ECONNRESET) => return Err(ended()),
                Err(errno) => return Err(Error::io("ask the supervisor", &errno.into())),
            }
        }
    }

    /// The next answer, with the id of its request, and the file that came with it.
    ///
    /// # Errors
    /// The supervisor has ended, does not answer before `deadline`, or is not understood.
    pub fn receive(&mut self, deadline: Instant) -> Result<(Reply, u64, Option<OwnedFd>)> {
        loop {
            match self.take()? {
                Some(received) => return Ok(received),
                None => self.wait(PollFlags::POLLIN, deadline)?,
            }
        }
    }

    /// The same without waiting; `None` when nothing is there.
    ///
    /// # Errors
    /// The supervisor has ended, or is not understood.
    pub fn take(&mut self) -> Result<Option<(Reply, u64, Option<OwnedFd>)>> {
        let mut packet = [0u8; MAX_REPLY + 1];
        loop {
            match sys::receive(self.socket.as_fd(), &mut packet) {
                Ok((0, _)) => return Err(ended()),
                Ok((length, file)) => {
                    let (reply, id) = Reply::decode(&packet[..length.min(packet.len())])?;
                    return Ok(Some((reply, id, file)));
                }
                Err(cause) => match cause.raw_os_error() {
                    Some(libc::EAGAIN) => return Ok(None),
                    Some(libc::EINTR) => {}
                    Some(libc::ECONNRESET) => return Err(ended()),
                    _ => return Err(Error::io("hear from the supervisor", &cause)),
                },
            }
        }
    }

    /// Asks, and waits for the answer to that. A refusal is an error.
    ///
    /// # Errors
    /// As [`Connection::send`] and [`Connection::receive`], and what the supervisor refused.
    pub fn ask(&mut self, request: &Request, deadline: Instant) -> Result<Reply> {
        let asked = self.send(request, deadline)?;
        loop {
            match self.receive(deadline)? {
                (Reply::Refused(error), _, _) => return Err(error),
                (reply, id, _) if id == asked => return Ok(reply),
                _ => {}
            }
        }
    }

    /// One snapshot of each service, sorted by name.
    ///
    /// # Errors
    /// As [`Connection::ask`].
    pub fn list(&mut self, deadline: Instant) -> Result<Vec<(ServiceName, Status)>> {
        record::entries(&self.listed(deadline)?).collect()
    }

    /// The same as bytes, for [`record::entries`].
    ///
    /// # Errors
    /// As [`Connection::ask`].
    pub(super) fn listed(&mut self, deadline: Instant) -> Result<Vec<u8>> {
        self.send(&Request::List, deadline)?;
        let (length, file) = match self.receive(deadline)? {
            (Reply::List(length), _, Some(file)) if length <= MAX_LIST => (length, file),
            (Reply::Refused(error), _, _) => return Err(error),
            _ => return Err(unexpected()),
        };
        // Within MAX_LIST; it is there all at once.
        let mut bytes = vec![0; length as usize];
        let read = File::from(file).read_exact(&mut bytes);
        read.map_err(|cause| Error::io("read the supervisor's list", &cause))?;
        Ok(bytes)
    }

    fn wait(&self, what: PollFlags, deadline: Instant) -> Result<()> {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        let mut fds = [PollFd::new(self.socket.as_fd(), what)];
        match poll(&mut fds, timeout) {
            Ok(0) if Instant::now() >= deadline => {
                let message = "the supervisor did not answer in time";
                Err(Error::new(Code::Timeout, message))
            }
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(errno) => Err(Error::io("wait for the supervisor", &errno.into())),
        }
    }
}

/// An answer to something else than was asked.
pub(super) fn unexpected() -> Error {
    Error::new(
        Code::Protocol,
        "the supervisor's answer does not fit the question",
    )
}

fn ended() -> Error {
    Error::new(Code::NotRunning, "the supervisor ended before it answered")
}
