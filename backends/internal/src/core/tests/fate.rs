//! What the processes of the simulated world will do, and what is done to them.

use crate::core::{Command, KillMode, Plan, Word};
use std::time::Duration;

/// What becomes of one instance and of its commands. Times are milliseconds.
#[derive(Clone, Debug)]
pub(super) struct Fate {
    /// How long it takes to make the process.
    pub spawn_ms: u64,
    pub spawns: bool,
    /// How long it takes to execute the program; `None` never does, as on a dead NFS mount.
    pub exec_ms: Option<u64>,
    pub executes: bool,
    /// How long the program runs by itself, and its exit code.
    pub life: Option<(u64, u8)>,
    /// How long it takes to end after a signal; `None` ignores all but KILL.
    pub term_ms: Option<u64>,
    /// How long it takes to end after KILL; `None` never does.
    pub kill_ms: Option<u64>,
    /// It leaves processes, and how long those take to end after KILL; `None` never do.
    pub leaves: Option<Option<u64>>,
    /// It has a cgroup, so that emptiness is known.
    pub cgroup: bool,
    /// How long its commands run, and their exit code; `None` hang until they are killed.
    pub hook: Option<(u64, u8)>,
    pub hook_runs: bool,
    /// How long its commands take to end after KILL; `None` never do.
    pub hook_kill_ms: Option<u64>,
    /// What it says, and when after it was executed.
    pub says: Vec<(u64, Word)>,
    /// When another process becomes its main process.
    pub moves: Option<u64>,
    /// How long looks at it take; `None` hang until they are killed.
    pub look_ms: Option<u64>,
    /// What looks at it find: up to 3 that all is well, up to 8 that it is not, else nothing.
    pub looks: u8,
    /// Everything about it is told twice.
    pub twice: bool,
}

/// One thing that a person, the time or the system does; `usize` chooses a service.
#[derive(Clone, Debug)]
pub(super) enum Act {
    Start(usize, Flavour),
    Stop(usize),
    Restart(usize, Option<Flavour>),
    Signal(usize, i32),
    Forget(usize),
    Renew(usize, Flavour),
    Pass(u64),
    /// The machine sleeps: time has passed, and nothing else has.
    Suspend(u64),
    /// An old event comes again.
    Echo(usize),
    Shutdown,
}

/// What differs between two plans of one service.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flavour {
    pub ladder: u8,
    pub kill_mode: KillMode,
    pub finish: bool,
}

impl Flavour {
    /// `base` with these differences.
    pub(super) fn of(self, base: &Plan) -> Box<Plan> {
        const LADDERS: [&str; 3] = ["TERM/2/KILL/1", "TERM/1/INT/2/QUIT/1", "KILL/3"];
        let ladder = LADDERS[usize::from(self.ladder) % LADDERS.len()];
        Box::new(Plan {
            ladder: rc_sv_api::ladder::Ladder::parse(ladder, 15).unwrap(),
            kill_mode: self.kill_mode,
            finish: self.finish,
            finish_timeout: Duration::from_secs(3),
            ..base.clone()
        })
    }
}

impl Act {
    /// The command that it is, and for which service.
    pub(super) fn command(&self, bases: &[Plan]) -> Option<(usize, Command)> {
        let plan = |service: usize, flavour: &Flavour| flavour.of(&bases[service]);
        Some(match self {
            Act::Start(service, flavour) => (*service, Command::Start(plan(*service, flavour))),
            Act::Renew(service, flavour) => (*service, Command::Renew(plan(*service, flavour))),
            Act::Stop(service) => (*service, Command::Stop),
            Act::Restart(service, flavour) => {
                let plan = flavour.as_ref().map(|flavour| plan(*service, flavour));
                (*service, Command::Restart(plan))
            }
            Act::Signal(service, number) => (*service, Command::Signal(*number)),
            Act::Forget(service) => (*service, Command::Forget),
            Act::Pass(_) | Act::Suspend(_) | Act::Echo(_) | Act::Shutdown => return None,
        })
    }
}
