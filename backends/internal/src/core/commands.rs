//! What somebody wants of a service. A command beats whatever the service does by itself, and a
//! later command beats an earlier one: who waits for the earlier one is told so.

use super::service::{Service, Turn};
use super::state::{Asked, State};
use super::{Effect, Plan, Waiter, Whom};
use rc_sv_api::{signal, Code, Error};

impl Service {
    /// It is to be up.
    pub(super) fn start(
        &mut self,
        turn: &mut Turn<'_>,
        plan: Option<Box<Plan>>,
        waiter: Option<Waiter>,
    ) {
        if self.state == State::Stuck {
            return turn.answer(waiter, Err(self.stuck_error(Code::Conflict)));
        }
        if let Some(plan) = plan {
            self.take_plan(turn, plan);
        }
        match self.state {
            State::Up => return turn.answer(waiter, Ok(())),
            _ if self.is_ending() => {
                if !self.want_up || self.asked == Asked::This {
                    self.overtake(turn, "start");
                }
                self.asked = Asked::Next;
            }
            State::Starting { .. } => {
                self.asked = Asked::This;
                self.forgive();
            }
            _ => self.spawn_afresh(turn),
        }
        self.want_up = true;
        self.waiters.extend(waiter);
    }

    /// It is to be stopped and started.
    pub(super) fn restart(
        &mut self,
        turn: &mut Turn<'_>,
        plan: Option<Box<Plan>>,
        waiter: Option<Waiter>,
    ) {
        // Nobody who asks for the next one waits until this one has gone by itself.
        let leaves = matches!(self.state, State::Leaving { .. });
        let runs = matches!(self.state, State::Up | State::Starting { .. });
        if !leaves && (!runs || self.is_ending()) {
            return self.start(turn, plan, waiter);
        }
        if let Some(plan) = plan {
            self.plan = plan;
        }
        self.asked = Asked::Next;
        self.waiters.extend(waiter);
        self.climb(turn, 0);
    }

    /// It is to be down; `by` says who wants that.
    pub(super) fn stop(&mut self, turn: &mut Turn<'_>, by: &str, waiter: Option<Waiter>) {
        if self.want_up {
            self.overtake(turn, by);
        }
        self.want_up = false;
        self.asked = Asked::No;
        match self.state {
            State::Down => turn.answer(waiter, Ok(())),
            State::Stuck => turn.answer(waiter, Err(self.stuck_error(Code::Failed))),
            State::Failed { .. } | State::Waiting { .. } => {
                self.waiters.extend(waiter);
                self.rest(turn, None, &Ok(()));
            }
            State::Up | State::Starting { .. } | State::Leaving { .. } => {
                self.waiters.extend(waiter);
                self.climb(turn, 0);
            }
            State::Stopping { .. } | State::Finishing { .. } => self.waiters.extend(waiter),
        }
    }

    /// The main process gets a signal.
    pub(super) fn signal(&self, turn: &mut Turn<'_>, number: i32, waiter: Option<Waiter>) {
        let result = if !(1..=signal::MAX).contains(&number) {
            let message = format!("signal {number}: must be from 1 to {}", signal::MAX);
            Err(Error::invalid(message))
        } else if !self.instance.runs_program() {
            Err(Error::new(Code::NotFound, "no main process runs"))
        } else {
            turn.effects.push(Effect::Signal {
                id: turn.id,
                run: self.instance.run,
                signal: number,
                whom: Whom::Main,
            });
            Ok(())
        };
        turn.answer(waiter, result);
    }

    /// Whether its entry can be dropped; if so, nothing of it is left.
    pub(super) fn forget(&mut self, turn: &mut Turn<'_>, waiter: Option<Waiter>) -> bool {
        let idle = matches!(self.state, State::Down | State::Failed { .. });
        let result = if idle {
            self.silence(turn);
            // No more try either.
            self.enter(turn, State::Down);
            Ok(())
        } else {
            let word = self.state.reported().name();
            let message = format!("it is {word}; only a service that is down can be forgotten");
            Err(Error::new(Code::Conflict, message))
        };
        turn.answer(waiter, result);
        idle
    }

    /// Kills the commands that nothing waits for.
    pub(super) fn silence(&mut self, turn: &mut Turn<'_>) {
        for alert in std::mem::take(&mut self.alerts) {
            self.kill_hook(turn, alert.run, alert.hook);
        }
    }

    /// The checks of a service that is up begin anew where they are others now.
    pub(super) fn take_plan(&mut self, turn: &mut Turn<'_>, plan: Box<Plan>) {
        let checks = |plan: &Plan| plan.care.as_ref().map(|care| care.checks.clone());
        let are_others =
            checks(&plan).unwrap_or_default() != checks(&self.plan).unwrap_or_default();
        self.plan = plan;
        if self.state == State::Up && are_others {
            let watchdog = self.watch.as_ref().and_then(|watch| watch.watchdog);
            self.look_away(turn);
            self.begin_checks(turn);
            if let Some(watch) = &mut self.watch {
                watch.watchdog = watchdog;
            }
            self.watch_alarm(turn);
        }
    }

    /// Whether the current instance is about to end, so that a start has to wait for the next.
    fn is_ending(&self) -> bool {
        match self.state {
            State::Leaving { .. } | State::Stopping { .. } | State::Finishing { .. } => true,
            State::Starting { .. } => self.instance.not_run.is_some(),
            State::Down
            | State::Waiting { .. }
            | State::Up
            | State::Failed { .. }
            | State::Stuck => false,
        }
    }

    /// Tells those who wait that a later command goes before theirs, or what became of theirs.
    fn overtake(&mut self, turn: &mut Turn<'_>, by: &str) {
        let error = if self.asked == Asked::This && self.is_ending() {
            self.start_error()
        } else {
            Error::new(Code::Conflict, format!("overtaken by a later {by}"))
        };
        self.answer_all(turn, &Err(error));
    }
}
