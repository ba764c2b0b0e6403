//! What follows where a program does not work.

use super::{after, Stage, Vigil};
use crate::check::{Action, Check};
use crate::instance::Instance;
use crate::launch::{Ending, Launch, Running};
use crate::process;
use crate::readiness::{self, Readiness};
use crate::run::command::OUTPUT;
use crate::run::output;
use crate::run::record::{self, Record};
use rc_sv_api::exit::Exit;
use rc_sv_api::policy::{Cause, Policy};
use rc_sv_api::{duration, signal};
use std::os::fd::AsFd;

impl Vigil<'_> {
    /// It is not ready in time.
    pub(super) fn is_late(&mut self) {
        let limit = duration::show(readiness::timeout(self.spec));
        let line = match (self.looks.found(), Readiness::of(self.spec)) {
            (Some(found), _) => format!("not ready within {limit}: {found}"),
            (None, Ok(Readiness::Answers(_))) => format!("not ready within {limit}"),
            (None, _) => format!("it did not say within {limit} that it is ready"),
        };
        self.overdue(&line);
    }

    /// One that was slow to be executed has perhaps not recorded its run yet, and never will: that
    /// is done for it, as otherwise nobody knew that it has failed.
    pub(super) fn overdue(&mut self, line: &str) {
        let fail = |record: &mut Record| record.fail(Cause::Timeout, line);
        let is_noted = self.note(fail);
        self.end();
        if is_noted || self.note(fail) {
            return;
        }
        let dir = &self.call.dir;
        let mut record = record::read(dir).ok().flatten().unwrap_or_default();
        if record.pid == Some(self.pid) {
            // It has ended, and left word why.
            return;
        }
        record.begin(&Policy::from_settings(self.spec), true);
        record.pid = Some(self.pid);
        fail(&mut record);
        self.call.warn_of(record.write(dir));
    }

    /// It missed its watchdog.
    pub(super) fn bark(&mut self, now_ms: u64, why: &str) {
        let line = format!("missed its watchdog: {why}");
        self.tell(&line);
        self.note(|record| record.fail(Cause::Watchdog, &line));
        self.leaves(now_ms);
        let number = self.spec.int_or_default("rc_supervise_watchdog_signal");
        let number = number.and_then(|number| i32::try_from(number).ok());
        if let Ok(Some(pidfd)) = Instance::of(self.pid).and_then(|instance| instance.open()) {
            // It has ended where this fails.
            let _ = process::send_signal(pidfd.as_fd(), number.unwrap_or(signal::ABRT));
        }
    }

    pub(super) fn recover(&mut self, again: bool, now_ms: u64) {
        let healthy = self.looks.are_healthy();
        let line = self.state_line();
        self.note(|record| {
            record.healthy = healthy;
            if again {
                record.say(&line);
            }
        });
        if again {
            self.tell("healthy again");
        }
        self.is_well(now_ms);
        if again {
            self.rise();
        }
    }

    /// It is unhealthy. One that is being stopped is left alone.
    pub(super) fn sicken(&mut self, index: usize, now_ms: u64) {
        let (check, line) = self.looks.check_of(index);
        let action = check.rules.action;
        if matches!(record::is_wanted_down(&self.call.dir), Ok(true)) {
            return;
        }
        self.tell(&line);
        self.note(|record| {
            record.healthy = Some(false);
            match action {
                Action::Restart => record.fail(Cause::Unhealthy, &line),
                Action::Alert | Action::Exec => record.say(&line),
            }
        });
        self.watch_alarm(now_ms);
        self.fall();
        let limit = Check::reaction(self.spec, self.looks.checks());
        match (action, limit) {
            (Action::Alert, _) => self.alert_sick(&line),
            (Action::Exec, None) => {}
            (Action::Exec, Some(limit)) => self.react(after(now_ms, limit)),
            (Action::Restart, None) => self.end(),
            (Action::Restart, Some(limit)) => {
                let until = after(now_ms, limit);
                self.react(until);
                match self.reaction {
                    Some(_) => self.look_away(Stage::Reacting { until }),
                    None => self.end(),
                }
            }
        }
    }

    /// Runs the command about its being unhealthy, unless that runs already.
    fn react(&mut self, until: u64) {
        if self.reaction.is_some() {
            return;
        }
        let record = record::read(&self.call.dir).ok().flatten();
        let ending = Ending {
            exit: Exit::Unknown,
            result: Cause::Unhealthy.result(),
            restarts: record.map_or(0, |record| record.restarts),
        };
        let launch = Launch::for_unhealthy(self.spec, ending).and_then(|mut launch| {
            launch.set_variable(OUTPUT, &output::last_lines(self.call, self.spec))?;
            Ok(launch)
        });
        match launch.and_then(Running::begin) {
            Ok(running) => self.reaction = Some((running, until)),
            Err(error) => self.tell(&format!("rc_supervise_unhealthy: {error}")),
        }
    }

    /// Takes in that the command ended, or kills it.
    pub(super) fn see_reaction(&mut self, now_ms: u64) {
        let Some((running, until)) = &mut self.reaction else {
            return;
        };
        match running.end() {
            None if *until <= now_ms => {
                running.kill();
                *until = u64::MAX;
                return;
            }
            None => return,
            Some(Ok(_)) => {}
            Some(Err(error)) => self.tell(&format!("rc_supervise_unhealthy: {error}")),
        }
        self.reaction = None;
        if let Stage::Reacting { .. } = self.stage {
            self.end();
        }
    }
}
