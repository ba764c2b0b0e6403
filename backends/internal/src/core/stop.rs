//! The way down: the ladder, the final KILL, and what survives it.

use super::service::{Service, Turn};
use super::state::{Asked, State};
use super::{Effect, Hook, Whom};
use rc_sv_api::signal;
use rc_sv_exec::stop::KillMode;
use std::time::Duration;

/// How long a KILL may take to work. After that something does not die.
pub(super) const KILL_WAIT: Duration = Duration::from_secs(5);

impl Service {
    /// Steps on a rung of the ladder, or past its end.
    pub(super) fn climb(&mut self, turn: &mut Turn<'_>, rung: u8) {
        let Some(step) = self.plan.ladder.rungs().get(usize::from(rung)) else {
            return self.kill(turn);
        };
        self.instance.leaves_ms.get_or_insert(turn.now.boot_ms);
        let state = State::Stopping {
            rung: Some(rung),
            until: turn.after(step.wait),
        };
        self.enter(turn, state);
        self.press(turn);
    }

    /// Kills everything.
    pub(super) fn kill(&mut self, turn: &mut Turn<'_>) {
        let state = State::Stopping {
            rung: None,
            until: turn.after(KILL_WAIT),
        };
        self.enter(turn, state);
        self.press(turn);
    }

    /// Sends what belongs to the rung. A main process that is still being made gets it when its
    /// pid is known. A runscript before it may end by itself; past the last rung it is killed.
    pub(super) fn press(&mut self, turn: &mut Turn<'_>) {
        let rung = match self.state {
            State::Stopping { rung, .. } => rung,
            _ => None,
        };
        if self.instance.awaits_script && rung.is_none() {
            self.kill_hook(turn, self.instance.run, Hook::Script);
        }
        if self.instance.pid.is_none() {
            return;
        }
        let step = rung.and_then(|rung| self.plan.ladder.rungs().get(usize::from(rung)));
        match step.map(|step| step.signal) {
            Some(signal::KILL) => self.send(turn, signal::KILL),
            Some(number) => {
                self.send(turn, number);
                // A stopped process sees no other signal before this one.
                self.send(turn, signal::CONT);
            }
            None if self.plan.kill_mode == KillMode::Process => self.send(turn, signal::KILL),
            None => self.sweep(turn),
        }
    }

    /// Orders that everything of the instance is killed.
    pub(super) fn sweep(&mut self, turn: &mut Turn<'_>) {
        turn.effects.push(Effect::Sweep {
            id: turn.id,
            run: self.instance.run,
        });
    }

    /// Something survived the KILL. Whoever waits is told; a person's start has failed by it, and
    /// is not tried again behind their back.
    pub(super) fn stuck(&mut self, turn: &mut Turn<'_>) {
        self.enter(turn, State::Stuck);
        if self.want_up && self.asked == Asked::No {
            return;
        }
        let error = match self.asked {
            Asked::This => self.start_error(),
            Asked::No | Asked::Next => self.stuck_error(rc_sv_api::Code::Failed),
        };
        self.want_up = false;
        self.asked = Asked::No;
        self.answer_all(turn, &Err(error));
    }

    /// Sends a signal that is not of the ladder.
    pub(super) fn send_main(&mut self, turn: &mut Turn<'_>, signal: i32) {
        for signal in [signal, signal::CONT] {
            turn.effects.push(Effect::Signal {
                id: turn.id,
                run: self.instance.run,
                signal,
                whom: Whom::Main,
            });
        }
    }

    fn send(&mut self, turn: &mut Turn<'_>, signal: i32) {
        let whom = match self.plan.kill_mode {
            KillMode::Group => Whom::Group,
            KillMode::Mixed | KillMode::Process => Whom::Main,
        };
        turn.effects.push(Effect::Signal {
            id: turn.id,
            run: self.instance.run,
            signal,
            whom,
        });
    }
}
