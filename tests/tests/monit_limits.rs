//! The module monit at the limits of the real monit: what it cannot take is refused in one line, and
//! a monit that runs outlives it.

mod monit;

use monit::openrc::{rc, SOON};
use monit::{
    control_file, lab, lab_with, monit as run_monit, monit_pid, no_daemon, simple, starts,
    until_unwatched, until_watched, AT_ONCE,
};
use rc_sv_tests::lab::until;
use rc_sv_tests::{Job, Lab};

const HUP: i32 = 1;

/// Control files of `count` other services.
fn others(lab: &Lab, count: u32) {
    lab.sh(&format!(
        "mkdir -p -m 700 /run/openrc-monit && cd /run/openrc-monit && for i in $(seq {count}); do \
         echo check file other$i with path /etc/passwd >other$i.monitrc; done"
    ))
    .ok();
}

/// Runs monit, which may open so many files.
#[track_caller]
fn limited(lab: &Lab, files: u32) -> Job<'_> {
    let job = lab.spawn(&format!("ulimit -n {files}; exec monit -Ic /etc/monitrc"));
    until("monit", SOON, || {
        let said = lab.sh("ulimit -n 4096; monit -c /etc/monitrc summary");
        (said.code() == 0).then_some(())
    });
    job
}

/// A start that fails with exactly this line, leaves nothing, and does not harm monit.
#[track_caller]
fn assert_refused(lab: &Lab, why: &str) {
    let said = rc(lab, "foo", "start");
    assert_eq!(said.code(), 1, "{said}");
    assert_eq!(said.all().matches(why).count(), 1, "{said}");
    assert!(!lab.exists(control_file("foo")));
    no_daemon(lab);
    let monit = monit_pid(lab);
    lab.kill(monit, HUP);
    until("a reload", SOON, || {
        let log = lab.text("/tmp/monit.log");
        log.contains("Monit reloaded").then_some(())
    });
    until("monit", SOON, || {
        let said = lab.sh("ulimit -n 4096; monit -c /etc/monitrc summary");
        (said.code() == 0).then_some(())
    });
    assert_eq!(monit_pid(lab), monit);
}

#[test]
fn as_many_control_files_as_monit_takes() {
    let lab = lab();
    others(&lab, 1_023);
    let _monit = limited(&lab, 4_096);
    simple(&lab, "foo", "", AT_ONCE);
    assert_refused(
        &lab,
        "would have 1024 control files, and this monit takes 1024",
    );
    // monit's program, which looks at them all before, needs as many.
    lab.sh("rm /run/openrc-monit/other1.monitrc && ulimit -n 4096 && rc-service foo start")
        .ok();
    starts(&lab, "foo", 1);
    // monit has much to look at.
    until("monit's watch", SOON, || {
        let said = lab.sh("ulimit -n 4096; monit -c /etc/monitrc status foo");
        said.all().contains("Monitored").then_some(())
    });
}

#[test]
fn as_many_files_as_monit_may_open() {
    let lab = lab();
    others(&lab, 20);
    let _monit = limited(&lab, 48);
    simple(&lab, "foo", "", AT_ONCE);
    assert_refused(
        &lab,
        "monit may open 48 files, which is too few for 21 control files",
    );
}

#[test]
fn as_many_words_as_monit_takes() {
    let lab = lab();
    let _monit = run_monit(&lab);
    let check = |words: usize| {
        let words = vec!["x"; words - 1].join(" ");
        format!("{AT_ONCE}rc_supervise_health='exec:\"/bin/true {words}\"'")
    };
    simple(&lab, "foo", "", &check(64));
    assert_refused(
        &lab,
        "the command of a health check has 64 words; monit takes at most 63",
    );
    simple(&lab, "foo", "", &check(63));
    rc(&lab, "foo", "start").ok();
    starts(&lab, "foo", 1);
    until_watched(&lab, "foo");
}

/// Over TCP monit cannot be told to read a control file; all else can be asked, with a password.
#[test]
fn a_monit_that_is_asked_over_tcp() {
    let port = "set httpd port 2812 and use address 127.0.0.1\n  allow someone:hush\n";
    let lab = lab_with(port);
    let toml = |password: &str| {
        format!(
            "[modules.monit]\naddress = \"127.0.0.1:2812\"\nuser = \"someone\"\n\
             password = \"{password}\"\n"
        )
    };
    let _monit = run_monit(&lab);
    simple(&lab, "foo", "", AT_ONCE);
    lab.write("/etc/rc-sv.toml", toml("wrong"), 0o600);
    assert_refused(&lab, "monit at 127.0.0.1:2812 wants a password");
    lab.write("/etc/rc-sv.toml", toml("hush"), 0o600);
    let said = rc(&lab, "foo", "start");
    assert_eq!(said.code(), 0, "{said}");
    assert!(
        said.all().contains("cannot be asked for over TCP"),
        "{said}"
    );
    lab.kill(monit_pid(&lab), HUP);
    until_watched(&lab, "foo");
    let said = rc(&lab, "foo", "stop");
    assert_eq!(said.code(), 0, "{said}");
    assert!(!said.all().contains("hush"), "{said}");
    until_unwatched(&lab, "foo");
}
