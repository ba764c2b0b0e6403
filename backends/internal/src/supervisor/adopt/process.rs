//! What became of the processes that an earlier supervisor has made, and going on with the main one.

use super::super::held::{self, Held};
use super::super::making::path_of;
use super::super::process::Process;
use super::super::reactor::{Interest, Kind, Token};
use super::super::state_file::Who;
use super::super::successor::{Awaited, Successor};
use super::super::Supervisor;
use crate::core::{self, Found, Id};
use rc_sv_api::exit::Exit;
use rc_sv_api::{Error, Result, Settings, State};
use rc_sv_exec::cgroup::Cgroup;
use rc_sv_exec::instance::AsOf;
use rc_sv_exec::launch::Left;
use rc_sv_exec::readiness::Readiness;
use std::os::fd::{AsFd, OwnedFd};

/// The process of a word.
pub(in super::super) enum Fate {
    Lives(AsOf, OwnedFd),
    Ended(AsOf),
    /// There is no word, or an older one.
    NeverMade,
}

impl Supervisor {
    /// What became of the process of a word.
    pub(super) fn fate(&mut self, id: Id, who: Who, number: u32) -> Result<Fate> {
        let word = self.slots.of(id).state.as_ref();
        let word = word.and_then(|state| state.left(who));
        match word.filter(|word| word.number == number) {
            None => Ok(Fate::NeverMade),
            Some(word) => self.fate_of(id, who, word),
        }
    }

    /// What became of the process that has left this word. From now on it is known by its handle,
    /// also where its maker did not come to note that.
    pub(in super::super) fn fate_of(&mut self, id: Id, who: Who, word: Left) -> Result<Fate> {
        let failed = |cause| Error::io(format_args!("look at process {}", word.who.pid), &cause);
        let Some(pidfd) = word.who.open().map_err(failed)? else {
            return Ok(Fate::Ended(word.who));
        };
        if word.who.handle.is_none() {
            let (pid, boot_ms) = (word.who.pid, word.who.boot_ms);
            let process = AsOf::now(pid, boot_ms, pidfd.as_fd());
            let left = Left {
                who: process,
                ..word
            };
            self.identify(id, who, left);
            return Ok(Fate::Lives(process, pidfd));
        }
        Ok(Fate::Lives(word.who, pidfd))
    }

    /// Goes on with the current instance of a service.
    pub(super) fn adopt_main(
        &mut self,
        id: Id,
        left: &core::Left,
        settings: &dyn Settings,
        held: &mut Vec<Held>,
    ) -> Result<Found> {
        let run = left.run;
        let fate = self.fate(id, Who::Main, run)?;
        let is_starting = self.core.status(id, self.clock.now()).state == State::Starting;
        if left.is_live && is_starting && matches!(fate, Fate::NeverMade) {
            return Ok(Found::NeverMade);
        }
        let mut process = Process {
            cgroup: path_of(settings, "cgroup").map(Cgroup::in_service),
            pid_file: path_of(settings, "pidfile")
                .filter(|_| settings.flag("command_background"))
                .map(Into::into),
            ..Process::of_another(run)
        };
        let who = match &fate {
            Fate::Lives(who, _) | Fate::Ended(who) => Some(*who),
            Fate::NeverMade => None,
        };
        let mut found = match fate {
            Fate::NeverMade => Found::Ended(Exit::Unknown),
            Fate::Ended(who) => {
                let failed = |cause| Error::io("look for what it has left", &cause);
                process.remains = who.open_remains().map_err(failed)?;
                Found::Ended(self.afterlife.exit_of(who, None))
            }
            Fate::Lives(who, pidfd) => {
                let token = Token::new(Kind::Successor, id.index(), run);
                self.reactor
                    .add(&pidfd, Interest::Read, token)
                    .map_err(|cause| Error::io("watch the process", &cause))?;
                process.successor = Some(Box::new(Successor { who, pidfd }));
                // Which hold was known to the supervisor before.
                self.limit(id, settings, process.cgroup.as_ref());
                Found::Lives(who.pid)
            }
        };
        if is_starting && left.is_live {
            let waits = (Readiness::of(settings)?, path_of(settings, "pidfile"));
            if let (Readiness::PidFile, Some(path)) = waits {
                let mut awaited = Awaited::new(path)?;
                let token = Token::new(Kind::Awaited, id.index(), run);
                self.reactor
                    .add(&awaited, Interest::Read, token)
                    .map_err(|cause| Error::io("watch for pidfile", &cause))?;
                if let (Found::Ended(exit @ Exit::Code(0)), Some(who)) = (found, who) {
                    // Another one goes on in its place.
                    awaited.made_left(exit);
                    found = Found::Lives(who.pid);
                }
                process.awaited = Some(Box::new(awaited));
            }
            let line = self.take(held::LINE, id, &run.to_string(), held);
            if let Some(line) = line {
                let token = Token::new(Kind::Line, id.index(), run);
                if self.reactor.add(&line, Interest::Read, token).is_ok() {
                    process.line = Some(line);
                }
            }
        }
        self.slots.of(id).processes.push(process);
        Ok(found)
    }
}
