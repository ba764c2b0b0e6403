//! An ordinary user's own supervisor, which the limits of the system hold for.

mod internal;
mod openrc;

use std::time::Duration;

use internal::PROBE;
use openrc::{KILL, SOON};
use rc_sv_tests::lab::until;
use rc_sv_tests::{Lab, Output};

/// Somebody who has no other process anywhere.
const USER: &str = "54321";

/// Runs a program as that user, for the user's own state directory.
#[track_caller]
fn as_user(lab: &Lab, words: &[&str]) -> Output {
    let (uid, gid) = (format!("--reuid={USER}"), format!("--regid={USER}"));
    let change = ["setpriv", &uid, &gid, "--clear-groups"];
    let run = lab.run(change.iter().chain(words));
    run.env("RC_SVCDIR", "/srv/user/openrc")
        .env("RCSV_respawn_delay", "200ms")
        .env("RCSV_respawn_max", "0")
        .env("RCSV_rc_supervise_delay_factor", "1")
        .env("RCSV_rc_supervise_policy", "on-abort")
        .output()
}

#[test]
fn a_user_who_may_have_no_more_processes_gets_the_service_back_later() {
    let lab = Lab::new();
    lab.sh(&format!(
        "mkdir -p /srv/user/openrc; chown -R {USER}:{USER} /srv/user"
    ))
    .ok();
    let report = "/srv/user/foo";
    let start = [
        "rc-sv-loader",
        "start",
        "foo",
        "--module",
        "internal",
        "--",
        PROBE,
        "--report",
        report,
    ];
    as_user(&lab, &start).ok();
    let first = lab.report(report, "start", 1, SOON)[0].clone();
    assert!(first.get("uid").starts_with(USER), "{first:?}");

    let guardian = lab.text("/srv/user/openrc/rc-sv/.internal/pid");
    let pid = lab.sh(&format!("pgrep -P {}", guardian.trim())).ok();
    let pid = pid.trim();
    let supervisor = pid.parse().expect("a pid");
    let before = lab.used(supervisor);
    as_user(&lab, &["prlimit", "--pid", pid, "--nproc=1:"]).ok();
    lab.kill(first.pid(), KILL);
    // It tries again and again, at its own pace.
    until("some attempts that failed", SOON, || {
        let said = as_user(&lab, &["rc-sv-loader", "status", "foo", "--json"]).ok();
        let status: serde_json::Value = serde_json::from_str(&said).expect("JSON");
        let is_told = said.contains("temporarily unavailable");
        (is_told && status["restarts"].as_u64() >= Some(5)).then_some(())
    });
    let spent = lab.used(supervisor) - before;
    assert!(spent < Duration::from_millis(300), "{spent:?}");
    assert_eq!(lab.report(report, "start", 1, SOON).len(), 1);

    as_user(&lab, &["prlimit", "--pid", pid, "--nproc=1000:"]).ok();
    lab.report(report, "start", 2, SOON);
    as_user(&lab, &["rc-sv-loader", "stop", "foo"]).ok();
    assert_eq!(as_user(&lab, &["rc-sv-loader", "status", "foo"]).code(), 3);
}
