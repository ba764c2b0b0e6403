//! The pure core of the supervisor: events and the time in, effects out.
//!
//! There is no process, no clock and no I/O in here. Whoever drives the core gives it one [`Event`]
//! after the other, carries out the [`Effect`]s of each before the next, and gives
//! [`Event::Deadline`] at [`Core::deadline`]. (The module has the name of Rust's own `core` crate,
//! which is reached as `::core` where both are in sight; nothing in this crate needs it.)
//!
//! # One service
//!
//! Axes that are never merged: whether it is *wanted* up or down; its *state*; which instance the
//! waiters of a start wait for (*asked*: none, this one, the next one); how its last instance
//! ended. Each spawn makes an *instance* with a number of its own, `run`, unique in the core. An
//! event of another instance than the current one is late and changes nothing.
//!
//! | state | what is | left by |
//! |-|-|-|
//! | Down | nothing runs, nothing will | command |
//! | Waiting | it died; a respawn is scheduled | timer (the pause), command |
//! | Starting | the runscript runs before it, or a main process was ordered, made, or executed; it is not ready yet | readiness, its end, timer (`timeout_ready`, 90 s), command |
//! | Up | it is ready | its end, its words, its checks, command |
//! | Leaving | it is to end by itself: it said so, missed its watchdog, or its command for being unhealthy runs | its end, timer, end of that command, command |
//! | Stopping | signals were sent; stands on a rung of the ladder, or past the last | its end, timer (the rung; 5 s after the final KILL) |
//! | Finishing | the main process is dead: what it left is killed, then the finish command runs | emptiness or timer (5 s), end of the command or timer (`rc_supervise_finish_timeout`, then 5 s after its KILL) |
//! | Failed | given up, or failed for good; still wanted up | command, timer (`rc_supervise_retry_after`) |
//! | Stuck | everything was killed and something still runs | its end |
//!
//! # Transitions
//!
//! | # | state | event | to | effects |
//! |-|-|-|-|-|
//! | 1 | Down, Failed | start | Starting | history cleared; Spawn |
//! | 2 | Starting | not executed | Starting, until the process has ended | as 13; when a person asked: Down, answered with the reason, not tried again; else decided as any end |
//! | 2 | Starting | not spawned | as decided | the same; a respawn is tried again whatever the policy says of ends |
//! | 1 | Starting | the runscript ended well | Starting | Spawn |
//! | 2 | Starting | the runscript failed | as decided | as any end; when a person asked: as not executed |
//! | 3 | Starting | executed | Starting; Up where that is readiness | Probe where something has to answer |
//! | 3 | Starting | ready | Up | Answer; watchdog and checks begin |
//! | 4 | Starting | time-out | Stopping | first rung, or KILL of everything where it was not executed; when a person asked: as 2, with a time-out |
//! | 4 | Starting, Leaving, Stopping | it asks for more time | the same | the timer is later; of a stop at most ten times the ladder |
//! | 5 | Starting, Up | main exit | Finishing | Sweep, unless nothing is left or `kill_mode=process` |
//! | 5 | Starting, Up | another main process | the same | Record |
//! | 6 | Up | long enough | Up | the policy begins anew at the next end |
//! | 7 | Up | a check makes it unhealthy | Leaving, or Stopping | the command for that; then the first rung |
//! | 7 | Up | watchdog missed | Leaving | its signal, CONT; the first rung after the time of that rung |
//! | 9 | Up | it says that it ends | Leaving | the first rung after the time of that rung |
//! | 10 | Up, Starting, Leaving | stop | Stopping | wanted down; first rung: signal, CONT |
//! | 10 | Waiting, Failed | stop | Down | wanted down; Answer at once |
//! | 10 | Finishing | stop | Finishing | wanted down; the finish command may end |
//! | 11 | Stopping | rung over | Stopping | next rung; after the last: Sweep (`kill_mode=process`: KILL) |
//! | 11 | Stopping, Finishing | 5 s after the KILL | Stuck | waiters are told; what a person asked for is not tried later |
//! | 12 | Stopping, Stuck | main exit | Finishing | as 5 |
//! | 13 | Finishing, Stuck | emptied | Finishing, or decided | finish command, if the program was executed |
//! | 13 | Finishing | command ended, or killed | decided | exit 125: for good |
//! | 14 | decided | wanted down | Down | Record, Answer |
//! | 14 | decided | a person asked for the next | Starting | history cleared; Spawn |
//! | 15 | decided | policy is content; prevented, 125, failure that is not respawned | Down; Failed | Record; give-up command |
//! | 16 | decided | too many respawns within the period | Failed | Record; give-up command, once |
//! | 17 | decided | else | Waiting, or Starting when the pause (from the death on; 100 ms at least where no process could be made) is over | Record; or Spawn |
//! | 19 | Failed | timer | Starting | Record; Spawn; the next failure is a give-up of which nobody is told again |
//! | 18 | Waiting | timer, start, restart | Starting | Spawn; by a person: history cleared |
//!
//! With `rc_supervise_respawn=script` Spawn is RunHook of the runscript first, unless the spec was made
//! by a start since the last Spawn.
//!
//! Restart is a stop after which a person asked for the next; in Down, Waiting and Failed it is a
//! start. Start in Up only replaces the plan; in Starting it joins the waiters; in Stopping and
//! Finishing it asks for the next; in Stuck it is refused.
//!
//! # Another supervisor
//!
//! [`Core::save`] tells what has to be kept of a service, after each change ([`Core::changed`]) and
//! before its effects are carried out. Who comes next gives it to [`Core::restore`], finds out what
//! became of the processes, and tells that to [`Core::resume`].
//!
//! # Order of effects
//!
//! Sweep, Spawn, Reap: the zombie holds the number of its process group until the sweep is done,
//! and nobody waits for it to go away. When it is known that nothing was left and there is neither
//! a finish command nor a pause, Spawn comes in the step of Exited itself. Where nothing is
//! spawned, Reap comes before the Answer: who was told that it is down finds no zombie.
//!
//! # Events
//!
//! What a step has changed that others can see is an event, with one sequence number in [`Core`] and
//! the status after it: another state, or another main process; a health that is different from what
//! was told of this instance. Of what a service passes through within one step nobody is told.
//!
//! # Invariants
//!
//! - A service has at most one main process, and the next is ordered after the end of the last.
//! - Each state but Down, Up and Failed has a timer, or waits for something that was ordered.
//! - A stop is answered within the ladder, the finish command and three times 5 s.
//! - Each Spawned has exactly one Reap, each waiter exactly one answer, each give-up exactly one
//!   give-up command.
//! - A person beats the policy, and a later command an earlier one.
//! - Nothing is spawned in Down without a command, nor in Failed but for one more try.
//! - Nothing is looked at that does not run, or is not ready.

mod alarm;
mod care;
mod commands;
mod dependents;
mod directory;
mod effect;
mod emit;
mod event;
mod finish;
mod instance;
mod life;
mod machine;
mod plan;
mod ready;
mod report;
mod resume;
mod saved;
mod script;
mod service;
mod state;
mod stop;
#[cfg(any(test, fuzzing))]
mod tests;
mod timers;
mod watch;

pub use effect::{Effect, Hook, Look, Record, Whom};
pub use event::{Command, Event, Word};
pub use machine::Core;
pub use plan::{Care, Plan, Ready};
pub use rc_sv_exec::alert::Topic;
pub use rc_sv_exec::stop::KillMode;
pub use resume::{Found, Left};
pub use saved::MOST as SAVED_MOST;

/// A service that the core knows; stable until it is forgotten, then used again for another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(u32);

impl Id {
    /// Its number: small, counted from 0, for use as an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Somebody who waits for an answer; the core only hands it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Waiter(pub u64);

/// What the core cannot know by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// CLOCK_BOOTTIME in milliseconds: all time-outs and pauses.
    pub boot_ms: u64,
    /// CLOCK_REALTIME in nanoseconds: for people.
    pub real_ns: i64,
    /// A random number: moves pauses within their jitter.
    pub chance: u32,
}

/// What fuzz/ calls.
#[cfg(fuzzing)]
pub mod fuzzed {
    use super::*;
    use rc_sv_api::{ServiceName, Spec};

    /// Goes on with a service of which `kept` was kept, for some time; what it keeps of it itself.
    pub fn resumed(kept: &[u8]) -> Option<Vec<u8>> {
        let (mut core, mut effects, mut again) = (Core::new(), Vec::new(), Vec::new());
        let name = ServiceName::new(b"foo").ok()?;
        let plan = Box::new(Plan::from_settings(Spec::default().settings()));
        let mut now = Now {
            boot_ms: 1,
            real_ns: 1,
            chance: 1,
        };
        let (id, left) = core.restore(name, plan, kept, 0, now)?;
        core.save(id, &mut again);
        core.resume(id, Found::Lives(7), &left.hooks, now, &mut effects);
        for _ in 0..64 {
            let Some(next) = core.deadline() else {
                break;
            };
            now.boot_ms = now.boot_ms.max(next);
            core.step(Event::Deadline, now, &mut effects);
        }
        Some(again)
    }

    /// Lets the world of the tests go the way that `bytes` draw; panics where an invariant breaks.
    pub fn tell(bytes: &[u8]) {
        super::tests::drawn::tell(bytes);
    }
}
