//! Looking after a service that is up: its checks and its watchdog, and what follows from them.

use super::service::{Alert, Service, Turn};
use super::state::State;
use super::stop::KILL_WAIT;
use super::{Effect, Hook, Look, Record};
use rc_sv_api::duration;
use rc_sv_api::policy::Cause;
use rc_sv_exec::check::{Action, Change, Outcome, Todo};
use std::time::Duration;

impl Service {
    /// Does what is due about the current instance beyond its life.
    pub(super) fn watched(&mut self, turn: &mut Turn<'_>) {
        if matches!(self.state, State::Starting { .. }) {
            return self.look(turn);
        }
        for index in 0..self.watch.as_ref().map_or(0, |watch| watch.checkups.len()) {
            self.check(turn, index);
        }
        let Some(watchdog) = self.watch.as_ref().and_then(|watch| watch.watchdog) else {
            return;
        };
        if watchdog.until <= turn.now.boot_ms {
            let limit = duration::show(watchdog.interval);
            self.bark(turn, &format!("no sign of life for {limit}"));
        }
    }

    /// A look is over.
    pub(super) fn probed(
        &mut self,
        turn: &mut Turn<'_>,
        look: Look,
        outcome: Outcome,
        found: String,
    ) {
        let index = match look {
            Look::Ready => return self.looked(turn, outcome, found),
            Look::Check(index) => usize::from(index),
        };
        let Some(watch) = self.watch.as_mut() else {
            return;
        };
        let Some(checkup) = watch.checkups.get_mut(index) else {
            return;
        };
        let was = checkup.is_healthy();
        // Of what was given up it is told that it took too long, not that it was killed.
        let is_new = checkup.deadline().is_some();
        let change = checkup.ended(outcome, turn.now.boot_ms);
        if is_new && outcome != Outcome::Pass {
            watch.findings.keep(look, found);
        }
        self.changed(turn, index, was, change);
    }

    /// Ends all looking.
    pub(super) fn look_away(&mut self, turn: &mut Turn<'_>) {
        let Some(watch) = &mut self.watch else {
            return;
        };
        let (id, run) = (turn.id, self.instance.run);
        let kill = |look| Effect::KillProbe { id, run, look };
        turn.effects.extend(watch.looks().map(kill));
        watch.trial = None;
        watch.checkups.clear();
        watch.watchdog = None;
        watch.reloading = false;
    }

    /// It is to end by itself, within the time of the first rung.
    pub(super) fn leave(&mut self, turn: &mut Turn<'_>) {
        let first = self.plan.ladder.rungs().first();
        let until = turn.after(first.map_or(KILL_WAIT, |rung| rung.wait));
        self.instance.leaves_ms.get_or_insert(turn.now.boot_ms);
        self.enter(turn, State::Leaving { until });
    }

    fn check(&mut self, turn: &mut Turn<'_>, index: usize) {
        let (id, run, look) = (turn.id, self.instance.run, Look::Check(index as u8));
        // One that made it unhealthy ends the others.
        let Some(watch) = self.watch.as_mut() else {
            return;
        };
        let count = watch.checkups.len();
        let Some(checkup) = watch.checkups.get_mut(index) else {
            return;
        };
        let was = checkup.is_healthy();
        let (todo, change) = checkup.elapsed(turn.now.boot_ms);
        match todo {
            Todo::Nothing => {}
            Todo::Begin => turn.effects.push(Effect::Probe { id, run, look }),
            Todo::GiveUp => {
                turn.effects.push(Effect::KillProbe { id, run, look });
                let found = checkup.late_line(index, count);
                watch.findings.keep(look, found);
            }
        }
        self.changed(turn, index, was, change);
    }

    /// Draws the consequences; `was` is what the check said before.
    fn changed(&mut self, turn: &mut Turn<'_>, index: usize, was: Option<bool>, change: Change) {
        self.tell_health(turn);
        match change {
            Change::None => {}
            Change::Well if was == Some(false) => {
                turn.record(Record::Well);
                self.is_well(turn);
            }
            Change::Well => {}
            Change::Sick => self.sicken(turn, index),
        }
    }

    fn sicken(&mut self, turn: &mut Turn<'_>, index: usize) {
        let line = self.watch.as_ref().and_then(|watch| watch.sick_line());
        let line = line.unwrap_or_default();
        turn.record(Record::Sick(line.clone()));
        self.watch_alarm(turn);
        self.fall(turn);
        let watch = self.watch.as_ref();
        let checkup = watch.and_then(|watch| watch.checkups.get(index));
        let action = checkup.map_or(Action::Alert, |checkup| checkup.rules().action);
        let limit = self.plan.care.as_ref().and_then(|care| care.unhealthy);
        if action == Action::Restart {
            self.instance.cause = Cause::Unhealthy;
            self.reason = Some(line.as_str().into());
        }
        match (action, limit) {
            (Action::Alert, _) => self.alert_sick(turn, line),
            (Action::Exec, None) => {}
            (Action::Exec, Some(limit)) => self.run_unhealthy(turn, limit),
            (Action::Restart, None) => self.climb(turn, 0),
            (Action::Restart, Some(limit)) => {
                self.run_unhealthy(turn, limit);
                let until = turn.after(limit);
                self.instance.leaves_ms.get_or_insert(turn.now.boot_ms);
                self.enter(turn, State::Leaving { until });
            }
        }
    }

    fn run_unhealthy(&mut self, turn: &mut Turn<'_>, limit: Duration) {
        let hook = Hook::Unhealthy;
        let run = self.instance.run;
        let is_same = |alert: &Alert| alert.run == run && alert.hook == hook;
        if !self.alerts.iter().any(is_same) {
            self.run_hook(turn, hook, Some("unhealthy"));
            let until = Some(turn.after(limit));
            self.alerts.push(Alert { run, hook, until });
        }
    }
}
