//! The applet in C under a real OpenRC: its words, its exit codes, and what it asks modules.

mod applet;
mod openrc;
mod watch;

use applet::with_applet;
use openrc::{alive, rc, spawns, start, INTERNAL, RECORDED, SOON};
use rc_sv_tests::{Lab, Output};
use watch::{calls, log, misbehave};

fn lab() -> Lab {
    openrc::with_recorder(with_applet(Lab::builder()))
}

/// `rc-sv` for the service foo.
fn rc_sv(lab: &Lab, arguments: &str) -> Output {
    lab.sh(&format!("RC_SVCNAME=foo rc-sv {arguments}"))
}

/// A runscript that does everything by the applet.
const SCRIPT: &str = "extra_started_commands=reload\n\
    start() { rc-sv --name 'the foo' start internal -- /usr/local/bin/recorder /tmp/foo; }\n\
    stop() { rc-sv --name 'the foo' stop; }\nstatus() { rc-sv status; }\n\
    reload() { rc-sv reload; }\n";

#[test]
fn a_runscript_starts_shows_and_stops_by_the_applet() {
    let lab = lab();
    lab.service("foo", SCRIPT);
    lab.sh("rc-update --update").ok();
    let output = rc(&lab, "foo", "status");
    assert_eq!(output.code(), 3, "{output}");
    let said = rc(&lab, "foo", "start").ok();
    assert_eq!(said, " * Starting the foo ... [ ok ]\n");
    let pid = spawns(&lab, "foo", 1)[0];
    let said = rc(&lab, "foo", "status").ok();
    assert_eq!(said, format!(" * status: started\n * pid {pid}\n"));
    // OpenRC knows it as one of ours.
    assert!(lab.sh("rc-status -S").ok().contains("foo"));
    assert_eq!(lab.text("/run/openrc/options/foo/rcsv_module"), "internal");

    lab.kill(pid, openrc::KILL);
    let second = spawns(&lab, "foo", 2)[1];
    rc(&lab, "foo", "restart").ok();
    let third = spawns(&lab, "foo", 3)[2];
    assert!(!alive(&lab, second) && alive(&lab, third));
    let said = rc(&lab, "foo", "stop").ok();
    assert_eq!(said, " * Stopping the foo ... [ ok ]\n");
    lab.wait_dead(third, SOON);
    assert_eq!(rc(&lab, "foo", "status").code(), 3);
    assert!(!lab.exists("/run/openrc/rc-sv/foo/module"));
}

#[test]
fn what_fails_is_one_line_and_leaves_nothing() {
    let lab = lab();
    lab.service(
        "foo",
        "start() { rc-sv start internal -- /no/such/daemon; }\nstop() { rc-sv stop; }\n",
    );
    let output = rc(&lab, "foo", "start");
    assert_eq!(output.code(), 1, "{output}");
    let line = "* foo: internal: command=\"/no/such/daemon\": No such file";
    assert!(output.all().contains(line), "{output}");
    assert!(output.all().contains("[ !! ]"), "{output}");
    assert_eq!(rc(&lab, "foo", "status").code(), 3);
    for (arguments, said) in [
        ("start intrenal -- /bin/true", "intrenal: unknown module"),
        ("stop", "no module has started it"),
        ("signal HUP", "no module has started it"),
        ("reload", "no module has started it"),
        ("detach", "no module has started it"),
        (
            "signal SIGFOO",
            "SIGFOO: must be a signal such as TERM or 15",
        ),
    ] {
        let output = rc_sv(&lab, arguments);
        assert_eq!(output.code(), 1, "{arguments}: {output}");
        assert!(output.all().contains(said), "{arguments}: {output}");
    }
    // Settings are those of the shell, and checked.
    let output = lab.sh("RC_SVCNAME=foo RCSV_umsak=7 rc-sv start internal -- /bin/true");
    assert_eq!(output.code(), 1, "{output}");
    assert!(output.all().contains("unknown setting umsak"), "{output}");
}

#[test]
fn a_wrong_command_line_is_explained() {
    let lab = lab();
    for arguments in [
        "",
        "strat internal",
        "start",
        "start internal /bin/true",
        "stop foo",
        "signal",
        "--nonsense stop",
        "list all",
    ] {
        let output = rc_sv(&lab, arguments);
        assert_eq!(output.code(), 2, "{arguments}: {output}");
        assert!(output.all().contains("Usage: rc-sv"), "{output}");
    }
    assert!(rc_sv(&lab, "--help").ok().starts_with("Usage: rc-sv"));
    let output = lab.sh("unset RC_SVCNAME; rc-sv stop");
    assert_eq!(output.code(), 2, "{output}");
    assert!(output.all().contains("RC_SVCNAME must name"), "{output}");
}

#[test]
fn signal_restart_list_and_forget_go_where_start_went() {
    let lab = lab();
    openrc::supervised(&lab, "foo", "");
    let pid = start(&lab, "foo");
    let said = rc_sv(&lab, "list").ok();
    let words: Vec<&str> = said.split_whitespace().collect();
    assert_eq!(words[..3], ["foo", "up", "internal"], "{said}");
    rc_sv(&lab, "signal SIGKILL").ok();
    let second = spawns(&lab, "foo", 2)[1];
    rc_sv(&lab, "restart").ok();
    let third = spawns(&lab, "foo", 3)[2];
    assert!(![pid, second].iter().any(|pid| alive(&lab, *pid)));
    let output = rc_sv(&lab, "forget");
    assert_eq!(output.code(), 1, "{output}");
    assert!(output.all().contains("not down"), "{output}");
    rc_sv(&lab, "stop").ok();
    lab.wait_dead(third, SOON);
    rc_sv(&lab, "forget").ok();
    assert_eq!(rc_sv(&lab, "list").ok(), "");
}

#[test]
fn a_module_that_watches_is_told_apart_before_anything_is_said() {
    let lab = lab();
    // One that only watches starts nothing, one that starts watches nothing.
    for (arguments, code) in [
        ("start watch -- /bin/true", 5),
        ("attach internal -- /bin/true", 5),
        ("attach watch -- /bin/true x", 0),
        ("stop", 5),
        ("detach", 0),
        ("detach", 1),
    ] {
        let output = rc_sv(&lab, arguments);
        assert_eq!(output.code(), code, "{arguments}: {output}");
    }
    let attach = "attach foo pidfile=- /bin/true x";
    assert_eq!(log(&lab), [attach, "detach foo pidfile=-"]);
    for (how, said) in [
        ("crash", "SIGSEGV"),
        ("fail", "it was told to fail"),
        ("exit", "exit"),
    ] {
        misbehave(&lab, "attach", how);
        let output = rc_sv(&lab, "attach watch");
        assert_eq!(output.code(), 1, "{how}: {output}");
        assert!(output.all().contains(said), "{how}: {output}");
    }
    assert_eq!(calls(&lab).len(), 5);
}

#[test]
fn the_drop_in_can_call_the_applet() {
    let lab = lab();
    // What a patched OpenRC does in its default_start.
    lab.service(
        "foo",
        &format!(
            "{RECORDED}start() {{\n. /usr/libexec/rc-sv/rc-sv.sh\n( _rcsv_export\n\
             eval rc-sv start $rc_supervise_module -- $command $command_args )\n}}\n"
        ),
    );
    lab.conf("foo", &format!("{INTERNAL}output_log=/tmp/log\n"));
    rc(&lab, "foo", "start").ok();
    let pid = spawns(&lab, "foo", 1)[0];
    assert!(lab.exists("/tmp/log"));
    rc(&lab, "foo", "stop").ok();
    lab.wait_dead(pid, SOON);
}
