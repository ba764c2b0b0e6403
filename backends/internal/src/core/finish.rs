//! After the end of a main process: clear up, run the finish command, decide.

use super::instance::Instance;
use super::service::{Alert, Service, Turn};
use super::state::{Asked, Part, State};
use super::stop::KILL_WAIT;
use super::{Effect, Hook, Record};
use rc_sv_api::exit::Exit;
use rc_sv_api::policy::{self, Verdict, When};
use rc_sv_api::Error;
use std::time::Duration;

/// The exit code by which a finish command forbids a respawn, as s6 has it.
const NEVER_AGAIN: u8 = 125;

/// When a process could not be made, the system is asked for another one no sooner than this:
/// whatever it lacks does not come back by asking.
const SCARCITY: Duration = Duration::from_millis(100);

/// How long a give-up command may take. It holds up nothing.
const ALERT_TIMEOUT: Duration = Duration::from_secs(60);

/// What comes after an instance.
enum Next {
    /// Nobody wants another one.
    Down,
    /// The start that a person asked for has failed.
    StartFailed,
    /// It ended by itself, and the policy is content with that.
    Ended,
    /// A person asked for another one.
    Start,
    /// The policy wants another one at this time.
    Respawn(u64),
    /// No other one, for this reason.
    Fail(String, Option<&'static str>),
    /// No other one for the time being.
    GiveUp(String),
}

impl Service {
    /// Nothing of the instance is left.
    pub(super) fn emptied(&mut self, turn: &mut Turn<'_>) {
        let sweeping = match self.state {
            State::Finishing { part, .. } => part == Part::Sweep,
            State::Stuck => !self.instance.is_live(),
            _ => false,
        };
        if sweeping {
            self.swept(turn);
        }
    }

    /// The main process is dead and nothing else is left. What was never executed leaves nothing
    /// for a finish command to clear up.
    pub(super) fn swept(&mut self, turn: &mut Turn<'_>) {
        if !self.plan.finish || !self.instance.executed {
            return self.decide(turn);
        }
        let part = Part::Hook;
        let until = turn.after(self.plan.finish_timeout);
        self.enter(turn, State::Finishing { part, until });
        self.run_hook(turn, Hook::Finish, self.result());
        self.instance.reap(turn);
    }

    /// The finish command ended, or (`message`) could not be run.
    pub(super) fn finish_ended(
        &mut self,
        turn: &mut Turn<'_>,
        exit: Option<Exit>,
        message: Option<&str>,
    ) {
        let State::Finishing {
            part: part @ (Part::Hook | Part::KilledHook),
            ..
        } = self.state
        else {
            return;
        };
        self.instance.permanent = part == Part::Hook && exit == Some(Exit::Code(NEVER_AGAIN));
        self.note = message.map(Into::into);
        self.decide(turn);
    }

    /// The finish command takes too long.
    pub(super) fn finish_overdue(&mut self, turn: &mut Turn<'_>) {
        self.kill_hook(turn, self.instance.run, Hook::Finish);
        let part = Part::KilledHook;
        let until = turn.after(KILL_WAIT);
        self.enter(turn, State::Finishing { part, until });
    }

    /// Decides what comes next. The zombie goes first, unless a successor is ordered at once:
    /// then somebody waits for that one, and nobody for the zombie.
    pub(super) fn decide(&mut self, turn: &mut Turn<'_>) {
        let mut old = self.instance;
        match self.next(turn) {
            Next::Start => self.spawn_afresh(turn),
            Next::Respawn(at) if at <= turn.now.boot_ms => self.respawn(turn),
            next => {
                self.instance.reap(turn);
                return self.settle(turn, next);
            }
        }
        old.reap(turn);
    }

    /// Orders the instance that the policy wants.
    pub(super) fn respawn(&mut self, turn: &mut Turn<'_>) {
        self.restarts = self.restarts.saturating_add(1);
        self.spawn(turn);
    }

    /// Orders one more instance after giving up.
    pub(super) fn retry(&mut self, turn: &mut Turn<'_>) {
        self.on_probation = true;
        turn.record(Record::Retried);
        self.respawn(turn);
    }

    /// Orders the instance that a person asked for: what went wrong before does not count.
    pub(super) fn spawn_afresh(&mut self, turn: &mut Turn<'_>) {
        self.asked = Asked::This;
        self.forgive();
        self.spawn(turn);
    }

    /// Forgets what went wrong before.
    pub(super) fn forgive(&mut self) {
        self.history.clear();
        self.restarts = 0;
        self.on_probation = false;
    }

    fn next(&mut self, turn: &Turn<'_>) -> Next {
        match self.asked {
            _ if !self.want_up => Next::Down,
            Asked::Next => Next::Start,
            Asked::This => Next::StartFailed,
            Asked::No => self.judge(turn),
        }
    }

    fn judge(&mut self, turn: &Turn<'_>) -> Next {
        let instance = &self.instance;
        let ended = instance.ended_ms.unwrap_or(turn.now.boot_ms);
        // However long it took not to be executed, that is no long run.
        let lasted_ms = match instance.executed {
            true => ended.saturating_sub(instance.ordered_ms),
            false => 0,
        };
        let run = policy::Run {
            exit: self.last_exit.unwrap_or(Exit::Unknown),
            cause: instance.cause,
            lasted: Duration::from_millis(lasted_ms),
            permanent: instance.permanent,
        };
        let policy = &mut self.plan.policy;
        let when = policy.when;
        let unmade = instance.unmade;
        if unmade {
            // The respawn was decided already; it is only the system that could not do it yet.
            policy.when = When::Always;
        }
        if self.on_probation && Duration::from_millis(lasted_ms) >= policy.reset_after {
            self.on_probation = false;
            self.history.clear();
        }
        let verdict = policy::judge(policy, &mut self.history, &run, ended, turn.chance());
        policy.when = when;
        match verdict {
            Verdict::Respawn(_) | Verdict::GiveUp if self.on_probation => {
                Next::GiveUp(format!("gave up again: {}", self.end_line()))
            }
            Verdict::Respawn(pause) => {
                let least = if unmade { SCARCITY } else { Duration::ZERO };
                Next::Respawn(ended.saturating_add(pause.max(least).as_millis() as u64))
            }
            Verdict::Down => Next::Ended,
            Verdict::GiveUp => Next::GiveUp(self.gave_up_line(ended)),
            Verdict::Permanent => Next::Fail(self.permanent_line(), self.result()),
        }
    }

    /// Goes where nothing runs.
    fn settle(&mut self, turn: &mut Turn<'_>, next: Next) {
        match next {
            Next::Respawn(until) => {
                self.enter(turn, State::Waiting { until });
                turn.record(Record::Backoff);
            }
            Next::Fail(reason, result) => self.fail(turn, reason, result, None),
            Next::GiveUp(reason) => {
                let wait = self.plan.care.as_ref().and_then(|care| care.retry_after);
                let until = wait.map(|wait| turn.after(wait));
                self.fail(turn, reason, Some("start-limit-hit"), until);
            }
            Next::StartFailed => {
                let error = self.start_error();
                self.rest(turn, Some(error.message.as_str().into()), &Err(error));
            }
            Next::Ended => {
                let note = format!("ended by itself: {}", self.end_line());
                self.rest(turn, Some(note.into()), &Ok(()));
            }
            Next::Down | Next::Start => self.rest(turn, None, &Ok(())),
        }
    }

    /// Goes down, and stays there.
    pub(super) fn rest(
        &mut self,
        turn: &mut Turn<'_>,
        note: Option<Box<str>>,
        result: &Result<(), Error>,
    ) {
        self.want_up = false;
        self.asked = Asked::No;
        self.note = note;
        self.enter(turn, State::Down);
        turn.record(Record::Down);
        self.answer_all(turn, result);
    }

    /// Gives up. It is still wanted up, but only a person starts it again, or one more try at
    /// `until`. Who was told of it is not told again when that fails too.
    fn fail(
        &mut self,
        turn: &mut Turn<'_>,
        reason: String,
        result: Option<&'static str>,
        until: Option<u64>,
    ) {
        self.enter(turn, State::Failed { until });
        self.note = Some(reason.as_str().into());
        turn.record(Record::GaveUp(reason.clone()));
        if !self.on_probation {
            self.alert_failed(turn, reason, result);
        }
        let alternate = self.plan.care.as_ref().is_some_and(|care| care.alternate);
        let commands = [
            (Hook::GiveUp, self.plan.on_give_up),
            (Hook::Alternate, alternate),
        ];
        for (hook, is_set) in commands {
            if !is_set || self.on_probation {
                continue;
            }
            if let Some(earlier) = self.alerts.iter().position(|alert| alert.hook == hook) {
                let earlier = self.alerts.swap_remove(earlier);
                self.kill_hook(turn, earlier.run, hook);
            }
            self.run_hook(turn, hook, result);
            self.alerts.push(Alert {
                run: self.instance.run,
                hook,
                until: Some(turn.after(ALERT_TIMEOUT)),
            });
        }
    }

    /// systemd's word for what the end of the main process does not tell.
    fn result(&self) -> Option<&'static str> {
        self.instance.cause.result()
    }

    pub(super) fn run_hook(
        &mut self,
        turn: &mut Turn<'_>,
        hook: Hook,
        result: Option<&'static str>,
    ) {
        turn.effects.push(Effect::RunHook {
            id: turn.id,
            run: self.instance.run,
            hook,
            exit: self.last_exit.unwrap_or(Exit::Unknown),
            result,
            restarts: self.restarts,
        });
    }
}

impl Instance {
    /// Has the zombie taken away, if there is one.
    fn reap(&mut self, turn: &mut Turn<'_>) {
        if std::mem::take(&mut self.zombie) {
            let (id, run) = (turn.id, self.run);
            turn.effects.push(Effect::Reap { id, run });
        }
    }
}

impl Turn<'_> {
    /// A random number that differs between services that are decided about in the same step.
    fn chance(&self) -> u32 {
        self.now
            .chance
            .wrapping_add(self.id.0.wrapping_mul(0x9E37_79B9))
    }
}
