//! What a supervisor does whose guardian was killed: it becomes the guardian, and makes a new
//! supervisor. All daemons that it made stay its children, and nobody has to be told of anything.

use super::handover::Handover;
use super::held::{Key, EAR, LINE, STORED};
use super::log::Level;
use super::process::Slot;
use super::state_file::Who;
use super::Supervisor;
use crate::core::Id;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::prctl::set_child_subreaper;
use rc_sv_exec::instance::AsOf;
use rc_sv_exec::launch::Left;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

/// How long processes may take that are just being made. A program that hangs is known by then.
const PATIENCE: Duration = Duration::from_secs(1);

/// The pause after an attempt that failed: something is scarce.
const PAUSE_MS: u64 = 1_000;

/// This very program, also where its file was replaced.
const ITSELF: &std::ffi::CStr = c"/proc/self/exe";
const NAME: &std::ffi::CStr = c"rc-sv-supervisor";

impl Supervisor {
    /// The guardian has gone.
    pub(super) fn bereaved(&mut self) {
        self.reactor.remove(&self.guardian);
        let line = "the guardian was killed: this process becomes it";
        self.log.line(Level::Error, line);
        self.succeed();
    }

    /// Becomes the guardian, or goes on without one for a while.
    pub(super) fn succeed(&mut self) {
        // Nobody else may begin a supervisor meanwhile, and orphans of services come here.
        if let Err(error) = self.claim.take_all() {
            self.log.line(Level::Error, &error.message);
        }
        let _ = set_child_subreaper(true);
        self.settle_all();
        let held = self.to_hold();
        let handover = Handover {
            svcdir: &self.svcdir,
            claim: &self.claim,
            own_cgroup: self.own_cgroup.as_deref(),
            listener: self.listener.as_fd(),
            afterlife: &self.afterlife,
            ward: None,
            is_ending: self.is_ending,
            held: held.iter().map(|(key, fd)| (key, *fd)).collect(),
        };
        let Err(error) = handover.execute(ITSELF, NAME);
        drop(held);
        self.succeeds_at = Some(self.clock.now().boot_ms + PAUSE_MS);
        self.is_leaving = false;
        self.log.line(Level::Error, &error.message);
        for (id, run) in std::mem::take(&mut self.left_over) {
            self.spawn(id, run);
        }
        self.catch_up();
    }

    /// Leaves everything so that the next supervisor can go on while this process lives on.
    pub(super) fn settle_all(&mut self) {
        self.is_leaving = true;
        self.await_births();
        self.leave_words();
        while self.recorder.is_due() {
            self.recorder.write(None, &mut self.log);
        }
    }

    /// Waits until it is known of all main processes that were ordered whether they exist.
    fn await_births(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while self.slots.iter().any(|(_, slot)| slot.making.is_some()) {
            let now_ms = self.clock.now().boot_ms;
            let Some(spawner) = &self.spawner else {
                return;
            };
            let due = spawner.deadline().unwrap_or(now_ms).saturating_sub(now_ms);
            let patience = PollTimeout::try_from(due).unwrap_or(PollTimeout::ZERO);
            let mut fds = [PollFd::new(spawner.as_fd(), PollFlags::POLLIN)];
            // News or not, it is asked.
            let _ = poll(&mut fds, patience);
            self.hear_spawner();
            if Instant::now() >= deadline {
                return;
            }
        }
    }

    /// Leaves word for processes that have not come to do so. All of them live, or were not reaped.
    fn leave_words(&mut self) {
        let boot_ms = self.clock.now().boot_ms;
        for (_, slot) in self.slots.iter() {
            slot.leave_words(boot_ms);
        }
        self.leave_words_of_loggers();
        self.leave_words_of_alerts();
        self.leave_words_of_looks();
        self.leave_words_of_dependents();
    }

    /// What is lost with this process, unless somebody has it.
    fn to_hold(&self) -> Vec<(Key, BorrowedFd<'_>)> {
        let mut all = Vec::new();
        let mut add = |kind: &str, id: Id, detail: &str, fd| {
            if let Some(service) = self.core.name(id) {
                all.push((Key::new(kind, service.as_str(), detail), fd));
            }
        };
        for (id, slot) in self.slots.iter() {
            if let Some(ear) = &slot.ear {
                add(EAR, id, "", ear.socket.as_fd());
            }
            for process in &slot.processes {
                if let Some(line) = &process.line {
                    add(LINE, id, &process.run.to_string(), line.as_fd());
                }
            }
            for (detail, fd) in slot.store.iter().flat_map(|store| store.to_hold()) {
                add(STORED, id, &detail, fd);
            }
        }
        for outlet in self.outlets.iter() {
            for (kind, fd) in outlet.to_hold() {
                add(kind, outlet.id, outlet.stream.which.name(), fd);
            }
        }
        all
    }
}

impl Slot {
    /// Leaves word for its main process and its commands, where they have not.
    fn leave_words(&self, boot_ms: u64) {
        let Some(state) = &self.state else {
            return;
        };
        // One that is being made leaves its own word, in the place of those before it.
        let latest = self.processes.iter().max_by_key(|process| process.run);
        let latest = latest.filter(|it| it.pid > 0 && it.main_pid() == it.pid);
        let latest = latest.filter(|_| self.making.is_none());
        if let Some((number, pid, pidfd)) =
            latest.and_then(|it| Some((it.run, it.pid, it.pidfd.as_ref()?)))
        {
            let who = AsOf::now(pid, boot_ms, pidfd.as_fd());
            state.leave_late(Who::Main, Left { number, who });
        }
        for hook in self.hooks.iter().filter(|hook| hook.command.is_made()) {
            let who = AsOf {
                boot_ms,
                ..hook.command.who
            };
            let number = hook.run;
            state.leave_late(Who::Hook(hook.hook), Left { number, who });
        }
    }
}

#[cfg(test)]
#[path = "succession_tests.rs"]
mod tests;
