//! What simulations tell.

use super::story::MOST_LINES;
use super::*;
use rc_sv_api::Spec;

fn told(settings: &[(&str, &str)], words: &str) -> Vec<String> {
    let mut spec = Spec::default();
    let exact = [("rc_supervise_jitter", "0")];
    for (name, value) in exact.iter().chain(settings) {
        spec.set(name, value.as_bytes(), "test").unwrap();
    }
    let plan = Plan::from_settings(spec.settings());
    tell(plan, Script::parse(words).unwrap()).unwrap()
}

#[test]
fn one_that_dies_is_given_up_when_the_policy_says_so() {
    let lines = told(&[("respawn_max", "2")], "exit 3 after 5s");
    assert_eq!(
        lines,
        [
            "    0.000 s  starting; the start is done; up",
            "    5.000 s  exited 3; restarting in 500 ms (1 of 2)",
            "    5.500 s  starting, restart 1; up",
            "   10.500 s  exited 3; restarting in 1 s (2 of 2)",
            "   11.500 s  starting, restart 2; up",
            "   16.500 s  gave up after 2 restarts in 12 s: exited 3",
        ]
    );
}

#[test]
fn an_end_is_told_also_without_a_pause_after_it() {
    let lines = told(&[], "exit 3 after 2m, stop after 3m");
    assert_eq!(lines[1], "  120.000 s  exited 3; starting, restart 1; up");
}

#[test]
fn what_nobody_would_notice_is_refused() {
    let plan = Plan::from_settings(Spec::default().settings());
    let words = [
        "never ready",
        "ready after 5s",
        "unhealthy after 1",
        "silent after 1",
    ];
    for phrase in words {
        let error = tell(plan.clone(), Script::parse(phrase).unwrap()).unwrap_err();
        assert!(error.message.contains("set"), "{phrase}: {error}");
    }
}

#[test]
fn one_that_is_never_ready_fails_its_start() {
    let settings = [("notify", "fd:3"), ("timeout_ready", "2s")];
    let lines = told(&settings, "never ready");
    assert_eq!(lines[0], "    0.000 s  starting");
    assert!(
        lines[1].starts_with("    2.000 s  ") && lines[1].contains("the start fails: not ready"),
        "{lines:?}"
    );
    assert!(
        lines[1].ends_with("down: not ready within 2 s"),
        "{lines:?}"
    );
    assert_eq!(lines.len(), 2);
    let late = told(&settings, "ready after 1s");
    assert_eq!(late[1], "    1.000 s  the start is done; up");
}

#[test]
fn one_that_becomes_unhealthy_is_restarted_by_its_check() {
    let check = ("rc_supervise_health", "tcp:80 interval=10 failures=2");
    let lines = told(&[check, ("respawn_max", "1")], "unhealthy after 60s");
    assert_eq!(lines[0], "    0.000 s  starting; the start is done; up");
    assert!(
        lines[1].starts_with("   70.000 s  unhealthy: simulated; stopping: sent TERM"),
        "{lines:#?}"
    );
    assert!(lines.last().unwrap().contains("gave up after 1 restart"));
}

#[test]
fn one_that_is_silent_is_barked_at() {
    let settings = [
        ("notify", "socket:ready"),
        ("rc_supervise_watchdog", "10"),
        ("rc_supervise_policy", "no"),
    ];
    let lines = told(&settings, "silent after 1m");
    assert!(
        lines[1].starts_with("   65.000 s  missed its watchdog: no sign of life for 10 s"),
        "{lines:#?}"
    );
    assert!(lines[1].contains("failed for good"), "{lines:#?}");
}

#[test]
fn a_stop_climbs_its_ladder() {
    let lines = told(&[("retry", "TERM/3/INT/2")], "stubborn, stop after 1m");
    assert_eq!(
        lines,
        [
            "    0.000 s  starting; the start is done; up",
            "   60.000 s  stopping: sent TERM, INT follows in 3 s",
            "   65.000 s  the stop is done; down",
        ]
    );
}

#[test]
fn what_goes_on_for_ever_is_cut_short() {
    let lines = told(&[("respawn_max", "0")], "signal SEGV after 1m");
    assert_eq!(lines.len(), MOST_LINES + 2);
    assert!(
        lines[MOST_LINES - 1].ends_with(" more such lines"),
        "{lines:#?}"
    );
    let last = lines.last().unwrap();
    assert!(last.starts_with("and so on: "), "{last}");
    assert_eq!(told(&[], "ready after 0").len(), 1, "nothing happens to it");
}
