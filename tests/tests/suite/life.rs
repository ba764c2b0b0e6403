//! The life of a service, from its start to its end.

use super::openrc::{alive, rc, KILL, SOON};
use super::{start_count, starts, status, until_status, Suite, AT_ONCE, PROBE};
use rc_sv_tests::lab::until;

/// Follows each signal of a ladder, for those that are stopped.
const CONT: i64 = 18;

/// Start, status, death, restart, reload, stop: and nothing is left.
pub fn from_start_to_end(suite: &Suite) {
    let lab = suite.lab();
    suite.probe(&lab, "foo", "--ignore HUP", AT_ONCE);
    rc(&lab, "foo", "start").ok();
    let first = starts(&lab, "foo", 1)[0].pid();
    assert_eq!(rc(&lab, "foo", "status").code(), 0);
    let said = status(&lab, "foo");
    assert!(said.contains(&format!("up  pid {first} ")), "{said}");
    assert!(lab
        .text("/run/openrc/options/foo/child_pid")
        .contains(&first.to_string()));
    // A second start leaves it alone.
    let again = [PROBE, "--report", "/tmp/foo", "--ignore", "HUP"].join(" ");
    let again = format!(
        "rc-sv-loader start foo --module {} -- {again}",
        suite.module
    );
    lab.sh(&again).ok();
    assert!(alive(&lab, first));

    lab.kill(first, KILL);
    let second = starts(&lab, "foo", 2)[1].pid();
    let said = until_status(&lab, "foo", &format!("pid {second} "));
    assert!(said.contains("1 restart"), "{said}");

    rc(&lab, "foo", "reload").ok();
    lab.report("/tmp/foo", "signal", 1, SOON);
    assert_eq!(start_count(&lab, "foo"), 2);

    rc(&lab, "foo", "restart").ok();
    let third = starts(&lab, "foo", 3)[2].pid();
    assert!(!alive(&lab, second) && alive(&lab, third));

    rc(&lab, "foo", "stop").ok();
    assert!(!alive(&lab, third));
    assert_eq!(rc(&lab, "foo", "status").code(), 3);
    suite.assert_nothing_left(&lab);
    // Whatever comes of the end: not another one.
    assert_eq!(start_count(&lab, "foo"), 3);
    rc(&lab, "foo", "start").ok();
    starts(&lab, "foo", 4);
}

/// The loader's own restart keeps the supervisor, and takes what was captured.
pub fn restart_in_one_step(suite: &Suite) {
    let lab = suite.lab();
    suite.probe(&lab, "foo", "", "");
    rc(&lab, "foo", "start").ok();
    let first = starts(&lab, "foo", 1)[0].clone();
    let supervisor = suite.supervisor_of(&lab, "foo");
    lab.run(["rc-sv-loader", "restart", "foo"]).output().ok();
    let second = starts(&lab, "foo", 2)[1].clone();
    assert_eq!(second.argv(), first.argv());
    assert!(!alive(&lab, first.pid()));
    assert_eq!(suite.supervisor_of(&lab, "foo"), supervisor);
}

/// The ladder is climbed, whatever signals it has, and everything that is left is killed.
pub fn stop_by_the_ladder(suite: &Suite) {
    let lab = suite.lab();
    suite.probe(
        &lab,
        "foo",
        "--ignore INT --ignore TERM --fork plain --fork setsid",
        "retry=INT/4/TERM/4",
    );
    rc(&lab, "foo", "start").ok();
    let first = starts(&lab, "foo", 1)[0].pid();
    let children = lab.report("/tmp/foo", "child", 2, SOON);
    rc(&lab, "foo", "stop").ok();
    let signals = lab.report("/tmp/foo", "signal", 4, SOON);
    let numbers = signals.iter().map(|line| line.number("number"));
    let numbers: Vec<i64> = numbers.filter(|number| *number != CONT).collect();
    assert_eq!(numbers, [2, 15]);
    lab.wait_dead(first, SOON);
    for child in children {
        lab.wait_dead(child.pid(), SOON);
    }
    suite.assert_nothing_left(&lab);
}

/// A service that dies again and again is not called up while it is down, and is given up.
pub fn a_crash_loop_is_told_and_given_up(suite: &Suite) {
    let lab = suite.lab();
    suite.probe(&lab, "foo", "--exit 7", "respawn_delay=30\nrespawn_max=3");
    rc(&lab, "foo", "start").ok();
    let said = until_status(&lab, "foo", "waiting");
    assert!(
        said.contains("restarting in") && said.contains("exited 7"),
        "{said}"
    );
    assert!(!said.contains(" pid "), "{said}");
    rc(&lab, "foo", "stop").ok();
    suite.assert_nothing_left(&lab);

    suite.probe(&lab, "foo", "--exit 7", &format!("{AT_ONCE}respawn_max=2"));
    rc(&lab, "foo", "start").ok();
    lab.wait_for_file("/run/openrc/failed/foo", |_| true, SOON);
    let said = status(&lab, "foo");
    assert!(said.contains("gave up"), "{said}");
    assert_eq!(rc(&lab, "foo", "status").code(), 3);
    let count = start_count(&lab, "foo");
    assert_eq!(count, 1 + 3);
    // A person may try again.
    suite.probe(&lab, "foo", "", "");
    rc(&lab, "foo", "start").ok();
    starts(&lab, "foo", count + 1);
    until_status(&lab, "foo", " up ");
}

/// Ordinary users get what OpenRC has recorded.
pub fn ordinary_users_are_told_what_is_recorded(suite: &Suite) {
    let lab = suite.lab();
    suite.probe(&lab, "foo", "", "");
    rc(&lab, "foo", "start").ok();
    let pid = starts(&lab, "foo", 1)[0].pid();
    let ask = |what: &str| lab.sh(&format!("su nobody -s /bin/sh -c '{what}'"));
    let said = ask("rc-service foo status");
    assert_eq!(said.code(), 0, "{said}");
    assert!(said.all().contains(&format!("pid {pid}")), "{said}");
    assert!(said.all().contains("only root may ask"), "{said}");
    assert_ne!(ask("rc-sv-loader stop foo").code(), 0);
    assert!(alive(&lab, pid));
    rc(&lab, "foo", "stop").ok();
    let stopped = until("the end", SOON, || {
        let said = ask("rc-service foo status");
        (said.code() == 3).then_some(said)
    });
    assert!(stopped.all().contains("stopped"), "{stopped}");
}

/// What every module promises, with a scratch service: also that a call keeps its time-out.
pub fn promises_are_kept(suite: &Suite) {
    let lab = suite.lab();
    // In the scratch directory of the verification no scanner was started, so none is waited for.
    until("the scanner", SOON, || {
        let check = ["rc-sv-loader", "check", "--module", suite.module];
        (lab.run(check).output().code() == 0).then_some(())
    });
    let file = format!("/usr/lib/rc-sv/librc_sv_{}.so", suite.module);
    let output = lab
        .run(["rc-sv-loader", "--verify", &file])
        .timeout(4 * SOON)
        .output();
    assert_eq!(output.code(), 0, "{output}");
    assert!(
        output.all().contains(" 0 failed, 0 doubtful, 0 not run"),
        "{output}"
    );
    suite.assert_nothing_left(&lab);
}
