//! Keeping the processes on the ways of output up: loggers, and the programs that they write to.

use super::super::companion::Companion;
use super::super::log::Level;
use super::super::outlet::{Attending, Programs, Role};
use super::super::reactor::{Interest, Token};
use super::super::state_file::Who;
use super::super::Supervisor;
use rc_sv_api::{Error, Result};
use rc_sv_exec::launch::Left;

/// A process that lived for so long has not failed.
const HEALTHY_MS: u64 = 1_000;

/// The pause after the second failure in a row, and the longest.
const FIRST_PAUSE_MS: u64 = 100;
const LONGEST_PAUSE_MS: u64 = 2_000;

impl Supervisor {
    /// Begins those whose time has come.
    pub(in super::super) fn begin_loggers(&mut self) -> Result<()> {
        let now_ms = self.clock.now().boot_ms;
        let mut result = Ok(());
        for index in 0..self.outlets.list.len() {
            let count = self.outlets.list[index].attendants.len();
            for attendant in 0..count {
                let due = self.outlets.list[index].attendants[attendant].due_ms;
                if due.is_some_and(|due| due <= now_ms) {
                    let begun = self.begin_logger(index, attendant, now_ms);
                    result = result.and(begun);
                }
            }
        }
        self.outlets.look_at_times();
        result
    }

    fn begin_logger(&mut self, index: usize, attendant: usize, now_ms: u64) -> Result<()> {
        self.outlets.serial = self.outlets.serial.wrapping_add(1);
        let serial = self.outlets.serial;
        let id = self.outlets.list[index].id;
        let outlet = &self.outlets.list[index];
        let who = Who::Attendant(outlet.stream.which, outlet.attendants[attendant].role);
        let word = self.state_of(id).map(|state| state.word(who, serial));
        let made = self.read_spec(id).and_then(|spec| {
            let programs = Programs {
                logger: &self.outlets.program,
                svcdir: &self.svcdir,
            };
            let outlet = &self.outlets.list[index];
            let role = outlet.attendants[attendant].role;
            let mut launch = outlet.launch(role, &programs, spec.settings())?;
            launch.leave_word(word?);
            Companion::begin(launch)
        });
        let outlet = &mut self.outlets.list[index];
        let known = &mut outlet.attendants[attendant];
        known.serial = serial;
        let command = match made {
            Ok(command) => command,
            Err(error) => {
                known.failures = known.failures.saturating_add(1);
                known.due_ms = Some(now_ms + pause(known.failures));
                return Err(error);
            }
        };
        known.due_ms = None;
        if let Err(cause) = self.reactor.add(&command, Interest::Read, known.token()) {
            known.due_ms = Some(now_ms + LONGEST_PAUSE_MS);
            self.abandon(command.into_process());
            return Err(Error::io("watch a logger", &cause));
        }
        let process = command.who;
        known.process = Some(Attending {
            command,
            since_ms: now_ms,
            is_old: false,
        });
        let left = Left {
            number: serial,
            who: process,
        };
        self.identify(id, who, left);
        Ok(())
    }

    /// Takes in that a logger, or the program that it writes to, ended.
    pub(in super::super) fn attendant_ended(&mut self, token: Token) {
        let now_ms = self.clock.now().boot_ms;
        let all = self.outlets.list.iter_mut().enumerate();
        let mut all = all.flat_map(|(index, outlet)| {
            let known = outlet.attendants.iter_mut().enumerate();
            known.map(move |(at, attendant)| (index, at, attendant))
        });
        let Some((index, at, attendant)) = all.find(|(_, _, it)| it.token() == token) else {
            return;
        };
        let process = attendant.process.as_ref();
        let Some(end) = process.and_then(|it| it.command.end(&mut self.afterlife)) else {
            return;
        };
        let Some(process) = attendant.process.take() else {
            return;
        };
        self.reactor.remove(&process.command);
        let is_healthy = now_ms.saturating_sub(process.since_ms) >= HEALTHY_MS;
        attendant.failures = match is_healthy || process.is_old {
            true => 0,
            false => attendant.failures.saturating_add(1),
        };
        attendant.due_ms = Some(now_ms + pause(attendant.failures));
        let role = attendant.role;
        if self.outlets.list[index].is_done(role, end.as_ref().ok().copied()) {
            self.dismiss(index, at);
        } else if !process.is_old {
            let why = end.map_or_else(|error| error.message, |exit| exit.to_string());
            self.complain_of_attendant(index, at, &why);
        }
        self.outlets.look_at_times();
        self.begin_due_loggers();
    }

    /// One that has done what it was for is not begun again; nor is anything left of a way on which
    /// nobody is.
    fn dismiss(&mut self, index: usize, at: usize) {
        let outlet = &mut self.outlets.list[index];
        let (id, which) = (outlet.id, outlet.stream.which);
        let role = outlet.attendants.remove(at).role;
        let ends_onward = role == Role::Logger && outlet.has_onward();
        if ends_onward {
            outlet.end_onward();
        }
        if outlet.attendants.is_empty() {
            let gone = self.outlets.list.swap_remove(index);
            for (kind, _) in gone.to_hold() {
                self.release(kind, id, which.name());
            }
        }
        if ends_onward {
            self.release_onward(id, which);
        }
    }

    fn complain_of_attendant(&mut self, index: usize, at: usize, why: &str) {
        let outlet = &self.outlets.list[index];
        let attendant = &outlet.attendants[at];
        let (id, name) = (outlet.id, outlet.stream.which.name());
        let who = match attendant.role {
            Role::Logger => "rc-sv-logger".to_string(),
            Role::Program => format!("{name}_logger"),
        };
        // Otherwise a logger that never works would fill the log.
        let failures = attendant.failures;
        if failures.is_power_of_two() || failures == 0 {
            self.warn(id, &format!("{who} of its {name}: {why}; begun again"));
        }
    }

    /// Begins those whose time has come; what cannot be begun is tried again.
    pub(in super::super) fn begin_due_loggers(&mut self) {
        if let Err(error) = self.begin_loggers() {
            self.log.line(
                Level::Warning,
                &format!("begin a logger: {}", error.message),
            );
        }
    }
}

/// The first failure is made good at once.
fn pause(failures: u32) -> u64 {
    match failures {
        0 | 1 => 0,
        more => (FIRST_PAUSE_MS << (more - 2).min(10)).min(LONGEST_PAUSE_MS),
    }
}
