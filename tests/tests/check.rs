//! `rc-sv-loader check`: what a start would do, from a shell, of services as they are.

mod openrc;

use openrc::{each_shell, lab, rc, supervised, RECORDED};
use rc_sv_tests::{Lab, Output, Shell};

fn check(lab: &Lab, words: &[&str]) -> Output {
    lab.run([&["rc-sv-loader", "check"], words].concat())
        .output()
}

/// Nothing was started, and nobody is recorded to have it.
#[track_caller]
fn assert_untouched(lab: &Lab, service: &str) {
    for path in ["/tmp", "/run/openrc/rc-sv", "/run/openrc/started"] {
        let path = format!("{path}/{service}");
        assert!(!lab.exists(&path), "{path}");
    }
    assert!(!lab.exists("/run/openrc/rc-sv/.internal/socket"));
}

/// The one line of a failure.
#[track_caller]
fn failure(lab: &Lab, words: &[&str]) -> String {
    let output = check(lab, words);
    assert_eq!(output.code(), 1, "{output:?}");
    let said = output.all();
    assert_eq!(said.lines().count(), 1, "{said}");
    said.trim_end().to_string()
}

#[test]
fn the_plan_is_that_of_a_start() {
    each_shell(|lab| {
        let conf = "command_user=nobody\nrespawn_max=2\nretry=INT/3/KILL/2\n\
                    rc_supervise_health='tcp:80 interval=5s'\nsupervise_daemon_args='-d /tmp -k 077'\n";
        supervised(lab, "foo", conf);
        lab.write(
            "/etc/rc-sv.toml",
            "[defaults]\nrespawn_delay = 7\nrc_supervise_jitter = 0\n",
            0o644,
        );
        let said = check(lab, &["foo"]).ok();
        let lines: Vec<&str> = said.lines().collect();
        let user = lab.sh("echo uid $(id -u nobody), gid $(id -g nobody)").ok();
        for line in [
            "module: internal (/usr/lib/rc-sv/librc_sv_internal.so)",
            "program: /usr/local/bin/recorder /tmp/foo",
            "ready: when the program is executed, within 90 s",
            "health: tcp:127.0.0.1:80, every 5 s, for at most 10 s; 3 failures in a row mean a restart",
            "stop: INT, 3 s, KILL, 2 s: 5 s at most; reaches the main process, and what is left is \
             killed",
            "respawn: always, after 7 s, then 2 times as long each time, at most 60 s",
            "limit: gives up after 2 restarts, about 21 s if it always dies at once",
        ] {
            assert!(lines.contains(&line), "{line}\n{said}");
        }
        let starts = |line: &&&str| line.starts_with(&format!("user: {}", user.trim_end()));
        assert_eq!(lines.iter().filter(starts).count(), 1, "{said}");
        assert_untouched(lab, "foo");

        // A start and a stop later it is the same.
        rc(lab, "foo", "start").ok();
        assert_eq!(check(lab, &["foo"]).ok(), said);
        rc(lab, "foo", "stop").ok();
        assert_eq!(check(lab, &["foo"]).ok(), said);
    });
}

#[test]
fn what_a_start_would_refuse_is_refused_in_one_line() {
    let lab = lab(Shell::Dash);
    supervised(&lab, "foo", "rc_supervise_watchdgo=3\n");
    let line =
        "rc-sv-loader: foo: conf.d/foo: unknown setting rc_supervise_watchdgo; did you mean \
                rc_supervise_watchdog?";
    assert_eq!(failure(&lab, &["foo"]), line);
    supervised(
        &lab,
        "foo",
        "rc_supervise_health=tcp:80\nrc_supervise_health_action=exec\n",
    );
    assert!(failure(&lab, &["foo"]).contains("needs rc_supervise_unhealthy"));
    supervised(&lab, "foo", "command_user=nosuchuser\n");
    assert!(failure(&lab, &["foo"]).contains("nosuchuser"));
    supervised(&lab, "foo", "rc_supervise_module=nosuch\n");
    assert!(failure(&lab, &["foo"]).contains("nosuch"));
    supervised(&lab, "foo", "command=/nosuch\n");
    lab.service("foo", "command_args=x\n");
    assert!(failure(&lab, &["foo"]).contains("/nosuch"));
    lab.service("bar", RECORDED);
    assert!(failure(&lab, &["bar"]).contains("no module is chosen: set rc_supervise_module"));
    assert!(failure(&lab, &["nosuch"]).contains("`nosuch' does not exist"));
    for service in ["foo", "bar"] {
        assert_untouched(&lab, service);
    }
}

#[test]
fn a_simulation_is_told_by_the_core() {
    let lab = lab(Shell::Dash);
    supervised(&lab, "foo", "rc_supervise_jitter=0\nrespawn_max=1\n");
    let told = |words: &str| check(&lab, &["foo", "--simulate", words]);
    let said = told("exit 3 after 5s").ok();
    let at = said.find("    0.000 s").expect("a time line");
    assert_eq!(
        &said[at..],
        "    0.000 s  starting; the start is done; up\n    \
         5.000 s  exited 3; restarting in 500 ms (1 of 1)\n    \
         5.500 s  starting, restart 1; up\n   \
         10.500 s  gave up after 1 restart in 5.5 s: exited 3\n"
    );
    assert!(said.starts_with("module: internal"), "{said}");
    let wrong = failure(&lab, &["foo", "--simulate", "dies"]);
    assert!(wrong.contains("simulate \"dies\": must be exit CODE after TIME"));
    let unseen = failure(&lab, &["foo", "--simulate", "unhealthy after 1m"]);
    assert!(
        unseen.contains("is seen by a health check alone"),
        "{unseen}"
    );
    // A program that is given is checked without a script.
    let given = [
        "given",
        "--module",
        "internal",
        "--simulate",
        "stop after 1",
    ];
    let said = check(&lab, &[&given[..], &["--", "/bin/sleep", "9"]].concat()).ok();
    assert!(said.contains("program: /bin/sleep 9\n"), "{said}");
    assert!(
        said.ends_with(
            "    1.000 s  stopping: sent TERM, KILL follows in 30 s; the stop is done; down\n"
        ),
        "{said}"
    );
    assert_untouched(&lab, "foo");
}

#[test]
fn other_modules_have_plans_and_no_simulation() {
    let lab = lab(Shell::Dash);
    for module in ["s6", "runit", "daemontools"] {
        supervised(&lab, "foo", &format!("rc_supervise_module={module}\n"));
        let said = check(&lab, &["foo"]).ok();
        assert!(said.starts_with(&format!("module: {module} (")), "{said}");
        assert!(
            said.contains("\nlimit: gives up after 10 restarts"),
            "{said}"
        );
        let simulated = failure(&lab, &["foo", "--simulate", "never ready"]);
        assert!(
            simulated.contains("this module cannot simulate"),
            "{simulated}"
        );
    }
    supervised(
        &lab,
        "foo",
        "rc_supervise_module=monit\npidfile=/run/foo.pid\n",
    );
    let said = check(&lab, &["foo"]).ok();
    assert!(
        said.contains("\nstart: by OpenRC; the module watches\n"),
        "{said}"
    );
    assert!(said.contains("\nwatched by: "), "{said}");
    assert_untouched(&lab, "foo");
}

#[test]
fn a_start_of_its_own_is_not_run() {
    each_shell(|lab| {
        supervised(lab, "foo", "");
        lab.service("foo", &format!("{RECORDED}start() {{ touch /tmp/foo; }}\n"));
        let line = failure(lab, &["foo"]);
        assert!(
            line.ends_with("internal: the service starts itself, and this module only watches what it has started"),
            "{line}"
        );
        assert_untouched(lab, "foo");
    });
}
