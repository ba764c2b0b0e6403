//! What the processes of the simulated world will do, drawn by proptest.

use crate::core::{Command, KillMode, Plan, Word};
use proptest::prelude::*;
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
    Pass(u64),
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
            Act::Stop(service) => (*service, Command::Stop),
            Act::Restart(service, flavour) => {
                let plan = flavour.as_ref().map(|flavour| plan(*service, flavour));
                (*service, Command::Restart(plan))
            }
            Act::Signal(service, number) => (*service, Command::Signal(*number)),
            Act::Forget(service) => (*service, Command::Forget),
            Act::Pass(_) | Act::Echo(_) | Act::Shutdown => return None,
        })
    }
}

/// Mostly soon, sometimes late, seldom never.
fn moment() -> impl Strategy<Value = Option<u64>> {
    prop_oneof![
        6 => (0_u64..20).prop_map(Some),
        3 => (0_u64..4_000).prop_map(Some),
        2 => (4_000_u64..40_000).prop_map(Some),
        1 => Just(None),
    ]
}

/// As things are when all is well, mostly.
fn soon() -> impl Strategy<Value = Option<u64>> {
    prop_oneof![8 => (0_u64..20).prop_map(Some), 1 => moment()]
}

fn word() -> impl Strategy<Value = Word> {
    let wait = |longest: u64| (0..longest).prop_map(Duration::from_millis);
    prop_oneof![
        8 => Just(Word::Ready),
        1 => Just(Word::NeverReady("it cannot")),
        1 => Just(Word::Reloading),
        1 => Just(Word::Stopping),
        1 => Just(Word::Status("busy".into())),
        1 => Just(Word::Errno(5)),
        2 => wait(20_000).prop_map(Word::Extend),
        3 => Just(Word::Alive),
        1 => Just(Word::Trigger),
        1 => wait(9_000).prop_map(Word::Watchdog),
    ]
}

pub(super) fn fate() -> impl Strategy<Value = Fate> {
    let start = (
        soon(),
        prop::bool::weighted(0.95),
        soon(),
        prop::bool::weighted(0.9),
    );
    let codes = prop::sample::select(vec![0_u8, 1, 3, 3, 78]);
    let end = (
        prop::option::weighted(0.8, (moment().prop_map(Option::unwrap_or_default), codes)),
        moment(),
        soon(),
        prop::option::weighted(0.3, soon()),
        any::<bool>(),
    );
    let hook = (
        prop::option::weighted(
            0.8,
            (0_u64..4_000, prop::sample::select(vec![0_u8, 1, 125])),
        ),
        prop::bool::weighted(0.9),
        soon(),
        prop::bool::weighted(0.3),
    );
    let talk = (
        prop::collection::vec((moment().prop_map(Option::unwrap_or_default), word()), 0..5),
        soon(),
        0_u8..10,
        prop::option::weighted(0.2, 0_u64..2_000),
    );
    (start, end, hook, talk).prop_map(|(start, end, hook, talk)| Fate {
        says: talk.0,
        look_ms: talk.1,
        looks: talk.2,
        moves: talk.3,
        spawn_ms: start.0.unwrap_or(0),
        spawns: start.1,
        exec_ms: start.2,
        executes: start.3,
        life: end.0,
        term_ms: end.1,
        kill_ms: end.2,
        leaves: end.3,
        cgroup: end.4,
        hook: hook.0,
        hook_runs: hook.1,
        hook_kill_ms: hook.2,
        twice: hook.3,
    })
}

fn flavour() -> impl Strategy<Value = Flavour> {
    let modes = vec![KillMode::Mixed, KillMode::Group, KillMode::Process];
    (0_u8..3, prop::sample::select(modes), any::<bool>()).prop_map(|(ladder, kill_mode, finish)| {
        Flavour {
            ladder,
            kill_mode,
            finish,
        }
    })
}

pub(super) fn act(services: usize) -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0..services, flavour()).prop_map(|(service, flavour)| Act::Start(service, flavour)),
        4 => (0..services).prop_map(Act::Stop),
        2 => (0..services, prop::option::of(flavour()))
            .prop_map(|(service, flavour)| Act::Restart(service, flavour)),
        1 => (0..services, -1_i32..66).prop_map(|(service, number)| Act::Signal(service, number)),
        1 => (0..services).prop_map(Act::Forget),
        12 => moment().prop_map(|time| Act::Pass(time.unwrap_or(200_000))),
        2 => any::<usize>().prop_map(Act::Echo),
        1 => prop::bool::weighted(0.1)
            .prop_map(|really| if really { Act::Shutdown } else { Act::Pass(1) }),
    ]
}
