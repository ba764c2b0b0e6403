//! Steps of the core: what it is told, and that everything is done that it wants.

use super::Supervisor;
use crate::core::{Effect, Event};
use crate::protocol::Reply;
use rc_sv_exec::launch::Ending;

impl Supervisor {
    /// Gives the core an event, and everything that follows from it.
    pub(super) fn feed(&mut self, event: Event) {
        self.events.push_back(event);
        self.catch_up();
    }

    /// Gives the core the events that are there, and everything that follows from them.
    pub(super) fn catch_up(&mut self) {
        // Whoever carries out an effect adds events, but does not call this again.
        while let Some(event) = self.events.pop_front() {
            let mut effects = std::mem::take(&mut self.effects);
            self.core.step(event, self.clock.now(), &mut effects);
            self.carry_out(effects);
        }
    }

    /// Does what the core wants, once it is written down.
    pub(super) fn carry_out(&mut self, mut effects: Vec<Effect>) {
        for effect in &effects {
            if let Effect::Alert { id, alert } = effect {
                self.owe(*id, alert);
            }
        }
        self.keep_changes();
        for effect in effects.drain(..) {
            self.perform(effect);
        }
        self.effects = effects;
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Spawn { id, run } if self.is_leaving => self.left_over.push((id, run)),
            Effect::Spawn { id, run } => self.spawn(id, run),
            Effect::Signal {
                id,
                run,
                signal,
                whom,
            } => self.signal(id, run, signal, whom),
            Effect::Sweep { id, run } => self.sweep(id, run),
            Effect::Reap { id, run } => self.reap(id, run),
            Effect::RunHook {
                id,
                run,
                hook,
                exit,
                result,
                restarts,
            } => {
                let ending = Ending {
                    exit,
                    result,
                    restarts,
                };
                self.run_hook(id, run, hook, ending);
            }
            Effect::KillHook { id, run, hook } => self.kill_hook(id, run, hook),
            Effect::Probe { id, run, look } => self.probe(id, run, look),
            Effect::KillProbe { id, run, look } => self.kill_probe(id, run, look),
            Effect::Answer { waiter, result } => {
                // Whoever is told that a service runs finds it so in OpenRC's state.
                if let Some(service) = self.clients.service_of(waiter) {
                    self.recorder.write(Some(service), &mut self.log);
                }
                let reply = result.map_or_else(Reply::Refused, |()| Reply::Done);
                self.clients.answer(waiter, &reply, &self.reactor);
            }
            Effect::Record { id, what } => self.record(id, what),
            Effect::Dependents { id, up } => self.tell_dependents(id, up),
            Effect::Alert { id, alert } => self.alert(id, *alert),
            Effect::Emit(mut event) => {
                event.status.supervisor_pid = Some(std::process::id() as i32);
                self.stream.push(*event);
            }
            Effect::Quit => self.is_over = true,
        }
    }
}
