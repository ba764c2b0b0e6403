//! When a start is over: readiness by descriptor, by socket and by an answer from outside.

mod internal;
mod openrc;

use internal::{probe, start_count, starts, status, until_status as until, AT_ONCE};
use openrc::{alive, rc, KILL, SOON};
use rc_sv_tests::{Job, Lab};

/// The signal on which a probe says that it is ready.
const USR1: i32 = 10;

/// Begins a start, and waits until the daemon runs; its pid.
fn begin<'lab>(lab: &'lab Lab, service: &str, nth: usize) -> (Job<'lab>, i32) {
    let job = lab.spawn(&format!("rc-service {service} start"));
    (job, pid(lab, service, nth))
}

/// The pid of the `nth` daemon of a service.
fn pid(lab: &Lab, service: &str, nth: usize) -> i32 {
    starts(lab, service, nth)[nth - 1].pid()
}

/// The start fails with this in its words, and nothing is left of it.
fn refused(lab: &Lab, service: &str, words: &str) {
    let failed = rc(lab, service, "start");
    assert_ne!(failed.code(), 0, "{}", failed.all());
    assert!(failed.all().contains(words), "{words}: {}", failed.all());
    assert_eq!(rc(lab, service, "status").code(), 3);
}

#[test]
fn a_newline_on_the_descriptor_is_readiness_wherever_it_is() {
    let lab = Lab::new();
    for place in 3..=20 {
        let service = format!("fd{place}");
        let args = format!("--write {place}=o --write {place}=k%nmore --close {place}");
        probe(&lab, &service, &args, &format!("notify=fd:{place}"));
        rc(&lab, &service, "start").ok();
        assert!(status(&lab, &service).contains("status: started"));
    }
}

#[test]
fn a_descriptor_that_is_closed_without_a_newline_is_a_failed_start() {
    let lab = Lab::new();
    probe(&lab, "shut", "--write 5=ok --close 5", "notify=fd:5");
    refused(&lab, "shut", "it closed its descriptor without a newline");
    assert_eq!(start_count(&lab, "shut"), 1, "nothing is tried again");
}

#[test]
fn a_crash_after_readiness_is_respawned_and_ready_again() {
    let lab = Lab::new();
    let conf = format!("{AT_ONCE}notify=fd:3");
    probe(&lab, "again", "--write 3=%n", &conf);
    rc(&lab, "again", "start").ok();
    for nth in 1..4 {
        lab.kill(pid(&lab, "again", nth), KILL);
        starts(&lab, "again", nth + 1);
        until(&lab, "again", "status: started");
    }
    rc(&lab, "again", "stop").ok();
}

#[test]
fn one_that_dies_before_it_is_ready_fails_at_once_and_can_be_started_again() {
    let lab = Lab::new();
    for (service, conf) in [("fd", "notify=fd:3"), ("socket", "notify=socket:ready")] {
        let say = if service == "fd" {
            "--write 3=%n"
        } else {
            "--notify READY=1"
        };
        probe(&lab, service, "--exit 3", conf);
        refused(&lab, service, "exited 3 before it was ready");
        refused(&lab, service, "exited 3 before it was ready");
        probe(&lab, service, say, conf);
        rc(&lab, service, "start").ok();
        rc(&lab, service, "stop").ok();
        rc(&lab, service, "start").ok();
    }
}

#[test]
fn a_start_waits_for_the_message_and_is_seen_meanwhile() {
    let lab = Lab::new();
    let args = "--notify STATUS=warming --on USR1=READY=1%nSTATUS=serving";
    probe(&lab, "slow", args, "notify=socket:ready");
    let (job, pid) = begin(&lab, "slow", 1);
    until(&lab, "slow", "warming");
    assert_eq!(rc(&lab, "slow", "status").code(), 8, "starting");
    lab.kill(pid, USR1);
    job.wait(SOON).ok();
    until(&lab, "slow", "serving");
}

#[test]
fn the_socket_can_be_reached_by_users_in_a_chroot_and_by_children() {
    let lab = Lab::new();
    lab.sh("mkdir -p /jail && mount --bind / /jail").ok();
    for (service, args, conf) in [
        ("user", "--notify READY=1", "command_user=daemon"),
        ("jail", "--notify READY=1", "chroot=/jail"),
        ("child", "--notify-child READY=1", ""),
    ] {
        let conf = format!("{conf}\nnotify=socket:ready\n");
        probe(&lab, service, args, &conf);
        if service == "user" {
            lab.sh("touch /tmp/user && chown daemon /tmp/user").ok();
        }
        rc(&lab, service, "start").ok();
        rc(&lab, service, "stop").ok();
    }
    let left = lab.sh("ls /run/openrc/rc-sv/.internal").ok();
    assert!(!left.contains("notify"), "{left}");
}

#[test]
fn a_message_from_outside_is_ignored() {
    let lab = Lab::new();
    probe(&lab, "deaf", "--on USR1=READY=1", "notify=socket:ready");
    let (job, pid) = begin(&lab, "deaf", 1);
    let path = "/run/openrc/rc-sv/.internal/notify.0";
    // The stranger lives on until it was heard: what it says first is ignored, because the
    // daemon's own status, which comes later, is seen while it is still starting.
    let stranger = format!("{} --notify READY=1 --notify STATUS=mine", internal::PROBE);
    let job_of_stranger = lab.spawn(&format!("NOTIFY_SOCKET={path} exec {stranger}"));
    lab.sh(&format!(
        "for n in 1 2 3 4 5 6 7 8 9 10 11 12; do printf READY=1 | socat - UNIX-SENDTO:{path}; done"
    ))
    .ok();
    let said = rc(&lab, "deaf", "status");
    assert_eq!(said.code(), 8, "{}", said.all());
    assert!(!said.all().contains("mine"), "{}", said.all());
    lab.kill(pid, USR1);
    job.wait(SOON).ok();
    job_of_stranger.kill(KILL);
}

#[test]
fn readiness_and_an_end_at_once_are_a_start_and_an_end() {
    let lab = Lab::new();
    let conf = "rc_supervise_policy=no\nnotify=socket:ready";
    probe(&lab, "brief", "--notify READY=1 --exit 0", conf);
    for _ in 0..10 {
        rc(&lab, "brief", "start").ok();
        internal::until_stopped(&lab, "brief");
    }
}

#[test]
fn a_start_that_takes_too_long_says_so_and_leaves_nothing() {
    let lab = Lab::new();
    let conf = "notify=socket:ready\ntimeout_ready=8000";
    probe(&lab, "late", "--notify STATUS=indexing", conf);
    refused(&lab, "late", "not ready within 8 s: indexing");
    assert!(!alive(&lab, pid(&lab, "late", 1)));
    // More time can be asked for; without a further word it is over.
    let more = "EXTEND_TIMEOUT_USEC=20000000";
    probe(
        &lab,
        "more",
        &format!("--notify {more} --on USR1=READY=1"),
        conf,
    );
    let (job, first) = begin(&lab, "more", 1);
    lab.kill(first, USR1);
    job.wait(SOON).ok();
    rc(&lab, "more", "stop").ok();
    refused(&lab, "more", "not ready within 8 s");
}

#[test]
fn many_messages_block_nobody() {
    let lab = Lab::new();
    let many = "--notify STATUS=x ".repeat(100);
    probe(
        &lab,
        "many",
        &format!("{many} --notify READY=1"),
        "notify=socket:ready",
    );
    rc(&lab, "many", "start").ok();
}

#[test]
fn an_answer_from_outside_is_readiness() {
    let lab = Lab::new();
    let redis = "command=/usr/bin/redis-server\ncommand_args='--port 7001 --unixsocket /tmp/redis \
                 --save \"\"'";
    for (service, ready) in [
        ("tcp", "tcp:7001"),
        ("unix", "unix:/tmp/redis"),
        ("exec", "exec:/usr/bin/redis-cli -p 7001 ping"),
    ] {
        lab.service(service, redis);
        let conf = format!("{}rc_supervise_ready='{ready}'\n", openrc::INTERNAL);
        lab.conf(service, &conf);
        rc(&lab, service, "start").ok();
        let pong = lab.sh("redis-cli -p 7001 ping").ok();
        assert!(pong.contains("PONG"), "{service}");
        rc(&lab, service, "stop").ok();
    }
    let conf = "rc_supervise_ready=http://127.0.0.1:7002/\ntimeout_ready=8000\n";
    probe(&lab, "http", "", conf);
    let said = "not ready within 8 s: http://127.0.0.1:7002/: Connection refused";
    refused(&lab, "http", said);
}

#[test]
fn what_cannot_be_is_refused_before_anything_runs() {
    let lab = Lab::new();
    for (service, conf, words) in [
        (
            "a",
            "notify=fd:2",
            "notify=\"fd:2\": must be socket:ready, or fd:N",
        ),
        (
            "b",
            "notify=fd:3\nrc_supervise_ready=tcp:80",
            "contradict each other",
        ),
        ("c", "rc_supervise_ready=tcp:example.org:80", "no name"),
        ("d", "rc_supervise_watchdog=5", "needs notify=socket:ready"),
    ] {
        probe(&lab, service, "", conf);
        refused(&lab, service, words);
        assert_eq!(start_count(&lab, service), 0);
    }
}
