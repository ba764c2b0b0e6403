//! What main processes tell, and what is done to them. How they are made stands in `making`.

use super::process::Process;
use super::reactor::Token;
use super::{sys, Supervisor};
use crate::core::{Event, Id, Whom};
use rc_sv_api::exit::Exit;
use rc_sv_api::{signal, Error};
use rc_sv_exec::cgroup::Cgroup;
use rc_sv_exec::launch::Failure;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::fd::AsFd;

impl Process {
    /// What the core is told when the program was executed, or was not.
    pub(super) fn executed(&self, id: Id, failure: Option<Failure>) -> Event {
        let run = self.run;
        match (failure, &self.launch) {
            (Some(failure), Some(launch)) => Event::ExecFailed {
                id,
                run,
                message: failure.message(launch),
                errno: failure.errno,
            },
            _ => Event::Executed { id, run },
        }
    }
}

impl Supervisor {
    /// Takes in what a main process reports.
    pub(super) fn reported(&mut self, token: Token) {
        if let Some((id, run)) = self.slots.instance_at(token) {
            self.read_report(id, run);
        }
    }

    fn read_report(&mut self, id: Id, run: u32) {
        let Some(process) = self.slots.process(id, run) else {
            return;
        };
        let Some(report) = process.report.take() else {
            return;
        };
        let mut record = [0u8; Failure::SIZE];
        let mut report = File::from(report);
        let length = match report.read(&mut record) {
            Err(cause) if cause.kind() == ErrorKind::WouldBlock => {
                process.report = Some(report.into());
                return;
            }
            length => length.unwrap_or(0),
        };
        self.reactor.remove(&report);
        let event = process.executed(id, Failure::decode(&record[..length]));
        process.launch = None;
        self.feed(event);
    }

    /// Takes in that a main process ended.
    pub(super) fn process_ended(&mut self, token: Token) {
        let Some((id, run)) = self.slots.instance_at(token) else {
            return;
        };
        self.read_report(id, run);
        self.hear_last_words(id, run);
        let Some(process) = self.slots.process(id, run) else {
            return;
        };
        let Some(pidfd) = &process.pidfd else {
            return;
        };
        let exit = match sys::ending(pidfd.as_fd(), false) {
            Ok(None) => return,
            Ok(Some(exit)) => exit,
            Err(_) => Exit::Unknown,
        };
        process.ended = true;
        self.reactor.remove(pidfd);
        if self.goes_on(id, run, exit) {
            return;
        }
        let Some(process) = self.slots.process(id, run) else {
            return;
        };
        let alone = process.cgroup.as_ref().map(Cgroup::is_populated);
        let alone = matches!(alone, Some(Ok(false)));
        self.ask_for_memory_kill(id, run, exit);
        self.feed(Event::Exited {
            id,
            run,
            exit,
            alone,
        });
    }

    /// Sends a signal.
    pub(super) fn signal(&mut self, id: Id, run: u32, number: i32, whom: Whom) {
        let Some(process) = self.slots.process(id, run) else {
            return;
        };
        if let Some(exit) = process.give_up_waiting() {
            let alone = false;
            return self.events.push_back(Event::Exited {
                id,
                run,
                exit,
                alone,
            });
        }
        if let Some(successor) = &process.successor {
            // What ended meanwhile is what was wanted.
            let _ = successor.send(number, whom == Whom::Group);
            if whom == Whom::Main || process.pid == 0 {
                return;
            }
        }
        let Some(pidfd) = &process.pidfd else {
            return;
        };
        let main = || sys::send_signal(pidfd.as_fd(), number);
        let sent = match whom {
            Whom::Main => main(),
            // A child that has not made its group yet is alone.
            Whom::Group => match sys::kill_group(process.pid, number) {
                Err(cause) if cause.raw_os_error() == Some(libc::ESRCH) => main(),
                sent => sent,
            },
        };
        match sent {
            Err(cause) if cause.raw_os_error() != Some(libc::ESRCH) => {
                let what = format!("send {}", signal::name(number));
                self.warn(id, &Error::io(what, &cause).message);
            }
            _ => {}
        }
    }
}
