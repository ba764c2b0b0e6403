//! Alerts: whether a person is told that a service has failed, and that it is over.

use super::service::{Service, Turn};
use super::state::State;
use super::Effect;
use rc_sv_api::duration;
use rc_sv_exec::alert::{Alert, Topic};

/// Of what a person was alerted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Alarm {
    pub is_of_health: bool,
    /// When it is over, if nothing happens before: it has been up for long enough then.
    pub over_at: Option<u64>,
}

impl Service {
    /// When a person is told that it is over.
    pub(super) fn over_at(&self) -> Option<u64> {
        self.alarm.and_then(|alarm| alarm.over_at)
    }

    /// It was given up.
    pub(super) fn alert_failed(
        &mut self,
        turn: &mut Turn<'_>,
        reason: String,
        result: Option<&'static str>,
    ) {
        self.alert(turn, Topic::GaveUp, reason, result);
        self.raise(false);
    }

    /// It is unhealthy, and is left alone.
    pub(super) fn alert_sick(&mut self, turn: &mut Turn<'_>, reason: String) {
        if self.alarm.is_none() {
            self.alert(turn, Topic::Unhealthy, reason, Some("unhealthy"));
            self.raise(true);
        }
    }

    /// A check that made it unhealthy passes again.
    pub(super) fn is_well(&mut self, turn: &mut Turn<'_>) {
        let of_health = self.alarm.is_some_and(|alarm| alarm.is_of_health);
        if of_health && !self.is_sick() {
            self.recover(turn, "healthy again".into());
        } else {
            self.watch_alarm(turn);
        }
        self.rise(turn);
    }

    /// From its entering this state on it may be over.
    pub(super) fn watch_alarm(&mut self, turn: &Turn<'_>) {
        let until = turn.after(self.plan.policy.reset_after);
        let is_up = self.state == State::Up && !self.is_sick();
        if let Some(alarm) = &mut self.alarm {
            alarm.over_at = is_up.then_some(until);
        }
    }

    /// Tells that it is over, when its time has come.
    pub(super) fn recover_if_due(&mut self, turn: &mut Turn<'_>) {
        if self.over_at().is_some_and(|at| at <= turn.now.boot_ms) {
            let lasted = duration::show(self.plan.policy.reset_after);
            self.recover(turn, format!("up for {lasted}"));
        }
    }

    fn recover(&mut self, turn: &mut Turn<'_>, reason: String) {
        self.alarm = None;
        self.alert(turn, Topic::Recovered, reason, None);
    }

    /// There is something to be told when it is over.
    fn raise(&mut self, is_of_health: bool) {
        self.alarm = self.plan.alert.then_some(Alarm {
            is_of_health,
            over_at: None,
        });
    }

    pub(super) fn is_sick(&self) -> bool {
        let watch = self.watch.as_ref();
        watch.and_then(|watch| watch.is_healthy()) == Some(false)
    }

    fn alert(
        &self,
        turn: &mut Turn<'_>,
        topic: Topic,
        reason: String,
        result: Option<&'static str>,
    ) {
        if !self.plan.alert {
            return;
        }
        turn.effects.push(Effect::Alert {
            id: turn.id,
            alert: Box::new(Alert {
                topic,
                reason,
                exit: self.last_exit,
                result,
                restarts: self.restarts,
                real_ns: turn.now.real_ns,
            }),
        });
    }
}
