//! Scanners and supervisors that die or hang.

use super::openrc::{alive, rc, KILL, SOON};
use super::{start_count, starts, until_status, Suite, AT_ONCE};
use rc_sv_tests::lab::until;

const STOP: i32 = 19;
const CONT: i32 = 18;

/// Longer than anything is waited for.
const LONG: std::time::Duration = std::time::Duration::from_secs(50);

/// A scanner that hangs is named, and takes nothing up when it goes on.
pub fn a_scanner_that_hangs(suite: &Suite) {
    let lab = suite.lab();
    let scanner = lab.pids(suite.scanner)[0];
    lab.kill(scanner, STOP);
    suite.probe(&lab, "foo", "", "");
    let output = lab
        .run(["rc-service", "foo", "start"])
        .timeout(LONG)
        .output();
    assert_eq!(output.code(), 1, "{output}");
    let expected = format!("is stopped by a signal: kill -CONT {scanner}");
    assert!(output.all().contains(&expected), "{output}");
    lab.kill(scanner, CONT);
    // Another service is taken, this one is not.
    suite.probe(&lab, "bar", "", "");
    rc(&lab, "bar", "start").ok();
    starts(&lab, "bar", 1);
    assert_eq!(start_count(&lab, "foo"), 0);
    rc(&lab, "bar", "stop").ok();
    suite.assert_nothing_left(&lab);
    rc(&lab, "foo", "start").ok();
    starts(&lab, "foo", 1);
}

/// A stop does not need the scanner, whether it hangs or is gone.
pub fn a_stop_without_the_scanner(suite: &Suite) {
    let lab = suite.lab();
    suite.probe(&lab, "foo", "", "");
    suite.probe(&lab, "bar", "", "");
    let daemons = ["foo", "bar"].map(|service| {
        rc(&lab, service, "start").ok();
        starts(&lab, service, 1)[0].pid()
    });
    let scanner = lab.pids(suite.scanner)[0];
    lab.kill(scanner, STOP);
    rc(&lab, "foo", "stop").ok();
    assert_eq!(daemons.map(|pid| alive(&lab, pid)), [false, true]);
    lab.kill(scanner, KILL);
    lab.wait_dead(scanner, SOON);
    rc(&lab, "bar", "stop").ok();
    assert!(!alive(&lab, daemons[1]));
    suite.assert_nothing_left(&lab);
}

/// A supervisor that hangs makes a stop fail in words; it works when it goes on.
pub fn a_supervisor_that_hangs(suite: &Suite) {
    let lab = suite.lab();
    suite.probe(&lab, "foo", "", "");
    rc(&lab, "foo", "start").ok();
    let daemon = starts(&lab, "foo", 1)[0].pid();
    let supervisor = suite.supervisor_of(&lab, "foo");
    lab.kill(supervisor, STOP);
    let output = lab
        .run(["rc-service", "foo", "stop"])
        .timeout(LONG)
        .output();
    assert_eq!(output.code(), 1, "{output}");
    let what = match suite.module {
        "runit" => "does not say that the service is down",
        _ => "does not end",
    };
    let expected = format!("{} {what}; is it stopped by a signal?", suite.supervisor);
    assert!(output.all().contains(&expected), "{output}");
    lab.kill(supervisor, CONT);
    rc(&lab, "foo", "stop").ok();
    assert!(!alive(&lab, daemon));
    suite.assert_nothing_left(&lab);
}

/// A supervisor that is killed is replaced; the daemon stays the same one, and the only one.
pub fn a_supervisor_that_is_killed(suite: &Suite) {
    let lab = suite.lab();
    suite.probe(&lab, "foo", "", AT_ONCE);
    rc(&lab, "foo", "start").ok();
    let daemon = starts(&lab, "foo", 1)[0].pid();
    for _ in 0..3 {
        let supervisor = suite.supervisor_of(&lab, "foo");
        lab.kill(supervisor, KILL);
        let another = until("another supervisor", SOON, || {
            let pid = suite.supervisor_of(&lab, "foo");
            (pid != supervisor).then_some(pid)
        });
        // The new one has recorded itself when its run has taken the daemon over.
        lab.wait_for_file(
            "/run/openrc/rc-sv/.supervisors/foo",
            |text| text == format!("{another}\n").as_bytes(),
            SOON,
        );
        let said = until_status(&lab, "foo", "up ");
        assert!(said.contains(&format!("pid {daemon} ")), "{said}");
    }
    assert_eq!(start_count(&lab, "foo"), 1);
    // It is still respawned, and known how it ended or that nobody can tell.
    lab.kill(daemon, KILL);
    let second = starts(&lab, "foo", 2)[1].pid();
    until_status(&lab, "foo", &format!("pid {second} "));
    // While there is no supervisor, a stop ends the daemon, and nothing comes back.
    lab.kill(suite.supervisor_of(&lab, "foo"), KILL);
    rc(&lab, "foo", "stop").ok();
    assert!(!alive(&lab, second));
    suite.assert_nothing_left(&lab);
    assert_eq!(start_count(&lab, "foo"), 2);
}

/// Everything of the suite is killed at once: what it left is no obstacle.
pub fn everything_is_killed(suite: &Suite) {
    let lab = suite.lab();
    suite.probe(&lab, "foo", "", AT_ONCE);
    rc(&lab, "foo", "start").ok();
    let daemon = starts(&lab, "foo", 1)[0].pid();
    lab.sh(&format!(
        "pkill -KILL -x {}; pkill -KILL -x {}",
        suite.scanner, suite.supervisor
    ));
    let said = until_status(&lab, "foo", "was killed");
    assert!(said.contains(&daemon.to_string()), "{said}");
    assert_eq!(rc(&lab, "foo", "status").code(), 64, "unsupervised");
    let output = rc(&lab, "foo", "start");
    assert!(output.all().contains("already been started"), "{output}");
    // The FIFOs and the status are stale, and the link is still there.
    lab.sh(&format!(
        "rc-service {} zap; rc-service {0} start",
        suite.service
    ))
    .ok();
    let said = until_status(&lab, "foo", "up ");
    assert!(said.contains(&format!("pid {daemon} ")), "{said}");
    assert_eq!(start_count(&lab, "foo"), 1);
    lab.kill(daemon, KILL);
    starts(&lab, "foo", 2);
    rc(&lab, "foo", "stop").ok();
    suite.assert_nothing_left(&lab);
}

/// A daemon that died while nobody looked is not called up.
pub fn stale_files_tell_no_lies(suite: &Suite) {
    let lab = suite.lab();
    suite.probe(&lab, "foo", "", AT_ONCE);
    rc(&lab, "foo", "start").ok();
    let daemon = starts(&lab, "foo", 1)[0].pid();
    lab.sh(&format!(
        "pkill -KILL -x {}; pkill -KILL -x {}; kill -KILL {daemon}",
        suite.scanner, suite.supervisor
    ));
    lab.wait_dead(daemon, SOON);
    let said = until_status(&lab, "foo", "was killed");
    assert!(!said.contains("pid"), "{said}");
    assert_eq!(rc(&lab, "foo", "status").code(), 32, "crashed");
    // A stop clears everything away, without a scanner.
    lab.run(["rc-sv-loader", "stop", "foo"]).output().ok();
    suite.assert_nothing_left(&lab);
}
