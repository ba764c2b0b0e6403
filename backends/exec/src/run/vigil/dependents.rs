//! What the services that need a program are told while it runs.

use super::{Stage, Vigil};
use crate::run::dependents;

impl Vigil<'_> {
    /// It does its work again, or for the first time.
    pub(super) fn rise(&mut self) {
        if self.stage == Stage::Up && self.looks.are_healthy() != Some(false) {
            let begun = dependents::rise(self.call, self.spec);
            self.begun(begun);
        }
    }

    /// It runs, and does not do its work.
    pub(super) fn fall(&mut self) {
        let begun = dependents::fall(self.call, self.spec);
        self.begun(begun);
    }
}
