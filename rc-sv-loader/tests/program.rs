//! The program as the drop-in calls it, with a module that keeps its state in a file.

mod support;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use support::{failure, sample_place, Place};

const CHOSEN: [(&str, &str); 1] = [("RCSV_rc_supervise_module", "sample")];

const QUIET: (i32, String) = (0, String::new());

#[test]
fn a_service_is_started_shown_and_stopped() {
    let place = sample_place();
    let start = ["start", "foo", "--", "/bin/daemon", "-x", "two words"];
    assert_eq!(failure(&place, &start, &CHOSEN), QUIET);
    assert_eq!(place.recorded("foo").as_deref(), Some("sample\n"));
    let line = "foo  up  pid 4711  -  2 restarts  a sample\n";
    assert_eq!(
        place.run(&["status", "foo"], &[]),
        (0, line.into(), String::new())
    );
    assert_eq!(failure(&place, &["stop", "foo"], &[]), QUIET);
    assert_eq!(place.recorded("foo"), None);
    let line = "foo  stopped  -  -  -  no module has started it\n";
    assert_eq!(
        place.run(&["status", "foo"], &[]),
        (3, line.into(), String::new())
    );
}

#[test]
fn the_module_sees_what_was_set_and_captured() {
    let place = sample_place();
    let variables = [
        ("RCSV_rc_supervise_module", "sample"),
        ("RCSV_respawn_delay", "1.5"),
        ("RCSV_rc_supervise_finish", "/bin/clean 'a b'"),
        ("RCSV_rc_ulimit", "-n 5"),
        ("RC_SVCNAME", "foo"),
        ("RC_SERVICE", "/etc/init.d/foo"),
        ("SSD_NICELEVEL", "3"),
        ("LANG", "C"),
    ];
    assert_eq!(
        failure(&place, &["start", "foo", "--", "sh", ""], &variables),
        QUIET
    );
    let dump = fs::read_to_string(place.0.join("run/sample.foo")).unwrap();
    let dump = place.plain(&dump);
    let lines: Vec<&str> = dump.lines().collect();
    for expected in [
        "L argv=|/usr/bin/sh||",
        "L environment=|HOME=/root|LANG=C|PATH=/usr/bin:/bin|USER=root|",
        "I rc_supervise_nice=3",
        "L rc_supervise_finish=|/bin/clean|a b|",
        "I respawn_delay=1500",
        "T runscript=/etc/init.d/foo",
        "T service=foo",
    ] {
        assert!(lines.contains(&expected), "{expected} is not in\n{dump}");
    }
    assert!(
        !dump.contains("rc_ulimit") && !dump.contains("SSD_"),
        "{dump}"
    );
}

#[test]
fn errors_are_one_line_with_service_and_module() {
    let place = sample_place();
    let start = |service: &str, variables: &[(&str, &str)]| {
        failure(&place, &["start", service, "--", "/bin/daemon"], variables)
    };
    let line = |text: &str| (1, format!("rc-sv-loader: {text}\n"));
    assert_eq!(start("fails", &CHOSEN), line("fails: sample: it said no"));
    assert_eq!(
        start("silent", &CHOSEN),
        line("silent: sample: start failed without a message")
    );
    assert_eq!(
        start("strange", &CHOSEN),
        line("strange: sample: start answered the unknown number 77")
    );
    // OpenRC has to start it.
    assert_eq!(start("delegates", &CHOSEN), (5, String::new()));
    assert_eq!(
        start("foo", &[]),
        line(
            "foo: no module is chosen: set rc_supervise_module in conf.d/foo and use rc-service, \
             or give --module"
        )
    );
    assert_eq!(
        start("foo", &[("RCSV_rc_supervise_module", "s7")]),
        line(&format!(
            "foo: s7: unknown module; there are sample in modules and {}",
            "/usr/local/lib/rc-sv"
        ))
    );
    assert_eq!(
        start("foo", &[("RCSV_rc_supervise_modul", "s6")]),
        line(
            "foo: conf.d/foo: unknown setting rc_supervise_modul; \
             did you mean rc_supervise_module?"
        )
    );
    for service in ["fails", "silent", "strange", "delegates", "foo"] {
        assert_eq!(place.recorded(service), None, "{service}");
    }
}

#[test]
fn a_failed_start_that_left_something_running_stays_recorded() {
    let place = sample_place();
    let (code, err) = failure(&place, &["start", "half", "--", "/bin/daemon"], &CHOSEN);
    assert_eq!(
        (code, err.as_str()),
        (1, "rc-sv-loader: half: sample: it runs all the same\n")
    );
    assert_eq!(place.recorded("half").as_deref(), Some("sample\n"));
    assert_eq!(failure(&place, &["stop", "half"], &[]), QUIET);
}

#[test]
fn a_stop_that_failed_stays_recorded() {
    let place = sample_place();
    place.record("stubborn", "sample");
    let (code, err) = failure(&place, &["stop", "stubborn"], &[]);
    assert_eq!(
        (code, err.as_str()),
        (1, "rc-sv-loader: stubborn: sample: still runs\n")
    );
    assert_eq!(place.recorded("stubborn").as_deref(), Some("sample\n"));
}

#[test]
fn what_no_module_started_cannot_be_stopped_restarted_or_signalled() {
    let place = sample_place();
    for arguments in [
        &["stop", "foo"][..],
        &["restart", "foo"],
        &["reload", "foo"],
        &["detach", "foo"],
        &["signal", "foo", "HUP"],
    ] {
        let (code, err) = failure(&place, arguments, &[]);
        let line = "foo: no module has started it: run/rc-sv/foo has no record";
        assert_eq!((code, err), (1, format!("rc-sv-loader: {line}\n")));
    }
}

#[test]
fn the_recorded_module_counts_and_not_the_configured_one() {
    let place = sample_place();
    place.build("other", &[]);
    assert_eq!(
        failure(&place, &["start", "foo", "--", "/bin/daemon"], &CHOSEN),
        QUIET
    );
    let other = [("RCSV_rc_supervise_module", "other")];
    let (code, err) = failure(&place, &["start", "foo", "--", "/bin/daemon"], &other);
    let line = "rc-sv-loader: foo: sample: has the service (up); stop it first\n";
    assert_eq!((code, err.as_str()), (1, line));
    assert_eq!(failure(&place, &["stop", "foo"], &other), QUIET);
    place.record("foo", "sample");
    assert_eq!(
        failure(&place, &["start", "foo", "--", "/bin/daemon"], &other),
        QUIET
    );
    assert_eq!(
        place.recorded("foo").as_deref(),
        Some("other\n"),
        "the old one is down"
    );
    place.record("gone", "uninstalled");
    let (code, err) = failure(&place, &["start", "gone", "--", "/bin/daemon"], &CHOSEN);
    let begin =
        "rc-sv-loader: gone: uninstalled: has the service and cannot be asked: unknown module";
    assert_eq!((code, err.starts_with(begin)), (1, true), "{err}");
}

#[test]
fn module_of_the_command_line_goes_first() {
    let place = sample_place();
    let other = [("RCSV_rc_supervise_module", "absent")];
    let start = ["start", "foo", "--module", "sample", "--", "/bin/daemon"];
    assert_eq!(failure(&place, &start, &other), QUIET);
}

#[test]
fn a_start_of_what_is_up_and_two_at_once_are_fine() {
    let place = sample_place();
    let start = || {
        let mut command = place.program(&["start", "foo", "--", "/bin/daemon"]);
        command.envs(CHOSEN).spawn().unwrap()
    };
    for mut child in [start(), start(), start()] {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(place.recorded("foo").as_deref(), Some("sample\n"));
}

#[test]
fn restart_and_signal_go_to_the_module_or_are_refused_before_anything_is_done() {
    let place = sample_place();
    place.record("foo", "sample");
    assert_eq!(failure(&place, &["restart", "foo"], &[]), QUIET);
    let (code, err) = failure(&place, &["signal", "foo", "SIGHUP"], &[]);
    assert_eq!(
        (code, err.as_str()),
        (1, "rc-sv-loader: foo: sample: signal 1\n")
    );
    place.build("plain", &[]);
    place.record("bar", "plain");
    place.set_state("bar", 4);
    let (code, err) = failure(&place, &["restart", "bar"], &[]);
    let line = "restart is not offered by this module; use rc-service SERVICE restart";
    assert_eq!(
        (code, err),
        (1, format!("rc-sv-loader: bar: plain: {line}\n"))
    );
    assert!(
        place.0.join("run/sample.bar").exists(),
        "it was not stopped"
    );
    let (code, err) = failure(&place, &["signal", "bar", "15"], &[]);
    let line = "signal is not offered by this module";
    assert_eq!(
        (code, err),
        (1, format!("rc-sv-loader: bar: plain: {line}\n"))
    );
}

#[test]
fn what_modules_warn_of_is_shown_with_service_and_module() {
    let place = sample_place();
    let (code, err) = failure(&place, &["start", "warns", "--", "/bin/daemon"], &CHOSEN);
    assert_eq!(
        (code, err.as_str()),
        (0, "rc-sv-loader: warns: sample: mind the gap\n")
    );
}

#[test]
fn a_wrong_command_line_is_code_2() {
    let place = Place::new();
    for arguments in [
        &["start"][..],
        &["start", "a/b"],
        &["start", "foo", "/bin/daemon"],
        &["signal", "foo", "X"],
        &["nonsense"],
        &["--nonsense"],
    ] {
        let (code, err) = failure(&place, arguments, &[]);
        assert_eq!((code, err.lines().count()), (2, 1), "{arguments:?}: {err}");
        assert!(err.starts_with("rc-sv-loader: "), "{err}");
        assert!(err.ends_with("; see --help\n"), "{err}");
    }
    // Who says nothing wants to know what there is.
    let (code, err) = failure(&place, &[], &[]);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("Usage: rc-sv-loader"), "{err}");
}

#[test]
fn a_hostile_name_is_refused_in_one_line() {
    let place = Place::new();
    let long = "x".repeat(65536);
    let names: [&[u8]; 7] = [
        b"",
        b"../x",
        b"a/b",
        b".x",
        b"a\nb",
        b"caf\xe9",
        long.as_bytes(),
    ];
    for name in names {
        for command in ["start", "stop", "restart", "status"] {
            let mut program = place.program(&[command]);
            let output = program.arg(OsStr::from_bytes(name)).output().unwrap();
            let err = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{err}");
            assert_eq!(err.lines().count(), 1, "{err}");
            assert!(
                err.starts_with("rc-sv-loader: ") && err.len() < 200,
                "{err}"
            );
        }
    }
}

#[test]
fn a_module_that_cannot_watch_is_not_asked_to() {
    let place = sample_place();
    // Not even what is set matters then.
    let attach = ["attach", "foo", "--", "/no/such/daemon"];
    assert_eq!(failure(&place, &attach, &CHOSEN), (5, String::new()));
    assert_eq!(place.recorded("foo"), None);
    place.record("foo", "sample");
    let (code, err) = failure(&place, &["detach", "foo"], &[]);
    let what = "a module has started the service, and does not only watch it; stop it";
    assert_eq!((code, err), (1, format!("rc-sv-loader: foo: {what}\n")));
    assert_eq!(place.recorded("foo").as_deref(), Some("sample\n"));
}

#[test]
fn a_daemon_that_forks_is_left_to_openrc_where_the_module_can_watch() {
    let place = sample_place();
    place.build(
        "both",
        &["-DCAPS=(RC_SV_CAP_OWNS_PROCESS|RC_SV_CAP_MONITORS)"],
    );
    let start = |module, forks: &[&str]| {
        let words = [
            &["start", "foo", "--module", module],
            forks,
            &["--", "/bin/daemon"],
        ];
        let result = failure(&place, &words.concat(), &[]);
        let recorded = place.recorded("foo").is_some();
        failure(&place, &["stop", "foo"], &[]);
        (result, recorded)
    };
    assert_eq!(start("both", &["--forks"]), ((5, String::new()), false));
    assert_eq!(start("both", &[]), (QUIET, true));
    // A module that cannot watch has to try.
    assert_eq!(start("sample", &["--forks"]), (QUIET, true));
}
