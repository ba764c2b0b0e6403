//! A command that runs beside the services and is killed when it takes too long. Nothing waits for it.

use super::afterlife::Afterlife;
use super::companion::Companion;
use super::reactor::{Interest, Token};
use super::Supervisor;
use rc_sv_api::exit::Exit;
use rc_sv_api::{Error, Result};
use rc_sv_exec::launch::Launch;
use std::os::fd::{AsFd, BorrowedFd};

/// One that runs.
pub(super) struct Errand {
    token: Token,
    command: Companion,
    /// When it is killed; `None` when it was.
    until: Option<u64>,
}

impl Errand {
    /// What the reactor tells its end by.
    pub(super) fn token(&self) -> Token {
        self.token
    }

    /// When it is killed; `None` when it was.
    pub(super) fn until(&self) -> Option<u64> {
        self.until
    }

    /// Kills it if it takes too long, with what it started, as far as it stayed in its group. Answers
    /// whether it was.
    pub(super) fn kill_late(&mut self, now_ms: u64) -> bool {
        let is_late = self.until.is_some_and(|until| until <= now_ms);
        if is_late {
            self.until = None;
            self.command.kill();
        }
        is_late
    }

    /// How it ended; `None` while it runs. To be asked once when it has.
    ///
    /// # Errors
    /// It could not be executed.
    pub(super) fn end(&self, afterlife: &mut Afterlife) -> Option<Result<Exit>> {
        self.command.end(afterlife)
    }
}

impl AsFd for Errand {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.command.as_fd()
    }
}

impl Supervisor {
    /// Begins one, whose end is told by `token`.
    pub(super) fn begin_errand(
        &mut self,
        launch: Launch,
        token: Token,
        limit_ms: u64,
    ) -> Result<Errand> {
        let command = Companion::begin(launch)?;
        if let Err(cause) = self.reactor.add(&command, Interest::Read, token) {
            self.abandon(command.into_process());
            return Err(Error::io("watch the process", &cause));
        }
        let now_ms = self.clock.now().boot_ms;
        Ok(Errand {
            token,
            command,
            until: Some(now_ms.saturating_add(limit_ms)),
        })
    }
}
