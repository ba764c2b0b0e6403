//! The limits of services, and what came of them.

use super::process::Slots;
use super::Supervisor;
use crate::core::{Event, Id, Word};
use rc_sv_api::exit::Exit;
use rc_sv_api::{signal, Settings, State, Status};
use rc_sv_exec::cgroup::limits::{killed_for_memory, Limits};
use rc_sv_exec::cgroup::Cgroup;
use std::os::fd::AsFd;

/// What most services have nothing of.
pub(super) struct Limited {
    /// The limits that could not be set.
    note: Option<Box<str>>,
    /// How many processes of the service's cgroup had been killed for want of memory before the
    /// instance that was ordered last.
    killed: Option<u64>,
}

impl Supervisor {
    /// Sets the limits for an instance that is about to be made in `cgroup`.
    pub(super) fn limit(&mut self, id: Id, settings: &dyn Settings, cgroup: Option<&Cgroup>) {
        let limits = Limits::of(settings);
        let opened = cgroup.map(|cgroup| {
            let failed = |cause| rc_sv_api::Error::io("open the cgroup", &cause).message;
            cgroup.open_service().map_err(failed)
        });
        let note = limits.set(match &opened {
            None => Err("the service has no cgroup of version 2"),
            Some(Ok(opened)) => Ok(opened.as_fd()),
            Some(Err(why)) => Err(why),
        });
        let killed = opened.and_then(|opened| killed_for_memory(opened.ok()?.as_fd()));
        let before = self.slots.of(id).limited.take().and_then(|it| it.note);
        let note: Option<Box<str>> = note.map(Into::into);
        if let Some(note) = note
            .as_deref()
            .filter(|note| before.as_deref() != Some(note))
        {
            self.warn(id, note);
        }
        if note.is_some() || killed.is_some() {
            self.slots.of(id).limited = Some(Box::new(Limited { note, killed }));
        }
    }

    /// Tells the core, before the end of an instance, if the kernel has killed it for want of memory.
    pub(super) fn ask_for_memory_kill(&mut self, id: Id, run: u32, exit: Exit) {
        let killed = |slots: &Slots| slots.get(id)?.limited.as_ref()?.killed;
        let Some(before) = killed(&self.slots) else {
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
    pub(super) fn with_limits(&self, id: Id, mut status: Status) -> Status {
        let limited = self.slots.get(id).and_then(|slot| slot.limited.as_deref());
        let note = limited.and_then(|limited| limited.note.as_deref());
        if let (Some(note), State::Starting | State::Up) = (note, status.state) {
            let between = if status.detail.is_empty() { "" } else { "; " };
            status.detail = format!("{}{between}{note}", status.detail);
        }
        status
    }
}
