//! rc-sv-exec as `run` and `finish` of a service directory, under the real supervisors of s6,
//! runit and daemontools.

mod exec;

use exec::{
    each_suite, probe, service, start, start_count, starts, stop, supervise, supervisor, until,
    until_down, until_up, write_spec, Suite, AT_ONCE, KILL, PROBE, SOON,
};
use rc_sv_tests::lab::until as wait_until;
use rc_sv_tests::Lab;
use std::time::Duration;

/// As hostile to a shell as can be.
const HOSTILE: [&str; 12] = [
    "",
    " ",
    "a b",
    "say \"hi\"",
    "it's",
    "$1 ${1} $(id) `id`",
    "\\n\\",
    "line\nline",
    "-S1",
    "*",
    "größe\u{1F600}",
    "\t;&|<>#~!",
];

#[test]
fn run_becomes_the_program_with_the_surroundings_of_the_spec() {
    each_suite(|suite, lab| {
        let options = [&["--"], &HOSTILE[..]].concat();
        let settings = [
            ("uid", "65534"),
            ("gid", "65534"),
            ("groups", "65534"),
            ("umask", "027"),
            ("directory", "/tmp"),
            ("rc_supervise_nice", "5"),
            ("no_new_privs", "yes"),
        ];
        lab.sh("touch /tmp/foo; chown 65534 /tmp/foo").ok();
        probe(lab, suite, &options, &settings);
        let _supervisor = supervise(lab, suite);
        let run = &starts(lab, 1)[0];
        assert_eq!(run.argv()[4..], HOSTILE);
        assert_eq!(run.list("env"), ["PATH=/usr/bin:/bin", "WHERE=in the spec"]);
        assert_eq!(
            (run.get("uid"), run.get("gid")),
            ("65534,65534,65534,65534", "65534,65534,65534,65534")
        );
        assert_eq!((run.get("groups"), run.get("umask")), ("65534", "0027"));
        assert_eq!((run.get("nice"), run.get("nnp")), ("5", "1"));
        assert_eq!(run.path("cwd").to_str(), Some("/tmp"));
        assert_eq!(
            (run.number("sid"), run.number("pgid")),
            (i64::from(run.pid()), i64::from(run.pid()))
        );
        assert_eq!((run.mask("sigblk"), run.mask("sigign")), (0, 0));
        let fds = run.fds();
        assert_eq!(
            fds.keys().copied().collect::<Vec<_>>(),
            [0, 1, 2],
            "{fds:?}"
        );
        assert!(fds.values().all(|target| target == "/dev/null"), "{fds:?}");
        let record = until(lab, "phase", "running");
        assert_eq!(record.number("pid"), run.pid() as u64);
        if suite.has_finish() {
            assert_eq!(
                run.number("ppid"),
                i64::from(supervisor(lab)),
                "nothing is in between"
            );
        }
    });
}

#[test]
fn ends_are_recorded_and_respawned() {
    each_suite(|suite, lab| {
        probe(
            lab,
            suite,
            &["--unless", "/tmp/stay", "--exit", "3"],
            &AT_ONCE,
        );
        lab.service("foo", "start() { :; }\nstop() { :; }");
        lab.sh("rc-service foo start").ok();
        let supervisor = supervise(lab, suite);
        let record = until(lab, "restarts", "1");
        assert_eq!(record.get("exit"), "code 3");
        lab.write("/tmp/stay", "", 0o644);
        let last = until_up(lab);
        lab.kill(last, KILL);
        until(lab, "exit", "signal 9");
        let pid = until_up(lab);
        // OpenRC knows all of it.
        let value = |name: &str| lab.text(format!("/run/openrc/options/foo/{name}"));
        assert_eq!(value("child_pid").trim(), pid.to_string());
        let respawns = until(lab, "phase", "running").get("restarts").to_string();
        assert_eq!(value("start_count").trim(), respawns);
        let status = lab.sh("rc-status -a").ok();
        let line = status.lines().find(|line| line.contains(" foo ")).unwrap();
        assert!(line.contains("started"), "{line}");
        stop(lab);
        until_down(lab, suite);
        supervisor.kill(KILL);
        supervisor.wait(SOON);
        let status = lab.sh("rc-status -a").ok();
        let line = status.lines().find(|line| line.contains(" foo ")).unwrap();
        assert!(line.contains("crashed"), "{line}");
    });
}

#[test]
fn pauses_grow_and_a_stop_ends_them_at_once() {
    each_suite(|suite, lab| {
        let settings = [
            ("respawn_delay", "1"),
            ("respawn_delay_step", "599"),
            ("respawn_delay_cap", "10m"),
            ("rc_supervise_jitter", "0"),
        ];
        probe(lab, suite, &["--exit", "3"], &settings);
        let _supervisor = supervise(lab, suite);
        let runs = starts(lab, 2);
        assert!(runs[1].time() - runs[0].time() >= Duration::from_secs(1));
        let record = until(lab, "count", "2");
        assert_eq!(
            (record.get("phase"), record.get("note")),
            ("waiting", "exited 3")
        );
        // Ten minutes: whoever honours them is not done in the time of this test.
        // Since the end, which was just before.
        let pause = record.number("next-ms") - record.number("since-ms");
        assert!((590_000..=600_000).contains(&pause), "{pause}");
        stop(lab);
        until_down(lab, suite);
        assert_eq!(start_count(lab), 2);
        start(lab);
        starts(lab, 3);
        until(lab, "restarts", "0");
    });
}

#[test]
fn a_program_that_is_missing_fails_the_start_and_leaves_the_service_down() {
    each_suite(|suite, lab| {
        service(
            lab,
            suite,
            &["/nonexistent/daemon"],
            &[("uid", "65534"), ("gid", "65534")],
        );
        let _supervisor = supervise(lab, suite);
        let record = until(lab, "phase", "down");
        assert_eq!(
            (record.get("exit"), record.get("restarts")),
            ("errno 2", "0")
        );
        assert_eq!(
            record.get("note"),
            "cannot execute /nonexistent/daemon: No such file or directory"
        );
        until_down(lab, suite);
    });
}

#[test]
fn output_goes_to_the_logger_of_the_suite() {
    each_suite(|suite, lab| {
        let options = ["--stdout", "to output", "--stderr", "to error"];
        probe(lab, suite, &options, &AT_ONCE);
        // runsv makes the pipe itself; for the others their scanner does.
        lab.write("/sv/foo/log/run", "#!/bin/sh\nexec cat >>/tmp/log\n", 0o755);
        let line = format!("exec {} /sv/foo", suite.supervisor());
        let line = match suite {
            Suite::Runit => line,
            _ => format!("{line} >>/tmp/log"),
        };
        let _supervisor = lab.spawn(&line);
        let lines = lab.wait_for_lines("/tmp/log", 2, SOON);
        assert_eq!(lines[..2], ["to output", "to error"]);
        // Files of the spec go before it.
        stop(lab);
        until_down(lab, suite);
        let argv = [&[PROBE, "--report", "/tmp/foo"], &options[..]].concat();
        write_spec(lab, &argv, &[("error_log", "/tmp/errors")]);
        start(lab);
        assert_eq!(lab.wait_for_lines("/tmp/errors", 1, SOON), ["to error"]);
        assert_eq!(lab.wait_for_lines("/tmp/log", 3, SOON)[2], "to output");
    });
}

#[test]
fn the_descriptor_for_readiness_stays_open() {
    let lab = Lab::new();
    probe(&lab, Suite::S6, &[], &[("notify", "fd:7")]);
    lab.write("/sv/foo/notification-fd", "7\n", 0o644);
    let _supervisor = supervise(&lab, Suite::S6);
    let fds = starts(&lab, 1)[0].fds();
    assert_eq!(fds.keys().copied().collect::<Vec<_>>(), [0, 1, 2, 7]);
    assert!(fds[&7].starts_with("pipe:"), "{fds:?}");
}

#[test]
fn readiness_is_heard_under_each_suite() {
    each_suite(|suite, lab| {
        let ready = |line: &str, notify: &str| {
            let argv = ["/bin/bash", "-c", line];
            write_spec(lab, &argv, &[("notify", notify)]);
        };
        service(lab, suite, &["/bin/true"], &[]);
        ready("echo >&8; exec sleep 1000", "fd:8");
        let _supervisor = supervise(lab, suite);
        until(lab, "ready", "yes");
        assert_eq!(until(lab, "phase", "running").get("restarts"), "0");
        stop(lab);
        until_down(lab, suite);
        // Debian's base has no program that says so; this one never does.
        ready(
            "[ -S \"$NOTIFY_SOCKET\" ] && exec sleep 1000",
            "socket:ready",
        );
        start(lab);
        let record = until(lab, "ready", "no");
        assert_eq!(record.get("phase"), "running");
        stop(lab);
        until_down(lab, suite);
        until(lab, "phase", "down");
    });
}

/// Has the process that becomes the program wait for two seconds before it does so.
fn hold_up(lab: &Lab) {
    // strace leaves the process in its place, and holds up what that makes.
    let slow = "#!/bin/sh\nexec strace -D -f -qq -o /dev/null -e trace=execve \
                -e inject=execve:delay_exit=2000000 slow/run\n";
    lab.sh("cd /sv/foo; mkdir slow; mv run slow").ok();
    lab.write("/sv/foo/run", slow, 0o755);
}

/// A check that says that it is well before it is there has said nothing.
#[test]
fn the_checks_of_one_that_is_executed_late_are_its_own() {
    each_suite(|suite, lab| {
        // A command would be held up as well.
        let _well = lab.spawn("exec socat UNIX-LISTEN:/tmp/well,fork OPEN:/dev/null");
        let is_there = || lab.exists("/tmp/well").then_some(());
        wait_until("a socket", SOON, is_there);
        let health = "unix:/tmp/well interval=10ms";
        probe(lab, suite, &[], &[("rc_supervise_health", health)]);
        hold_up(lab);
        let _supervisor = supervise(lab, suite);
        starts(lab, 1);
        until(lab, "healthy", "yes");
    });
}

/// Its process is there, but has not got so far that it could record its run.
#[test]
fn who_is_not_even_executed_in_time_has_failed_to_start() {
    each_suite(|suite, lab| {
        let settings = [
            &AT_ONCE[..],
            &[("notify", "fd:8"), ("timeout_ready", "300")],
        ]
        .concat();
        probe(lab, suite, &[], &settings);
        hold_up(lab);
        let _supervisor = supervise(lab, suite);
        let record = until(lab, "phase", "down");
        let why = "it did not say within 300 ms that it is ready";
        assert_eq!(record.get("note"), why, "{suite:?}");
        until_down(lab, suite);
        assert_eq!(start_count(lab), 0);
    });
}

/// Who looks after it is slower than the program that writes its pid file.
#[test]
fn a_pid_file_that_is_there_already_is_seen() {
    each_suite(|suite, lab| {
        let line = format!("echo $$ >/run/foo.pid; exec {PROBE} --report /tmp/foo");
        let settings = [
            ("rc_supervise_ready", "pidfile"),
            ("pidfile", "/run/foo.pid"),
        ];
        service(lab, suite, &["/bin/sh", "-c", &line], &settings);
        let slow = "#!/bin/sh\nexec strace -D -f -qq -o /dev/null -e trace=inotify_init1 \
                    -e inject=inotify_init1:delay_enter=2000000 slow/run\n";
        lab.sh("cd /sv/foo; mkdir slow; mv run slow").ok();
        lab.write("/sv/foo/run", slow, 0o755);
        let _supervisor = supervise(lab, suite);
        starts(lab, 1);
        until(lab, "ready", "yes");
    });
}
