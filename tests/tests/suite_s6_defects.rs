//! What OpenRC's own s6.sh does wrong (its newest, of 2 August 2026, commit 04d75bc1), and our
//! module does not: a test for each of the thirteen.

mod suite;

use rc_sv_tests::Lab;
use suite::openrc::{alive, rc, recorded_args, spawn_count, spawns, words, KILL, RECORDED, SOON};
use suite::{starts, until_status, PROBE, S6};

const FOO: &str = "foo";

/// A service for the module.
#[track_caller]
fn service(lab: &Lab, name: &str, script: &str, conf: &str) {
    lab.service(name, &format!("{script}\n"));
    lab.conf(name, &format!("rc_supervise_module=s6\n{conf}\n"));
}

/// 1. There, a command without arguments gets an empty one.
#[test]
fn a_command_without_arguments_gets_none() {
    let lab = S6.lab();
    lab.write(
        "/srv/count",
        "#!/bin/sh\necho $# >>/tmp/count\nexec sleep 4242\n",
        0o755,
    );
    service(&lab, FOO, "command=/srv/count", "");
    rc(&lab, FOO, "start").ok();
    assert_eq!(lab.wait_for_lines("/tmp/count", 1, SOON)[0], "0");
}

/// 2. There, `output_log`, `error_log` and `input_file` keep the service from running, while the
///    start says ok. Were that mended, each run would empty the file.
#[test]
fn files_are_opened_and_nothing_is_lost_in_them() {
    let lab = S6.lab();
    let program = "#!/bin/sh\ncat\necho error >&2\necho $$ >>/tmp/runs\nexec sleep 4242\n";
    lab.write("/srv/talk", program, 0o755);
    lab.write("/srv/input", "input\n", 0o644);
    let conf = "output_log=/tmp/out\nerror_log=/tmp/err\ninput_file=/srv/input\nrespawn_delay=0";
    service(&lab, FOO, "command=/srv/talk", conf);
    rc(&lab, FOO, "start").ok();
    let runs = lab.wait_for_lines("/tmp/runs", 1, SOON);
    lab.kill(runs[0].parse().expect("a pid"), KILL);
    lab.wait_for_lines("/tmp/runs", 2, SOON);
    assert_eq!(lab.text("/tmp/out"), "input\ninput\n");
    assert_eq!(lab.text("/tmp/err"), "error\nerror\n");
}

/// 3. There, quotes are dropped, a backslash and an `n` become a newline, `${1}` the name of the
///    service.
#[test]
fn arguments_are_left_as_they_are() {
    let lab = S6.lab();
    let script = r#"command=/usr/local/bin/recorder
command_args="/tmp/foo 'say \"hi\"' 'a\\nb' '\${1}'""#;
    service(&lab, FOO, script, "");
    rc(&lab, FOO, "start").ok();
    assert_eq!(
        recorded_args(&lab, FOO, 1),
        [br#"say "hi""#.as_slice(), br"a\nb", b"${1}"]
    );
}

/// 4. There, what is edited in conf.d after the first start counts for nothing.
#[test]
fn an_edit_of_conf_d_counts() {
    let lab = S6.lab();
    let script = format!("{RECORDED}command_args=\"$command_args $OPTS\"");
    service(&lab, FOO, &script, "OPTS=old");
    rc(&lab, FOO, "start").ok();
    assert_eq!(recorded_args(&lab, FOO, 1), [b"old"]);
    rc(&lab, FOO, "stop").ok();
    lab.conf(FOO, "rc_supervise_module=s6\nOPTS=new\n");
    rc(&lab, FOO, "start").ok();
    assert_eq!(recorded_args(&lab, FOO, 2), [b"new"]);
}

/// 5. There, a value with a newline becomes more variables, and files: it overwrites the script
///    that is run. A `=` at the end and backslashes are eaten.
#[test]
fn the_environment_arrives() {
    let lab = S6.lab();
    let values = "export END='ab='\nexport BACK='x\\y'\nexport LONG='a\n../run=#!/bin/sh'\n";
    service(&lab, FOO, &format!("{RECORDED}{values}"), "");
    rc(&lab, FOO, "start").ok();
    spawns(&lab, FOO, 1);
    let arrived = words(&lab, "/tmp/foo/environ");
    for word in ["END=ab=", "BACK=x\\y", "LONG=a\n../run=#!/bin/sh"] {
        assert!(arrived.iter().any(|it| it == word.as_bytes()), "{word:?}");
    }
}

/// 6. There, the directory is called like what `name` says for people: two services of one name
///    are one, and a stop of the second ends the first; with a slash in it, a stop ends nothing.
#[test]
fn services_are_told_apart_by_their_own_names() {
    let lab = S6.lab();
    for name in ["first", "second"] {
        service(&lab, name, &format!("{RECORDED}name=web"), "");
        rc(&lab, name, "start").ok();
    }
    let daemons = ["first", "second"].map(|name| spawns(&lab, name, 1)[0]);
    rc(&lab, "second", "stop").ok();
    assert_eq!(daemons.map(|pid| alive(&lab, pid)), [true, false]);
    assert_eq!(spawn_count(&lab, "first"), 1);

    service(&lab, FOO, &format!("{RECORDED}name=net/http"), "");
    rc(&lab, FOO, "start").ok();
    let daemon = spawns(&lab, FOO, 1)[0];
    rc(&lab, FOO, "stop").ok();
    assert!(!alive(&lab, daemon));
}

/// 7. There, a start says ok of a program that is not there; with `timeout_ready` it says so of one
///    that dies at once.
#[test]
fn a_start_does_not_say_ok_of_what_cannot_run() {
    let lab = S6.lab();
    service(&lab, FOO, "command=/nonexistent", "");
    let output = rc(&lab, FOO, "start");
    assert_eq!(output.code(), 1, "{output}");
    let said = "command=\"/nonexistent\": No such file or directory";
    assert!(output.all().contains(said), "{output}");
    assert_eq!(rc(&lab, FOO, "status").code(), 3);

    // The module says ok of what was executed, and waits where there is a way to tell that it is
    // ready.
    let conf = "notify=fd:3\ntimeout_ready=20000";
    service(&lab, FOO, "command=/bin/false", conf);
    let output = rc(&lab, FOO, "start");
    assert_eq!(output.code(), 1, "{output}");
    assert!(output.all().contains("before it was ready"), "{output}");
}

/// 8. There, after a service was not ready in time, no start succeeds any more until a stop.
#[test]
fn a_start_that_failed_is_no_obstacle_to_the_next() {
    let lab = S6.lab();
    let program = "#!/bin/sh\n[ ! -e /tmp/go ] || echo >&3\nexec sleep 4242\n";
    lab.write("/srv/ready", program, 0o755);
    let script = "command=/srv/ready\nnotify=fd:3";
    service(&lab, FOO, script, "timeout_ready=300");
    assert_ne!(rc(&lab, FOO, "start").code(), 0);
    lab.write("/tmp/go", "", 0o644);
    lab.conf(FOO, "rc_supervise_module=s6\ntimeout_ready=30000\n");
    rc(&lab, FOO, "start").ok();
    assert_eq!(rc(&lab, FOO, "status").code(), 0);
}

/// 9 and 10. There, a stop waits for ever for what ignores TERM, or, with `timeout_down`, says ok of
///    what still runs.
#[test]
fn a_stop_comes_to_an_end_and_nothing_runs_any_more() {
    let lab = S6.lab();
    let script = format!("command={PROBE}\ncommand_args=\"--report /tmp/foo --ignore TERM\"");
    // The usual ladder, but without its 30 seconds.
    service(&lab, FOO, &script, "retry=TERM/1/KILL/10");
    rc(&lab, FOO, "start").ok();
    let daemon = starts(&lab, FOO, 1)[0].pid();
    rc(&lab, FOO, "stop").ok();
    assert!(!alive(&lab, daemon));
    // It was asked first.
    assert_eq!(
        lab.report("/tmp/foo", "signal", 1, SOON)[0].number("number"),
        15
    );
}

/// 11. There, the status of what is down, or dies again and again, is a success and no more.
#[test]
fn the_status_of_what_is_down_is_no_success() {
    let lab = S6.lab();
    let conf = "respawn_delay=0\nrespawn_max=1";
    service(&lab, FOO, "command=/bin/false", conf);
    rc(&lab, FOO, "start").ok();
    until_status(&lab, FOO, "gave up");
    assert_eq!(rc(&lab, FOO, "status").code(), 3);
}

/// 12. There, a start that is interrupted leaves half a directory, which the next one takes for
///     whole.
#[test]
fn a_start_can_be_killed_at_any_moment() {
    let lab = S6.lab();
    service(&lab, FOO, RECORDED, "");
    // Each call that changes something is the last one once.
    let is_killed = |call: &str, when: usize| {
        let output = lab.sh(&format!(
            "strace -f -qq -o /dev/null -e trace={call} -e inject={call}:signal=KILL:when={when} \
             rc-sv-loader start foo --module s6 -- /usr/local/bin/recorder /tmp/foo"
        ));
        let context = format!("{call} {when}: {output}");
        assert!([0, 128 + KILL].contains(&output.code()), "{context}");
        rc(&lab, FOO, "start").ok();
        let pids = spawns(&lab, FOO, 1);
        assert!(pids.iter().any(|pid| alive(&lab, *pid)), "{context}");
        rc(&lab, FOO, "stop").ok();
        S6.assert_nothing_left(&lab);
        assert_eq!(lab.pids("sleep"), [0; 0], "{context}");
        lab.sh("rm -r /tmp/foo").ok();
        output.code() != 0
    };
    let calls = [
        "mkdir", "mkdirat", "rename", "renameat", "symlink", "unlinkat", "write",
    ];
    let killed: usize = calls
        .map(|call| (1..).take_while(|when| is_killed(call, *when)).count())
        .iter()
        .sum();
    assert!(killed > 15, "{killed}");
}

/// 13. There, nothing starts without execline.
#[test]
fn no_execline_is_needed() {
    let lab = S6.lab();
    lab.sh("rm -rf /usr/lib/execline /usr/bin/execlineb").ok();
    service(&lab, FOO, RECORDED, "");
    rc(&lab, FOO, "start").ok();
    let daemon = spawns(&lab, FOO, 1)[0];
    rc(&lab, FOO, "stop").ok();
    assert!(!alive(&lab, daemon));
}
