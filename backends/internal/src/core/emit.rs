//! Events: telling others what a step has changed.

use super::service::{Service, Turn};
use rc_sv_api::event::{Event, Kind};
use rc_sv_api::{State, Status};

/// What others were told last of a service. One that is new to them is down.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    state: State,
    pid: Option<i32>,
}

impl Default for Told {
    fn default() -> Told {
        Told {
            state: State::Down,
            pid: None,
        }
    }
}

impl Service {
    /// Tells what has changed since others were told last, if they can see it.
    pub(super) fn tell(&mut self, turn: &mut Turn<'_>) {
        let state = self.state.reported();
        let pid = self.instance.pid.filter(|_| self.instance.is_live());
        let was = std::mem::replace(&mut self.told, Told { state, pid });
        let moved = was.pid.is_some() && pid.is_some() && was.pid != pid;
        match state {
            state if state == was.state && !moved => {}
            State::GaveUp => self.emit(turn, Kind::GaveUp),
            _ => self.emit(turn, Kind::State),
        }
    }

    /// Others were told of what is now.
    pub(super) fn is_known(&mut self) {
        self.told = Told {
            state: self.state.reported(),
            pid: self.instance.pid.filter(|_| self.instance.is_live()),
        };
    }

    /// Tells its health, if that is not what others were told.
    pub(super) fn tell_health(&mut self, turn: &mut Turn<'_>) {
        let Some(watch) = &mut self.watch else {
            return;
        };
        let healthy = watch.is_healthy();
        if std::mem::replace(&mut watch.told, healthy) != healthy {
            self.emit(turn, Kind::Health);
        }
    }

    /// Tells that it is forgotten.
    pub(super) fn tell_gone(&mut self, turn: &mut Turn<'_>) {
        let gone = Status::of_state(State::Unmanaged);
        turn.emit(Kind::State, self.name.as_str(), gone);
    }

    fn emit(&self, turn: &mut Turn<'_>, kind: Kind) {
        let status = self.status(turn.now);
        turn.emit(kind, self.name.as_str(), status);
    }
}

impl Turn<'_> {
    fn emit(&mut self, kind: Kind, service: &str, status: Status) {
        *self.emitted += 1;
        let event = Event {
            kind,
            seq: *self.emitted,
            service: service.to_string(),
            status: Status {
                since_real_ns: Some(self.now.real_ns),
                since_boot_ns: Some(self.now.boot_ms.saturating_mul(1_000_000)),
                ..status
            },
        };
        self.effects.push(super::Effect::Emit(Box::new(event)));
    }
}
