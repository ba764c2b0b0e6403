//! What happens to the processes of the simulated world.

use super::fate::Fate;
use super::world::World;
use crate::core::state::State;
use crate::core::{Event, Hook, Id, KillMode, Look, Ready, Word};
use rc_sv_api::exit::Exit;
use rc_sv_exec::check::Outcome;

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
    pub ready: bool,
    /// When it ended, or could not be made.
    pub ended_ms: Option<u64>,
    pub reaped: bool,
    /// Processes that it left, or that will be left, and that nobody killed so far.
    pub leftovers: bool,
    /// The kill mode when it ended.
    pub kill_mode: KillMode,
    /// Its runscript runs, and was not found wanting: a spawn follows.
    pub awaits_script: bool,
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
    /// Another process becomes the main process.
    Moves,
    /// It says the word with this index.
    Says(usize),
    LookEnds(Look),
}

impl World {
    /// Lets it happen, and tells the core what it can see of it.
    pub(super) fn happen(&mut self, run: u32, happening: Happening) {
        let now_ms = self.now_ms;
        let ready = self.ready(self.processes[&run].service);
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
                process.ready = ready == Ready::Executed;
                process.leftovers = fate.leaves.is_some();
                if let Some((wait, code)) = fate.life {
                    self.schedule(run, Some(wait), Happening::Ends(Exit::Code(code)));
                }
                self.schedule(run, fate.moves, Happening::Moves);
                for (index, (wait, _)) in fate.says.iter().enumerate() {
                    self.schedule(run, Some(*wait), Happening::Says(index));
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
                // The main process is in the cgroup, too.
                if fate.cgroup && !live {
                    self.deliver(run, Event::Emptied { id, run });
                }
            }
            Happening::HookEnds(hook, exit) if self.hooks.remove(&(run, hook)).is_some() => {
                if hook == Hook::Script {
                    self.script_ends(run, exit == Exit::Code(0));
                }
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
                if hook == Hook::Script {
                    self.script_ends(run, false);
                }
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
            Happening::Says(index) if live => {
                let word = fate.says[index].1.clone();
                process.ready |= word == Word::Ready;
                self.deliver(run, Event::Said { id, run, word });
            }
            Happening::Moves if live => {
                let pid = 50_000 + run as i32;
                process.pid = Some(pid);
                self.deliver(run, Event::Main { id, run, pid });
            }
            Happening::LookEnds(look) if self.looks.remove(&(run, look)) => {
                let outcome = match fate.looks {
                    0..=3 => Outcome::Pass,
                    6..=8 => Outcome::Fail,
                    _ => Outcome::Unknown,
                };
                process.ready |= outcome == Outcome::Pass && live;
                let found = message;
                self.deliver(
                    run,
                    Event::Probed {
                        id,
                        run,
                        look,
                        outcome,
                        found,
                    },
                );
            }
            Happening::Moves | Happening::Says(_) | Happening::LookEnds(_) => {}
            Happening::Reports | Happening::Ends(_) => {}
            Happening::HookEnds(..) | Happening::HookFails(_) => {}
        }
    }

    /// Its runscript ended. Where it was in vain, nothing comes of the instance.
    fn script_ends(&mut self, run: u32, well: bool) {
        let now_ms = self.now_ms;
        let process = self.processes.get_mut(&run).unwrap();
        let service = self.core.directory.get(process.id);
        let is_wanted = service.is_some_and(|service| {
            service.instance.run == run && matches!(service.state, State::Starting { .. })
        });
        if process.awaits_script && !(well && is_wanted) {
            process.ended_ms = Some(now_ms);
        }
    }
}
