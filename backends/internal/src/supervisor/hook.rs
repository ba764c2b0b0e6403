//! Running the commands of a spec: finish and give-up.

use super::companion::Companion;
use super::process::Slot;
use super::reactor::{Interest, Kind, Token};
use super::state_file::Who;
use super::Supervisor;
use crate::core::{Event, Hook, Id};
use rc_sv_api::{Error, Result, Settings};
use rc_sv_exec::launch::{Ending, Launch, Left};
use std::io;

/// A command of a spec that runs.
pub(super) struct HookProcess {
    /// The instance that it follows.
    pub run: u32,
    pub hook: Hook,
    pub command: Companion,
}

fn prepare(spec: &dyn Settings, hook: Hook, ending: Ending<'_>) -> Result<Launch> {
    match hook {
        Hook::Alternate => Launch::for_alternate(spec, ending),
        Hook::Unhealthy => Launch::for_unhealthy(spec, ending),
        Hook::Script => Launch::for_respawn(spec, ending),
        _ => Launch::for_hook(spec, hook.setting(), ending),
    }
}

fn kind(hook: Hook) -> Kind {
    match hook {
        Hook::Finish => Kind::Finish,
        Hook::GiveUp => Kind::GiveUp,
        Hook::Alternate => Kind::Alternate,
        Hook::Unhealthy => Kind::Unhealthy,
        Hook::Script => Kind::Script,
    }
}

impl Slot {
    fn hook(&mut self, run: u32, hook: Hook) -> Option<usize> {
        self.hooks
            .iter()
            .position(|known| known.run == run && known.hook == hook)
    }
}

impl Supervisor {
    /// Runs a command; its end, or its failure, becomes an event.
    pub(super) fn run_hook(&mut self, id: Id, run: u32, hook: Hook, ending: Ending<'_>) {
        if let Err(error) = self.try_hook(id, run, hook, ending) {
            let message = format!("{}: {}", hook.setting(), error.message);
            self.events.push_back(Event::HookFailed {
                id,
                run,
                hook,
                message,
            });
        }
    }

    fn try_hook(&mut self, id: Id, run: u32, hook: Hook, ending: Ending<'_>) -> Result<()> {
        let spec = self.read_spec(id)?;
        let mut launch = prepare(spec.settings(), hook, ending)?;
        launch.set_variable("SERVICE_OUTPUT", &self.last_lines(id))?;
        self.lead_hook(id, &mut launch)?;
        launch.leave_word(self.state_of(id)?.word(Who::Hook(hook), run));
        let command = Companion::begin(launch)?;
        let process = HookProcess { run, hook, command };
        self.await_hook(id, process).map_err(|failed| {
            let (process, cause) = *failed;
            self.abandon(process.command.into_process());
            Error::io("watch the process", &cause)
        })
    }

    /// Waits for the end of a command.
    pub(super) fn await_hook(
        &mut self,
        id: Id,
        process: HookProcess,
    ) -> std::result::Result<(), Box<(HookProcess, io::Error)>> {
        let token = Token::new(kind(process.hook), id.index(), process.run);
        match self.reactor.add(&process.command, Interest::Read, token) {
            Err(cause) => Err(Box::new((process, cause))),
            Ok(()) => {
                let left = Left {
                    number: process.run,
                    who: process.command.who,
                };
                self.identify(id, Who::Hook(process.hook), left);
                self.slots.of(id).hooks.push(process);
                Ok(())
            }
        }
    }

    /// Kills a command and what it started, as far as it stayed in its group.
    pub(super) fn kill_hook(&mut self, id: Id, run: u32, hook: Hook) {
        let slot = self.slots.of(id);
        if let Some(found) = slot.hook(run, hook) {
            slot.hooks[found].command.kill();
        }
    }

    /// Takes in that a command ended.
    pub(super) fn hook_ended(&mut self, token: Token, hook: Hook) {
        let Some(id) = self.slots.id_at(token) else {
            return;
        };
        let slot = self.slots.of(id);
        let found = slot.hooks.iter().position(|known| {
            known.hook == hook && Token::new(token.kind, id.index(), known.run) == token
        });
        let Some(found) = found else {
            return;
        };
        let Some(end) = slot.hooks[found].command.end(&mut self.afterlife) else {
            return;
        };
        let ended = slot.hooks.swap_remove(found);
        self.reactor.remove(&ended.command);
        let run = ended.run;
        let event = match end {
            Err(error) => Event::HookFailed {
                id,
                run,
                hook,
                message: format!("{}: {}", hook.setting(), error.message),
            },
            Ok(exit) => Event::HookEnded {
                id,
                run,
                hook,
                exit,
            },
        };
        self.feed(event);
    }
}
