//! Keeping the processes on the ways of output up: loggers, and the programs that they write to.

use super::super::log::Level;
use super::super::outlet::{Attending, Programs, Role};
use super::super::reactor::{Interest, Token};
use super::super::state_file::Who;
use super::super::{sys, Supervisor};
use rc_sv_api::exit::Exit;
use rc_sv_api::{Error, Result};
use rc_sv_exec::instance::AsOf;
use rc_sv_exec::launch;
use std::os::fd::AsFd;

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
            Ok((launch::spawn(&launch, None)?, launch))
        });
        let outlet = &mut self.outlets.list[index];
        let known = &mut outlet.attendants[attendant];
        known.serial = serial;
        let (child, launch) = match made {
            Ok(made) => made,
            Err(error) => {
                known.failures = known.failures.saturating_add(1);
                known.due_ms = Some(now_ms + pause(known.failures));
                return Err(error);
            }
        };
        known.due_ms = None;
        let added = self
            .reactor
            .add(&child.pidfd, Interest::Read, known.token());
        if let Err(cause) = added {
            known.due_ms = Some(now_ms + LONGEST_PAUSE_MS);
            self.abandon(child.pidfd);
            return Err(Error::io("watch a logger", &cause));
        }
        known.process = Some(Attending {
            who: AsOf {
                pid: child.pid,
                boot_ms: now_ms,
            },
            pidfd: child.pidfd,
            made: Some((child.report, launch)),
            since_ms: now_ms,
            is_old: false,
        });
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
        let Some(process) = attendant.process.take() else {
            return;
        };
        let exit = match (sys::ending(process.pidfd.as_fd(), true), &process.made) {
            (Ok(None), _) => {
                attendant.process = Some(process);
                return;
            }
            (Ok(Some(exit)), _) => exit,
            (Err(_), Some(_)) => Exit::Unknown,
            (Err(_), None) => {
                let pidfd = Some(process.pidfd.as_fd());
                self.afterlife.exit_of(process.who, pidfd)
            }
        };
        let role = attendant.role;
        self.reactor.remove(&process.pidfd);
        let is_healthy = now_ms.saturating_sub(process.since_ms) >= HEALTHY_MS;
        let is_expected = process.is_old;
        attendant.failures = match is_healthy || is_expected {
            true => 0,
            false => attendant.failures.saturating_add(1),
        };
        attendant.due_ms = Some(now_ms + pause(attendant.failures));
        let outlet = &mut self.outlets.list[index];
        let id = outlet.id;
        if outlet.is_done(role, exit) {
            outlet.attendants.remove(at);
            let which = outlet.stream.which;
            let ends_onward = role == Role::Logger && outlet.has_onward();
            if ends_onward {
                outlet.end_onward();
            }
            if outlet.attendants.is_empty() {
                let gone = self.outlets.list.swap_remove(index);
                for (kind, _) in gone.to_hold() {
                    self.release(kind, gone.id, which.name());
                }
            }
            if ends_onward {
                self.release_onward(id, which);
            }
        } else if !is_expected {
            let name = outlet.stream.which.name();
            let why = process.failure().unwrap_or_else(|| exit.to_string());
            let who = match role {
                Role::Logger => "rc-sv-logger".to_string(),
                Role::Program => format!("{name}_logger"),
            };
            // Otherwise a logger that never works would fill the log.
            let failures = self.outlets.list[index].attendants[at].failures;
            if failures.is_power_of_two() || failures == 0 {
                self.warn(id, &format!("{who} of its {name}: {why}; begun again"));
            }
        }
        self.outlets.look_at_times();
        self.begin_due_loggers();
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
