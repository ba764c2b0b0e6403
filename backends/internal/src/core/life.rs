//! What happens to a main process, and what time does to a service.

use super::service::{Alert, Service, Turn};
use super::state::{Part, State};
use super::stop::KILL_WAIT;
use super::{Effect, Event, Hook, Record};
use rc_sv_api::exit::Exit;
use rc_sv_api::policy::Cause;
use rc_sv_exec::stop::KillMode;

impl Service {
    /// Takes in what happened to instance `run`. What does not fit the state is late or a
    /// repetition, and changes nothing.
    pub(super) fn happened(&mut self, turn: &mut Turn<'_>, run: u32, event: Event) {
        let is_script = |hook| hook == Hook::Script && run == self.instance.run;
        match event {
            Event::HookEnded { hook, exit, .. } if is_script(hook) => {
                self.script_ended(turn, exit, None);
            }
            Event::HookFailed { hook, message, .. } if is_script(hook) => {
                self.script_ended(turn, Exit::NotRun(0), Some(&message));
            }
            Event::HookEnded { hook, exit, .. } if hook != Hook::Finish => {
                let has_failed = !matches!(exit, Exit::Code(0) | Exit::Unknown);
                let message = has_failed.then(|| format!("{}: {exit}", hook.setting()));
                self.alert_ended(turn, run, hook, message.as_deref());
            }
            Event::HookFailed { hook, message, .. } if hook != Hook::Finish => {
                self.alert_ended(turn, run, hook, Some(&message));
            }
            _ if run != self.instance.run => {}
            Event::Spawned { pid, .. } => self.spawned(turn, pid),
            Event::SpawnFailed { message, errno, .. } => self.spawn_failed(turn, &message, errno),
            Event::Executed { .. } => self.executed(turn),
            Event::ExecFailed { message, errno, .. } => self.exec_failed(turn, &message, errno),
            Event::Exited { exit, alone, .. } => self.exited(turn, exit, alone),
            Event::Emptied { .. } => self.emptied(turn),
            Event::HookEnded { exit, .. } => self.finish_ended(turn, Some(exit), None),
            Event::HookFailed { message, .. } => self.finish_ended(turn, None, Some(&message)),
            Event::Main { pid, .. } => self.moved(turn, pid),
            Event::Said { word, .. } => self.said(turn, word),
            Event::Probed {
                look,
                outcome,
                found,
                ..
            } => self.probed(turn, look, outcome, found),
            Event::Command { .. } | Event::Deadline | Event::Shutdown => {}
        }
    }

    /// Does what is due.
    pub(super) fn elapsed(&mut self, turn: &mut Turn<'_>) {
        let now = turn.now.boot_ms;
        let is_late = |alert: &Alert| alert.until.is_some_and(|until| until <= now);
        while let Some(late) = self.alerts.iter().position(is_late) {
            let Alert { run, hook, .. } = self.alerts[late];
            self.alerts[late].until = None;
            self.kill_hook(turn, run, hook);
        }
        let watch = self.watch.as_ref().and_then(|watch| watch.deadline());
        if watch.is_some_and(|at| at <= now) {
            self.watched(turn);
        }
        self.recover_if_due(turn);
        if self.state.until().is_none_or(|until| until > now) {
            return;
        }
        match self.state {
            State::Waiting { .. } => self.respawn(turn),
            State::Starting { .. } => self.late(turn),
            State::Leaving { .. } => self.climb(turn, 0),
            State::Failed { .. } => self.retry(turn),
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
            State::Down | State::Up | State::Stuck => {}
        }
    }

    /// It is not ready in time. What was not executed does not know the signals of the ladder.
    fn late(&mut self, turn: &mut Turn<'_>) {
        if self.instance.not_run.is_none() && self.instance.cause != Cause::Timeout {
            self.instance.cause = Cause::Timeout;
            self.reason = Some(self.late_reason().into());
        }
        match self.instance.executed {
            true => self.climb(turn, 0),
            false => self.kill(turn),
        }
    }

    pub(super) fn spawned(&mut self, turn: &mut Turn<'_>, pid: i32) {
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

    /// Another process is the main process now.
    fn moved(&mut self, turn: &mut Turn<'_>, pid: i32) {
        if !self.instance.is_live() || self.instance.pid.is_none() {
            return;
        }
        self.instance.pid = Some(pid);
        let restarts = self.restarts;
        turn.record(Record::Spawned { pid, restarts });
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

    pub(super) fn executed(&mut self, turn: &mut Turn<'_>) {
        let instance = &self.instance;
        if !instance.is_live() || instance.not_run.is_some() || instance.executed {
            return;
        }
        self.instance.executed = true;
        if matches!(self.state, State::Starting { .. }) {
            self.await_ready(turn);
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

    pub(super) fn exited(&mut self, turn: &mut Turn<'_>, exit: Exit, alone: bool) {
        if !self.instance.is_live() {
            return;
        }
        if matches!(self.state, State::Starting { .. }) && self.instance.cause == Cause::Timeout {
            // It ended before its time was over: that is the better reason.
            self.instance.cause = Cause::Itself;
            self.reason = None;
        }
        self.fall(turn);
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

    fn alert_ended(&mut self, turn: &mut Turn<'_>, run: u32, hook: Hook, message: Option<&str>) {
        let is_it = |alert: &Alert| alert.run == run && alert.hook == hook;
        let Some(found) = self.alerts.iter().position(is_it) else {
            return;
        };
        let was_killed = self.alerts.swap_remove(found).until.is_none();
        match (self.state, message) {
            _ if was_killed => {}
            (State::Failed { .. }, Some(message)) => {
                let reason = self.note.take().unwrap_or_default();
                self.note = Some(format!("{reason}; {message}").into());
            }
            // The ladder waited for it.
            (State::Leaving { .. }, _) if hook == Hook::Unhealthy && run == self.instance.run => {
                self.climb(turn, 0);
            }
            _ => {}
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
