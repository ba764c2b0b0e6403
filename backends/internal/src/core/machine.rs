//! The machine: all services and one step.

use super::{Effect, Event, Id, Now};
use rc_sv_api::{Code, Error, ServiceName, State, Status};

/// All services.
#[derive(Debug, Default)]
pub struct Core {
    names: Vec<ServiceName>,
}

impl Core {
    /// A core that knows no service.
    pub fn new() -> Core {
        Core::default()
    }

    /// Takes in `event` at `now` and appends what is to be done to `effects`.
    pub fn step(&mut self, event: Event, _now: Now, effects: &mut Vec<Effect>) {
        if let Event::Command {
            waiter: Some(waiter),
            ..
        } = event
        {
            let result = Err(Error::new(Code::Unsupported, "not offered yet"));
            effects.push(Effect::Answer { waiter, result });
        }
    }

    /// When [`Event::Deadline`] is to be given next: milliseconds of CLOCK_BOOTTIME.
    pub fn deadline(&self) -> Option<u64> {
        None
    }

    /// One snapshot; [`State::Unmanaged`] for an id that is not known.
    pub fn status(&self, _id: Id, _now: Now) -> Status {
        Status::of_state(State::Unmanaged)
    }

    /// The service of this name.
    pub fn find(&self, name: &ServiceName) -> Option<Id> {
        let index = self.names.iter().position(|known| known == name)?;
        Some(Id(index as u32))
    }

    /// The name of a service; `None` for an id that is not known.
    pub fn name(&self, id: Id) -> Option<&ServiceName> {
        self.names.get(id.index())
    }

    /// All services, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (Id, &ServiceName)> {
        self.names
            .iter()
            .enumerate()
            .map(|(index, name)| (Id(index as u32), name))
    }
}
