//! The limits of services, and what came of them.

use super::Supervisor;
use crate::core::{Event, Id, Word};
use rc_sv_api::exit::Exit;
use rc_sv_api::{signal, Settings, State, Status};
use rc_sv_exec::cgroup::limits::{killed_for_memory, Limits};
use rc_sv_exec::cgroup::Cgroup;
use std::os::fd::AsFd;

impl Supervisor {
    /// Sets the limits for an instance that is about to be made in `cgroup`.
    pub(super) fn limit(&mut self, id: Id, settings: &dyn Settings, cgroup: Option<&Cgroup>) {
        let (note, killed) = Limits::of(settings).hold(cgroup);
        self.slots.of(id).memory_kills = killed;
        let before = self.unlimited.remove(&id);
        if let Some(note) = note {
            if before.as_deref() != Some(&note) {
                self.warn(id, &note);
            }
            self.unlimited.insert(id, note.into());
        }
    }

    /// Tells the core, before the end of an instance, if the kernel has killed it for want of memory.
    pub(super) fn ask_for_memory_kill(&mut self, id: Id, run: u32, exit: Exit) {
        let Some(before) = self.slots.of(id).memory_kills else {
            return;
        };
        let process = self.slots.process(id, run);
        let cgroup = process.and_then(|process| process.cgroup.as_ref()?.open_service().ok());
        let now = cgroup.and_then(|cgroup| killed_for_memory(cgroup.as_fd()));
        if exit == Exit::Signal(signal::KILL as u8) && now > Some(before) {
            let word = Word::Starved;
            self.feed(Event::Said { id, run, word });
        }
    }

    /// Adds to the status of a service that runs which limits do not hold.
    pub(super) fn add_limits(&self, id: Id, status: &mut Status) {
        // Hardly any service has such.
        let note = self.unlimited.get(&id);
        if let (Some(note), State::Starting | State::Up) = (note, status.state) {
            let between = if status.detail.is_empty() { "" } else { "; " };
            status.detail += &format!("{between}{note}");
        }
    }
}
