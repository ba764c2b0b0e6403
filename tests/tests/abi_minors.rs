//! Modules and hosts of different minors: what was built for 1.0 runs with later hosts, and what is
//! built for a later minor runs with a host of 1.0.

mod abi;

use abi::{compile, kept, repository, Copy};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// `rc-sv-loader --verify` as installed: exit code and report.
fn verify(file: &Path) -> (i32, String) {
    let stage = std::env::var_os("RC_SV_STAGE");
    let stage = stage.map_or_else(|| repository().join("target/lab/stage"), Into::into);
    let program = stage.join("usr/bin/rc-sv-loader");
    let output = Command::new(&program).arg("--verify").arg(file).output();
    let output =
        output.unwrap_or_else(|cause| panic!("{}: {cause}: make stage", program.display()));
    let report = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code().unwrap_or(-1), report)
}

/// Compiles a module against the header in `include`.
fn build(source: &Path, include: &Path, name: &str, target: &Path) {
    let mut cc = Command::new("gcc");
    cc.args([
        "-std=c11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC",
    ])
    .args(["-Wno-missing-field-initializers", "-fvisibility=hidden"])
    .arg(format!("-DNAME=\"{name}\""))
    .arg("-I")
    .arg(include)
    .arg(source)
    .arg("-o")
    .arg(target);
    compile(&mut cc);
    fs::set_permissions(target, Permissions::from_mode(0o755)).expect("a mode");
}

#[test]
fn a_module_of_1_0_runs_with_the_host_of_today() {
    let scratch = tempfile::tempdir().expect("a directory");
    let file = scratch.path().join("librc_sv_kept.so");
    if cfg!(target_arch = "x86_64") {
        fs::copy(kept("librc_sv_kept.so"), &file).expect("the kept module");
        fs::set_permissions(&file, Permissions::from_mode(0o755)).expect("a mode");
        let (code, report) = verify(&file);
        assert_eq!(code, 0, "{report}");
    }
    build(&kept("module.c"), &kept(""), "kept", &file);
    let (code, report) = verify(&file);
    assert_eq!(code, 0, "{report}");
    assert!(
        report.contains("\nok    minor                     ABI 1.0\n"),
        "{report}"
    );
}

#[test]
fn a_module_of_1_1_runs_with_the_host_of_1_0() {
    let next = Copy::new();
    next.release_1_1();
    let file = next.path("librc_sv_newer.so");
    let source = repository().join("rc-sv-loader/tests/modules/plain.c");
    build(&source, &next.make_header(), "newer", &file);
    let (code, report) = verify(&file);
    assert_eq!(code, 0, "{report}");
    let doubt =
        "\nwarn  minor                     has ABI 1.1; what is newer than 1.0 is not verified";
    assert!(report.contains(doubt), "{report}");
    assert!(report.contains("1 doubtful, 0 not run"), "{report}");
}

/// The host's code of a later minor: the table's check of the copy, a host table that is longer than
/// the module knows, and its commands. And modules in Rust of a later minor.
#[test]
fn what_is_in_rust_meets_the_other_minor() {
    let next = Copy::new();
    next.release_1_1();
    let file = next.path("librc_sv_kept.so");
    build(&kept("module.c"), &kept(""), "kept", &file);
    fs::create_dir_all(next.path("tests/echo")).expect("tests");
    for (from, to) in [
        ("tests/abi/later_host.rs", "tests/later_host.rs"),
        ("tests/abi/later_module.rs", "tests/later_module.rs"),
        ("rc-sv-api/tests/echo/mod.rs", "tests/echo/mod.rs"),
    ] {
        fs::copy(repository().join(from), next.path(to)).expect(to);
    }
    let output = Command::new(env!("CARGO"))
        .args(["test", "--offline", "--quiet"])
        .args(["--test", "later_host", "--test", "later_module"])
        .env("CARGO_TARGET_DIR", next.path("target"))
        .env("MODULE", &file)
        .current_dir(next.path(""))
        .output()
        .expect("cargo");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{complaint}");
    assert_eq!(said.matches("1 passed").count(), 1, "{said}");
    assert_eq!(said.matches("2 passed").count(), 1, "{said}");
}
