//! The services that need this one: they stop while it does not do its work.

use super::service::{Service, Turn};
use super::state::Asked;
use super::Effect;

impl Service {
    /// It has ended, or is unhealthy. What a person asks for is OpenRC's business.
    pub(super) fn fall(&mut self, turn: &mut Turn<'_>) {
        let is_meant = self.plan.propagate && self.want_up && self.asked == Asked::No;
        if is_meant && self.has_fallen != Some(true) {
            self.has_fallen = Some(true);
            self.tell_dependents(turn, false);
        }
    }

    /// It does its work. An earlier supervisor may have stopped those that need it.
    pub(super) fn rise(&mut self, turn: &mut Turn<'_>) {
        let is_due = match self.has_fallen {
            Some(has_fallen) => has_fallen,
            None => self.plan.propagate,
        };
        if is_due && !self.is_sick() {
            self.has_fallen = Some(false);
            self.tell_dependents(turn, true);
        }
    }

    fn tell_dependents(&self, turn: &mut Turn<'_>, up: bool) {
        turn.effects.push(Effect::Dependents { id: turn.id, up });
    }
}
