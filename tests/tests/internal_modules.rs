//! What is no module, or none to be trusted: refused in one line, the start fails, nothing runs.

mod internal;
mod openrc;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use openrc::{rc, spawn_count, RECORDED};
use rc_sv_tests::{Lab, Output};

const DIRECTORY: &str = "/usr/lib/rc-sv";

/// Leaves a trace as soon as it is loaded.
const TRACE: &str = "#include <stdio.h>\n\
    __attribute__((constructor)) static void trace(void) {\n\
    FILE *file = fopen(\"/tmp/pwned\", \"w\");\n\
    if (file) fclose(file);\n}\n";

/// The loader's sample of a module, compiled against the header as a third party would do it.
fn compile(scratch: &Path, name: &str, options: &[&str]) -> Vec<u8> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let (trace, target) = (scratch.join("trace.h"), scratch.join(name));
    fs::write(&trace, TRACE).expect("trace.h");
    let mut cc = Command::new("cc");
    cc.args(["-std=c11", "-shared", "-fPIC"])
        .arg(format!("-DNAME=\"{name}\""))
        .args(options)
        .arg("-include")
        .arg(&trace)
        .arg("-I")
        .arg(top.join("include"))
        .arg(top.join("rc-sv-loader/tests/modules/sample.c"))
        .arg("-o")
        .arg(&target);
    let output = cc.output().expect("cc");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    fs::read(&target).expect("a module")
}

fn file(name: &str) -> PathBuf {
    Path::new(DIRECTORY).join(format!("librc_sv_{name}.so"))
}

/// Starts a service under the module, which must fail with one line about it. Answers that line.
#[track_caller]
fn refusal(lab: &Lab, module: &str, word: &str) -> String {
    lab.service("foo", RECORDED);
    lab.conf("foo", &format!("rc_supervise_module='{module}'\n"));
    let output: Output = rc(lab, "foo", "start");
    assert_eq!(output.code(), 1, "{output}");
    let said = output.all();
    let lines: Vec<&str> = said.lines().filter(|line| line.contains(word)).collect();
    assert_eq!(lines.len(), 1, "{word}: {output}");
    assert!(lines[0].contains("foo"), "{output}");
    assert!(said.contains("ERROR: foo failed to start"), "{output}");
    assert_eq!(rc(lab, "foo", "status").code(), 3);
    assert_eq!(spawn_count(lab, "foo"), 0);
    assert!(!lab.exists("/tmp/pwned"), "{module} was loaded");
    assert!(!lab.exists("/run/openrc/options/foo/rcsv_module"));
    let supervisors = lab.sh("pgrep -x rc-sv-superviso");
    assert_eq!(supervisors.all(), "", "nothing runs");
    lines[0].to_owned()
}

#[test]
fn what_is_no_module_to_be_trusted_is_refused() {
    let lab = openrc::with_recorder(Lab::new());
    let scratch = tempfile::tempdir().expect("a directory");
    let good = compile(scratch.path(), "evil", &[]);

    lab.write("/tmp/evil", &good, 0o755);
    lab.write("/tmp/librc_sv_evil.so", &good, 0o755);
    for outside in ["../../tmp/evil", "../../../tmp/evil", "/tmp/evil"] {
        let line = refusal(&lab, outside, outside);
        assert!(line.contains("A-Z") || line.contains("name"), "{line}");
    }
    let line = refusal(&lab, "unknown", "unknown");
    assert!(line.contains("internal"), "the ones there are: {line}");

    for (mode, whom) in [(0o775, "group"), (0o757, "world")] {
        lab.write(file("evil"), &good, mode);
        let line = refusal(&lab, "evil", "librc_sv_evil.so");
        assert!(line.contains("writ"), "{whom}: {line}");
    }
    lab.write(file("evil"), &good, 0o755);
    lab.sh(&format!("chown nobody {}", file("evil").display()))
        .ok();
    refusal(&lab, "evil", "librc_sv_evil.so");
    lab.sh(&format!("rm {}", file("evil").display())).ok();

    for length in [0, 20, 64, good.len() / 2, good.len() - 1] {
        lab.write(file("evil"), &good[..length], 0o755);
        refusal(&lab, "evil", "librc_sv_evil.so");
    }
    let other = compile(scratch.path(), "evil", &["-DNOTE_ABI=0x20000u"]);
    lab.write(file("evil"), other, 0o755);
    let line = refusal(&lab, "evil", "librc_sv_evil.so");
    assert!(line.contains("ABI 2.0") && line.contains("1.x"), "{line}");

    // None of that is in the way of a module that is right.
    lab.write(file("evil"), &good, 0o755);
    lab.conf("foo", "rc_supervise_module=evil\n");
    rc(&lab, "foo", "start").ok();
    assert!(lab.exists("/tmp/pwned"), "the trace works");
}

#[test]
fn a_directory_that_others_can_write_has_no_modules() {
    let lab = openrc::with_recorder(Lab::new());
    lab.sh(&format!("chmod 775 {DIRECTORY}")).ok();
    let line = refusal(&lab, "internal", "rc-sv:");
    assert!(line.contains("writ"), "{line}");
}
