//! The monit module against the real monit: control files that were given, and monit's own.

mod monit;

use monit::openrc::{rc, KILL, SOON};
use monit::{
    ask, assert_none, assert_one, control_file, lab, lab_with, monit as run_monit, monit_pid,
    no_daemon, simple, starts, until_unwatched, until_watched, AT_ONCE,
};
use rc_sv_tests::lab::until;
use rc_sv_tests::Lab;

/// What an administrator gives for foo.
const GIVEN: &str = "check process foo with pidfile /run/foo.pid\n  if does not exist then exec \
    \"/usr/libexec/rc-sv/rc-sv-exec respawn /run/openrc/rc-sv/foo exited\" repeat every 3 cycles\n";

fn give(lab: &Lab, text: &str) {
    lab.sh("mkdir -p /etc/conf.d/monit-files && chmod 755 /etc/conf.d/monit-files")
        .ok();
    lab.write("/etc/conf.d/monit-files/foo", text, 0o644);
}

#[test]
fn a_file_that_was_given() {
    let lab = lab();
    let _monit = run_monit(&lab);
    simple(&lab, "foo", "", &format!("{AT_ONCE}rc_monit_type=file"));
    give(&lab, GIVEN);
    rc(&lab, "foo", "start").ok();
    let first = starts(&lab, "foo", 1)[0].pid();
    until_watched(&lab, "foo");
    assert!(lab.text(control_file("foo")).starts_with(GIVEN));
    lab.kill(first, KILL);
    starts(&lab, "foo", 2);
    assert_one(&lab, "foo", 1);
    rc(&lab, "foo", "stop").ok();
    assert_none(&lab, "foo", 1);
    until_unwatched(&lab, "foo");
    assert_eq!(lab.text("/etc/conf.d/monit-files/foo"), GIVEN);
}

/// A control file that does not fit is refused in one line; the service does not stay, and monit
/// lives.
#[test]
fn a_file_that_does_not_fit_harms_nobody() {
    let lab = lab_with("check process taken with pidfile /run/taken.pid\n");
    let _monit = run_monit(&lab);
    let monit = monit_pid(&lab);
    let path = "/etc/conf.d/monit-files/foo";
    let missing = "check process foo with pidfile /x\ncheck program bar with path /no/such\n";
    let long = format!("check process foo with pidfile '/{}'\n", "x".repeat(16_500));
    let loops = "check process foo with pidfile /x\n  start program = \"/etc/init.d/foo start\"\n";
    let cases = [
        (loops, "line 2: the start program \"/etc/init.d/foo start\""),
        ("set daemon 5\n", "line 1: `set` is for monit's own"),
        (
            "check process foo\n",
            "monit does not take the control file",
        ),
        (missing, "line 2: a second check, bar"),
        (&long, "monit does not take the control file"),
        (
            "check process foo with pidfile /x\n  depends on nobody\n",
            "monit does not take",
        ),
        (
            "check program foo with path /no/such\n",
            "monit does not take",
        ),
    ];
    for (text, why) in cases {
        simple(&lab, "foo", "", "rc_monit_type=file");
        give(&lab, text);
        let said = rc(&lab, "foo", "start");
        assert_eq!(said.code(), 1, "{text}: {said}");
        assert_eq!(said.all().matches(why).count(), 1, "{text}: {said}");
        assert!(!lab.exists(control_file("foo")), "{text}");
    }
    // Names have no case, and that of the machine is taken too.
    for (name, why) in [
        (
            "TAKEN",
            "monit has a check taken already, from /etc/monitrc",
        ),
        (
            "lab",
            "monit has a check lab already, of the machine itself",
        ),
    ] {
        simple(&lab, name, "", "");
        let said = rc(&lab, name, "start");
        assert_eq!(said.code(), 1, "{said}");
        assert!(said.all().contains(why), "{said}");
        assert!(!lab.exists(control_file(name)));
    }
    // What others can write is not root's word.
    simple(&lab, "foo", "", "rc_monit_type=file");
    give(&lab, GIVEN);
    for harm in [
        "chmod 666 PATH",
        "chown nobody PATH",
        "chmod 777 /etc/conf.d/monit-files",
        "rm PATH; ln -s /tmp/foo PATH; cp /etc/passwd /tmp/foo",
    ] {
        lab.sh("chmod 755 /etc/conf.d/monit-files; rm -f /etc/conf.d/monit-files/foo")
            .ok();
        give(&lab, GIVEN);
        lab.sh(&harm.replace("PATH", path)).ok();
        let said = rc(&lab, "foo", "start");
        assert_eq!(said.code(), 1, "{harm}: {said}");
        assert!(said.all().contains("monit-files"), "{harm}: {said}");
    }
    no_daemon(&lab);
    ask(&lab, &["reload"]).ok();
    until("a reload", SOON, || {
        let log = lab.text("/tmp/monit.log");
        log.contains("Reinitializing").then_some(())
    });
    // It says so before it answers again.
    until("an answer", SOON, || {
        (ask(&lab, &["summary"]).code() == 0).then_some(())
    });
    assert_eq!(monit_pid(&lab), monit);
}

/// Somebody else's broken file keeps monit from a reload that it would not outlive.
#[test]
fn a_broken_file_of_somebody_else() {
    let lab = lab_with("include /etc/monit.d/*\n");
    lab.sh("mkdir /etc/monit.d").ok();
    let _monit = run_monit(&lab);
    let monit = monit_pid(&lab);
    lab.write("/etc/monit.d/bad", "nonsense\n", 0o600);
    simple(&lab, "foo", "", AT_ONCE);
    let said = rc(&lab, "foo", "start");
    assert_eq!(said.code(), 0, "{said}");
    assert!(said.all().contains("monit watches it later"), "{said}");
    assert!(
        said.all().contains("/etc/monit.d/bad:1: syntax error"),
        "{said}"
    );
    lab.sh("rm /etc/monit.d/bad").ok();
    ask(&lab, &["summary"]).ok();
    assert_eq!(monit_pid(&lab), monit);
    ask(&lab, &["reload"]).ok();
    until_watched(&lab, "foo");
}

#[test]
fn a_check_that_monit_has() {
    let own = "check process nginx with pidfile /run/foo.pid\n  if does not exist then alert\n\
               check process loop with pidfile /run/foo.pid\n  start program = \"/etc/init.d/foo start\"\n  onreboot nostart\n\
               check file data with path /etc/passwd\n";
    let lab = lab_with(own);
    let _monit = run_monit(&lab);
    let conf = "rc_monit_type=native\nrc_monit_service=nginx\n";
    simple(&lab, "foo", "", conf);
    ask(&lab, &["unmonitor", "nginx"]).ok();
    until_unwatched(&lab, "nginx");
    let before = lab.text("/etc/monitrc");
    rc(&lab, "foo", "start").ok();
    let first = starts(&lab, "foo", 1)[0].pid();
    until_watched(&lab, "nginx");
    assert_eq!(assert_one(&lab, "foo", 1), first);
    rc(&lab, "foo", "stop").ok();
    assert_none(&lab, "foo", 1);
    until_unwatched(&lab, "nginx");
    assert!(!lab.text("/tmp/monit.log").contains("Reinitializing"));
    assert_eq!(lab.text("/etc/monitrc"), before);

    for (name, why) in [
        ("nobody", "monit has no check nobody"),
        ("loop", "has the start program \"/etc/init.d/foo start\""),
        ("data", "is about no process or program"),
    ] {
        simple(
            &lab,
            "foo",
            "",
            &format!("rc_monit_type=native\nrc_monit_service={name}\n"),
        );
        let said = rc(&lab, "foo", "start");
        assert_eq!(said.code(), 1, "{said}");
        assert_eq!(said.all().matches(why).count(), 1, "{said}");
    }
    no_daemon(&lab);
}

/// Settings that monit does not act upon are refused in monit_behaviour.rs.
#[test]
fn two_that_would_respawn_it_are_refused() {
    let lab = lab();
    simple(&lab, "foo", "", "supervisor=supervise-daemon");
    let said = rc(&lab, "foo", "start");
    assert_eq!(said.code(), 1, "{said}");
    let why = "supervisor=supervise-daemon and monit would both respawn it";
    assert_eq!(said.all().matches(why).count(), 1, "{said}");
    no_daemon(&lab);
}
