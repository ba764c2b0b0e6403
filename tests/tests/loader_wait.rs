//! `rc-sv-loader wait`: it returns when the service is as it should be, and says why not.

mod internal;
mod openrc;

use internal::{probe, starts, until_failed, AT_ONCE};
use openrc::{rc, SOON};
use rc_sv_tests::Lab;

/// The signal on which a probe says that it is ready.
const USR1: i32 = 10;

#[test]
fn it_is_over_when_the_service_is_ready_and_when_it_is_down() {
    let lab = Lab::new();
    probe(&lab, "slow", "--on USR1=READY=1", "notify=socket:ready");
    let waiting = lab.spawn("rc-sv-loader wait slow; echo $? >/tmp/up");
    let start = lab.spawn("rc-service slow start");
    let pid = starts(&lab, "slow", 1)[0].pid();
    let output = lab.sh("rc-sv-loader wait slow --timeout 50ms");
    assert_eq!(output.code(), 99, "{output}");
    assert_eq!(output.stderr.lines().count(), 1, "{output}");
    assert!(output.stderr.contains("not up"), "{output}");
    assert!(!lab.exists("/tmp/up"));
    lab.kill(pid, USR1);
    assert_eq!(lab.wait_for_lines("/tmp/up", 1, SOON), ["0"]);
    waiting.wait(SOON).ok();
    start.wait(SOON).ok();

    let waiting = lab.spawn("rc-sv-loader wait slow down; echo $? >/tmp/down");
    rc(&lab, "slow", "stop").ok();
    assert_eq!(lab.wait_for_lines("/tmp/down", 1, SOON), ["0"]);
    waiting.wait(SOON).ok();
}

#[test]
fn it_does_not_wait_for_what_was_given_up() {
    let lab = Lab::new();
    let conf = format!("{AT_ONCE}respawn_max=1");
    probe(&lab, "broken", "--exit 3", &conf);
    rc(&lab, "broken", "start").ok();
    until_failed(&lab, "broken");
    let output = lab.sh("rc-sv-loader wait broken --timeout 1h");
    assert_eq!(output.code(), 102, "{output}");
    assert!(output.stderr.contains("given up"), "{output}");
    lab.sh("rc-sv-loader wait broken down").ok();
}
