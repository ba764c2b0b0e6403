//! One look at a target, whatever that is, without ever waiting.

use super::memory::weigh;
use super::{Outcome, Probe, Step, Target, Wait};
use crate::cgroup::Cgroup;
use crate::launch::{Launch, Running, Word};
use rc_sv_api::exit::Exit;
use rc_sv_api::{Error, Settings};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// How healthcheck() ends where there is none, or where a command of it was not found.
const NOT_FOUND: u8 = 127;

/// How a look ended, and what was found where it did not pass.
pub type Found = (Outcome, String);

/// A look that is being made. Whoever makes it waits until its descriptor is as [`Look::wait`] says,
/// and then has it go on.
pub struct Look {
    /// What is looked at, in words.
    target: Box<str>,
    is_hook: bool,
    way: Way,
    wait: Wait,
}

enum Way {
    Address(Probe),
    Command(Box<Running>),
}

impl Look {
    /// Begins to look at `target` of a resolved spec, whose main process is `pid` and may be in
    /// `cgroup`. A command leaves `word`.
    ///
    /// # Errors
    /// It is over already.
    pub fn begin(
        spec: &dyn Settings,
        target: &Target,
        pid: Option<i32>,
        cgroup: Option<&Cgroup>,
        word: Option<Word>,
    ) -> Result<Look, Found> {
        if let Target::Memory(limit) = target {
            let weighed = pid.map(|pid| weigh(pid, cgroup, *limit));
            return Err(weighed.unwrap_or((Outcome::Unknown, String::new())));
        }
        let words: Box<str> = target.to_string().into();
        let say = |over: Found| in_words(&words, over);
        let unknown = |error: Error| say((Outcome::Unknown, error.message));
        let (way, wait) = match Probe::begin(target) {
            Some(probe) => (Way::Address(probe.map_err(say)?), Probe::FIRST),
            None => {
                let mut launch = Launch::for_check(spec, target, pid).map_err(unknown)?;
                if let Some(word) = word {
                    launch.leave_word(word);
                }
                let command = Running::begin(launch).map_err(unknown)?;
                (Way::Command(Box::new(command)), Wait::Readable)
            }
        };
        Ok(Look {
            target: words,
            is_hook: *target == Target::Hook,
            way,
            wait,
        })
    }

    /// What is waited for now.
    pub fn wait(&self) -> Wait {
        self.wait
    }

    /// Goes on as far as it can, when what was waited for has come. Answers how it ended, if it
    /// did.
    pub fn go_on(&mut self) -> Option<Found> {
        let over = match &mut self.way {
            Way::Address(probe) => match probe.advance() {
                Step::Wait(wait) => {
                    self.wait = wait;
                    return None;
                }
                Step::Done(outcome, found) => (outcome, found),
            },
            Way::Command(command) => match command.end()? {
                Ok(Exit::Code(0)) => (Outcome::Pass, String::new()),
                Ok(Exit::Code(NOT_FOUND)) if self.is_hook => {
                    let why = "the runscript has none, or a command of it was not found";
                    (Outcome::Unknown, why.to_string())
                }
                Ok(exit) => (Outcome::Fail, exit.to_string()),
                Err(error) => (Outcome::Unknown, error.message),
            },
        };
        Some(in_words(&self.target, over))
    }

    /// Ends it. `false`: that is yet to come, as its descriptor will tell.
    pub fn kill(&self) -> bool {
        match &self.way {
            Way::Address(_) => true,
            Way::Command(command) => {
                command.kill();
                false
            }
        }
    }

    /// The command that looks, where it is one.
    pub fn command(&self) -> Option<&Running> {
        match &self.way {
            Way::Address(_) => None,
            Way::Command(command) => Some(command),
        }
    }

    /// The process that looks, where it is one.
    pub fn into_process(self) -> Option<OwnedFd> {
        match self.way {
            Way::Address(_) => None,
            Way::Command(command) => Some(command.into_process()),
        }
    }
}

impl AsFd for Look {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.way {
            Way::Address(probe) => probe.as_fd(),
            Way::Command(command) => command.as_fd(),
        }
    }
}

fn in_words(target: &str, (outcome, found): Found) -> Found {
    (outcome, format!("{target}: {found}"))
}
