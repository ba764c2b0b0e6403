//! Keeping what another supervisor needs: in the state files, and with the guardian.

use super::held::Key;
use super::state_file::{Kept, StateFile, Who};
use super::{owed, Supervisor};
use crate::core::Id;
use rc_sv_api::{Code, Error, Result, ServiceName};
use rc_sv_exec::launch::Left;
use rc_sv_exec::place::Dir;
use std::fmt::Display;
use std::os::fd::BorrowedFd;

impl Supervisor {
    /// Writes down what has changed. It comes before everything that is done about it.
    pub(super) fn keep_changes(&mut self) {
        while let Some(id) = self.core.changed() {
            let mut service = Vec::with_capacity(256);
            self.core.save(id, &mut service);
            if service.is_empty() {
                // It was forgotten.
                continue;
            }
            let index = id.index() as u32;
            let kept = self.state_of(id).and_then(|state| {
                let failed = |cause| Error::io("keep its state", &cause);
                state.keep(&Kept { index, service }).map_err(failed)
            });
            // Where no file can be made, nothing is made for the service either: see `prepare`.
            if let (Err(error), true) = (kept, self.slots.of(id).state.is_some()) {
                self.warn(id, &error.message);
            }
        }
    }

    /// What outlives this supervisor of a service.
    pub(super) fn state_of(&mut self, id: Id) -> Result<&mut StateFile> {
        if self.slots.of(id).state.is_none() {
            let state = StateFile::make(&self.directory(id)?)?;
            self.slots.of(id).state = Some(state);
        }
        let state = self.slots.of(id).state.as_mut();
        state.ok_or_else(|| Error::new(Code::Failed, "its state cannot be kept"))
    }

    /// Notes which process it is that leaves a word. Where that cannot be noted, the time in the word
    /// has to do.
    pub(super) fn identify(&mut self, id: Id, who: Who, left: Left) {
        if let Some(state) = &self.slots.of(id).state {
            let _ = state.identify(who, left);
        }
    }

    /// Nothing is left to be looked after, so the next supervisor has nothing to go on with.
    pub(super) fn leave_nothing(&mut self) {
        let ids: Vec<Id> = self.core.iter().map(|(id, _)| id).collect();
        for dir in ids.into_iter().filter_map(|id| self.directory(id).ok()) {
            StateFile::remove(&dir);
            owed::forget(&dir);
        }
    }

    /// The service was forgotten.
    pub(super) fn keep_nothing(&self, service: &ServiceName) {
        if let Ok(dir) = Dir::open_service(&self.svcdir, service) {
            StateFile::remove(&dir);
            owed::forget(&dir);
        }
    }

    /// Has the guardian hold a descriptor of a service.
    pub(super) fn hold(&self, kind: &str, id: Id, detail: impl Display, fd: BorrowedFd<'_>) {
        if let Some(service) = self.core.name(id) {
            self.keeper
                .hold(&Key::new(kind, service.as_str(), detail), fd);
        }
    }

    /// The guardian need not hold it any more.
    pub(super) fn release(&self, kind: &str, id: Id, detail: impl Display) {
        if let Some(service) = self.core.name(id) {
            self.keeper.drop(&Key::new(kind, service.as_str(), detail));
        }
    }
}
