//! The invariants of the machine, in a simulated world.

use super::bench::Bench;
use super::chance::{act, fate};
use super::trace::traced;
use super::world::{plan, told, Story, SERVICES};
use crate::core::Plan;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rc_sv_api::exit::Exit;
use rc_sv_api::{key, State};
use std::collections::BTreeMap;

fn policy() -> impl Strategy<Value = Plan> {
    // Mostly always, so that there are respawns.
    let policies = [&["always"; 2], key::policies()].concat();
    let settings = (
        prop::sample::select(policies),
        prop::sample::select(vec!["0", "0.01", "0.5", "7"]),
        1_u32..4,
        prop::sample::select(vec!["1", "60", "10m"]),
        prop::sample::select(vec!["0", "1"]),
        (any::<bool>(), prop::sample::select(vec!["2", "20"])),
        (
            prop::sample::select(vec!["2s", "15s"]),
            prop::bool::weighted(0.3),
            care(),
        ),
    );
    settings.prop_map(
        |(policy, delay, max, period, interval, (alert, reset), (ready, script, care))| {
            let max = max.to_string();
            let mut settings = vec![
                ("rc_supervise_policy", policy),
                ("respawn_delay", delay),
                ("respawn_max", &max),
                ("respawn_period", period),
                ("rc_supervise_min_interval", interval),
                ("rc_supervise_reset_after", reset),
                ("rc_supervise_prevent_codes", "78"),
                ("timeout_ready", ready),
            ];
            if alert {
                settings.push(("rc_supervise_on_give_up", "/bin/alert"));
                settings.push(("rc_supervise_alert", "/bin/mail"));
                settings.push(("rc_supervise_propagate", "yes"));
            }
            if script {
                settings.push(("rc_supervise_respawn", "script"));
            }
            settings.extend(care);
            *plan(&settings)
        },
    )
}

/// How it is known to be ready, and what is done for it beyond running it.
fn care() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    let ready = [
        vec![],
        vec![("notify", "socket:ready")],
        vec![("rc_supervise_ready", "tcp:80")],
    ];
    let health = [
        vec![(
            "rc_supervise_health",
            "tcp:80 interval=3 timeout=1 failures=2; hook failures=1",
        )],
        vec![
            (
                "rc_supervise_health",
                "tcp:1 interval=5 timeout=8 failures=1; tcp:2 interval=4 failures=1 action=exec",
            ),
            ("rc_supervise_unhealthy", "/bin/unhealthy"),
            ("rc_supervise_health_timeout", "2"),
        ],
        vec![
            (
                "rc_supervise_health",
                "tcp:1 interval=1 failures=1 action=alert",
            ),
            ("rc_supervise_alert", "/bin/mail"),
        ],
    ];
    let others = [
        vec![],
        vec![("rc_supervise_watchdog", "3")],
        vec![("rc_supervise_retry_after", "3")],
        vec![("rc_supervise_retry_after", "9")],
        vec![("rc_supervise_retry_after", "1")],
        vec![("rc_supervise_retry_after", "2")],
        vec![("rc_supervise_alternate", "other")],
    ];
    (
        prop::sample::select(ready.to_vec()),
        prop::option::weighted(0.95, prop::sample::select(health.to_vec())),
        prop::sample::select(others.to_vec()),
    )
        .prop_map(|(ready, health, others)| [ready, health.unwrap_or_default(), others].concat())
}

/// At least this many cases; more with `PROPTEST_CASES`.
fn many() -> ProptestConfig {
    let config = ProptestConfig::default();
    ProptestConfig {
        cases: config.cases.max(500),
        failure_persistence: None,
        ..config
    }
}

fn story() -> impl Strategy<Value = Story> {
    (
        prop::collection::vec(policy(), SERVICES),
        prop::collection::vec(fate(), 1..12),
        prop::collection::vec(act(SERVICES), 1..60),
    )
}

/// The world is no quiet place: each state, a respawn and a give-up come about in at least one
/// story in twenty.
#[test]
fn the_stories_go_everywhere() {
    const STORIES: usize = 400;
    let mut runner = TestRunner::deterministic();
    let mut reached: BTreeMap<&str, usize> = BTreeMap::new();
    for _ in 0..STORIES {
        let tree = story().new_tree(&mut runner).unwrap();
        for word in told(tree.current()).witness.seen {
            *reached.entry(word).or_default() += 1;
        }
    }
    assert_eq!(reached.len(), 20, "{reached:?}");
    let rare = reached.iter().find(|(_, stories)| **stories < STORIES / 20);
    assert_eq!(rare, None, "{reached:?}");
}

proptest! {
    #![proptest_config(many())]

    /// Whatever people, processes and time do.
    #[test]
    fn the_invariants_hold(story in story()) {
        told(story);
    }

    /// Somebody sets the clock on the wall, back and forth: nothing is done otherwise.
    #[test]
    fn the_clock_on_the_wall_decides_nothing(story in story()) {
        let jumps = |count: u64| (count.wrapping_mul(0x9E37_79B9_7F4A_7C15) as i64) >> 3;
        prop_assert_eq!(traced(story.clone(), |_| 0), traced(story, jumps));
    }

    /// A service that crashes as often as it may, or less often, is never given up; one that
    /// crashes more often is, at the crash after the last respawn that is allowed.
    #[test]
    fn the_limit_is_exact(limit in 1_u64..20, seconds in 1_u64..2_000, offset in 1_u64..50) {
        let (max, period) = (limit.to_string(), seconds.to_string());
        let settings = [
            ("respawn_max", max.as_str()),
            ("respawn_period", period.as_str()),
            ("respawn_delay", "0"),
        ];
        let crashes_until_given_up = |gap: u64| {
            let mut bench = Bench::up(&settings);
            (1..4 * limit).find(|_| {
                bench.pass(gap);
                bench.exited(Exit::Code(3));
                let gave_up = bench.state() == State::GaveUp;
                bench.come_up();
                gave_up
            })
        };
        let gap = (seconds * 1_000).div_ceil(limit);
        prop_assert_eq!(crashes_until_given_up(gap - 1 + offset), None);
        let gap = (seconds * 1_000 - 1) / limit;
        prop_assert_eq!(crashes_until_given_up(gap - offset.min(gap)), Some(limit + 1));
    }
}
