//! A start: what is ours and what is not, the functions of the script around it, and failures.

mod openrc;

use openrc::{alive, each_shell, rc, spawn_count, spawns, start, supervised};
use openrc::{INTERNAL, KILL, RECORDED, SOON};

/// Functions that write down that they were called.
const HOOKS: &str = "start_pre() { echo start_pre >>/tmp/hooks; }\n\
                     start_post() { echo start_post >>/tmp/hooks; }\n\
                     stop_pre() { echo stop_pre >>/tmp/hooks; }\n\
                     stop_post() { echo stop_post >>/tmp/hooks; }\n";

/// A start and a stop that do not use OpenRC's functions.
const OWN: &str = "start() { ebegin Own; /usr/local/bin/recorder /tmp/$RC_SVCNAME & \
                   echo $! >/tmp/own.pid; eend 0; }\n\
                   stop() { ebegin No own; kill $(cat /tmp/own.pid); eend 0; }\n";

#[test]
fn pre_and_post_run_once_per_start_and_never_on_respawn() {
    each_shell(|lab| {
        lab.service("foo", &format!("{RECORDED}{HOOKS}"));
        lab.conf("foo", INTERNAL);
        let first = start(lab, "foo");
        assert_eq!(lab.text("/tmp/hooks"), "start_pre\nstart_post\n");
        lab.kill(first, KILL);
        let second = spawns(lab, "foo", 2)[1];
        lab.kill(second, KILL);
        spawns(lab, "foo", 3);
        assert_eq!(lab.text("/tmp/hooks"), "start_pre\nstart_post\n");
        rc(lab, "foo", "stop").ok();
        assert_eq!(
            lab.text("/tmp/hooks"),
            "start_pre\nstart_post\nstop_pre\nstop_post\n"
        );
        assert_eq!(spawn_count(lab, "foo"), 3);
    });
}

#[test]
fn a_failing_start_pre_starts_nothing() {
    each_shell(|lab| {
        lab.service(
            "foo",
            &format!("{RECORDED}start_pre() {{ eerror no; return 1; }}"),
        );
        lab.conf("foo", INTERNAL);
        assert_eq!(rc(lab, "foo", "start").code(), 1);
        assert_eq!(spawn_count(lab, "foo"), 0);
        assert_eq!(rc(lab, "foo", "status").code(), 3);
    });
}

#[test]
fn a_start_that_fails_says_why_and_leaves_nothing() {
    each_shell(|lab| {
        lab.service("foo", "command=/nonexistent/daemon");
        lab.conf("foo", INTERNAL);
        let output = rc(lab, "foo", "start");
        assert_eq!(output.code(), 1, "{output}");
        let said = output.all();
        let lines: Vec<&str> = said
            .lines()
            .filter(|line| line.contains("/nonexistent"))
            .collect();
        assert_eq!(lines.len(), 1, "{output}");
        assert!(
            lines[0].contains("foo") && lines[0].contains("No such file"),
            "{output}"
        );
        assert!(said.contains("ERROR: foo failed to start"), "{output}");
        assert_eq!(rc(lab, "foo", "status").code(), 3);
        assert!(!lab.exists("/run/openrc/options/foo/rcsv_module"));

        lab.service("foo", RECORDED);
        start(lab, "foo");
    });
}

#[test]
fn unbalanced_quotes_fail_the_start() {
    each_shell(|lab| {
        lab.service("foo", "command=/bin/sleep\ncommand_args='\"x'");
        lab.conf("foo", INTERNAL);
        let output = rc(lab, "foo", "start");
        assert_eq!(output.code(), 1, "{output}");
        assert_eq!(rc(lab, "foo", "status").code(), 3);
    });
}

#[test]
fn a_start_of_its_own_that_calls_ours_is_supervised() {
    each_shell(|lab| {
        let own = "start() { echo own >/tmp/own; default_start; }\n\
                   stop() { echo own >>/tmp/own; default_stop; }\n";
        lab.service("foo", &format!("{RECORDED}{HOOKS}{own}"));
        lab.conf("foo", INTERNAL);
        let output = rc(lab, "foo", "start");
        assert!(!output.all().contains("of its own"), "{output}");
        let first = spawns(lab, "foo", 1)[0];
        assert_eq!(lab.text("/tmp/own"), "own\n");
        lab.kill(first, KILL);
        let second = spawns(lab, "foo", 2)[1];
        assert_eq!(rc(lab, "foo", "status").code(), 0);
        rc(lab, "foo", "stop").ok();
        assert!(!alive(lab, second));
        assert_eq!(lab.text("/tmp/own"), "own\nown\n");
        assert_eq!(
            lab.text("/tmp/hooks"),
            "start_pre\nstart_post\nstop_pre\nstop_post\n"
        );
    });
}

#[test]
fn a_start_of_its_own_without_ours_is_left_alone_with_one_warning() {
    each_shell(|lab| {
        lab.service("foo", &format!("{RECORDED}{OWN}"));
        lab.conf("foo", INTERNAL);
        let output = rc(lab, "foo", "start");
        assert_eq!(output.code(), 0, "{output}");
        let warning = "foo: has a start() of its own: module internal cannot supervise it";
        assert_eq!(output.all().matches(warning).count(), 1, "{output}");
        let daemon = spawns(lab, "foo", 1)[0];
        assert!(!lab.exists("/run/openrc/options/foo/rcsv_module"));
        assert_eq!(rc(lab, "foo", "status").code(), 0);
        let output = rc(lab, "foo", "stop");
        assert!(!output.all().contains(warning), "{output}");
        lab.wait_dead(daemon, SOON);
        assert_eq!(spawn_count(lab, "foo"), 1);
    });
}

#[test]
fn a_start_of_its_own_that_fails_gets_no_warning() {
    each_shell(|lab| {
        lab.service(
            "foo",
            "command=/bin/sleep\nstart() { eerror broken; return 3; }",
        );
        lab.conf("foo", INTERNAL);
        let output = rc(lab, "foo", "start");
        assert_eq!(output.code(), 1);
        assert!(!output.all().contains("of its own"), "{output}");
    });
}

#[test]
fn a_module_name_is_only_ever_a_name() {
    let evil = [
        "../../tmp/evil",
        "/tmp/evil",
        "$(touch /tmp/pwned)",
        "`touch /tmp/pwned`",
        "x'; touch /tmp/pwned; '",
        "a b",
        "internal\nx",
        "-x",
        "*",
        ".",
        "internal/",
    ];
    each_shell(|lab| {
        lab.service("foo", RECORDED);
        for name in evil {
            let value = name.replace('\'', "'\\''");
            lab.conf("foo", &format!("rc_supervise_module='{value}'\n"));
            let output = rc(lab, "foo", "start");
            assert_eq!(output.code(), 1, "{name}: {output}");
            assert_eq!(rc(lab, "foo", "status").code(), 3, "{name}");
            assert!(!lab.exists("/run/openrc/options/foo/rcsv_module"), "{name}");
            assert!(!lab.exists("/tmp/pwned"), "{name}");
        }
        assert_eq!(spawn_count(lab, "foo"), 0);
    });
}

#[test]
fn the_program_is_kept_in_the_foreground() {
    each_shell(|lab| {
        let script = "command_args_background=--fork\ncommand_args_foreground=--stay\n";
        lab.service("foo", &format!("{RECORDED}{script}"));
        lab.conf("foo", INTERNAL);
        let output = rc(lab, "foo", "start");
        assert!(!output.all().contains("pidfile"), "{output}");
        assert_eq!(openrc::recorded_args(lab, "foo", 1), [b"--stay".to_vec()]);
    });
}

#[test]
fn a_pidfile_of_a_daemon_that_seems_to_fork_is_questioned() {
    let warning = "has a pidfile but neither command_args_foreground nor command_background";
    let cases = [
        ("pidfile=/run/foo.pid\n", "", true),
        ("pidfile=/run/foo.pid\n", "command_background=yes", false),
        (
            "pidfile=/run/foo.pid\n",
            "command_args_foreground=-f",
            false,
        ),
        ("pidfile=/run/foo.pid\n", "command_args_foreground=", false),
        (
            "pidfile=/run/foo.pid\n",
            "supervisor=supervise-daemon",
            false,
        ),
        ("", "", false),
    ];
    each_shell(|lab| {
        for (pidfile, script, warned) in cases {
            lab.service("foo", &format!("{RECORDED}{pidfile}{script}"));
            lab.conf("foo", INTERNAL);
            let output = rc(lab, "foo", "start");
            assert_eq!(output.code(), 0, "{script}: {output}");
            assert_eq!(output.all().contains(warning), warned, "{script}: {output}");
            rc(lab, "foo", "stop").ok();
        }
    });
}

#[test]
fn an_inactive_start_becomes_active_from_the_background() {
    each_shell(|lab| {
        let script = "start_inactive=yes\nin_background_fake=\"start stop\"\n";
        lab.service("foo", &format!("{RECORDED}{script}"));
        lab.conf("foo", INTERNAL);
        let output = rc(lab, "foo", "start");
        assert!(output.all().contains("inactive"), "{output}");
        let daemon = spawns(lab, "foo", 1)[0];
        assert_eq!(rc(lab, "foo", "status").code(), 16);
        let background = |command| {
            let run = lab.run(["/etc/init.d/foo", command]);
            run.env("IN_BACKGROUND", "yes").output()
        };
        background("start").ok();
        assert_eq!(rc(lab, "foo", "status").code(), 0);
        background("stop").ok();
        assert_eq!(rc(lab, "foo", "status").code(), 16);
        assert!(alive(lab, daemon));
        background("start").ok();
        rc(lab, "foo", "stop").ok();
        assert!(!alive(lab, daemon));
        assert_eq!(spawn_count(lab, "foo"), 1);
    });
}

#[test]
fn a_start_that_fails_does_not_stay_inactive() {
    each_shell(|lab| {
        supervised(lab, "foo", "start_inactive=yes\ncommand=/nonexistent\n");
        lab.service("foo", "start_inactive=yes");
        assert_eq!(rc(lab, "foo", "start").code(), 1);
        assert_eq!(rc(lab, "foo", "status").code(), 3);
    });
}
