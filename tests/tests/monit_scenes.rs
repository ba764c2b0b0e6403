//! The monit module against the real monit: crashes, reloads, kills and orders that cross each other.
//! Each time there is one instance, OpenRC tells the truth, and the script ran once per start.

#![allow(clippy::print_stdout)] // How long it took, for who asks.

mod monit;

use monit::openrc::{rc, KILL, SOON};
use monit::{
    ask, assert_none, assert_one, control_file, lab, monit as run_monit, monit_pid, no_daemon,
    order, runs, simple, starts, until_code, until_watched, AT_ONCE, NOTED,
};
use rc_sv_tests::lab::until;
use rc_sv_tests::Lab;
use std::time::Duration;

const HUP: i32 = 1;
const STOP: i32 = 19;
const CONT: i32 = 18;

#[test]
fn a_crash_together_with_a_reload() {
    let lab = lab();
    let _monit = run_monit(&lab);
    simple(&lab, "foo", "", &format!("{AT_ONCE}respawn_max=0"));
    rc(&lab, "foo", "start").ok();
    for count in 1..=20 {
        let pid = starts(&lab, "foo", count)[count - 1].pid();
        lab.kill(pid, KILL);
        lab.kill(monit_pid(&lab), HUP);
        starts(&lab, "foo", count + 1);
        assert_one(&lab, "foo", 1);
    }
    assert_eq!(starts(&lab, "foo", 21).len(), 21);
    rc(&lab, "foo", "stop").ok();
    assert_none(&lab, "foo", 1);
}

/// A program that goes into the background by itself, when it may: each run but the first waits.
const SLOW: &str = "#!/bin/sh\n[ ! -e /tmp/slow ] || { echo >>/tmp/waits; read go </tmp/go; }\n\
    /usr/lib/rc-sv-tests/probe-daemon --report /tmp/foo </dev/null >/dev/null 2>&1 &\n\
    echo $! >/run/foo.pid\n";

/// A lab in which a respawn of foo is under way, and does not get on.
fn with_slow_respawn(lab: &Lab) {
    lab.write("/usr/local/bin/slow", SLOW, 0o755);
    let stop = "stop() { start-stop-daemon -K -p $pidfile; }\n";
    let script = format!("command=/usr/local/bin/slow\npidfile=/run/foo.pid\n{stop}{NOTED}");
    lab.service("foo", &script);
    lab.conf("foo", &format!("rc_supervise_module=monit\n{AT_ONCE}"));
    rc(lab, "foo", "start").ok();
    let first = starts(lab, "foo", 1)[0].pid();
    lab.sh("mkfifo /tmp/go; touch /tmp/slow").ok();
    lab.kill(first, KILL);
    lab.wait_for_lines("/tmp/waits", 1, SOON);
}

#[test]
fn a_stop_during_a_slow_respawn() {
    let lab = lab();
    let _monit = run_monit(&lab);
    with_slow_respawn(&lab);
    let stop = lab.run(["rc-service", "foo", "stop"]).spawn();
    lab.wait_for_file("/run/openrc/rc-sv/foo/down", |_| true, SOON);
    // It waits for what is under way, and stops that.
    assert_eq!(rc(&lab, "foo", "status").code(), 4);
    lab.sh("rm /tmp/slow; echo go >/tmp/go").ok();
    let said = stop.wait(SOON);
    assert_eq!(said.code(), 0, "{said}");
    assert_none(&lab, "foo", 1);
    assert_eq!(starts(&lab, "foo", 2).len(), 2);
}

#[test]
fn a_monit_that_is_killed_before_a_crash() {
    let lab = lab();
    let monit = run_monit(&lab);
    simple(&lab, "foo", "", AT_ONCE);
    rc(&lab, "foo", "start").ok();
    let first = starts(&lab, "foo", 1)[0].pid();
    lab.kill(monit_pid(&lab), KILL);
    monit.wait(SOON);
    lab.kill(first, KILL);
    lab.wait_dead(first, SOON);
    assert_eq!(rc(&lab, "foo", "status").code(), 32);
    let _monit = run_monit(&lab);
    starts(&lab, "foo", 2);
    assert_one(&lab, "foo", 1);
}

#[test]
fn a_monit_that_is_killed_during_a_respawn() {
    let lab = lab();
    let monit = run_monit(&lab);
    with_slow_respawn(&lab);
    lab.kill(monit_pid(&lab), KILL);
    monit.wait(SOON);
    let _monit = run_monit(&lab);
    // It misses the service again, which is in hand.
    lab.wait_for_file(
        "/tmp/monit.log",
        |log| String::from_utf8_lossy(log).matches("respawn").count() > 1,
        SOON,
    );
    lab.sh("rm /tmp/slow; echo go >/tmp/go").ok();
    starts(&lab, "foo", 2);
    until("one", SOON, || {
        (lab.pids("rc-sv-exec").is_empty()).then_some(())
    });
    assert_one(&lab, "foo", 1);
    assert_eq!(lab.text("/tmp/waits").lines().count(), 1);
}

#[test]
fn a_control_file_that_was_left() {
    let lab = lab();
    let monit = run_monit(&lab);
    simple(&lab, "foo", "", AT_ONCE);
    rc(&lab, "foo", "start").ok();
    starts(&lab, "foo", 1);
    let file = control_file("foo");
    lab.sh(&format!("cp -p {file} /tmp/left")).ok();
    lab.kill(monit_pid(&lab), KILL);
    monit.wait(SOON);
    rc(&lab, "foo", "stop").ok();
    lab.sh(&format!("cp -p /tmp/left {file}")).ok();
    let _monit = run_monit(&lab);
    lab.wait_for_file(
        "/tmp/monit.log",
        |log| String::from_utf8_lossy(log).matches("respawn").count() > 1,
        SOON,
    );
    assert_eq!(lab.pids("probe-daemon"), [0; 0]);
    assert_eq!(
        (rc(&lab, "foo", "status").code(), runs(&lab, "foo")),
        (3, 1)
    );
    // A start takes it over.
    rc(&lab, "foo", "start").ok();
    starts(&lab, "foo", 2);
    assert_one(&lab, "foo", 2);
}

#[test]
fn a_crash_while_monit_hangs() {
    let lab = lab();
    let _monit = run_monit(&lab);
    simple(&lab, "foo", "", AT_ONCE);
    rc(&lab, "foo", "start").ok();
    let first = starts(&lab, "foo", 1)[0].pid();
    let monit = monit_pid(&lab);
    lab.kill(monit, STOP);
    lab.kill(first, KILL);
    lab.wait_dead(first, SOON);
    rc(&lab, "foo", "restart").ok();
    starts(&lab, "foo", 2);
    lab.kill(monit, CONT);
    until_watched(&lab, "foo");
    assert_eq!(starts(&lab, "foo", 2).len(), 2);
    assert_one(&lab, "foo", 2);
}

#[test]
fn an_administrator_who_talks_to_monit() {
    let lab = lab();
    let _monit = run_monit(&lab);
    simple(&lab, "foo", "", AT_ONCE);
    rc(&lab, "foo", "start").ok();
    starts(&lab, "foo", 1);

    order(&lab, "stop", "foo");
    until_code(&lab, "foo", 3);
    assert_none(&lab, "foo", 1);

    order(&lab, "start", "foo");
    starts(&lab, "foo", 2);
    until_code(&lab, "foo", 0);
    until_watched(&lab, "foo");
    assert_one(&lab, "foo", 2);

    assert_plain(&lab, 2);

    order(&lab, "restart", "foo");
    starts(&lab, "foo", 3);
    until_code(&lab, "foo", 0);
    until_watched(&lab, "foo");
    assert_one(&lab, "foo", 3);
    assert_plain(&lab, 3);
    rc(&lab, "foo", "stop").ok();
    assert_none(&lab, "foo", 3);
}

/// monit gives up waiting for its start program, and kills it: OpenRC's start goes on.
#[test]
fn a_start_by_monit_takes_as_long_as_it_takes() {
    let lab = lab();
    let _monit = run_monit(&lab);
    let slow = "start_pre() {\n\
        [ ! -e /tmp/slow ] || { echo >>/tmp/waits; read go </tmp/go; einfo it goes on; }\n}\n";
    simple(&lab, "foo", "", AT_ONCE);
    let script = lab.text("/etc/init.d/foo").replace(NOTED, slow);
    lab.write("/etc/init.d/foo", script, 0o755);
    rc(&lab, "foo", "start").ok();
    starts(&lab, "foo", 1);
    order(&lab, "stop", "foo");
    until_code(&lab, "foo", 3);
    lab.sh("mkfifo /tmp/go; touch /tmp/slow").ok();
    order(&lab, "start", "foo");
    lab.wait_for_lines("/tmp/waits", 1, SOON);
    let timed_out = |log: &[u8]| String::from_utf8_lossy(log).contains("timed out after 5 s");
    lab.wait_for_file("/tmp/monit.log", timed_out, SOON);
    lab.sh("rm /tmp/slow; echo go >/tmp/go").ok();
    starts(&lab, "foo", 2);
    until_code(&lab, "foo", 0);
    until_watched(&lab, "foo");
    rc(&lab, "foo", "stop").ok();
    no_daemon(&lab);
    assert_eq!(starts(&lab, "foo", 2).len(), 2);
}

/// The start of this number has nothing of monit, which ignores a signal: it is as the first.
fn assert_plain(lab: &Lab, number: usize) {
    let all = starts(lab, "foo", number);
    let (first, this) = (&all[0], &all[number - 1]);
    for field in ["sigign", "sigblk"] {
        assert_eq!((this.mask(field), first.mask(field)), (0, 0), "{field}");
    }
    for field in ["umask", "cwd"] {
        assert_eq!(this.get(field), first.get(field), "{field}");
    }
}

#[test]
fn many_at_once_with_foreign_reloads() {
    const MANY: usize = 200;
    const LONG: Duration = Duration::from_secs(120);
    let lab = lab();
    let _monit = run_monit(&lab);
    let script = format!(
        "#!/sbin/openrc-run\ncommand=/bin/sleep\ncommand_args=4242\ncommand_background=yes\n\
         pidfile=/run/$RC_SVCNAME.pid\n{NOTED}"
    );
    lab.write("/etc/init.d/many", script, 0o755);
    lab.conf("many", &format!("rc_supervise_module=monit\n{AT_ONCE}"));
    let make = format!(
        "for i in $(seq {MANY}); do ln -s many /etc/init.d/many.$i; \
         ln -s many /etc/conf.d/many.$i; done; rc-status >/dev/null"
    );
    lab.run(["sh", "-c", &make]).timeout(LONG).output().ok();
    let begun = std::time::Instant::now();
    let all = format!(
        "seq {MANY} | xargs -P 8 -I @ rc-service many.@ start >/tmp/said 2>&1; echo $? >/tmp/over"
    );
    let job = lab.run(["sh", "-c", &all]).timeout(LONG).spawn();
    let monit = monit_pid(&lab);
    for count in (20..MANY).step_by(20) {
        until("more of them", LONG, || {
            let there = lab.sh("ls /run/openrc/started | grep -c many").all();
            (there.trim().parse::<usize>().unwrap_or(0) >= count).then_some(())
        });
        lab.kill(monit, HUP);
    }
    let said = job.wait(LONG);
    assert_eq!(
        lab.text("/tmp/over").trim(),
        "0",
        "{said}\n{}",
        lab.text("/tmp/said")
    );
    println!(
        "{MANY} services started and attached in {:?}",
        begun.elapsed()
    );
    until("all watched", LONG, || {
        let said = ask(&lab, &["status"]).all();
        let lines = said
            .lines()
            .filter(|line| line.contains("monitoring status"));
        // monit has a check of the system too.
        let watched = lines.filter(|line| !line.contains("Not monitored")).count();
        (watched == MANY + 1).then_some(())
    });
    assert_eq!(lab.pids("sleep").len(), MANY);
    assert_eq!(monit_pid(&lab), monit, "monit lives");
    assert!(
        !lab.text("/tmp/said").contains("later"),
        "{}",
        lab.text("/tmp/said")
    );
}
