//! What the tests of the internal module share: the probe daemon as a service under it.
#![allow(dead_code)] // Each test file uses a part of it.

use std::time::{Duration, Instant};

use crate::openrc::{rc, INTERNAL, SOON};
use rc_sv_tests::lab::until;
use rc_sv_tests::{Lab, Line, Output};

/// The program that reports how it was started and does as it is told.
pub const PROBE: &str = "/usr/lib/rc-sv-tests/probe-daemon";

/// No pause between two runs.
pub const AT_ONCE: &str = "respawn_delay=0\nrc_supervise_min_interval=0\n";

/// Defines `service`: the probe daemon with `args`, which reports to /tmp/SERVICE, under the
/// internal module with more lines of conf.d.
#[track_caller]
pub fn probe(lab: &Lab, service: &str, args: &str, conf: &str) {
    let script = format!("command={PROBE}\ncommand_args=\"--report /tmp/$RC_SVCNAME {args}\"");
    lab.service(service, &script);
    lab.conf(service, &format!("{INTERNAL}{conf}\n"));
}

/// Starts the services, all at the same time.
#[track_caller]
pub fn start_all<'a>(lab: &Lab, services: impl IntoIterator<Item = &'a str>) {
    let starts: Vec<_> = services
        .into_iter()
        .map(|service| lab.spawn(&format!("rc-service {service} start")))
        .collect();
    for start in starts {
        start.wait(2 * SOON).ok();
    }
}

/// The pid of the guardian.
#[track_caller]
pub fn guardian(lab: &Lab) -> i32 {
    let text = lab.text("/run/openrc/rc-sv/.internal/pid");
    text.trim().parse().expect("a pid")
}

/// The pid of the supervisor, when there is one.
#[track_caller]
pub fn supervisor(lab: &Lab) -> i32 {
    until("there is a supervisor", SOON, || {
        let guardian = guardian(lab);
        let found = lab.sh(&format!(
            "pgrep -x rc-sv-superviso -P {guardian} -r D,R,S,T"
        ));
        found.stdout.trim().parse().ok()
    })
}

/// The starts of a service, when there are at least `count`.
#[track_caller]
pub fn starts(lab: &Lab, service: &str, count: usize) -> Vec<Line> {
    lab.report(&format!("/tmp/{service}"), "start", count, SOON)
}

/// How often a service has been started so far.
pub fn start_count(lab: &Lab, service: &str) -> usize {
    lab.reported(&format!("/tmp/{service}"), "start")
}

/// Waits until OpenRC has been told that the service has failed.
#[track_caller]
pub fn until_failed(lab: &Lab, service: &str) {
    lab.wait_for_file(format!("/run/openrc/failed/{service}"), |_| true, SOON);
}

/// Waits until OpenRC has been told that the service is no longer started.
#[track_caller]
pub fn until_stopped(lab: &Lab, service: &str) {
    lab.wait_for_absence(format!("/run/openrc/started/{service}"), SOON);
}

/// Whether OpenRC takes the service for failed.
pub fn failed(lab: &Lab, service: &str) -> bool {
    lab.exists(format!("/run/openrc/failed/{service}"))
}

/// What the module says of the service.
#[track_caller]
pub fn status(lab: &Lab, service: &str) -> String {
    rc(lab, service, "status").all()
}

/// Asks for the status of a service until it has this in it.
#[track_caller]
pub fn until_status(lab: &Lab, service: &str, words: &str) {
    let deadline = Instant::now() + SOON;
    loop {
        let said = status(lab, service);
        if said.contains(words) {
            return;
        }
        assert!(Instant::now() < deadline, "{service}: not {words}: {said}");
    }
}

/// The shortest of up to five times that `act` takes; one below `limit` is enough. A machine that
/// is busy with something else makes some of them longer, but not all.
pub fn quickest(limit: Duration, mut act: impl FnMut()) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let begun = Instant::now();
        act();
        best = best.min(begun.elapsed());
        if best < limit {
            break;
        }
    }
    best
}

/// Refused in one line, which begins like this and says this.
#[track_caller]
pub fn refused(output: &Output, start: &str, words: &str) {
    assert_eq!(output.code(), 1, "{output}");
    let lines: Vec<_> = output.stderr.lines().collect();
    assert_eq!(lines.len(), 1, "{output}");
    assert!(
        lines[0].starts_with(start) && lines[0].contains(words),
        "{words}: {output}"
    );
}
