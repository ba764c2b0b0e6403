//! Each thing that can be wrong is named, with the system's own words, and quickly.

mod scene;
use rc_sv_api::Code;
use rc_sv_exec::launch::{Launch, Stage};
use scene::Scene;

#[track_caller]
fn fails(scene: &Scene, stage: Stage, errno: i32, begin: &str, end: &str) {
    let (failed_at, failed_with, message) = scene.failure();
    assert_eq!((failed_at, failed_with), (stage, errno), "{message}");
    assert!(
        message.starts_with(begin) && message.ends_with(end),
        "{message}"
    );
}

#[test]
fn a_program_that_is_not_there() {
    let scene = Scene::new(&["/nowhere/program"]);
    let line = "cannot execute /nowhere/program: No such file or directory";
    fails(&scene, Stage::Execute, libc::ENOENT, line, line);
}

#[test]
fn a_program_that_is_not_executable() {
    let scene = Scene::program("#!/bin/sh\n", 0o644);
    fails(
        &scene,
        Stage::Execute,
        libc::EACCES,
        "cannot execute /",
        ": Permission denied",
    );
    let directory = Scene::new(&["/usr"]);
    let line = "cannot execute /usr: Permission denied";
    fails(&directory, Stage::Execute, libc::EACCES, line, line);
}

#[test]
fn a_file_that_is_no_program_is_not_given_to_a_shell() {
    let scene = Scene::program("echo never\n", 0o755);
    let end = "Exec format error (it is neither a program for this machine nor begins with #!)";
    fails(
        &scene,
        Stage::Execute,
        libc::ENOEXEC,
        "cannot execute /",
        end,
    );
    assert_eq!(scene.read("out"), b"", "nothing was run");
}

#[test]
fn a_script_whose_interpreter_is_missing() {
    let scene = Scene::program("#!/nowhere/interpreter\n", 0o755);
    let end = "(it is there, but not the interpreter or loader that it names)";
    fails(
        &scene,
        Stage::Execute,
        libc::ENOENT,
        "cannot execute /",
        end,
    );
}

#[test]
fn arguments_that_are_too_long() {
    let long = vec![b'x'; 256 << 10];
    let scene = Scene::new(&[&b"/bin/true"[..], &long]);
    let line = "cannot execute /bin/true: Argument list too long";
    fails(&scene, Stage::Execute, libc::E2BIG, line, line);
}

#[test]
fn a_directory_that_cannot_be_entered() {
    let mut scene = Scene::new(&["/bin/true"]);
    scene.text("directory", "/nowhere");
    let line = "cannot change to the directory /nowhere: No such file or directory";
    fails(&scene, Stage::Directory, libc::ENOENT, line, line);
    scene.text("directory", "/etc/passwd");
    let line = "cannot change to the directory /etc/passwd: Not a directory";
    fails(&scene, Stage::Directory, libc::ENOTDIR, line, line);
}

#[test]
fn a_root_that_is_not_there() {
    let mut scene = Scene::new(&["/bin/true"]);
    scene.text("chroot", "/nowhere");
    let line = "cannot change the root to /nowhere: No such file or directory";
    fails(&scene, Stage::Chroot, libc::ENOENT, line, line);
}

#[test]
fn cgroups_of_version_1_that_are_gone() {
    let mut scene = Scene::new(&["/bin/true"]);
    scene.list("cgroups_v1", &["/nowhere/cgroup"]);
    let begin = "cannot join its cgroup through /nowhere/cgroup/cgroup.procs: No such file";
    fails(&scene, Stage::CgroupV1, libc::ENOENT, begin, "");
}

#[test]
fn limits_that_cannot_be() {
    let mut scene = Scene::new(&["/bin/true"]);
    scene.list(
        "rlimits",
        &[
            &format!("{}=10:20", libc::RLIMIT_CORE),
            &format!("{}=20:10", libc::RLIMIT_NOFILE),
        ],
    );
    let line = "cannot set its resource limit nofile: Invalid argument";
    fails(&scene, Stage::Rlimit, libc::EINVAL, line, line);
}

#[test]
fn ambient_capabilities_that_this_kernel_does_not_know() {
    let mut scene = Scene::new(&["/bin/true"]);
    scene.text("capabilities", "^63");
    let line = "cannot set its ambient capabilities: Invalid argument";
    fails(&scene, Stage::Ambient, libc::EINVAL, line, line);
}

#[test]
fn a_spec_that_is_not_resolved_or_does_not_fit() {
    let cases: [(&str, &str, &str); 7] = [
        (
            "command_user",
            "nobody",
            "command_user: the spec is not resolved",
        ),
        (
            "capabilities",
            "nope",
            "capabilities=\"nope\": must be capabilities joined by commas",
        ),
        ("secbits", "nope", "secbits=\"nope\": must be a number"),
        (
            "rc_supervise_ionice",
            "fast",
            "rc_supervise_ionice=\"fast\": must be a class",
        ),
        ("output_log", "a\0b", "must be free of NUL bytes"),
        ("directory", "\0", "must be free of NUL bytes"),
        ("chroot", "\0", "must be free of NUL bytes"),
    ];
    for (key, value, words) in cases {
        let mut scene = Scene::new(&["/bin/true"]);
        scene.text(key, value);
        refused(&scene, words);
    }
    let lists = [
        ("argv", "true", "argv=\"true\": must be an absolute path"),
        (
            "environment",
            "NAME",
            "environment=\"NAME\": must be NAME=value",
        ),
        (
            "rlimits",
            "nofile=1",
            "rlimits=\"nofile=1\": must be NUMBER=SOFT:HARD",
        ),
        ("groups", "wheel", "groups=\"wheel\": must be a number"),
    ];
    for (key, value, words) in lists {
        let mut scene = Scene::new(&["/bin/true"]);
        scene.list(key, &[value]);
        refused(&scene, words);
    }
    let mut scene = Scene::new(&["/bin/true"]);
    scene.int("uid", -1);
    refused(&scene, "uid=\"-1\": must be in range");
    let empty: [&str; 0] = [];
    refused(&Scene::new(&empty), "argv: must name a program");
}

#[track_caller]
fn refused(scene: &Scene, words: &str) {
    let error = Launch::from_settings(scene.spec.settings()).unwrap_err();
    assert_eq!(error.code, Code::Invalid);
    assert!(error.message.contains(words), "{error}");
}
