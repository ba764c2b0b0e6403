//! The timers of all services: at most one each.

use super::Id;
use std::collections::BTreeSet;

/// Which service has to be looked at when. It never holds more than one entry per service.
#[derive(Debug, Default)]
pub(super) struct Timers(BTreeSet<(u64, Id)>);

impl Timers {
    /// Moves the timer of `id`, which is set to `armed`, to `wake`.
    pub(super) fn set(&mut self, id: Id, armed: &mut Option<u64>, wake: Option<u64>) {
        if *armed == wake {
            return;
        }
        if let Some(old) = armed.take() {
            self.0.remove(&(old, id));
        }
        if let Some(new) = wake {
            self.0.insert((new, id));
        }
        *armed = wake;
    }

    /// The next timer: when, and of whom.
    pub(super) fn first(&self) -> Option<(u64, Id)> {
        self.0.first().copied()
    }

    /// How many are set.
    #[cfg(any(test, fuzzing))]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
