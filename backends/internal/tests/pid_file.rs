//! The pid file that OpenRC's own tools look at.

mod scene;

use nix::unistd::Uid;
use rc_sv_api::{Spec, State};
use scene::{signal, with, Scene};
use std::fs;
use std::path::Path;

const STAY: &str = "echo $$ >> $R; exec sleep 1000";

fn with_pid_file(spec: Spec, path: &Path) -> Spec {
    let path = path.to_str().unwrap();
    with(
        spec,
        &[
            ("command_background", "yes"),
            ("pidfile", path),
            ("respawn_delay", "0"),
        ],
    )
}

fn content(path: &Path) -> String {
    fs::read_to_string(path).unwrap().trim().to_string()
}

#[test]
fn it_tells_the_pid_as_long_as_the_service_runs() {
    let scene = Scene::new();
    let path = scene.dir.join("foo.pid");
    let spec = with_pid_file(scene.spec("foo", STAY), &path);
    scene
        .start(&with(spec, &[("rc_supervise_min_interval", "0")]))
        .unwrap();
    let first = scene.pid("foo");
    assert_eq!(content(&path), first.to_string());
    scene.reports.until("foo", 1);
    signal(first, libc::SIGKILL);
    let second = &scene.reports.until("foo", 2)[1];
    // The daemon may be quicker than the supervisor, which writes the file before it answers.
    scene.until("foo", State::Up);
    assert_eq!(&content(&path), second);
    scene.stop("foo").unwrap();
    assert!(!path.exists());
}

#[test]
fn it_is_left_alone_where_it_is_not_asked_for() {
    let scene = Scene::new();
    let path = scene.dir.join("foo.pid");
    fs::write(&path, "its own").unwrap();
    let spec = with(
        scene.spec("foo", STAY),
        &[("pidfile", path.to_str().unwrap())],
    );
    scene.start(&spec).unwrap();
    scene.stop("foo").unwrap();
    assert_eq!(content(&path), "its own");
}

#[test]
fn a_start_fails_where_it_cannot_be_or_is_not_safe() {
    assert!(
        Uid::effective().is_root(),
        "this test needs root: it makes files of other users"
    );
    let scene = Scene::new();
    let theirs = scene.dir.join("theirs");
    fs::create_dir_all(theirs.join("sub")).unwrap();
    std::os::unix::fs::chown(&theirs, Some(65534), None).unwrap();
    for (path, words) in [
        (
            scene.dir.join("missing/foo.pid"),
            "No such file or directory",
        ),
        (
            theirs.join("sub/foo.pid"),
            "users other than root may change",
        ),
    ] {
        let error = scene
            .start(&with_pid_file(scene.spec("foo", STAY), &path))
            .unwrap_err();
        assert!(error.message.contains(words), "{error}");
        assert!(error.message.contains(path.to_str().unwrap()), "{error}");
    }
    assert_eq!(scene.reports.lines("foo"), [""; 0]);
    // The directory itself may be the service's.
    scene
        .start(&with_pid_file(
            scene.spec("foo", STAY),
            &theirs.join("foo.pid"),
        ))
        .unwrap();
    assert_eq!(
        content(&theirs.join("foo.pid")),
        scene.pid("foo").to_string()
    );
}
