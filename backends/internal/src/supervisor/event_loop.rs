//! Waiting for everything at once, and seeing to what has happened and to what is due.

use super::reactor::{Kind, Token};
use super::Supervisor;
use crate::core::{Event, Hook};
use rc_sv_api::{Error, Result};
use rc_sv_exec::launch::Spawner;

/// After so long without any event the supervisor is idle.
const REST_MS: u64 = 2_000;

impl Supervisor {
    /// Runs until it was told to end and everything is down.
    pub(super) fn run(&mut self) -> Result<()> {
        let mut rests = true;
        while !self.is_over {
            let patience = self.patience();
            self.reactor
                .wait(patience, rests)
                .map_err(|cause| Error::io("wait for events", &cause))?;
            for index in 0..self.reactor.count() {
                if let Some(token) = self.reactor.happened(index) {
                    self.happened(token);
                }
            }
            self.do_what_is_due();
            rests = self.rests();
        }
        while self.recorder.is_due() {
            self.recorder.write(None, &mut self.log);
        }
        self.leave_nothing();
        Ok(())
    }

    /// How long nothing may happen, in milliseconds; `None` is for ever.
    fn patience(&mut self) -> Option<u64> {
        if self.may_record() {
            return Some(0);
        }
        let deadlines = [
            self.core.deadline(),
            self.listener.deadline(),
            self.spawner.as_ref().and_then(Spawner::deadline),
            self.outlets.deadline(),
            self.alerts.deadline(),
            self.dependents.deadline(),
            self.rest_at,
            self.succeeds_at,
        ];
        let next = deadlines.into_iter().flatten().min()?;
        Some(next.saturating_sub(self.clock.now().boot_ms))
    }

    fn happened(&mut self, token: Token) {
        match token.kind {
            Kind::Signals => self.signalled(),
            Kind::Listener => self.connected(),
            Kind::Client => self.client_said(token),
            Kind::Process => self.process_ended(token),
            Kind::Report => self.reported(token),
            Kind::Cgroup => self.cgroup_changed(token),
            Kind::Finish => self.hook_ended(token, Hook::Finish),
            Kind::GiveUp => self.hook_ended(token, Hook::GiveUp),
            Kind::Spawner => self.hear_spawner(),
            Kind::Alternate => self.hook_ended(token, Hook::Alternate),
            Kind::Unhealthy => self.hook_ended(token, Hook::Unhealthy),
            Kind::Script => self.hook_ended(token, Hook::Script),
            Kind::Look => self.look_goes_on(token),
            Kind::Ear => self.service_said(token),
            Kind::Line => self.line_changed(token),
            Kind::Stored => self.lost(token),
            Kind::Awaited => self.pid_file_changed(token),
            Kind::Alert => self.alert_ended(token),
            Kind::Dependents => self.telling_ended(token),
            Kind::Successor => self.successor_ended(token),
            Kind::Attendant => self.attendant_ended(token),
            Kind::Guardian => self.bereaved(),
            Kind::Keeper => self.guardian_said(),
            Kind::Locks => self.recorder.locks_changed(&mut self.log),
        }
    }

    fn do_what_is_due(&mut self) {
        let now_ms = self.clock.now().boot_ms;
        if self
            .core
            .deadline()
            .is_some_and(|deadline| deadline <= now_ms)
        {
            self.feed(Event::Deadline);
        }
        let spawner = self.spawner.as_ref();
        if spawner
            .and_then(Spawner::deadline)
            .is_some_and(|due| due <= now_ms)
        {
            self.hear_spawner();
        }
        if self.outlets.deadline().is_some_and(|due| due <= now_ms) {
            self.begin_due_loggers();
        }
        if self.alerts.deadline().is_some_and(|due| due <= now_ms) {
            self.kill_late_alerts(now_ms);
        }
        if self.dependents.deadline().is_some_and(|due| due <= now_ms) {
            self.kill_late_tellings(now_ms);
        }
        if self.stream.take_news() {
            self.clients.tell(&self.stream, &self.reactor);
        }
        if self.succeeds_at.is_some_and(|at| at <= now_ms) {
            self.succeed();
        }
        self.listener.resume(&self.reactor, now_ms);
        if !self.strays.is_empty() {
            self.reap_strays();
        }
        if self.reactor.count() == 0 && self.may_record() {
            self.recorder.write(None, &mut self.log);
        }
        self.watch_locks();
    }

    /// OpenRC is told when nothing more urgent is to be done: no process is about to be there.
    fn may_record(&self) -> bool {
        let spawner = self.spawner.as_ref();
        self.recorder.is_due() && spawner.and_then(Spawner::deadline).is_none()
    }

    /// Whether memory is to be given back now, which is so once after some time without work.
    fn rests(&mut self) -> bool {
        let now_ms = self.clock.now().boot_ms;
        if self.reactor.count() > 0 {
            self.rest_at = Some(now_ms + REST_MS);
        } else if self.rest_at.is_some_and(|at| at <= now_ms) {
            self.rest_at = None;
            self.events.shrink_to_fit();
            self.effects.shrink_to_fit();
            let slots = &self.slots;
            let runs = |id| slots.get(id).is_some_and(|slot| !slot.is_empty());
            self.specs.keep(runs);
            return true;
        }
        false
    }
}
