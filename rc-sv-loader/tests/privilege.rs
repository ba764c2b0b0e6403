//! Callers who are not root, and a program that is more than its caller.

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use support::sample_place;

/// A program that was just written cannot be run while a child of another test, between fork and
/// exec, still has it open for writing. So these tests run one after the other.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn a_program_with_more_rights_than_its_caller_ignores_rc_sv_path() {
    let _alone = alone();
    let place = sample_place();
    let program = place.0.join("loader");
    fs::copy(env!("CARGO_BIN_EXE_rc-sv-loader"), &program).unwrap();
    fs::set_permissions(&program, Permissions::from_mode(0o4755)).unwrap();
    let list = |uid: u32| {
        let mut command = std::process::Command::new(&program);
        command
            .arg("--list")
            .env_clear()
            .env("RC_SV_PATH", place.modules());
        let output = command.uid(uid).output();
        place.said(output.expect("this test changes its user and must be run by root"))
    };
    let (_, as_root, _) = list(0);
    assert!(as_root.contains("librc_sv_sample.so"), "{as_root}");
    let (_, as_user, err) = list(12345);
    let hint = "(TMPDIR must not be mounted nosuid)";
    assert!(
        !as_user.contains("librc_sv_sample.so"),
        "{as_user}{err}{hint}"
    );
}

#[test]
fn an_ordinary_user_can_ask_for_the_status_of_roots_services() {
    let _alone = alone();
    let place = sample_place();
    let program = place.0.join("loader");
    fs::copy(env!("CARGO_BIN_EXE_rc-sv-loader"), &program).unwrap();
    place.record("foo", "sample");
    place.set_state("foo", 4);
    let status = || {
        let mut command = std::process::Command::new(&program);
        command
            .args(["status", "foo"])
            .env_clear()
            .env("RC_SV_PATH", place.modules());
        let output = command
            .env("RC_SVCDIR", place.0.join("run"))
            .uid(12345)
            .gid(12345)
            .output();
        place.said(output.expect("this test changes its user and must be run by root"))
    };
    let line = "foo  up  pid 4711  -  2 restarts  a sample\n";
    assert_eq!(status(), (0, line.into(), String::new()));
    fs::remove_file(place.0.join("run/rc-sv/.modules/foo")).unwrap();
    let line = "foo  stopped  -  -  -  no module has started it\n";
    assert_eq!(status(), (3, line.into(), String::new()));
}

#[test]
fn what_root_would_refuse_is_doubtful_for_whoever_verifies_it() {
    let _alone = alone();
    let place = sample_place();
    let program = place.0.join("loader");
    fs::copy(env!("CARGO_BIN_EXE_rc-sv-loader"), &program).unwrap();
    let options = ["-fvisibility=hidden"];
    let file = place.compile("plain.c", "cc -std=c11", "plain", &options);
    fs::set_permissions(&file, Permissions::from_mode(0o775)).unwrap();
    let mut command = std::process::Command::new(&program);
    command.arg("--verify").arg(&file).env_clear().uid(12345);
    let (code, report, err) = place.said(command.env("HOME", "/").output().unwrap());
    assert_eq!((code, err.as_str()), (0, ""), "{report}");
    let doubt = report.lines().find(|line| line.starts_with("warn"));
    let doubt = doubt.unwrap_or_else(|| panic!("{report}"));
    assert!(
        doubt.contains("can be written by others (mode 0775)"),
        "{report}"
    );
    assert!(report.contains("\nok    kill -9 "), "{report}");
}
