//! Running the commands of a spec: finish and give-up.

use super::process::Slot;
use super::reactor::{Interest, Kind, Token};
use super::state_file::Who;
use super::{sys, Supervisor};
use crate::core::{Event, Hook, Id};
use rc_sv_api::exit::Exit;
use rc_sv_api::{Result, Settings};
use rc_sv_exec::instance::AsOf;
use rc_sv_exec::launch::{self, Ending, Failure, Launch};
use rc_sv_exec::process::signal_group;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};

/// A command of a spec that runs.
pub(super) struct HookProcess {
    /// The instance that it follows.
    pub run: u32,
    pub hook: Hook,
    pub who: AsOf,
    pub pidfd: OwnedFd,
    /// There where it is a child.
    pub made: Option<MadeHook>,
}

/// How a command was made.
pub(super) struct MadeHook {
    /// Looked at when it ended: one that hangs before its `execve` is killed by its time-out.
    report: OwnedFd,
    launch: Launch,
}

/// The setting of a command.
fn key(hook: Hook) -> &'static str {
    match hook {
        Hook::Finish => "rc_supervise_finish",
        Hook::GiveUp => "rc_supervise_on_give_up",
        Hook::Alternate => "rc_supervise_alternate",
        Hook::Unhealthy => "rc_supervise_unhealthy",
        Hook::Script => "rc_supervise_respawn",
    }
}

fn prepare(spec: &dyn Settings, hook: Hook, ending: Ending<'_>) -> Result<Launch> {
    match hook {
        Hook::Alternate => Launch::for_alternate(spec, ending),
        Hook::Unhealthy => Launch::for_unhealthy(spec, ending),
        Hook::Script => Launch::for_respawn(spec, ending),
        _ => Launch::for_hook(spec, key(hook), ending),
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

impl MadeHook {
    /// Why it was not executed.
    fn failure(self) -> Option<String> {
        let mut record = [0u8; Failure::SIZE];
        let length = File::from(self.report).read(&mut record).unwrap_or(0);
        let failure = Failure::decode(&record[..length])?;
        Some(failure.message(&self.launch))
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
            let message = format!("{}: {}", key(hook), error.message);
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
        let child = launch::spawn(&launch, None)?;
        let boot_ms = self.clock.now().boot_ms;
        let process = HookProcess {
            run,
            hook,
            who: AsOf {
                pid: child.pid,
                boot_ms,
            },
            pidfd: child.pidfd,
            made: Some(MadeHook {
                report: child.report,
                launch,
            }),
        };
        self.await_hook(id, process).map_err(|failed| {
            let (process, cause) = *failed;
            self.abandon(process.pidfd);
            rc_sv_api::Error::io("watch the process", &cause)
        })
    }

    /// Waits for the end of a command.
    pub(super) fn await_hook(
        &mut self,
        id: Id,
        process: HookProcess,
    ) -> std::result::Result<(), Box<(HookProcess, io::Error)>> {
        let token = Token::new(kind(process.hook), id.index(), process.run);
        match self.reactor.add(&process.pidfd, Interest::Read, token) {
            Err(cause) => Err(Box::new((process, cause))),
            Ok(()) => {
                self.slots.of(id).hooks.push(process);
                Ok(())
            }
        }
    }

    /// Kills a command and what it started, as far as it stayed in its group.
    pub(super) fn kill_hook(&mut self, id: Id, run: u32, hook: Hook) {
        let slot = self.slots.of(id);
        let Some(found) = slot.hook(run, hook) else {
            return;
        };
        let process = &slot.hooks[found];
        // It may not have made its group yet, so it is killed by itself too. What ended already
        // is as good as killed.
        let _ = match &process.made {
            Some(_) => sys::kill_group(process.who.pid, libc::SIGKILL),
            None => signal_group(process.pidfd.as_fd(), libc::SIGKILL),
        };
        let _ = sys::send_signal(process.pidfd.as_fd(), libc::SIGKILL);
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
        let process = &slot.hooks[found];
        let exit = match (sys::ending(process.pidfd.as_fd(), true), &process.made) {
            (Ok(None), _) => return,
            (Ok(Some(exit)), _) => exit,
            (Err(_), Some(_)) => Exit::Unknown,
            (Err(_), None) => self
                .afterlife
                .exit_of(process.who, Some(process.pidfd.as_fd())),
        };
        let ended = slot.hooks.swap_remove(found);
        self.reactor.remove(&ended.pidfd);
        let run = ended.run;
        let event = match ended.made.and_then(MadeHook::failure) {
            Some(why) => Event::HookFailed {
                id,
                run,
                hook,
                message: format!("{}: {why}", key(hook)),
            },
            None => Event::HookEnded {
                id,
                run,
                hook,
                exit,
            },
        };
        self.feed(event);
    }
}
