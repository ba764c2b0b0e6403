//! `rc-sv-loader --verify` with the installed modules, and a start with one that crashes.

mod openrc;

use openrc::{rc, spawn_count, RECORDED};
use rc_sv_tests::Lab;
use std::path::Path;
use std::process::Command;

const NOT_RUN: i32 = 77;

#[test]
fn our_modules_keep_their_promises() {
    let lab = Lab::new();
    for name in ["internal", "s6", "runit", "daemontools", "monit"] {
        let file = format!("/usr/lib/rc-sv/librc_sv_{name}.so");
        let output = lab.run(["rc-sv-loader", "--verify", &file]).output();
        let report = output.all();
        // Without a running supervisor only what does not need it can be looked at.
        let expected: &[i32] = if name == "internal" {
            &[0]
        } else {
            &[0, NOT_RUN]
        };
        assert!(expected.contains(&output.code()), "{output}");
        assert!(report.contains(" 0 failed, 0 doubtful"), "{output}");
    }
    // Neither supervisors nor daemons nor scratch directories.
    let left = lab.sh("pgrep -x rc-sv-superviso; pgrep -f '[r]c-sv-verify-'; ls /tmp | grep rc-sv");
    assert_eq!(left.all(), "");
}

#[test]
fn a_module_that_crashes_when_it_is_loaded_is_a_failed_start() {
    let lab = openrc::with_recorder(Lab::new());
    let scratch = tempfile::tempdir().expect("a directory");
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for wrong in ["CONSTRUCTOR", "ENTRY", "START_CRASHES"] {
        let file = scratch.path().join("plain.so");
        let output = Command::new("cc")
            .args(["-std=c11", "-w", "-shared", "-fPIC"])
            .arg(format!("-DWRONG_{wrong}"))
            .arg("-I")
            .arg(top.join("include"))
            .arg(top.join("rc-sv-loader/tests/modules/plain.c"))
            .arg("-o")
            .arg(&file)
            .output()
            .expect("cc");
        assert!(output.status.success(), "{output:?}");
        let module = std::fs::read(&file).expect("a module");
        lab.write("/usr/lib/rc-sv/librc_sv_plain.so", module, 0o755);
        lab.service("foo", RECORDED);
        lab.conf("foo", "rc_supervise_module=plain\n");
        let output = rc(&lab, "foo", "start");
        assert_eq!(output.code(), 1, "{wrong}: {output}");
        let said = output.all();
        assert!(said.contains("Segmentation fault"), "{wrong}: {output}");
        assert!(
            said.contains("ERROR: foo failed to start"),
            "{wrong}: {output}"
        );
        assert_eq!(spawn_count(&lab, "foo"), 0);
        assert_eq!(rc(&lab, "foo", "status").code(), 3);
    }
}

/// A panic stays in the module: each call after it is refused, and the host lives.
#[test]
fn a_panic_is_named_and_ends_nothing() {
    let lab = Lab::new();
    let scratch = tempfile::tempdir().expect("a directory");
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let manifest = format!(
        "[package]\nname = \"panics\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\
         [lib]\ncrate-type = [\"cdylib\"]\npath = {:?}\n\
         [dependencies]\nrc-sv-api = {{ path = {:?} }}\n[workspace]\n",
        top.join("rc-sv-loader/tests/modules/panics.rs"),
        top.join("rc-sv-api")
    );
    std::fs::write(scratch.path().join("Cargo.toml"), manifest).expect("Cargo.toml");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--offline", "--target-dir", "target"])
        .current_dir(scratch.path())
        .output()
        .expect("cargo");
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    let module = std::fs::read(scratch.path().join("target/debug/libpanics.so"));
    lab.write(
        "/usr/lib/rc-sv/librc_sv_panics.so",
        module.expect("a module"),
        0o755,
    );
    let output = lab.sh("rc-sv-loader --verify /usr/lib/rc-sv/librc_sv_panics.so");
    let report = output.all();
    let line = report.lines().find(|line| line.starts_with("FAIL"));
    let line = line.unwrap_or_else(|| panic!("{output}"));
    let expected = "start panicked: the module panicked: start was called, stopped: true";
    assert!(line.ends_with(expected), "{output}");
    assert!(!report.contains("crashed"), "{output}");
    let output = lab.sh("RCSV_rc_supervise_module=panics rc-sv-loader start foo -- /bin/sleep 9");
    assert_eq!(output.code(), 1, "{output}");
    let expected =
        "rc-sv-loader: foo: panics: the module panicked: start was called, stopped: false";
    assert!(
        output.stderr.lines().any(|line| line == expected),
        "{output}"
    );
}
