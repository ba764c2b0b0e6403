//! What happens to a main process, and what time does to a service.

use super::service::{Service, Turn};
use super::state::{Asked, Part, State};
use super::stop::KILL_WAIT;
use super::{Effect, Event, Hook, Record};
use rc_sv_api::exit::Exit;
use rc_sv_api::policy::Cause;
use rc_sv_exec::stop::KillMode;

impl Service {
    /// Takes in what happened to instance `run`. What does not fit the state is late or a
    /// repetition, and changes nothing.
    pub(super) fn happened(&mut self, turn: &mut Turn<'_>, run: u32, event: Event) {
        match event {
            Event::HookEnded {
                hook: Hook::GiveUp, ..
            } => self.alert_ended(run, None),
            Event::HookFailed {
                hook: Hook::GiveUp,
                message,
                ..
            } => self.alert_ended(run, Some(&message)),
            _ if run != self.instance.run => {}
            Event::Spawned { pid, .. } => self.spawned(turn, pid),
            Event::SpawnFailed { message, errno, .. } => self.spawn_failed(turn, &message, errno),
            Event::Executed { .. } => self.executed(turn),
            Event::ExecFailed { message, errno, .. } => self.exec_failed(turn, &message, errno),
            Event::Exited { exit, alone, .. } => self.exited(turn, exit, alone),
            Event::Emptied { .. } => self.emptied(turn),
            Event::HookEnded { exit, .. } => self.finish_ended(turn, Some(exit), None),
            Event::HookFailed { message, .. } => self.finish_ended(turn, None, Some(&message)),
            Event::Command { .. } | Event::Deadline | Event::Shutdown => {}
        }
    }

    /// Does what is due.
    pub(super) fn elapsed(&mut self, turn: &mut Turn<'_>) {
        let now = turn.now.boot_ms;
        if let Some(alert) = self.alert.filter(|alert| alert.until <= now) {
            self.kill_hook(turn, alert.run, Hook::GiveUp);
            self.alert = None;
        }
        if self.state.until().is_none_or(|until| until > now) {
            return;
        }
        match self.state {
            State::Waiting { .. } => self.respawn(turn),
            State::Starting { .. } => {
                if self.instance.not_run.is_none() {
                    self.instance.cause = Cause::Timeout;
                }
                self.kill(turn);
            }
            State::Stopping {
                rung: Some(rung), ..
            } => self.climb(turn, rung.saturating_add(1)),
            State::Stopping { rung: None, .. }
            | State::Finishing {
                part: Part::Sweep, ..
            } => self.stuck(turn),
            State::Finishing {
                part: Part::Hook, ..
            } => self.finish_overdue(turn),
            State::Finishing {
                part: Part::KilledHook,
                ..
            } => self.decide(turn),
            State::Down | State::Up | State::Failed | State::Stuck => {}
        }
    }

    fn spawned(&mut self, turn: &mut Turn<'_>, pid: i32) {
        if !self.instance.is_live() || self.instance.pid.is_some() {
            return;
        }
        self.instance.pid = Some(pid);
        let restarts = self.restarts;
        turn.record(Record::Spawned { pid, restarts });
        if matches!(self.state, State::Stopping { .. } | State::Stuck) {
            self.press(turn);
        }
    }

    fn spawn_failed(&mut self, turn: &mut Turn<'_>, message: &str, errno: i32) {
        if !self.instance.is_live() || self.instance.pid.is_some() {
            return;
        }
        self.note = Some(message.into());
        self.instance.unmade = true;
        self.ended(turn, Exit::NotRun(errno));
        self.decide(turn);
    }

    fn executed(&mut self, turn: &mut Turn<'_>) {
        if !self.instance.is_live() || self.instance.not_run.is_some() {
            return;
        }
        self.instance.executed = true;
        if matches!(self.state, State::Starting { .. }) {
            self.enter(turn, State::Up);
            self.note = None;
            self.asked = Asked::No;
            self.answer_all(turn, &Ok(()));
        }
    }

    /// The process ends by itself in a moment, so there is nothing to send; but it has to.
    fn exec_failed(&mut self, turn: &mut Turn<'_>, message: &str, errno: i32) {
        if !self.instance.is_live() || self.instance.executed {
            return;
        }
        self.instance.not_run = Some(errno);
        self.last_exit = Some(Exit::NotRun(errno));
        self.note = Some(message.into());
        if let State::Starting { until } = self.state {
            let until = until.min(turn.after(KILL_WAIT));
            self.enter(turn, State::Starting { until });
        }
    }

    fn exited(&mut self, turn: &mut Turn<'_>, exit: Exit, alone: bool) {
        if !self.instance.is_live() {
            return;
        }
        self.instance.zombie = true;
        self.ended(turn, self.instance.not_run.map_or(exit, Exit::NotRun));
        if alone || self.plan.kill_mode == KillMode::Process {
            return self.swept(turn);
        }
        let part = Part::Sweep;
        let until = turn.after(KILL_WAIT);
        self.enter(turn, State::Finishing { part, until });
        self.sweep(turn);
    }

    fn ended(&mut self, turn: &Turn<'_>, exit: Exit) {
        self.instance.ended_ms = Some(turn.now.boot_ms);
        self.last_exit = Some(exit);
    }

    fn alert_ended(&mut self, run: u32, message: Option<&str>) {
        if self.alert.is_none_or(|alert| alert.run != run) {
            return;
        }
        self.alert = None;
        if let (Some(message), State::Failed) = (message, self.state) {
            let reason = self.note.take().unwrap_or_default();
            self.note = Some(format!("{reason}; {message}").into());
        }
    }

    /// Kills a command of the spec.
    pub(super) fn kill_hook(&mut self, turn: &mut Turn<'_>, run: u32, hook: Hook) {
        turn.effects.push(Effect::KillHook {
            id: turn.id,
            run,
            hook,
        });
    }
}

impl Turn<'_> {
    /// Tells OpenRC.
    pub(super) fn record(&mut self, what: Record) {
        self.effects.push(Effect::Record { id: self.id, what });
    }
}
