//! The monit module against the real monit: under watch, and out of it.

mod monit;

use monit::openrc::{alive, rc, KILL, SOON};
use monit::{
    ask, assert_none, assert_one, control_file, lab, monit as run_monit, monit_pid, runs, simple,
    starts, until_code, until_status, until_unwatched, until_watched, AT_ONCE,
};
use rc_sv_tests::lab::until;

const STOP: i32 = 19;
const CONT: i32 = 18;

#[test]
fn openrc_starts_it_and_monit_watches_it() {
    let lab = lab();
    let _monit = run_monit(&lab);
    simple(&lab, "foo", "", AT_ONCE);
    let said = rc(&lab, "foo", "start").ok();
    assert_eq!(said.matches("Starting foo").count(), 1, "{said}");
    let first = starts(&lab, "foo", 1)[0].clone();
    assert_eq!(assert_one(&lab, "foo", 1), first.pid());
    until_watched(&lab, "foo");
    let said = until_status(&lab, "foo", " up ");
    assert!(said.contains(&format!("pid {} ", first.pid())), "{said}");

    lab.kill(first.pid(), KILL);
    let second = starts(&lab, "foo", 2)[1].clone();
    assert_eq!(second.argv(), first.argv());
    let said = until_status(&lab, "foo", "1 restart");
    assert!(said.contains(&format!("pid {} ", second.pid())), "{said}");
    assert_eq!(assert_one(&lab, "foo", 1), second.pid());
    let count = lab.text("/run/openrc/options/foo/start_count");
    assert_eq!(count.trim(), "1");
    assert_eq!(lab.text("/run/foo.pid").trim(), second.pid().to_string());

    rc(&lab, "foo", "restart").ok();
    let third = starts(&lab, "foo", 3)[2].pid();
    assert_eq!(assert_one(&lab, "foo", 2), third);
    assert!(!alive(&lab, second.pid()));
    until_watched(&lab, "foo");

    rc(&lab, "foo", "stop").ok();
    assert_none(&lab, "foo", 2);
    until_unwatched(&lab, "foo");
    assert!(!lab.exists("/run/openrc/rc-sv/foo"));
}

#[test]
fn a_monit_that_comes_later_watches_it_then() {
    let lab = lab();
    simple(&lab, "foo", "", AT_ONCE);
    let said = rc(&lab, "foo", "start");
    assert_eq!(said.code(), 0, "{said}");
    assert!(said.all().contains("monit watches it later"), "{said}");
    let first = starts(&lab, "foo", 1)[0].pid();
    let said = until_status(&lab, "foo", "monit does not run");
    assert!(said.contains(" up "), "{said}");

    let _monit = run_monit(&lab);
    until_watched(&lab, "foo");
    lab.kill(first, KILL);
    let second = starts(&lab, "foo", 2)[1].pid();
    assert_eq!(assert_one(&lab, "foo", 1), second);
}

#[test]
fn a_monit_that_is_gone_holds_up_no_stop() {
    let lab = lab();
    let monit = run_monit(&lab);
    simple(&lab, "foo", "", AT_ONCE);
    rc(&lab, "foo", "start").ok();
    let first = starts(&lab, "foo", 1)[0].pid();
    lab.kill(monit_pid(&lab), KILL);
    assert_ne!(monit.wait(SOON).code(), 0);
    lab.kill(first, KILL);
    rc(&lab, "foo", "stop").ok();
    assert_none(&lab, "foo", 1);

    // monit remembers what it watched, and finds nothing of it.
    let _monit = run_monit(&lab);
    until_unwatched(&lab, "foo");
    assert_none(&lab, "foo", 1);
}

#[test]
fn a_monit_that_hangs_is_not_waited_for() {
    let lab = lab();
    let _monit = run_monit(&lab);
    simple(&lab, "foo", "", AT_ONCE);
    simple(&lab, "bar", "", AT_ONCE);
    rc(&lab, "foo", "start").ok();
    starts(&lab, "foo", 1);
    let monit = monit_pid(&lab);
    lab.kill(monit, STOP);
    let said = rc(&lab, "bar", "start");
    assert_eq!(said.code(), 0, "{said}");
    assert!(said.all().contains("monit does not answer"), "{said}");
    let bar = starts(&lab, "bar", 1)[0].pid();
    until_status(&lab, "bar", "monit does not answer");
    rc(&lab, "foo", "stop").ok();
    assert_eq!(lab.pids("probe-daemon"), [bar]);
    assert!(!lab.exists(control_file("foo")));

    lab.kill(monit, CONT);
    lab.run(["monit", "-c", "/etc/monitrc", "reload"])
        .output()
        .ok();
    until_watched(&lab, "bar");
    lab.kill(bar, KILL);
    starts(&lab, "bar", 2);
    assert_eq!(runs(&lab, "foo"), 1);
    assert_eq!(rc(&lab, "foo", "status").code(), 3);
    assert_one(&lab, "bar", 1);
}

#[test]
fn a_service_that_dies_again_and_again_is_given_up() {
    let lab = lab();
    let _monit = run_monit(&lab);
    let give_up = "rc_supervise_on_give_up=\"/usr/bin/touch /tmp/told\"\n";
    simple(
        &lab,
        "foo",
        "--exit 7",
        &format!("{AT_ONCE}respawn_max=2\n{give_up}"),
    );
    rc(&lab, "foo", "start").ok();
    lab.wait_for_file("/run/openrc/failed/foo", |_| true, SOON);
    lab.wait_for_absence(control_file("foo"), SOON);
    until_status(&lab, "foo", "gave up");
    until_code(&lab, "foo", 3);
    lab.wait_for_file("/tmp/told", |_| true, SOON);
    assert_eq!(starts(&lab, "foo", 3).len(), 3);
    until_unwatched(&lab, "foo");
    assert_eq!(runs(&lab, "foo"), 1);

    // A person may try again.
    simple(&lab, "foo", "", AT_ONCE);
    rc(&lab, "foo", "start").ok();
    starts(&lab, "foo", 4);
    assert_one(&lab, "foo", 2);
    until_watched(&lab, "foo");
}

#[test]
fn a_stop_ends_what_waits_for_its_next_run() {
    let lab = lab();
    let _monit = run_monit(&lab);
    simple(&lab, "foo", "--exit 7", "respawn_delay=4242");
    rc(&lab, "foo", "start").ok();
    starts(&lab, "foo", 1);
    let said = until_status(&lab, "foo", "restarting in");
    assert!(said.contains("(1 of 10)"), "{said}");
    // monit asks again at each look, and each time somebody finds that it is in hand.
    let in_hand = |count: usize| {
        until("who has it in hand", SOON, || {
            (lab.pids("rc-sv-exec").len() == count).then_some(())
        });
    };
    in_hand(1);
    let said = rc(&lab, "foo", "stop").ok();
    assert_eq!(said.matches("Stopping foo").count(), 1, "{said}");
    assert_none(&lab, "foo", 1);
    in_hand(0);
    assert_eq!(starts(&lab, "foo", 1).len(), 1);
}

/// The script for systems without an inittab.
const SCRIPT: &str = include_str!("../../examples/monit/monit.initd");

#[test]
fn openrc_can_run_monit() {
    let lab = lab();
    lab.write("/etc/init.d/monit", SCRIPT, 0o755);
    rc(&lab, "monit", "start").ok();
    until("monit", SOON, || {
        (ask(&lab, &["summary"]).code() == 0).then_some(())
    });
    simple(&lab, "foo", "", AT_ONCE);
    rc(&lab, "foo", "start").ok();
    let first = starts(&lab, "foo", 1)[0].pid();
    until_watched(&lab, "foo");
    // OpenRC brings it back, and it finds what it is to watch.
    let monit = monit_pid(&lab);
    lab.kill(monit, KILL);
    lab.kill(first, KILL);
    starts(&lab, "foo", 2);
    assert_ne!(monit_pid(&lab), monit);
    assert_one(&lab, "foo", 1);
    rc(&lab, "foo", "stop").ok();
    rc(&lab, "monit", "stop").ok();
}
