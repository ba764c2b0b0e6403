//! `--verify` with modules that keep all promises, and with modules that break one each.

mod support;

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Mutex;
use support::Place;

const C: &str = "cc -std=c11";
const CXX: &str = "c++ -x c++ -std=c++17 -Wno-missing-field-initializers";
const HIDDEN: &str = "-fvisibility=hidden";

/// Exit code and report.
fn verify(place: &Place, file: &Path) -> (i32, String) {
    let file = file.to_str().unwrap();
    let (code, out, err) = place.run(&["--verify", file], &[]);
    assert_eq!(err, "");
    (code, out)
}

/// The only line of the report that begins with `word`.
#[track_caller]
fn line<'a>(report: &'a str, word: &str) -> &'a str {
    let lines: Vec<&str> = report
        .lines()
        .filter(|line| line.starts_with(word))
        .collect();
    assert_eq!(lines.len(), 1, "{report}");
    lines[0]
}

#[test]
fn a_module_in_c_and_in_cxx_keeps_its_promises() {
    for compiler in [C, CXX] {
        let place = Place::new();
        let file = place.compile("plain.c", compiler, "plain", &[HIDDEN]);
        let (code, report) = verify(&place, &file);
        assert_eq!(code, 0, "{report}");
        assert!(report.contains("\nok    kill -9 "), "{report}");
        let last = "librc_sv_plain.so: keeps its promises: 32 ok, 0 failed, 0 doubtful, 0 not run";
        assert!(report.trim_end().ends_with(last), "{report}");
    }
}

#[test]
fn json_has_the_same_checks() {
    let place = Place::new();
    let file = place.compile("plain.c", C, "plain", &[HIDDEN, "-w", "-DWRONG_SLOT"]);
    let file = file.to_str().unwrap();
    let (code, text, _) = place.run(&["--verify", file], &[]);
    let (json_code, json, _) = place.run(&["--verify", file, "--json"], &[]);
    assert_eq!((code, json_code), (1, 1));
    let object: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(object["result"], "FAIL");
    let checks = object["checks"].as_array().unwrap();
    assert_eq!(checks.len() + 1, text.lines().count(), "and the summary");
    for check in checks {
        let name = check["name"].as_str().unwrap();
        assert!(text.contains(&format!("  {name}  ")), "{name}: {text}");
    }
}

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

#[test]
fn a_file_that_is_no_module_is_not_loaded() {
    let place = Place::new();
    let file = place.build("sample", &["-DNO_NOTE"]);
    let (code, report) = verify(&place, &file);
    let expected = "has no note .note.rc_sv: it is no module of rc-sv";
    assert_eq!(
        (code, line(&report, "FAIL")),
        (1, &*format!("FAIL  note  {expected}"))
    );
    assert!(!report.contains("load"), "{report}");
    let other = place.0.join("sample.so");
    fs::rename(&file, &other).unwrap();
    let (code, report) = verify(&place, &other);
    assert_eq!(code, 1);
    assert!(
        line(&report, "FAIL").contains("must be called librc_sv_NAME.so"),
        "{report}"
    );
    let (code, report) = verify(&place, &place.module("absent"));
    assert_eq!(code, 1);
    assert!(
        line(&report, "FAIL").contains("unknown module absent"),
        "{report}"
    );
}

#[test]
fn what_others_can_write_is_not_loaded_by_root() {
    let place = Place::new();
    let file = place.compile("plain.c", C, "plain", &[HIDDEN, "-DWRONG_CONSTRUCTOR"]);
    fs::set_permissions(&file, Permissions::from_mode(0o775)).unwrap();
    let (code, report) = verify(&place, &file);
    assert_eq!(code, 1);
    let text = line(&report, "FAIL");
    assert!(
        text.contains("can be written by others (mode 0775)"),
        "{report}"
    );
}
