//! The monit module against the real monit: what it executes, and what it may not.

mod monit;

use monit::openrc::{alive, rc, KILL, SOON};
use monit::{ask, assert_none, assert_one, lab, monit as run_monit, simple, starts, until_code};
use monit::{until_status, AT_ONCE, NOTED, PROBE};
use rc_sv_tests::lab::until;
use rc_sv_tests::{Lab, Output};

/// What monit executes.
fn respawn(lab: &Lab, service: &str, why: &str) -> Output {
    let directory = format!("/run/openrc/rc-sv/{service}");
    lab.run(["/usr/libexec/rc-sv/rc-sv-exec", "respawn", &directory, why])
        .output()
}

#[test]
fn what_openrc_does_not_want_is_refused() {
    let lab = lab();
    simple(&lab, "foo", "", AT_ONCE);
    rc(&lab, "foo", "start").ok();
    let first = starts(&lab, "foo", 1)[0].pid();
    // It runs: there is nothing to do.
    assert_eq!(respawn(&lab, "foo", "exited").code(), 0);
    assert_eq!(assert_one(&lab, "foo", 1), first);

    // Whatever OpenRC is about to do, it does itself.
    lab.kill(first, KILL);
    lab.wait_dead(first, SOON);
    for state in ["starting", "stopping", "inactive"] {
        let mark = format!("/run/openrc/{state}/foo");
        lab.sh(&format!("ln -s /etc/init.d/foo {mark}")).ok();
        assert_eq!(respawn(&lab, "foo", "exited").code(), 0);
        assert_eq!(lab.pids("probe-daemon"), [0; 0], "{state}");
        lab.sh(&format!("rm {mark}")).ok();
    }
    lab.sh("mv /run/openrc/started/foo /tmp/mark").ok();
    assert_eq!(respawn(&lab, "foo", "exited").code(), 0);
    assert_eq!(lab.pids("probe-daemon"), [0; 0]);
    lab.sh("mv /tmp/mark /run/openrc/started/foo").ok();

    // It is dead, and wanted: this becomes the daemon.
    let job = lab.spawn("exec /usr/libexec/rc-sv/rc-sv-exec respawn /run/openrc/rc-sv/foo exited");
    let second = starts(&lab, "foo", 2)[1].pid();
    assert_eq!(assert_one(&lab, "foo", 1), second);
    rc(&lab, "foo", "stop").ok();
    assert_ne!(job.wait(SOON).code(), 0, "it was the daemon");
    assert_none(&lab, "foo", 1);
    // It is not there any more.
    assert_eq!(respawn(&lab, "foo", "exited").code(), 100);
    assert_none(&lab, "foo", 1);
}

#[test]
fn many_at_once_make_one() {
    let lab = lab();
    simple(&lab, "foo", "", AT_ONCE);
    rc(&lab, "foo", "start").ok();
    for count in 1..6 {
        let pid = starts(&lab, "foo", count)[count - 1].pid();
        lab.kill(pid, KILL);
        lab.wait_dead(pid, SOON);
        let many = "for i in 1 2 3 4 5 6 7 8; do \
            /usr/libexec/rc-sv/rc-sv-exec respawn /run/openrc/rc-sv/foo exited & done";
        lab.sh(many).ok();
        starts(&lab, "foo", count + 1);
        assert_one(&lab, "foo", 1);
    }
    assert_eq!(starts(&lab, "foo", 6).len(), 6);
}

#[test]
fn an_unhealthy_service_is_stopped_and_run_again() {
    let lab = lab();
    let _monit = run_monit(&lab);
    let conf =
        "rc_supervise_health='exec:\"/usr/bin/test ! -e /tmp/sick\" interval=1s failures=1'\n\
                rc_supervise_unhealthy=\"/usr/bin/touch /tmp/told\"\n";
    simple(&lab, "foo", "", &format!("{AT_ONCE}{conf}"));
    rc(&lab, "foo", "start").ok();
    let first = starts(&lab, "foo", 1)[0].pid();
    lab.sh("touch /tmp/sick").ok();
    lab.wait_for_file("/tmp/told", |_| true, SOON);
    lab.sh("rm /tmp/sick").ok();
    starts(&lab, "foo", 2);
    assert!(!alive(&lab, first));
    // The check may have been made once more before, and then there is one more run.
    until("a healthy one", SOON, || {
        let said = ask(&lab, &["status", "foo.health1"]).all();
        let status = said
            .lines()
            .map(str::trim)
            .find(|line| line.starts_with("status"));
        status.filter(|line| line.ends_with("OK")).map(|_| ())
    });
    until("nobody at work", SOON, || {
        lab.pids("rc-sv-exec").is_empty().then_some(())
    });
    assert_one(&lab, "foo", 1);
    rc(&lab, "foo", "stop").ok();
    assert_none(&lab, "foo", 1);
}

/// OpenRC does not find a daemon that is a script.
const OWN_STOP: &str = "stop() { start-stop-daemon -K -p $pidfile; }\n";

/// A daemon that goes into the background by itself.
const FORKS: &str = "#!/bin/sh\n[ ! -e /tmp/broken ] || exit 3\n\
    setsid sleep 4242 </dev/null >/dev/null 2>&1 &\necho $! >/run/foo.pid\necho $! >>/tmp/foo\n";

#[test]
fn a_program_that_goes_into_the_background_is_run_again() {
    let lab = lab();
    let _monit = run_monit(&lab);
    lab.write("/usr/local/bin/forks", FORKS, 0o755);
    lab.service(
        "foo",
        &format!("command=/usr/local/bin/forks\npidfile=/run/foo.pid\n{OWN_STOP}{NOTED}"),
    );
    lab.conf(
        "foo",
        &format!("rc_supervise_module=monit\n{AT_ONCE}respawn_max=3\n"),
    );
    rc(&lab, "foo", "start").ok();
    for count in 1..4 {
        let pid: i32 = lab.wait_for_lines("/tmp/foo", count, SOON)[count - 1]
            .parse()
            .expect("a pid");
        lab.kill(pid, KILL);
    }
    lab.wait_for_lines("/tmp/foo", 4, SOON);
    until("one", SOON, || (lab.pids("sleep").len() == 1).then_some(()));
    until_code(&lab, "foo", 0);
    assert_eq!(monit::runs(&lab, "foo"), 1);
    rc(&lab, "foo", "stop").ok();
    // One that is dying can still be seen when start-stop-daemon sees it no more.
    until("none", SOON, || lab.pids("sleep").is_empty().then_some(()));

    // One that fails is tried again, and given up.
    rc(&lab, "foo", "start").ok();
    lab.sh("touch /tmp/broken; kill -9 $(cat /run/foo.pid)")
        .ok();
    lab.wait_for_file("/run/openrc/failed/foo", |_| true, SOON);
    let said = until_status(&lab, "foo", "gave up");
    assert!(said.contains("exited 3"), "{said}");
}

#[test]
fn a_script_with_a_start_of_its_own_is_refused_in_one_line() {
    let lab = lab();
    let own = format!(
        "pidfile=/run/foo.pid\nstart() {{\n\
         start-stop-daemon -S -b -m -p $pidfile -x {PROBE} -- --report /tmp/foo\n}}\n{OWN_STOP}{NOTED}"
    );
    for command in ["", "command=/bin/sleep\n"] {
        lab.service("foo", &format!("{command}{own}"));
        lab.conf("foo", "rc_supervise_module=monit\n");
        let said = rc(&lab, "foo", "start");
        assert_eq!(said.code(), 1, "{said}");
        let line = "it has a start() of its own, which cannot be run again without OpenRC";
        assert_eq!(said.all().matches(line).count(), 1, "{said}");
        until("none", SOON, || {
            lab.pids("probe-daemon").is_empty().then_some(())
        });
    }
}
