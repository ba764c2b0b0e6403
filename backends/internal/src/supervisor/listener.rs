//! Taking connections.

use super::clients::Clients;
use super::log::Level;
use super::reactor::{Interest, Kind, Reactor, Token};
use super::{sys, Supervisor};
use rc_sv_api::Error;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// How many connections are taken at once, so that others get their turn.
const ACCEPTS: usize = 64;

/// How long no connection is taken when the system has no descriptor or memory for one.
const PAUSE_MS: u64 = 200;

/// The control socket.
pub(super) struct Listener {
    socket: OwnedFd,
    /// While no connection is taken: until when.
    paused_until: Option<u64>,
}

impl Supervisor {
    /// Takes in that somebody wants to connect.
    pub(super) fn connected(&mut self) {
        let now_ms = self.clock.now().boot_ms;
        if let Err(cause) = self
            .listener
            .accept(&mut self.clients, &self.reactor, now_ms)
        {
            let error = Error::io("take a connection", &cause);
            self.log.line(Level::Warning, &error.message);
        }
    }
}

impl Listener {
    pub(super) fn new(socket: OwnedFd, reactor: &Reactor) -> io::Result<Listener> {
        reactor.add(&socket, Interest::Read, Token::of(Kind::Listener))?;
        Ok(Listener {
            socket,
            paused_until: None,
        })
    }

    /// Takes connections that wait.
    ///
    /// # Errors
    /// The system has no descriptor or memory for one; no connection is taken for a while.
    pub(super) fn accept(
        &mut self,
        clients: &mut Clients,
        reactor: &Reactor,
        now_ms: u64,
    ) -> io::Result<()> {
        for _ in 0..ACCEPTS {
            match sys::accept(self.socket.as_fd()) {
                Ok(socket) => clients.admit(socket, reactor),
                Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(cause) if is_about_one(&cause) => {}
                Err(cause) => {
                    // The connection keeps waiting, so the socket stays readable: look away.
                    self.listen_for(Interest::Nothing, reactor)?;
                    self.paused_until = Some(now_ms + PAUSE_MS);
                    return Err(cause);
                }
            }
        }
        Ok(())
    }

    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// When [`Listener::resume`] is to be called.
    pub(super) fn deadline(&self) -> Option<u64> {
        self.paused_until
    }

    /// Takes connections again, if the pause is over.
    pub(super) fn resume(&mut self, reactor: &Reactor, now_ms: u64) {
        if self.paused_until.is_some_and(|until| until <= now_ms) {
            self.paused_until = match self.listen_for(Interest::Read, reactor) {
                Ok(()) => None,
                Err(_) => Some(now_ms + PAUSE_MS),
            };
        }
    }

    fn listen_for(&self, interest: Interest, reactor: &Reactor) -> io::Result<()> {
        reactor.change(&self.socket, interest, Token::of(Kind::Listener))
    }
}

/// Errors of accept(2) that concern a connection that is gone already.
fn is_about_one(cause: &io::Error) -> bool {
    matches!(
        cause.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted
    )
}
