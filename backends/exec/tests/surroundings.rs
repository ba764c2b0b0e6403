//! What a program sees of its session, limits, priorities, umask, directory and environment.

mod scene;
use scene::{field, Scene};

const STATUS: [&str; 2] = ["/bin/cat", "/proc/self/status"];

#[test]
fn it_leads_a_session_without_a_terminal() {
    let stat = Scene::new(&["/bin/cat", "/proc/self/stat"]).output();
    let fields: Vec<&str> = stat.split_whitespace().collect();
    let (pid, group, session, terminal) = (fields[0], fields[4], fields[5], fields[6]);
    assert_eq!((group, session, terminal), (pid, pid, "0"));
}

#[test]
fn no_signal_is_blocked_or_ignored() {
    // libtest and Rust ignore SIGPIPE themselves.
    let status = Scene::new(&STATUS).output();
    for set in ["SigIgn", "SigBlk", "SigPnd", "ShdPnd"] {
        assert_eq!(field(&status, set), "0000000000000000", "{set}");
    }
}

#[test]
fn the_environment_is_exactly_that_of_the_spec() {
    let mut scene = Scene::new(&["/usr/bin/env", "-0"]);
    scene.list(
        "environment",
        &["A=1", "B=x=y z", "C=", "D=two\nlines", "E='\"$HOME"],
    );
    assert_eq!(
        scene.output(),
        "A=1\0B=x=y z\0C=\0D=two\nlines\0E='\"$HOME\0"
    );
    scene.list("environment", &[]);
    std::fs::remove_file(scene.path("out")).unwrap();
    assert_eq!(scene.output(), "");
}

#[test]
fn umask() {
    let mut scene = Scene::new(&STATUS);
    scene.int("umask", 0o027);
    assert_eq!(field(&scene.output(), "Umask"), "0027");
}

#[test]
fn the_directory_is_the_root_unless_set() {
    assert_eq!(Scene::new(&["/bin/pwd"]).output(), "/\n");
    let mut scene = Scene::new(&["/bin/pwd"]);
    scene.text("directory", "/usr/share");
    assert_eq!(scene.output(), "/usr/share\n");
}

#[test]
fn a_directory_that_only_root_may_enter_serves_its_user() {
    let mut scene = Scene::new(&["/bin/readlink", "/proc/self/cwd"]);
    scene.as_nobody().file("directory", "closed");
    std::fs::create_dir(scene.path("closed")).unwrap();
    let closed = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(scene.path("closed"), closed).unwrap();
    assert!(scene.output().ends_with("/closed\n"));
}

#[test]
fn nice_level_and_autogroup() {
    let mut scene = Scene::shell("nice; cat /proc/self/autogroup 2>/dev/null; true");
    scene.int("rc_supervise_nice", 7);
    let output = scene.output();
    let mut lines = output.lines();
    assert_eq!(lines.next(), Some("7"));
    if std::path::Path::new("/proc/self/autogroup").exists() {
        assert!(lines.next().unwrap().ends_with(" nice 7"), "{output}");
    }
    scene.int("rc_supervise_nice", -3);
    assert!(scene.output().contains("\n-3\n"), "root may lower it");
}

#[test]
fn io_priorities() {
    for (setting, shown) in [
        ("2:5", "best-effort: prio 5\n"),
        ("idle", "idle\n"),
        ("1:1", "realtime: prio 1\n"),
    ] {
        let mut scene = Scene::new(&["/usr/bin/ionice"]);
        scene.text("rc_supervise_ionice", setting);
        assert_eq!(scene.output(), shown);
    }
}

#[test]
fn oom_score_adjustment() {
    let mut scene = Scene::new(&["/bin/cat", "/proc/self/oom_score_adj"]);
    scene.int("rc_supervise_oom_score_adj", 17);
    assert_eq!(scene.output(), "17\n");
}

#[test]
fn resource_limits() {
    let mut scene = Scene::new(&["/bin/cat", "/proc/self/limits"]);
    let nofile = format!("{}=100:200", libc::RLIMIT_NOFILE);
    let core = format!("{}=0:-1", libc::RLIMIT_CORE);
    scene.list("rlimits", &[&nofile, &core]);
    let limits = scene.output();
    let line = |name: &str| {
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
        line[name.len()..]
            .split_whitespace()
            .take(2)
            .map(String::from)
            .collect::<Vec<_>>()
    };
    assert_eq!(line("Max open files"), ["100", "200"]);
    assert_eq!(line("Max core file size"), ["0", "unlimited"]);
}

#[test]
fn everything_at_once() {
    let mut scene = Scene::shell("umask; nice; cat /proc/self/oom_score_adj; id -u; id -g; pwd");
    scene
        .as_nobody()
        .int("umask", 0o077)
        .int("rc_supervise_nice", -2);
    scene
        .int("rc_supervise_oom_score_adj", 5)
        .text("directory", "/usr")
        .int("no_new_privs", 1);
    assert_eq!(scene.output(), "0077\n-2\n5\n65534\n65534\n/usr\n");
}
