//! Whether a person is told that a program is unhealthy, and that what he was told of is over.

use super::{after, Stage, Vigil};
use crate::alert::Topic;
use crate::run::alarm::{self, Alarm, Matter};
use crate::run::record;
use rc_sv_api::duration;
use rc_sv_api::policy::Policy;

impl Vigil<'_> {
    /// It is unhealthy, and is left alone.
    pub(super) fn alert_sick(&mut self, line: &str) {
        if self.alarm.is_none() {
            let record = record::read(&self.call.dir).ok().flatten();
            let alarm = Alarm {
                of: Matter::Sick,
                exit: record.and_then(|record| record.last_exit),
            };
            self.alert(Topic::Unhealthy, line, alarm);
            self.alarm = Some(alarm);
            let raised = alarm::raise(self.call, self.spec, alarm);
            self.call.warn_of(raised);
        }
    }

    /// A check passes that did not.
    pub(super) fn is_well(&mut self, now_ms: u64) {
        let is_of_health = self.alarm.is_some_and(|alarm| alarm.of == Matter::Sick);
        if is_of_health && self.looks.are_healthy() != Some(false) {
            self.alert_over("healthy again");
        } else {
            self.watch_alarm(now_ms);
        }
    }

    /// From now on it may be over: when it has been up for long enough.
    pub(super) fn watch_alarm(&mut self, now_ms: u64) {
        let is_up = self.stage == Stage::Up && self.looks.are_healthy() != Some(false);
        let until = after(now_ms, Policy::from_settings(self.spec).reset_after);
        self.over_at = self.alarm.filter(|_| is_up).map(|_| until);
    }

    /// Tells that it is over when its time has come.
    pub(super) fn see_alarm(&mut self, now_ms: u64) {
        if self.over_at.is_some_and(|at| at <= now_ms) {
            let lasted = duration::show(Policy::from_settings(self.spec).reset_after);
            self.alert_over(&format!("up for {lasted}"));
        }
    }

    fn alert_over(&mut self, line: &str) {
        self.over_at = None;
        self.call.warn_of(alarm::clear(self.call));
        if let Some(alarm) = self.alarm.take() {
            self.alert(Topic::Recovered, line, alarm);
        }
    }

    fn alert(&mut self, topic: Topic, line: &str, alarm: Alarm) {
        let begun = alarm::begin(self.call, self.spec, topic, line, alarm.exit);
        self.begun(begun);
    }
}
