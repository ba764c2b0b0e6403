//! The commands that are run after an end.

mod scene;
use nix::sys::wait::WaitStatus;
use rc_sv_api::exit::Exit;
use rc_sv_api::Code;
use rc_sv_exec::launch::{spawn, Ending, Launch};
use scene::{field, Scene, NOBODY};
use std::fs;
use std::os::unix::fs::MetadataExt;

const FINISH: &str = "rc_supervise_finish";

/// A service of nobody with this finish hook, which writes to the scene's directory.
fn with_finish(argv: &[&str]) -> Scene {
    let mut scene = Scene::new(&["/bin/true"]);
    let out = format!("OUT={}", scene.path("hook").display());
    scene.list(
        "environment",
        &[
            "PATH=/usr/bin:/bin",
            "HOME=/nonexistent",
            "USER=nobody",
            &out,
        ],
    );
    scene.as_nobody().list(FINISH, argv);
    scene
}

/// Runs the hook, which must succeed.
fn run(scene: &Scene, exit: Exit, result: Option<&str>) {
    let ending = Ending {
        exit,
        result,
        restarts: 7,
    };
    let launch = Launch::for_hook(scene.spec.settings(), FINISH, ending).unwrap();
    let child = spawn(&launch, None).unwrap();
    if let Some(failure) = scene::report(&child) {
        panic!("{}", failure.message(&launch));
    }
    assert!(matches!(scene::wait(&child), WaitStatus::Exited(_, 0)));
}

fn hook(scene: &Scene) -> String {
    String::from_utf8(scene.read("hook")).unwrap()
}

#[test]
fn it_is_told_how_the_service_ended() {
    let line =
        "echo \"$@\" $RC_SVCNAME $EXIT_CODE $EXIT_STATUS $SERVICE_RESULT $RESPAWN_COUNT >\"$OUT\"";
    let scene = with_finish(&["/bin/sh", "-c", line, "sh", "a b"]);
    let cases = [
        (Exit::Code(0), None, "a b 0 0 foo exited 0 success 7\n"),
        (Exit::Code(3), None, "a b 3 0 foo exited 3 exit-code 7\n"),
        (
            Exit::Signal(15),
            None,
            "a b 256 15 foo killed TERM success 7\n",
        ),
        (
            Exit::Signal(9),
            None,
            "a b 256 9 foo killed KILL signal 7\n",
        ),
        (
            Exit::Dumped(11),
            None,
            "a b 256 11 foo dumped SEGV core-dump 7\n",
        ),
        (
            Exit::NotRun(2),
            None,
            "a b 127 0 foo exited 127 exit-code 7\n",
        ),
        (
            Exit::Signal(9),
            Some("timeout"),
            "a b 256 9 foo killed KILL timeout 7\n",
        ),
    ];
    for (exit, result, expected) in cases {
        run(&scene, exit, result);
        assert_eq!(hook(&scene), expected);
    }
}

#[test]
fn it_runs_as_the_caller_in_the_root_with_roots_home() {
    let line = "{ id -u; pwd; echo $HOME $USER $LOGNAME; grep -E 'SigIgn|CapEff' /proc/self/status; } >$OUT";
    let mut scene = with_finish(&["/bin/sh", "-c", line]);
    scene
        .text("directory", "/usr")
        .text("capabilities", "!cap_chown")
        .int("no_new_privs", 1);
    run(&scene, Exit::Code(0), None);
    let seen = hook(&scene);
    assert!(seen.starts_with("0\n/\n/root root root\n"), "{seen}");
    assert_eq!(field(&seen, "SigIgn"), "0000000000000000");
    assert_eq!(
        u64::from_str_radix(field(&seen, "CapEff"), 16).unwrap() & 1,
        1
    );
}

#[test]
fn a_hook_of_a_service_of_root_has_the_environment_of_the_service() {
    let mut scene = with_finish(&["/bin/sh", "-c", "echo $HOME $USER >$OUT"]);
    scene.spec.remove("uid");
    run(&scene, Exit::Code(0), None);
    assert_eq!(hook(&scene), "/nonexistent nobody\n");
}

#[test]
fn it_shares_priorities_limits_and_umask_with_the_service() {
    let line = "{ nice; umask; ulimit -c; cat /proc/self/oom_score_adj; } >$OUT";
    let mut scene = with_finish(&["/bin/sh", "-c", line]);
    scene
        .int("rc_supervise_nice", 4)
        .int("umask", 0o077)
        .int("rc_supervise_oom_score_adj", 9);
    scene.list("rlimits", &[&format!("{}=0:0", libc::RLIMIT_CORE)]);
    run(&scene, Exit::Code(0), None);
    assert_eq!(hook(&scene), "4\n0077\n0\n9\n");
}

#[test]
fn its_output_goes_to_the_error_log_as_the_services_user() {
    let mut scene = with_finish(&[
        "/bin/sh",
        "-c",
        "echo out; echo err >&2; readlink /proc/$$/fd/0",
    ]);
    scene.file("error_log", "err");
    run(&scene, Exit::Code(0), None);
    assert_eq!(scene.read("err"), b"out\nerr\n/dev/null\n");
    assert_eq!(fs::metadata(scene.path("err")).unwrap().uid(), NOBODY);
    assert!(!scene.path("out").exists(), "output_log is the daemon's");
}

#[test]
fn it_is_root_again_after_its_log_was_opened() {
    let line = "grep -E 'Uid|Gid|Groups|CapEff' /proc/self/status >$OUT";
    let mut scene = with_finish(&["/bin/sh", "-c", line]);
    scene
        .list("groups", &["65534", "4444"])
        .file("error_log", "err");
    run(&scene, Exit::Code(0), None);
    let seen = hook(&scene);
    let own = fs::read_to_string("/proc/thread-self/status").unwrap();
    for name in ["Uid", "Gid", "Groups", "CapEff"] {
        assert_eq!(field(&seen, name), field(&own, name), "{name}");
    }
}

#[test]
fn a_log_that_the_services_user_may_not_open_does_not_stop_it() {
    let mut scene = with_finish(&[
        "/bin/sh",
        "-c",
        "readlink /proc/$$/fd/1 /proc/$$/fd/2 | cat >$OUT",
    ]);
    // Root could write there, and would follow a link that nobody made.
    std::os::unix::fs::symlink("/etc/shadow", scene.path("err")).unwrap();
    scene.file("error_log", "err");
    let before = fs::metadata("/etc/shadow").unwrap().len();
    run(&scene, Exit::Code(0), None);
    assert_eq!(hook(&scene).lines().last(), Some("/dev/null"));
    assert_eq!(fs::metadata("/etc/shadow").unwrap().len(), before);
}

#[test]
fn with_a_chroot_it_runs_outside_and_without_the_log() {
    let line = "readlink /proc/$$/fd/2 >$OUT; readlink /proc/$$/root >>$OUT";
    let mut scene = with_finish(&["/bin/sh", "-c", line]);
    scene.file("chroot", "root").file("error_log", "err");
    run(&scene, Exit::Code(0), None);
    assert_eq!(hook(&scene), "/dev/null\n/\n");
    assert!(!scene.path("err").exists());
}

#[test]
fn a_hook_that_is_not_there_is_refused() {
    let ending = Ending {
        exit: Exit::Code(0),
        result: None,
        restarts: 0,
    };
    let scene = Scene::new(&["/bin/true"]);
    let error = Launch::for_hook(scene.spec.settings(), FINISH, ending).unwrap_err();
    assert_eq!(
        (error.code, error.message.as_str()),
        (Code::Invalid, "rc_supervise_finish: must name a program")
    );
    let scene = with_finish(&["/nowhere/x"]);
    let launch = Launch::for_hook(scene.spec.settings(), FINISH, ending).unwrap();
    let child = spawn(&launch, None).unwrap();
    let failure = scene::report(&child).unwrap();
    assert_eq!(
        failure.message(&launch),
        "cannot execute /nowhere/x: No such file or directory"
    );
    scene::wait(&child);
}
