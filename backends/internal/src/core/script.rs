//! Before a main process: the runscript, where that makes the spec of each instance anew.
//!
//! It runs instead of a spawn that nobody's start has made a spec for: before a respawn, and for a
//! restart through the module. An end of it that is not a success is an end of the instance.

use super::service::{Service, Turn};
use super::state::State;
use super::{Hook, Plan, Waiter};
use rc_sv_api::exit::Exit;
use rc_sv_api::policy::Cause;
use rc_sv_api::{Code, Error};

impl Service {
    /// Runs the runscript; the main process is ordered when it has ended.
    pub(super) fn run_script(&mut self, turn: &mut Turn<'_>) {
        self.instance.awaits_script = true;
        self.run_hook(turn, Hook::Script, None);
    }

    /// The spec was made anew, for the next spawn.
    pub(super) fn renew(&mut self, turn: &mut Turn<'_>, plan: Box<Plan>, waiter: Option<Waiter>) {
        let result = match self.instance.awaits_script && self.instance.is_live() {
            true => {
                self.take_plan(turn, plan);
                Ok(())
            }
            false => {
                let message = "no runscript was run for a respawn; start it as ever";
                Err(Error::new(Code::Conflict, message))
            }
        };
        turn.answer(waiter, result);
    }

    /// Another supervisor had the runscript run. Nothing is doubled where that is done again: it
    /// runs, or its end was not heard.
    pub(super) fn go_on_with_script(&mut self, turn: &mut Turn<'_>, is_there: bool) {
        match self.state {
            State::Starting { .. } if is_there => {}
            State::Starting { .. } => self.run_script(turn),
            _ if is_there => self.press(turn),
            _ => self.script_ended(turn, Exit::Unknown, None),
        }
    }

    /// The runscript ended, or (`message`) could not be run.
    pub(super) fn script_ended(&mut self, turn: &mut Turn<'_>, exit: Exit, message: Option<&str>) {
        if !self.instance.awaits_script || !self.instance.is_live() {
            return;
        }
        let is_wanted = matches!(self.state, State::Starting { .. });
        if is_wanted && message.is_none() && exit == Exit::Code(0) {
            self.instance.awaits_script = false;
            self.instance.ordered_ms = turn.now.boot_ms;
            let until = turn.after(self.plan.ready_timeout);
            self.enter(turn, State::Starting { until });
            return self.order(turn);
        }
        if is_wanted || self.instance.cause == Cause::Timeout {
            self.last_exit = Some(exit);
            self.note = message.map(Into::into);
            let line = self.end_line();
            self.note = Some(line.into());
        }
        self.instance.ended_ms = Some(turn.now.boot_ms);
        self.decide(turn);
    }
}
