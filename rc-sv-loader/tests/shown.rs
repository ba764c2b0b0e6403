//! What the program shows of services and modules.

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use support::{failure, sample_place, Place};

#[test]
fn the_exit_code_of_status_says_how_the_service_stands() {
    let place = sample_place();
    place.record("foo", "sample");
    let child = place.0.join("run/options/foo");
    fs::create_dir_all(&child).unwrap();
    let pid = std::process::id().to_string();
    for (state, pid, word, code) in [
        (4, None, "up", 0),
        (6, None, "waiting", 0),
        (8, None, "paused", 0),
        (2, None, "down", 3),
        (7, None, "gave-up", 3),
        (5, None, "stopping", 4),
        (3, None, "starting", 8),
        (1, None, "crashed", 32),
        (0, None, "crashed", 32),
        (99, None, "crashed", 32),
        (1, Some(&pid), "unsupervised", 64),
        (-5, Some(&pid), "unsupervised", 64),
        (-5, None, "crashed", 32),
    ] {
        place.set_state("foo", state);
        match pid {
            Some(pid) => fs::write(child.join("child_pid"), pid).unwrap(),
            None => drop(fs::remove_file(child.join("child_pid"))),
        }
        let (got, out, err) = place.run(&["status", "foo"], &[]);
        assert!(
            out.starts_with(&format!("foo  {word}  ")),
            "{state}: {out}{err}"
        );
        assert_eq!((got, err.as_str()), (code, ""), "{state}");
    }
    place.set_state("foo", -7);
    let expected = (
        1,
        "rc-sv-loader: foo: sample: the supervisor does not answer\n".to_string(),
    );
    assert_eq!(failure(&place, &["status", "foo"], &[]), expected);
}

#[test]
fn all_services_are_shown_with_one_call_for_each_module() {
    let place = sample_place();
    // This one has no list: it is asked for each.
    place.build("plain", &[]);
    for (service, module) in [
        ("a", "sample"),
        ("b", "sample"),
        ("c", "sample"),
        ("d", "plain"),
    ] {
        place.record(service, module);
    }
    place.set_state("d", 2);
    fs::create_dir_all(place.0.join("run/options/c")).unwrap();
    place.record("e", "uninstalled");
    let (code, out, err) = place.run(&["status"], &[]);
    assert_eq!(
        out,
        "a  up       -         -  -           -\n\
         b  waiting  -         -  -           -\n\
         c  crashed  -         -  -           -\n\
         d  down     pid 4711  -  2 restarts  a sample\n"
    );
    assert!(
        err.starts_with("rc-sv-loader: e: uninstalled: unknown module;"),
        "{err}"
    );
    assert_eq!(code, 1);
    let (_, out, _) = place.run(&["status", "--json"], &[]);
    let parsed: serde_json::Value = serde_json::from_str(&out).unwrap();
    let names: Vec<_> = parsed
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].as_str())
        .collect();
    assert_eq!(names, [Some("a"), Some("b"), Some("c"), Some("d")]);
    assert_eq!(parsed[1]["state"], "waiting");
    assert_eq!(
        (&parsed[3]["pid"], &parsed[3]["since"]),
        (&4711.into(), &serde_json::Value::Null)
    );
    let empty = Place::new();
    assert_eq!(
        empty.run(&["status"], &[]),
        (0, String::new(), String::new())
    );
    assert_eq!(
        empty.run(&["status", "--json"], &[]),
        (0, "[]\n".into(), String::new())
    );
}

#[test]
fn modules_are_listed_and_described() {
    let place = sample_place();
    fs::write(place.module("text"), "x").unwrap();
    fs::set_permissions(place.module("text"), Permissions::from_mode(0o755)).unwrap();
    let (code, out, _) = place.run(&["--list"], &[]);
    let expected = "sample  ABI 1.0  usable   modules/librc_sv_sample.so  owns-process signal\n\
                    text    -        refused  modules/librc_sv_text.so    is no ELF file\n";
    assert!(out.starts_with(expected), "{out}");
    assert_eq!(code, 0);
    let (_, out, _) = place.run(&["--list", "--json"], &[]);
    let parsed: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        parsed[0]["capabilities"],
        serde_json::json!(["owns-process", "signal"])
    );
    assert_eq!(parsed[1]["reason"], "is no ELF file");
    let (code, out, err) = place.run(&["--describe", "sample"], &[]);
    let expected = "Module: sample\nVersion: 1.2.3\nDescription: a module for tests\nABI: 1.0\n\
                    File: modules/librc_sv_sample.so\nCapabilities: owns-process, signal\n\
                    At present: signal\n\nWhat to run:\n";
    assert!(out.starts_with(expected), "{out}{err}");
    assert_eq!(code, 0);
    let (code, err) = failure(&place, &["--describe", "text"], &[]);
    let line = "rc-sv-loader: text: modules/librc_sv_text.so: is no ELF file\n";
    assert_eq!((code, err.as_str()), (1, line));
    let (code, err) = failure(&place, &["--describe", "nope"], &[]);
    let line = "rc-sv-loader: nope: unknown module; there are sample, text in ";
    assert!(code == 1 && err.starts_with(line), "{err}");
    // What is no name is shown where nothing can be taken for another line.
    let (code, err) = failure(&place, &["--describe", "a\nb"], &[]);
    let line = "rc-sv-loader: module name \"a\\nb\": must be 1 to 32 letters, digits, dashes and \
                underscores\n";
    assert_eq!((code, err.as_str()), (1, line));
}
