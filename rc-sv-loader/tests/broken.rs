//! Modules that break one promise each: `--verify` names each in its own line.

mod support;

use std::collections::BTreeSet;
use std::sync::Mutex;
use support::{verify, Place, C, CXX, HIDDEN};

/// For each broken promise the check that finds it, and what it says.
const BROKEN: [(&str, &str, &str); 40] = [
    (
        "EXPORTS",
        "exports",
        "exports 1 more symbols, such as helper_of_plain",
    ),
    ("CONSTRUCTOR", "load", "the module crashed: SIGSEGV"),
    ("ENTRY", "table", "the module crashed: SIGSEGV"),
    (
        "SLOT",
        "capabilities",
        "claims RC_SV_CAP_SIGNAL, but its slot signal is NULL",
    ),
    (
        "OPEN_HOLLOW",
        "open",
        "open answered RC_SV_OK, but left *instance NULL",
    ),
    (
        "PROBE_CAPS",
        "probe",
        "probe has the capabilities 0x141, the table only 0x101",
    ),
    ("PROBE_CRASHES", "open twice", "the module crashed: SIGABRT"),
    (
        "PROBE_EXITS",
        "open twice",
        "the module ended its host's process: exit code 3",
    ),
    (
        "PROBE_NUMBER",
        "open twice",
        "probe answered 77, which is no number of ABI 1",
    ),
    (
        "PROBE_HOSTS_NUMBER",
        "open twice",
        "probe answered -126, which only a host says",
    ),
    (
        "ERROR_UNTERMINATED",
        "unknown service",
        "left error->message without its NUL",
    ),
    (
        "ERROR_LINES",
        "unknown service",
        "more than one line into error->message",
    ),
    (
        "ERROR_ENCODING",
        "unknown service",
        "wrote into error->message what is not UTF-8",
    ),
    (
        "ERROR_EMPTY",
        "unknown service",
        "signal answered -3 without a text",
    ),
    (
        "ERROR_CODE",
        "unknown service",
        "answered -3, but set error->code to -12",
    ),
    (
        "ERROR_BEYOND",
        "unknown service",
        "signal wrote beyond the host's error of 256 bytes",
    ),
    (
        "START_CRASHES",
        "start of what cannot run",
        "the module crashed: SIGSEGV",
    ),
    (
        "START_OF_NOTHING",
        "start of what cannot run",
        "does not exist answered 0; it must fail",
    ),
    (
        "START_DELEGATES",
        "start of what cannot run",
        "does not exist answered 2; it must fail",
    ),
    ("START_AGAIN", "start again", "was up and to be left alone"),
    ("DRY_RUN", "dry run", "RC_SV_RQ_DRY_RUN started it"),
    ("PID", "start", "but status says up with pid 1"),
    ("DESCRIPTOR", "manners", "(/dev/null) was left open"),
    (
        "DIRECTORY",
        "manners",
        "changed the host's working directory to /tmp",
    ),
    ("UMASK", "manners", "changed the file mode mask of the host"),
    (
        "HANDLER",
        "manners",
        "changed which signals are ignored of the host",
    ),
    ("ENVIRONMENT", "manners", "changed the host's environment"),
    ("CHILD", "children", "left a child process to its host"),
    (
        "STDOUT",
        "standard output",
        "wrote to the host's standard output: \"started\"",
    ),
    (
        "STDERR",
        "standard error",
        "wrote to the host's standard error: \"started\"",
    ),
    (
        "TIMEOUT",
        "time-out",
        "where request->timeout_ms gave it 1 s",
    ),
    (
        "STOP_LIES",
        "time-out",
        "answered RC_SV_OK while the daemon still ran",
    ),
    (
        "STATUS_UNKNOWN",
        "unknown service",
        "answered -3 (no such service)",
    ),
    (
        "STATUS_DEAD",
        "kill -9",
        "the daemon is dead, but status says that it is up",
    ),
    (
        "STATUS_PID",
        "unknown service",
        "marked status->pid valid, but it is -1",
    ),
    ("STATUS_STATE", "unknown service", "set status->state to 99"),
    (
        "STATUS_BITS",
        "unknown service",
        "set the bits 0x8000 in status->valid",
    ),
    (
        "STATUS_UNTERMINATED",
        "unknown service",
        "left status->detail without its NUL",
    ),
    (
        "STATUS_SIZE",
        "unknown service",
        "status wrote beyond the host's status of 256 bytes",
    ),
    ("SIGNAL", "unknown service", "a signal to nobody was sent"),
];

#[test]
fn each_broken_promise_is_named() {
    let places: Vec<Place> = BROKEN.iter().map(|_| Place::new()).collect();
    let next = Mutex::new(BROKEN.iter().zip(&places));
    let said = Mutex::new(BTreeSet::new());
    let work = || loop {
        let Some(((wrong, check, text), place)) = next.lock().unwrap().next() else {
            return;
        };
        let option = format!("-DWRONG_{wrong}");
        // What a broken module no longer uses is no fault of the fixture.
        let options = [HIDDEN, "-w", &option];
        let file = place.compile("plain.c", C, "plain", &options);
        let (code, report) = verify(place, &file);
        assert_eq!(code, 1, "{wrong}: {report}");
        let first = report.lines().find(|line| line.starts_with("FAIL"));
        let first = first.unwrap_or_else(|| panic!("{wrong}: {report}"));
        let rest = first
            .strip_prefix(&format!("FAIL  {check} "))
            .map(str::trim_start);
        let rest = rest.unwrap_or_else(|| panic!("{wrong}: {report}"));
        assert!(rest.contains(text), "{wrong}: {report}");
        assert!(
            said.lock().unwrap().insert(first.to_string()),
            "twice: {first}"
        );
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(work);
        }
    });
}

/// As [`BROKEN`], of the modules with further slots: the source too.
const BROKEN_FURTHER: [(&str, &str, &str, &str); 9] = [
    (
        "wide.c",
        "RELOAD",
        "reload",
        "reload made the daemon say \"usr1\"",
    ),
    (
        "wide.c",
        "WAIT",
        "wait",
        "wait for down answered 0 (done); the service is up",
    ),
    (
        "wide.c",
        "LIST",
        "list",
        "list says that the service has state 2",
    ),
    (
        "wide.c",
        "WATCH",
        "watch",
        "its event is about \"xc-sv-verify-",
    ),
    (
        "wide.c",
        "WATCH_CLOSE",
        "manners",
        "(anon_inode:inotify) was left open",
    ),
    (
        "watcher.c",
        "ATTACH",
        "attach again",
        "was expected to say \"usr1\", but process",
    ),
    (
        "watcher.c",
        "BLIND",
        "attach",
        "but status does not say that it is up",
    ),
    (
        "watcher.c",
        "DETACH",
        "detach",
        "is dead; the service must be left as it is",
    ),
    ("watcher.c", "NOT_THERE", "", ""),
];

#[test]
fn broken_promises_of_further_slots_are_named() {
    std::thread::scope(|scope| {
        for (source, wrong, check, text) in BROKEN_FURTHER {
            scope.spawn(move || {
                let place = Place::new();
                let option = format!("-DWRONG_{wrong}");
                let options = [HIDDEN, "-w", &option];
                let file = place.compile(source, C, "further", &options);
                let (code, report) = verify(&place, &file);
                let first = report.lines().find(|line| line.starts_with("FAIL"));
                if check.is_empty() {
                    // What is not there is no failure: the reason is told, and the exit code tells.
                    assert_eq!((code, first), (77, None), "{report}");
                    let why = "a service that is watched: the watcher does not run; start it";
                    assert!(report.contains(why), "{report}");
                    return;
                }
                let first = first.unwrap_or_else(|| panic!("{wrong}: {report}"));
                assert_eq!(code, 1, "{wrong}: {report}");
                let rest = first.strip_prefix(&format!("FAIL  {check} "));
                assert!(
                    rest.is_some_and(|rest| rest.contains(text)),
                    "{wrong}: {report}"
                );
            });
        }
    });
}

#[test]
fn an_exception_that_leaves_a_module_is_a_crash_that_is_named() {
    let place = Place::new();
    let options = [HIDDEN, "-w", "-DWRONG_PROBE_THROWS"];
    let file = place.compile("plain.c", CXX, "plain", &options);
    let (code, report) = verify(&place, &file);
    assert_eq!(code, 1, "{report}");
    let line = report.lines().find(|line| line.starts_with("FAIL"));
    let line = line.unwrap_or_else(|| panic!("{report}"));
    assert!(
        line.contains("the module crashed: SIGABRT, after it wrote "),
        "{report}"
    );
    assert!(
        line.contains("exception") || line.contains("throwing"),
        "{report}"
    );
}
