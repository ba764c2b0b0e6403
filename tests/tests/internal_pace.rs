//! How fast the internal module respawns, and when it gives up.

mod internal;
mod openrc;

use std::time::Duration;

use internal::{probe, start_all, start_count, starts, status, until_failed, until_status};
use openrc::{rc, SOON};
use rc_sv_tests::{Lab, Line};

/// What a busy machine may add to a pause.
const SLACK: Duration = Duration::from_secs(8);

/// Writes down how and how often a service was given up.
const GAVE_UP: &str = "#!/bin/sh\necho \"$RC_SVCNAME $*\" >>/tmp/$RC_SVCNAME.gave-up\n";

fn gaps(starts: &[Line]) -> Vec<Duration> {
    let pairs = starts.windows(2);
    pairs.map(|pair| pair[1].time() - pair[0].time()).collect()
}

fn lines(lab: &Lab, path: &str) -> usize {
    lab.text(path).lines().count()
}

#[test]
fn pauses_grow_until_it_is_given_up_once_and_for_all() {
    let lab = Lab::new();
    lab.write("/tmp/gave-up", GAVE_UP, 0o755);
    let conf = "respawn_delay=200ms\nrc_supervise_delay_factor=2\nrc_supervise_jitter=10\n\
                respawn_delay_cap=800ms\nrc_supervise_min_interval=0\nrespawn_max=5\n\
                rc_supervise_on_give_up=/tmp/gave-up\n";
    for service in ["foo", "clock"] {
        probe(&lab, service, "--exit 3", conf);
    }
    for round in 1..=2 {
        rc(&lab, "foo", "start").ok();
        let all = starts(&lab, "foo", round * 6);
        until_failed(&lab, "foo");
        let these = &all[(round - 1) * 6..];
        let pauses = [200, 400, 800, 800, 800].map(Duration::from_millis);
        for (pause, gap) in pauses.into_iter().zip(gaps(these)) {
            assert!(
                gap >= pause * 9 / 10 && gap < pause * 11 / 10 + SLACK,
                "{pause:?} {gap:?}"
            );
        }
        lab.wait_for_lines("/tmp/foo.gave-up", round, SOON);
        let said = status(&lab, "foo");
        assert!(said.contains("gave up after 5 restarts"), "{said}");
    }
    // As long as its pauses again and longer, nothing more comes of it.
    rc(&lab, "clock", "start").ok();
    until_failed(&lab, "clock");
    lab.wait_for_lines("/tmp/clock.gave-up", 1, SOON);
    assert_eq!(start_count(&lab, "foo"), 12);
    assert_eq!(lab.text("/tmp/foo.gave-up"), "foo 3 0\nfoo 3 0\n");
    assert_eq!(lines(&lab, "/tmp/clock.gave-up"), 1);
    assert_eq!(rc(&lab, "foo", "status").code(), 3);
}

#[test]
fn pauses_can_grow_by_steps() {
    let lab = Lab::new();
    let conf = "respawn_delay=100ms\nrespawn_delay_step=300ms\nrc_supervise_jitter=0\n\
                respawn_delay_cap=700ms\nrc_supervise_min_interval=0\nrespawn_max=4\n";
    probe(&lab, "foo", "--exit 3", conf);
    rc(&lab, "foo", "start").ok();
    let found = gaps(&starts(&lab, "foo", 5));
    let pauses = [100, 400, 700, 700].map(Duration::from_millis);
    for (pause, gap) in pauses.into_iter().zip(found) {
        assert!(gap >= pause && gap < pause + SLACK, "{pause:?} {gap:?}");
    }
}

#[test]
fn a_long_run_brings_the_first_pause_back() {
    let lab = Lab::new();
    // The second pause would take longer than any test.
    let conf = "respawn_delay=1500ms\nrc_supervise_delay_factor=100\nrespawn_delay_cap=1h\n\
                rc_supervise_jitter=0\nrc_supervise_min_interval=0\n";
    let long = format!("{conf}rc_supervise_reset_after=300ms\n");
    probe(&lab, "long", "--after 1000 --exit 3", &long);
    probe(&lab, "short", "--exit 3", conf);
    start_all(&lab, ["long", "short"]);
    for gap in gaps(&starts(&lab, "long", 3)) {
        assert!(gap >= Duration::from_millis(2500), "{gap:?}");
    }
    starts(&lab, "short", 2);
    until_status(&lab, "short", "restarting in 2 min");
}

#[test]
fn starts_keep_their_distance_and_a_run_that_was_long_pays_nothing() {
    let lab = Lab::new();
    let conf = "respawn_delay=0\nrc_supervise_min_interval=4s\nrespawn_max=2\n";
    probe(&lab, "foo", "--exit 3", conf);
    rc(&lab, "foo", "start").ok();
    for gap in gaps(&starts(&lab, "foo", 3)) {
        // The reports come after the starts, on a busy machine not all of them as late.
        assert!(gap >= Duration::from_secs(2), "{gap:?}");
    }
}

#[test]
fn the_window_of_the_limit_slides() {
    let lab = Lab::new();
    let conf = "rc_supervise_delay_factor=1\nrc_supervise_jitter=0\nrc_supervise_min_interval=0\n\
                respawn_max=2\nrespawn_period=4s\n";
    // Two pauses are longer than the window, or shorter. A fixed window from the first crash on
    // would count the third one of the slow service, too.
    probe(
        &lab,
        "slow",
        "--exit 3",
        &format!("{conf}respawn_delay=2100ms\n"),
    );
    probe(
        &lab,
        "fast",
        "--exit 3",
        &format!("{conf}respawn_delay=100ms\n"),
    );
    start_all(&lab, ["slow", "fast"]);
    until_failed(&lab, "fast");
    assert_eq!(start_count(&lab, "fast"), 3);
    starts(&lab, "slow", 6);
    assert!(!internal::failed(&lab, "slow"));
}
