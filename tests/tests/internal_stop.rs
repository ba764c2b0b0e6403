//! Stopping services of the internal module from whatever they are doing.

mod internal;
mod openrc;

use std::time::{Duration, Instant};

use internal::{probe, start_count, starts, status, until_failed, AT_ONCE};
use openrc::{alive, rc, KILL, SOON};
use rc_sv_tests::lab::until;
use rc_sv_tests::{Lab, Line};

const STOP: i32 = 19;

/// What the service has left running, by its report.
fn left(lab: &Lab, service: &str) -> Vec<String> {
    let children = lab.report(&format!("/tmp/{service}"), "child", 3, SOON);
    let living = children.iter().filter(|child| alive(lab, child.pid()));
    let mut kinds: Vec<String> = living.map(|child| child.get("kind").to_owned()).collect();
    kinds.sort();
    kinds
}

#[test]
fn a_stop_in_a_long_pause_is_immediate_and_final() {
    let lab = Lab::new();
    probe(&lab, "foo", "--exit 3", "respawn_delay=1h\n");
    // Both with the start of the loader, which finds its module and the supervisor. A busy machine
    // makes some of them longer, but not all.
    let (mut asked, mut stopped) = (Duration::MAX, Duration::MAX);
    let timed = |command: &str| {
        let begun = Instant::now();
        lab.run(["rc-sv-loader", command, "foo"]).output().ok();
        begun.elapsed()
    };
    let limit = Duration::from_millis(100);
    let mut rounds = 0;
    while rounds < 2 || (rounds < 30 && stopped > asked + limit) {
        rounds += 1;
        rc(&lab, "foo", "zap");
        rc(&lab, "foo", "start").ok();
        starts(&lab, "foo", rounds);
        until("the pause", SOON, || {
            status(&lab, "foo").contains("restarting in").then_some(())
        });
        asked = asked.min(timed("status"));
        stopped = stopped.min(timed("stop"));
    }
    assert!(stopped <= asked + limit, "{stopped:?}, {asked:?}");

    // What another one with the same pause does after it, this one does no more.
    for service in ["foo", "clock"] {
        probe(
            &lab,
            service,
            "--exit 3",
            "respawn_delay=1s\nrespawn_max=1\n",
        );
    }
    rc(&lab, "foo", "start").ok();
    starts(&lab, "foo", rounds + 1);
    rc(&lab, "foo", "stop").ok();
    let before = start_count(&lab, "foo");
    rc(&lab, "clock", "start").ok();
    until_failed(&lab, "clock");
    assert_eq!(start_count(&lab, "foo"), before);
    assert_eq!(rc(&lab, "foo", "status").code(), 3);
}

#[test]
fn a_stop_in_the_finish_command_is_bounded_by_its_time() {
    let lab = Lab::new();
    lab.write(
        "/tmp/finish",
        "#!/bin/sh\necho $$ >>/tmp/finishing\nexec sleep 4242\n",
        0o755,
    );
    let conf =
        format!("{AT_ONCE}rc_supervise_finish=/tmp/finish\nrc_supervise_finish_timeout=10s\n");
    probe(&lab, "foo", "--exit 3", &conf);
    rc(&lab, "foo", "start").ok();
    let hook: i32 = lab.wait_for_lines("/tmp/finishing", 1, SOON)[0]
        .parse()
        .expect("a pid");
    rc(&lab, "foo", "stop").ok();
    assert!(!alive(&lab, hook));
    assert_eq!(start_count(&lab, "foo"), 1);
    assert_eq!(rc(&lab, "foo", "status").code(), 3);
    assert_eq!(lab.text("/tmp/finishing").lines().count(), 1);
}

#[test]
fn a_stop_ends_a_start_that_does_not_come_to_its_exec() {
    let lab = Lab::new();
    assert!(lab.has_cgroup(), "this test needs cgroups");
    // A frozen process dies of KILL alone.
    let conf = format!("{AT_ONCE}retry=TERM/100ms/KILL/5\n");
    probe(&lab, "foo", "", &conf);
    rc(&lab, "foo", "start").ok();
    let first = starts(&lab, "foo", 1)[0].pid();
    // What is made in it from now on is frozen before its first instruction.
    let freezer = "/sys/fs/cgroup/unified/foo/cgroup.freeze";
    lab.sh(&format!("echo 1 >{freezer}")).ok();
    lab.kill(first, KILL);
    let pid = until("the respawn is under way", SOON, || {
        let output = lab
            .run(["rc-sv-loader", "status", "foo", "--json"])
            .output();
        let status: serde_json::Value = serde_json::from_str(&output.stdout).ok()?;
        (status["state"] == "starting").then(|| status["pid"].as_i64())?
    });
    lab.run(["rc-sv-loader", "stop", "foo"]).output().ok();
    assert!(!alive(&lab, i32::try_from(pid).expect("a pid")));
    lab.sh(&format!("echo 0 >{freezer}")).ok();
    assert_eq!(start_count(&lab, "foo"), 1);
    assert_eq!(rc(&lab, "foo", "status").code(), 3);
}

#[test]
fn what_ignores_the_ladder_is_killed() {
    let lab = Lab::new();
    // Both have their time, or they are seen in the other order.
    let conf = "retry='TERM/10/INT/10/KILL/5'\n";
    probe(&lab, "foo", "--ignore ALL", conf);
    rc(&lab, "foo", "start").ok();
    let pid = starts(&lab, "foo", 1)[0].pid();
    rc(&lab, "foo", "stop").ok();
    assert!(!alive(&lab, pid));
    let signals: Vec<i64> = lab
        .report("/tmp/foo", "signal", 2, SOON)
        .iter()
        .map(|line| line.number("number"))
        .filter(|&number| number != 18)
        .collect();
    assert_eq!(signals, [15, 2]);
    assert_eq!(rc(&lab, "foo", "status").code(), 3);
    // One whose process is stopped sees TERM all the same.
    probe(&lab, "bar", "--exit-on TERM=0", "");
    rc(&lab, "bar", "start").ok();
    let pid = starts(&lab, "bar", 1)[0].pid();
    lab.kill(pid, STOP);
    rc(&lab, "bar", "stop").ok();
    assert!(!alive(&lab, pid));
    assert_eq!(
        lab.report("/tmp/bar", "signal", 1, SOON)[0].number("number"),
        15
    );
}

#[test]
fn with_a_cgroup_no_descendant_is_left() {
    let lab = Lab::new();
    assert!(lab.has_cgroup(), "this test needs cgroups");
    let args = "--fork plain --fork setsid --fork double";
    for mode in ["mixed", "group"] {
        let service = format!("foo.{mode}");
        probe(
            &lab,
            &service,
            args,
            &format!("rc_supervise_kill_mode={mode}"),
        );
        rc(&lab, &service, "start").ok();
        assert_eq!(
            left(&lab, &service),
            ["double", "plain", "setsid"],
            "{mode}"
        );
        rc(&lab, &service, "stop").ok();
        assert_eq!(left(&lab, &service), [""; 0], "{mode}");
    }
    // After a crash they are gone before the next one begins.
    probe(&lab, "crash", args, AT_ONCE);
    rc(&lab, "crash", "start").ok();
    let first = lab.report("/tmp/crash", "child", 3, SOON);
    lab.kill(starts(&lab, "crash", 1)[0].pid(), KILL);
    starts(&lab, "crash", 2);
    let living: Vec<&Line> = first
        .iter()
        .filter(|child| alive(&lab, child.pid()))
        .collect();
    assert!(living.is_empty(), "{living:?}");
}

#[test]
fn without_a_cgroup_only_other_sessions_are_left() {
    let lab = Lab::builder().without_cgroup().build();
    probe(&lab, "foo", "--fork plain --fork setsid --fork double", "");
    rc(&lab, "foo", "start").ok();
    assert_eq!(left(&lab, "foo"), ["double", "plain", "setsid"]);
    let children = lab.report("/tmp/foo", "child", 3, SOON);
    rc(&lab, "foo", "stop").ok();
    // It was sent KILL, of which there is no other news.
    let plain = children.iter().find(|child| child.get("kind") == "plain");
    lab.wait_dead(plain.expect("a child").pid(), SOON);
    assert_eq!(left(&lab, "foo"), ["double", "setsid"]);
    assert_eq!(rc(&lab, "foo", "status").code(), 3);
}

#[test]
fn of_a_service_whose_main_process_alone_counts_the_rest_stays() {
    let lab = Lab::new();
    let args = "--fork plain --fork setsid --fork double";
    probe(&lab, "foo", args, "rc_supervise_kill_mode=process\n");
    rc(&lab, "foo", "start").ok();
    assert_eq!(left(&lab, "foo").len(), 3);
    rc(&lab, "foo", "stop").ok();
    assert_eq!(left(&lab, "foo"), ["double", "plain", "setsid"]);
}
