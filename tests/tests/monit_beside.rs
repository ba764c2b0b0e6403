//! The monit module against the real monit: control files beside others, and none that would end it.

mod monit;

use monit::openrc::{rc, KILL, SOON};
use monit::{
    assert_none, assert_one, control_file, lab, lab_with, monit as run_monit, monit_pid, no_daemon,
    simple, starts, until_status, until_watched, AT_ONCE,
};
use rc_sv_tests::lab::until;
use rc_sv_tests::Lab;

/// What an administrator gives for foo, who writes its name as monit may.
const GIVEN: &str = "check process Foo with pidfile /run/foo.pid\n  if does not exist then exec \
    \"/usr/libexec/rc-sv/rc-sv-exec respawn /run/openrc/rc-sv/foo exited\" repeat every 3 cycles\n";

/// The start of `service` fails with these words, and leaves nothing.
#[track_caller]
fn refused(lab: &Lab, service: &str, why: &str) {
    let said = rc(lab, service, "start");
    assert_eq!(said.code(), 1, "{said}");
    assert_eq!(said.all().matches(why).count(), 1, "{said}");
    assert!(!lab.exists(control_file(service)));
}

/// The line of the seed and that of the manual, both of which somebody has written.
#[test]
fn one_that_is_included_twice() {
    let lab = lab_with("INCLUDE /run/openrc-monit/*\n");
    let _monit = run_monit(&lab);
    let monit = monit_pid(&lab);
    simple(&lab, "foo", "", AT_ONCE);
    let why = "/etc/monitrc includes /run/openrc-monit 2 times";
    refused(&lab, "foo", why);
    no_daemon(&lab);
    let said = lab.run(["rc-sv-loader", "check", "--module", "monit"]);
    let said = said.output();
    assert!(said.code() == 1 && said.all().contains(why), "{said}");

    // Where only monit can tell, it is asked.
    let twice = "include /run/*/*.monitrc\n";
    let text = lab.text("/etc/monitrc");
    lab.write(
        "/etc/monitrc",
        text.replace("INCLUDE /run/openrc-monit/*\n", twice),
        0o600,
    );
    refused(&lab, "foo", "Service name conflict, foo already defined");
    no_daemon(&lab);
    let once = text.replace("INCLUDE /run/openrc-monit/*\n", "");
    let once = once.replace("include /run/openrc-monit/*.monitrc\n", twice);
    lab.write("/etc/monitrc", once, 0o600);
    rc(&lab, "foo", "start").ok();
    until_watched(&lab, "foo");
    assert_eq!(monit_pid(&lab), monit);
}

/// Names that OpenRC can tell apart, and monit cannot: whether it runs, or comes and reads all of it.
#[test]
fn two_services_with_one_name() {
    let lab = lab();
    let health = "rc_supervise_health=\"exec:/bin/true interval=1s\"";
    simple(&lab, "foo", "", health);
    simple(&lab, "FOO", "", "");
    simple(&lab, "foo.health1", "", "");
    rc(&lab, "foo", "start").ok();
    starts(&lab, "foo", 1);
    let conflict = |name: &str| {
        format!("/run/openrc-monit/{name}.monitrc:2: Service name conflict, {name} already defined")
    };
    for name in ["FOO", "foo.health1"] {
        refused(&lab, name, &conflict(name));
    }
    let _monit = run_monit(&lab);
    until_watched(&lab, "foo");
    for (name, taken) in [("FOO", "foo"), ("foo.health1", "foo.health1")] {
        let why = format!("monit has a check {taken} already, for the service foo");
        refused(&lab, name, &why);
    }
    assert_one(&lab, "foo", 1);

    // What is gone has no name, whether monit has read its control file since or not.
    rc(&lab, "foo", "stop").ok();
    rc(&lab, "foo.health1", "start").ok();
    until_watched(&lab, "foo.health1");
    rc(&lab, "FOO", "start").ok();
    until_watched(&lab, "FOO");
    // One that is ending is seen for a while.
    until("both", SOON, || {
        (lab.pids("probe-daemon").len() == 2).then_some(())
    });
}

#[test]
fn a_given_file_with_the_name_in_another_case() {
    let lab = lab();
    let _monit = run_monit(&lab);
    simple(&lab, "foo", "", &format!("{AT_ONCE}rc_monit_type=file"));
    lab.sh("mkdir -p -m 755 /etc/conf.d/monit-files").ok();
    lab.write("/etc/conf.d/monit-files/foo", GIVEN, 0o644);
    rc(&lab, "foo", "start").ok();
    until_watched(&lab, "foo");
    rc(&lab, "foo", "restart").ok();
    until_watched(&lab, "foo");
    let second = starts(&lab, "foo", 2)[1].pid();
    lab.kill(second, KILL);
    starts(&lab, "foo", 3);
    assert_one(&lab, "foo", 2);
    // What monit says of a file names the one that was given.
    rc(&lab, "foo", "stop").ok();
    lab.write("/etc/conf.d/monit-files/foo", "check process foo\n", 0o644);
    refused(
        &lab,
        "foo",
        "the control file: /etc/conf.d/monit-files/foo:",
    );
    assert_none(&lab, "foo", 3);
}

/// As at each boot where init begins it last.
#[test]
fn monits_own_check_waits_for_monit() {
    let own = "check process foo with pidfile /run/foo.pid\n  if does not exist then alert\n";
    let lab = lab_with(own);
    simple(&lab, "foo", "", "rc_monit_type=native");
    let said = rc(&lab, "foo", "start");
    assert_eq!(said.code(), 0, "{said}");
    assert!(said.all().contains("monit watches it later"), "{said}");
    assert_one(&lab, "foo", 1);
    until_status(&lab, "foo", "monit does not run");
    let _monit = run_monit(&lab);
    until_watched(&lab, "foo");
    rc(&lab, "foo", "stop").ok();
    assert_none(&lab, "foo", 1);
}
