//! What OpenRC's own runit.sh does wrong, and our module does not. Each test runs a service by
//! both: that the script has the defect shows that the test can see it.

mod suite;

use rc_sv_tests::lab::until;
use rc_sv_tests::Lab;
use suite::openrc::{alive, rc, recorded_args, spawns, KILL, RECORDED, SOON};
use suite::{start_count, starts, status, until_status, PROBE, RUNIT};

/// What is run by OpenRC's script, and what by the module.
const THEIRS: &str = "theirs";
const OURS: &str = "ours";

/// The link of OpenRC's script.
const LINK: &str = "/run/openrc/sv/theirs";

/// A service for OpenRC's script, which takes nothing from it but its name, and a directory for it
/// that runs `program`.
fn theirs(lab: &Lab, program: &str) {
    lab.service(THEIRS, "supervisor=runit\n");
    lab.write(
        "/etc/sv/theirs/run",
        format!("#!/bin/sh\n{program}\n"),
        0o755,
    );
}

/// A service for the module.
fn ours(lab: &Lab, script: &str, conf: &str) {
    lab.service(OURS, script);
    lab.conf(OURS, &format!("rc_supervise_module=runit\n{conf}\n"));
}

/// Nothing of a service file is used but a directory that somebody has to write.
#[test]
fn a_service_file_is_enough() {
    let lab = RUNIT.lab();
    lab.service(THEIRS, &format!("supervisor=runit\n{RECORDED}"));
    let output = rc(&lab, THEIRS, "start");
    assert_eq!(output.code(), 1, "{output}");
    assert!(
        output.all().contains("/etc/sv/theirs not found"),
        "{output}"
    );
    ours(
        &lab,
        RECORDED,
        "command_args_foreground=word\noutput_log=/tmp/log",
    );
    rc(&lab, OURS, "start").ok();
    assert_eq!(recorded_args(&lab, OURS, 1), [b"word"]);
    assert!(lab.exists("/tmp/log"));
}

/// A start of what cannot run is tried for 36 seconds.
#[test]
fn a_start_of_what_cannot_run_fails_soon() {
    let lab = RUNIT.lab();
    theirs(&lab, "exec /nonexistent");
    let long = lab.spawn("rc-service theirs start; echo over >/tmp/over");
    until("its link", SOON, || {
        lab.sh(&format!("readlink {LINK}"))
            .all()
            .contains("/etc/sv/")
            .then_some(())
    });
    ours(&lab, "command=/nonexistent", "");
    let output = rc(&lab, OURS, "start");
    assert_eq!(output.code(), 1, "{output}");
    assert!(
        output.all().contains("No such file or directory"),
        "{output}"
    );
    assert_eq!(rc(&lab, OURS, "status").code(), 3);
    assert!(!lab.exists("/tmp/over"));
    long.kill(KILL);
}

/// A start says ok of what dies again and again, and so does the status.
#[test]
fn a_crash_loop_is_no_success() {
    let lab = RUNIT.lab();
    theirs(&lab, "sleep 1.5; exit 1");
    rc(&lab, THEIRS, "start").ok();
    assert_eq!(rc(&lab, THEIRS, "status").code(), 0);
    let script = "command=/bin/sleep\ncommand_args=0.1";
    ours(&lab, script, "notify=fd:3\ntimeout_ready=20000");
    let output = rc(&lab, OURS, "start");
    assert_eq!(output.code(), 1, "{output}");
    assert!(output.all().contains("before it was ready"), "{output}");
    ours(&lab, script, "respawn_delay=0\nrespawn_max=1");
    rc(&lab, OURS, "start").ok();
    until_status(&lab, OURS, "gave up");
    assert_eq!(rc(&lab, OURS, "status").code(), 3);
}

/// A stop of what ignores TERM fails after seven seconds, each time, and what was to be stopped
/// runs on.
#[test]
fn what_ignores_term_is_stopped() {
    let lab = RUNIT.lab();
    theirs(
        &lab,
        &format!("exec {PROBE} --report /tmp/theirs --ignore TERM"),
    );
    let script = format!("command={PROBE}\ncommand_args=\"--report /tmp/ours --ignore TERM\"");
    ours(&lab, &script, "retry=TERM/1/KILL/10");
    let daemons = [THEIRS, OURS].map(|service| {
        rc(&lab, service, "start").ok();
        starts(&lab, service, 1)[0].pid()
    });
    let output = rc(&lab, THEIRS, "stop");
    assert_eq!(output.code(), 1, "{output}");
    assert!(alive(&lab, daemons[0]));
    rc(&lab, OURS, "stop").ok();
    assert!(!alive(&lab, daemons[1]));
}

/// After a stop the supervisor lives on until the scanner looks again; what is left in its
/// directory stays for ever, in /etc.
#[test]
fn a_stop_leaves_nothing() {
    let lab = RUNIT.lab();
    theirs(&lab, "exec sleep 4242");
    ours(&lab, RECORDED, "");
    rc(&lab, OURS, "start").ok();
    spawns(&lab, OURS, 1);
    rc(&lab, OURS, "stop").ok();
    RUNIT.assert_nothing_left(&lab);
    // The package brings a service for the system log.
    let in_etc = || {
        lab.sh("find /etc -name supervise ! -path '*/default-syslog/*'")
            .ok()
    };
    assert_eq!(in_etc(), "");

    // It looks by itself every five seconds: once in a while just then.
    until("a supervisor after the stop", SOON, || {
        rc(&lab, THEIRS, "start").ok();
        rc(&lab, THEIRS, "stop").ok();
        (!lab.pids("runsv").is_empty()).then_some(())
    });
    assert_eq!(in_etc().trim(), "/etc/sv/theirs/supervise");
}

/// The status of what is down is a success.
#[test]
fn the_status_of_what_is_down_is_no_success() {
    let lab = RUNIT.lab();
    theirs(&lab, "exec sleep 4242");
    rc(&lab, THEIRS, "start").ok();
    lab.sh(&format!("sv stop {LINK}")).ok();
    let output = rc(&lab, THEIRS, "status");
    assert!(output.all().contains("down"), "{output}");
    assert_eq!(output.code(), 0, "{output}");
    ours(&lab, RECORDED, "");
    rc(&lab, OURS, "start").ok();
    assert_eq!(rc(&lab, OURS, "status").code(), 0);
    rc(&lab, OURS, "stop").ok();
    assert_eq!(rc(&lab, OURS, "status").code(), 3);
}

/// There is no reload, no signal and no restart in one step.
#[test]
fn signals_can_be_sent() {
    let lab = RUNIT.lab();
    theirs(
        &lab,
        &format!("exec {PROBE} --report /tmp/theirs --ignore HUP"),
    );
    let script = format!("command={PROBE}\ncommand_args=\"--report /tmp/ours --ignore ALL\"");
    ours(&lab, &script, "retry=KILL/5");
    for service in [THEIRS, OURS] {
        rc(&lab, service, "start").ok();
        starts(&lab, service, 1);
    }
    assert_ne!(rc(&lab, THEIRS, "reload").code(), 0);
    rc(&lab, OURS, "reload").ok();
    lab.sh("rc-sv-loader signal ours USR1").ok();
    let signals = lab.report("/tmp/ours", "signal", 2, SOON);
    let numbers = signals.iter().map(|line| line.number("number"));
    assert_eq!(numbers.collect::<Vec<_>>(), [1, 10]);
    lab.sh("rc-sv-loader restart ours").ok();
    starts(&lab, OURS, 2);
    assert!(status(&lab, OURS).contains(" up "));
    assert_eq!(start_count(&lab, OURS), 2);
}
