//! Looking at services from the outside, without ever waiting for one.

use super::process::Slot;
use super::reactor::{Interest, Kind, Token};
use super::{memory, sys, Supervisor};
use crate::core::{Event, Id, Look};
use rc_sv_api::exit::Exit;
use rc_sv_api::{size, Error, Settings};
use rc_sv_exec::check::{Check, Outcome, Probe, Step, Target, Wait};
use rc_sv_exec::launch::{self, Failure, Launch};
use rc_sv_exec::readiness::Readiness;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};

/// A look that is being made.
pub(super) struct Looking {
    /// Its number in the life of this supervisor.
    serial: u32,
    run: u32,
    look: Look,
    /// What is looked at, in words.
    target: Box<str>,
    way: Way,
}

enum Way {
    Address(Probe),
    Command(Box<Command>),
}

/// A command that looks.
struct Command {
    pid: i32,
    pidfd: OwnedFd,
    /// Looked at when it ended.
    report: OwnedFd,
    launch: Launch,
}

/// How a look ended, and what was found where it did not pass.
type Found = (Outcome, String);

impl Slot {
    fn looking(&mut self, run: u32, look: Look) -> Option<usize> {
        self.looks
            .iter()
            .position(|known| known.run == run && known.look == look)
    }
}

impl Supervisor {
    /// Begins a look; its end becomes an event.
    pub(super) fn probe(&mut self, id: Id, run: u32, look: Look) {
        if let Err((outcome, found)) = self.try_probe(id, run, look) {
            self.probed(id, run, look, outcome, found);
        }
    }

    /// Ends a look. A command that is killed ends a little later.
    pub(super) fn kill_probe(&mut self, id: Id, run: u32, look: Look) {
        let slot = self.slots.of(id);
        let Some(found) = slot.looking(run, look) else {
            return;
        };
        match &slot.looks[found].way {
            Way::Command(command) => {
                // What ended already is as good as killed.
                let _ = sys::kill_group(command.pid, libc::SIGKILL);
                let _ = sys::send_signal(command.pidfd.as_fd(), libc::SIGKILL);
            }
            Way::Address(_) => {
                let ended = slot.looks.swap_remove(found);
                if let Way::Address(probe) = &ended.way {
                    self.reactor.remove(probe);
                }
                self.probed(id, run, look, Outcome::Unknown, String::new());
            }
        }
    }

    /// Takes in that a look can go on.
    pub(super) fn look_goes_on(&mut self, token: Token) {
        let Some(id) = self.slots.id_at(token) else {
            return;
        };
        let slot = self.slots.of(id);
        let is_it = |known: &Looking| token_of(id, known.serial) == token;
        let Some(found) = slot.looks.iter().position(is_it) else {
            return;
        };
        let over = match &mut slot.looks[found].way {
            Way::Address(probe) => match probe.advance() {
                Step::Wait(wait) => {
                    // It was added, so this does not fail.
                    let _ = self.reactor.change(&*probe, interest(wait), token);
                    return;
                }
                Step::Done(outcome, found) => (outcome, found),
            },
            Way::Command(command) => match command.end() {
                None => return,
                Some(over) => over,
            },
        };
        let ended = slot.looks.swap_remove(found);
        match &ended.way {
            Way::Address(probe) => self.reactor.remove(probe),
            Way::Command(command) => self.reactor.remove(&command.pidfd),
        }
        let (outcome, found) = (over.0, in_words(&ended.target, over));
        self.probed(id, ended.run, ended.look, outcome, found);
        self.catch_up();
    }

    fn probed(&mut self, id: Id, run: u32, look: Look, outcome: Outcome, found: String) {
        self.events.push_back(Event::Probed {
            id,
            run,
            look,
            outcome,
            found,
        });
    }

    fn try_probe(&mut self, id: Id, run: u32, look: Look) -> Result<(), Found> {
        let unknown = |error: Error| (Outcome::Unknown, error.message);
        if self.slots.of(id).looking(run, look).is_some() {
            return Err((Outcome::Unknown, "the one before has not ended".into()));
        }
        let spec = self.read_spec(id).map_err(unknown)?;
        let target = target(spec.settings(), look).map_err(unknown)?;
        if let Target::Memory(limit) = target {
            return Err(self.weigh(id, run, limit));
        }
        let words: Box<str> = target.to_string().into();
        let say = |over: Found| (over.0, in_words(&words, over));
        let way = match Probe::begin(&target) {
            Some(probe) => Way::Address(probe.map_err(say)?),
            None => {
                let pid = self
                    .slots
                    .process(id, run)
                    .map(|process| process.main_pid());
                let launch = Launch::for_check(spec.settings(), &target, pid);
                let launch = launch.map_err(|error| say((Outcome::Unknown, error.message)))?;
                let child = launch::spawn(&launch, None)
                    .map_err(|error| say((Outcome::Unknown, error.message)))?;
                Way::Command(Box::new(Command {
                    pid: child.pid,
                    pidfd: child.pidfd,
                    report: child.report,
                    launch,
                }))
            }
        };
        self.looks = self.looks.wrapping_add(1);
        let serial = self.looks;
        let token = token_of(id, serial);
        let added = match &way {
            Way::Address(probe) => self.reactor.add(probe, interest(Probe::FIRST), token),
            Way::Command(command) => self.reactor.add(&command.pidfd, Interest::Read, token),
        };
        if let Err(cause) = added {
            if let Way::Command(command) = way {
                self.abandon(command.pidfd);
            }
            return Err(unknown(Error::io("watch a check", &cause)));
        }
        self.slots.of(id).looks.push(Looking {
            serial,
            run,
            look,
            target: words,
            way,
        });
        Ok(())
    }

    /// How much memory an instance uses.
    fn weigh(&mut self, id: Id, run: u32, limit: u64) -> Found {
        let Some(process) = self.slots.process(id, run) else {
            return (Outcome::Unknown, String::new());
        };
        match memory::used(process.main_pid(), process.cgroup.as_ref()) {
            Err(cause) => (Outcome::Unknown, Error::io("memory", &cause).message),
            Ok(used) if used <= limit => (Outcome::Pass, String::new()),
            Ok(used) => {
                let (used, limit) = (size::show(used), size::show(limit));
                let found = format!("it uses {used} of memory, more than {limit}");
                (Outcome::Fail, found)
            }
        }
    }
}

impl Command {
    /// How it ended; `None` while it runs.
    fn end(&mut self) -> Option<Found> {
        let exit = match sys::ending(self.pidfd.as_fd(), true) {
            Ok(None) => return None,
            Ok(Some(exit)) => exit,
            Err(_) => Exit::Unknown,
        };
        let mut record = [0u8; Failure::SIZE];
        let length = match self.report.try_clone() {
            Ok(report) => File::from(report).read(&mut record).unwrap_or(0),
            Err(_) => 0,
        };
        Some(match (Failure::decode(&record[..length]), exit) {
            (Some(failure), _) => (Outcome::Unknown, failure.message(&self.launch)),
            (None, Exit::Code(0)) => (Outcome::Pass, String::new()),
            (None, exit) => (Outcome::Fail, exit.to_string()),
        })
    }
}

fn token_of(id: Id, serial: u32) -> Token {
    Token::new(Kind::Look, id.index(), serial)
}

fn interest(wait: Wait) -> Interest {
    match wait {
        Wait::Readable => Interest::Read,
        Wait::Writable => Interest::Write,
    }
}

fn in_words(target: &str, (_, found): Found) -> String {
    format!("{target}: {found}")
}

/// What is to be looked at. The spec may have changed since the core has seen it.
fn target(spec: &dyn Settings, look: Look) -> rc_sv_api::Result<Target> {
    let found = match look {
        Look::Ready => match Readiness::of(spec)? {
            Readiness::Answers(target) => Some(target),
            _ => None,
        },
        Look::Check(index) => {
            let mut checks = Check::all(spec)?.into_iter();
            checks.nth(usize::from(index)).map(|check| check.target)
        }
    };
    found.ok_or_else(|| Error::invalid("there is no such check any more"))
}
