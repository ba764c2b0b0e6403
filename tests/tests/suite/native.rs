//! Service directories that were written by hand.

use super::openrc::{alive, rc, KILL, SOON};
use super::{start_count, starts, status, until_status, Suite};
use rc_sv_tests::lab::until;
use rc_sv_tests::Lab;

/// A service directory with the probe daemon.
fn directory(lab: &Lab, path: &str, name: &str) {
    let run = format!(
        "#!/bin/sh\nexec {} --report /tmp/{name} --ignore HUP\n",
        super::PROBE
    );
    lab.write(format!("{path}/run"), run, 0o755);
}

/// It is linked and controlled as it is, and left as it was.
pub fn a_directory_is_used_as_it_is(suite: &Suite) {
    let lab = suite.lab();
    directory(&lab, "/srv/native", "foo");
    lab.service("foo", "description=native\n");
    let conf = format!(
        "rc_supervise_module={}\n{}=/srv/native\n",
        suite.module, suite.setting
    );
    lab.conf("foo", &format!("{conf}retry=HUP/1/QUIT/5\n"));
    rc(&lab, "foo", "start").ok();
    let first = starts(&lab, "foo", 1)[0].pid();
    assert_eq!(rc(&lab, "foo", "status").code(), 0);
    let said = status(&lab, "foo");
    assert!(said.contains(&format!("up  pid {first} ")), "{said}");
    lab.kill(first, KILL);
    let second = starts(&lab, "foo", 2)[1].pid();
    until_status(&lab, "foo", &format!("pid {second} "));
    rc(&lab, "foo", "stop").ok();
    assert!(!alive(&lab, second));
    // By its own ladder, and not again.
    let signals = lab.report("/tmp/foo", "signal", 1, SOON);
    assert_eq!(signals[0].number("number"), 1);
    assert_eq!(start_count(&lab, "foo"), 2);
    assert_eq!(rc(&lab, "foo", "status").code(), 3);
    assert!(lab.exists("/srv/native/run"));
    assert_eq!(lab.pids(suite.supervisor), [0; 0]);
    assert_eq!(lab.sh(&format!("ls {}", suite.scan_dir)).ok(), "");

    // What it decides itself is refused here.
    lab.conf("foo", &format!("{conf}respawn_delay=5\n"));
    let output = rc(&lab, "foo", "start");
    assert_eq!(output.code(), 1, "{output}");
    assert!(
        output
            .all()
            .contains("respawn_delay: is for a service with a command"),
        "{output}"
    );
    // What root would run must be root's.
    lab.conf("foo", &conf);
    lab.sh("chown nobody /srv/native").ok();
    let output = rc(&lab, "foo", "start");
    assert!(output.all().contains("must belong to root"), "{output}");
    lab.sh("chown root /srv/native; chmod -x /srv/native/run")
        .ok();
    let output = rc(&lab, "foo", "start");
    assert!(
        output.all().contains("/srv/native/run: must be a program"),
        "{output}"
    );
    assert_eq!(start_count(&lab, "foo"), 2);
}

/// What a file of it says of its end holds, unless the settings say with which signal.
pub fn a_directory_says_how_it_ends(suite: &Suite, file: &str, text: &str, signal: i64) {
    let lab = suite.lab();
    directory(&lab, "/srv/native", "foo");
    lab.write(format!("/srv/native/{file}"), text, 0o755);
    lab.service("foo", "description=native\n");
    let conf = format!(
        "rc_supervise_module={}\n{}=/srv/native\n",
        suite.module, suite.setting
    );
    lab.conf("foo", &conf);
    for (conf, wanted) in [
        (conf.clone(), signal),
        (format!("{conf}stopsig=USR2\n"), 12),
    ] {
        lab.conf("foo", &conf);
        let before = lab.reported("/tmp/foo", "signal");
        rc(&lab, "foo", "start").ok();
        starts(&lab, "foo", before + 1);
        rc(&lab, "foo", "stop").ok();
        let signals = lab.report("/tmp/foo", "signal", before + 1, SOON);
        assert_eq!(signals[before].number("number"), wanted);
        assert_eq!(signals.len(), before + 1);
    }
    assert_eq!(start_count(&lab, "foo"), 2);
    assert_eq!(lab.pids(suite.supervisor), [0; 0]);
}

/// A start waits for one whose supervisor is told that its program is ready.
pub fn a_directory_tells_that_it_is_ready(suite: &Suite) {
    let lab = suite.lab();
    for (service, says) in [("foo", "--write 3=%n"), ("mute", "")] {
        let path = format!("/srv/{service}");
        let run = format!(
            "#!/bin/sh\n[ $1 = mute ] || until [ -e /tmp/go ]; do sleep 0.05; done\n\
             exec {} --report /tmp/{service} {says}\n",
            super::PROBE
        );
        lab.write(format!("{path}/run"), run, 0o755);
        lab.write(format!("{path}/notification-fd"), "3\n", 0o644);
        lab.service(service, "description=native\n");
        let conf = format!(
            "rc_supervise_module={}\n{}={path}\n",
            suite.module, suite.setting
        );
        lab.conf(service, &conf);
    }
    let job = lab.spawn("rc-service foo start");
    suite.supervisor_of(&lab, "foo");
    assert_eq!(start_count(&lab, "foo"), 0);
    lab.write("/tmp/go", "", 0o644);
    job.wait(SOON).ok();
    assert_eq!(start_count(&lab, "foo"), 1);
    // One that says nothing has its time.
    let conf = lab.text("/etc/conf.d/mute");
    lab.conf("mute", &format!("{conf}timeout_ready=2000\n"));
    let output = rc(&lab, "mute", "start");
    assert_eq!(output.code(), 1, "{output}");
    assert!(output.all().contains("not ready within 2 s"), "{output}");
    assert_eq!(lab.sh(&format!("ls {}", suite.scan_dir)).ok(), "foo\n");
}

/// What cannot be told any more is not called stopped while it runs.
pub fn a_directory_that_is_gone(suite: &Suite) {
    let lab = suite.lab();
    directory(&lab, "/srv/native", "foo");
    lab.service("foo", "description=native\n");
    let conf = format!(
        "rc_supervise_module={}\n{}=/srv/native\n",
        suite.module, suite.setting
    );
    lab.conf("foo", &conf);
    rc(&lab, "foo", "start").ok();
    let first = starts(&lab, "foo", 1)[0].pid();
    lab.sh("mv /srv/native /srv/moved").ok();
    let said = status(&lab, "foo");
    assert!(said.contains("its directory /srv/native is gone"), "{said}");
    let output = rc(&lab, "foo", "stop");
    assert_eq!(output.code(), 1, "{output}");
    let wanted = format!("/srv/native is gone, and {} (process ", suite.supervisor);
    assert!(output.all().contains(&wanted), "{output}");
    assert!(alive(&lab, first));
    lab.sh("mv /srv/moved /srv/native").ok();
    rc(&lab, "foo", "stop").ok();
    assert!(!alive(&lab, first));
    assert_eq!(lab.pids(suite.supervisor), [0; 0]);
    // And one that never was there is no service without anything to do.
    lab.sh("rm -r /srv/native").ok();
    let output = rc(&lab, "foo", "start");
    assert_eq!(output.code(), 1, "{output}");
    let wanted = "/srv/native: No such file or directory";
    assert!(output.all().contains(wanted), "{output}");
}

/// One that another scanner has would come back after each stop, so it is left to that.
pub fn a_directory_of_another_scanner(suite: &Suite) {
    let lab = suite.lab();
    directory(&lab, "/srv/native", "foo");
    lab.sh("mkdir /srv/others && ln -s /srv/native /srv/others/foo")
        .ok();
    let _other = lab.spawn(&format!("exec {} /srv/others", suite.scanner));
    let first = starts(&lab, "foo", 1)[0].pid();
    lab.service("foo", "description=native\n");
    let conf = format!(
        "rc_supervise_module={}\n{}=/srv/native\n",
        suite.module, suite.setting
    );
    lab.conf("foo", &conf);
    let output = rc(&lab, "foo", "start");
    assert_eq!(output.code(), 1, "{output}");
    let wanted = "/srv/native: is supervised already";
    assert!(output.all().contains(wanted), "{output}");
    assert!(alive(&lab, first));
    assert_eq!(start_count(&lab, "foo"), 1);
    assert_eq!(lab.sh(&format!("ls {}", suite.scan_dir)).ok(), "");
}

/// One in the place that the suite's users have by convention needs no setting.
pub fn the_usual_place(suite: &Suite, path: &str) {
    let lab = suite.lab();
    directory(&lab, path, "foo");
    lab.service("foo", "description=native\n");
    lab.conf("foo", &format!("rc_supervise_module={}\n", suite.module));
    rc(&lab, "foo", "start").ok();
    let first = starts(&lab, "foo", 1)[0].pid();
    rc(&lab, "foo", "restart").ok();
    let second = starts(&lab, "foo", 2)[1].pid();
    assert!(!alive(&lab, first) && alive(&lab, second));
    rc(&lab, "foo", "stop").ok();
    assert!(!alive(&lab, second));
}

/// One in the scan directory itself stays there, supervised, but down.
pub fn a_directory_of_the_scanner(suite: &Suite) {
    of_the_scanner(suite, &format!("{}/foo", suite.scan_dir));
}

/// One that a person has linked there, too.
pub fn a_link_of_the_scanner(suite: &Suite) {
    of_the_scanner(suite, "/srv/native");
}

fn of_the_scanner(suite: &Suite, path: &str) {
    let lab = suite.lab();
    lab.write(format!("{path}/down"), "", 0o644);
    directory(&lab, path, "foo");
    let link = format!("{}/foo", suite.scan_dir);
    if path != link {
        lab.sh(&format!("ln -s {path} {link}")).ok();
    }
    // Only s6 is told.
    lab.sh(&format!(
        "fifo={}/.s6-svscan/control; [ ! -p $fifo ] || printf a >$fifo",
        suite.scan_dir
    ))
    .ok();
    let supervisor = suite.supervisor_of(&lab, "foo");
    lab.service("foo", "description=native\n");
    lab.conf(
        "foo",
        &format!(
            "rc_supervise_module={}\n{}={path}\n",
            suite.module, suite.setting
        ),
    );
    assert_eq!(start_count(&lab, "foo"), 0);
    rc(&lab, "foo", "start").ok();
    let first = starts(&lab, "foo", 1)[0].pid();
    rc(&lab, "foo", "stop").ok();
    assert!(!alive(&lab, first));
    until("the same supervisor", SOON, || {
        (suite.supervisor_of(&lab, "foo") == supervisor).then_some(())
    });
    assert!(lab.exists(format!("{link}/run")));
    assert_eq!(rc(&lab, "foo", "status").code(), 3);
    assert_eq!(start_count(&lab, "foo"), 1);
    rc(&lab, "foo", "start").ok();
    starts(&lab, "foo", 2);
}
