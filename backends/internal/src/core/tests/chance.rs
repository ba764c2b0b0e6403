//! Fates and acts, drawn by proptest.

use super::fate::{Act, Fate, Flavour};
use crate::core::{KillMode, Word};
use proptest::prelude::*;
use std::time::Duration;

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
        1 => Just(Word::Starved),
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
        1 => (0..services, flavour()).prop_map(|(service, flavour)| Act::Renew(service, flavour)),
        4 => (0..services).prop_map(Act::Stop),
        2 => (0..services, prop::option::of(flavour()))
            .prop_map(|(service, flavour)| Act::Restart(service, flavour)),
        1 => (0..services, -1_i32..66).prop_map(|(service, number)| Act::Signal(service, number)),
        1 => (0..services).prop_map(Act::Forget),
        12 => moment().prop_map(|time| Act::Pass(time.unwrap_or(200_000))),
        1 => moment().prop_map(|time| Act::Suspend(time.unwrap_or(200_000))),
        2 => any::<usize>().prop_map(Act::Echo),
        1 => prop::bool::weighted(0.1)
            .prop_map(|really| if really { Act::Shutdown } else { Act::Pass(1) }),
    ]
}
