//! What people are told of checks, and what an unhealthy() that hangs holds up: nothing.

mod internal;
mod openrc;

use internal::{probe, starts, until_status as until, AT_ONCE};
use openrc::{rc, SOON};
use rc_sv_tests::Lab;

/// A check that passes while a file is there.
const FILE: &str = "exec:'/usr/bin/test -e /tmp/well'";

#[test]
fn a_script_without_healthcheck_is_not_called_healthy() {
    openrc::shells(|shell| {
        let lab = Lab::builder().shell(shell).build();
        probe(&lab, "none", "", "healthcheck_timer=0.1");
        rc(&lab, "none", "start").ok();
        let said = "a check could not be made: healthcheck(): the runscript has none";
        until(&lab, "none", said);
        let json = lab.sh("rc-sv-loader status none --json").ok();
        let status: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(status["healthy"], serde_json::Value::Null, "{json}");
        assert_eq!(starts(&lab, "none", 1).len(), 1, "that is no failure");
        // Whom rc-sv has nothing to do with OpenRC answers as ever.
        lab.conf("none", "");
        lab.sh("rm -r /run/openrc/options/none").ok();
        rc(&lab, "none", "healthcheck").ok();
    });
}

#[test]
fn a_restart_does_not_wait_for_an_unhealthy_that_hangs() {
    let lab = Lab::new();
    lab.write(
        "/usr/local/bin/hang",
        "#!/bin/sh\necho $$ >>/tmp/hangs\nexec sleep 4244\n",
        0o755,
    );
    let conf = format!(
        "{AT_ONCE}rc_supervise_health=\"{FILE} interval=100ms failures=1\"\n\
         rc_supervise_unhealthy=hang\nrc_supervise_health_timeout=1h\n"
    );
    probe(&lab, "slow", "", &conf);
    rc(&lab, "slow", "start").ok();
    lab.wait_for_lines("/tmp/hangs", 1, SOON);
    lab.sh("rc-sv-loader restart slow").ok();
    starts(&lab, "slow", 2);
}

#[test]
fn a_failure_is_told_with_the_check_that_found_it() {
    let lab = Lab::new();
    let alone = "interval=100ms failures=1 action=alert";
    let conf = format!(
        "rc_supervise_health='exec:/bin/true {alone};exec:\"/bin/sleep 4245\" timeout=100ms {alone}'\n"
    );
    probe(&lab, "two", "", &conf);
    rc(&lab, "two", "start").ok();
    // Not only the first time, when it is known before the check is dead.
    let again = "unhealthy: check 2 did not end within 100 ms (";
    until(&lab, "two", again);
}
