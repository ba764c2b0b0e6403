//! A command that runs beside the services and is killed when it takes too long. Nothing waits for it.

use super::afterlife::Afterlife;
use super::companion::Companion;
use super::reactor::{Interest, Token};
use super::state_file::Who;
use super::Supervisor;
use crate::core::Id;
use rc_sv_api::exit::Exit;
use rc_sv_api::{Error, Result};
use rc_sv_exec::instance::AsOf;
use rc_sv_exec::launch::{Launch, Left};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// One that runs.
pub(super) struct Errand {
    token: Token,
    command: Companion,
    /// When it is killed; `None` when it was.
    until: Option<u64>,
}

impl Errand {
    /// What it leaves word with: this number, unless it was adopted.
    pub(super) fn word(&self, number: u32) -> Option<Left> {
        let who = self.command.who;
        self.command.is_made().then_some(Left { number, who })
    }

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
    /// Begins one for a service, whose end is told by `token`, and which leaves word as `who` with
    /// this number.
    pub(super) fn begin_errand(
        &mut self,
        mut launch: Launch,
        token: Token,
        limit_ms: u64,
        (id, who, number): (Id, Who, u32),
    ) -> Result<Errand> {
        launch.leave_word(self.state_of(id)?.word(who, number));
        let command = Companion::begin(launch)?;
        let left = Left {
            number,
            who: command.who,
        };
        self.identify(id, who, left);
        self.await_errand(command, token, limit_ms)
    }

    /// Goes on with one that another supervisor has begun.
    pub(super) fn adopt_errand(
        &mut self,
        (who, pidfd): (AsOf, OwnedFd),
        token: Token,
        limit_ms: u64,
    ) -> Result<Errand> {
        let passed_ms = self.clock.now().boot_ms.saturating_sub(who.boot_ms);
        let command = Companion::adopted(who, pidfd);
        self.await_errand(command, token, limit_ms.saturating_sub(passed_ms))
    }

    fn await_errand(&mut self, command: Companion, token: Token, limit_ms: u64) -> Result<Errand> {
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
