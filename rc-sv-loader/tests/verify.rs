//! `--verify` with modules that keep all promises, and with modules that break one each.

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use support::{verify, Place, C, CXX, HIDDEN};

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
fn further_slots_and_modules_that_watch_are_put_through_their_own_checks() {
    for (source, name, lines) in [
        (
            "wide.c",
            "wide",
            &[
                "reload                    HUP arrived",
                "list                      has it, up",
                "wait                      waits, and not for ever",
                "watch                     a stop is an event",
                "forget                    is unmanaged again",
            ][..],
        ),
        (
            "watcher.c",
            "watcher",
            &["attach again     pid ", "detach           pid "][..],
        ),
    ] {
        let place = Place::new();
        let file = place.compile(source, C, name, &[HIDDEN]);
        let (code, report) = verify(&place, &file);
        assert_eq!(code, 0, "{report}");
        for line in lines {
            assert!(
                report.contains(&format!("\nok    {line}")),
                "{line}: {report}"
            );
        }
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
        line(&report, "FAIL").ends_with("librc_sv_absent.so: No such file or directory"),
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
