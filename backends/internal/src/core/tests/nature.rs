//! What happens to the processes of the simulated world.

use super::fate::Fate;
use super::world::World;
use crate::core::{Event, Hook, Id, KillMode};
use rc_sv_api::exit::Exit;

/// What the world knows of one instance.
#[derive(Clone, Debug)]
pub(super) struct Process {
    pub service: usize,
    pub id: Id,
    pub fate: Fate,
    pub ordered_ms: u64,
    /// Its pid, once it was made.
    pub pid: Option<i32>,
    pub executed: bool,
    /// When it ended, or could not be made.
    pub ended_ms: Option<u64>,
    pub reaped: bool,
    /// Processes that it left, or that will be left, and that nobody killed so far.
    pub leftovers: bool,
    /// The kill mode when it ended.
    pub kill_mode: KillMode,
}

/// What will happen to an instance.
#[derive(Clone, Copy, Debug)]
pub(super) enum Happening {
    Spawns,
    Reports,
    Ends(Exit),
    LeftoversEnd,
    HookEnds(Hook, Exit),
    HookFails(Hook),
}

impl World {
    /// Lets it happen, and tells the core what it can see of it.
    pub(super) fn happen(&mut self, run: u32, happening: Happening) {
        let now_ms = self.now_ms;
        let process = self.processes.get_mut(&run).unwrap();
        let (id, fate) = (process.id, process.fate.clone());
        let live = process.ended_ms.is_none();
        let (message, errno) = ("it cannot be done".to_string(), 5);
        match happening {
            Happening::Spawns if !fate.spawns => {
                process.ended_ms = Some(now_ms);
                self.deliver(
                    run,
                    Event::SpawnFailed {
                        id,
                        run,
                        message,
                        errno,
                    },
                );
            }
            Happening::Spawns => {
                let pid = 1_000 + run as i32;
                process.pid = Some(pid);
                self.schedule(run, fate.exec_ms, Happening::Reports);
                self.deliver(run, Event::Spawned { id, run, pid });
            }
            Happening::Reports if live && fate.executes => {
                process.executed = true;
                process.leftovers = fate.leaves.is_some();
                if let Some((wait, code)) = fate.life {
                    self.schedule(run, Some(wait), Happening::Ends(Exit::Code(code)));
                }
                self.deliver(run, Event::Executed { id, run });
            }
            Happening::Reports if live => {
                self.schedule(run, fate.kill_ms, Happening::Ends(Exit::Code(127)));
                self.deliver(
                    run,
                    Event::ExecFailed {
                        id,
                        run,
                        message,
                        errno,
                    },
                );
            }
            Happening::Ends(exit) if live => {
                process.ended_ms = Some(now_ms);
                if let Some(service) = self.core.directory.get(id) {
                    process.kill_mode = service.plan.kill_mode;
                }
                let alone = fate.cgroup && !process.leftovers;
                self.deliver(
                    run,
                    Event::Exited {
                        id,
                        run,
                        exit,
                        alone,
                    },
                );
            }
            Happening::LeftoversEnd => {
                process.leftovers = false;
                if fate.cgroup {
                    self.deliver(run, Event::Emptied { id, run });
                }
            }
            Happening::HookEnds(hook, exit) if self.hooks.remove(&(run, hook)).is_some() => {
                self.deliver(
                    run,
                    Event::HookEnded {
                        id,
                        run,
                        hook,
                        exit,
                    },
                );
            }
            Happening::HookFails(hook) if self.hooks.remove(&(run, hook)).is_some() => {
                self.deliver(
                    run,
                    Event::HookFailed {
                        id,
                        run,
                        hook,
                        message,
                    },
                );
            }
            Happening::Reports | Happening::Ends(_) => {}
            Happening::HookEnds(..) | Happening::HookFails(_) => {}
        }
    }
}
