//! Descriptors that a program is given, at whatever number.

mod scene;

use nix::fcntl::OFlag;
use nix::unistd::pipe2;
use rc_sv_exec::launch::{spawn, Launch};
use scene::Scene;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;

fn pipe() -> (File, OwnedFd) {
    let (read, write) = pipe2(OFlag::O_CLOEXEC).unwrap();
    (read.into(), write)
}

/// What a shell writes to descriptors 3 to 20 one by one, and which ones it has at all.
const SCRIPT: &str = "for n in 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do \
                      { echo $n >/proc/self/fd/$n; } 2>/dev/null; done; exit 0";

#[test]
fn a_program_has_what_it_was_given_and_nothing_else() {
    // Whatever this process has open meanwhile.
    let _held: Vec<_> = (0..12).map(|_| pipe()).collect();
    for place in 3..=20 {
        let scene = Scene::shell(SCRIPT);
        let mut launch = Launch::from_settings(scene.spec.settings()).unwrap();
        let (mut told, write) = pipe();
        launch.give(write, place);
        let child = spawn(&launch, None).unwrap();
        drop(launch);
        let mut text = String::new();
        told.read_to_string(&mut text).unwrap();
        assert_eq!(text, format!("{place}\n"));
        scene::wait(&child);
    }
}

#[test]
fn gifts_may_have_each_others_numbers() {
    use std::os::fd::AsRawFd;
    let scene = Scene::shell(SCRIPT);
    let mut launch = Launch::from_settings(scene.spec.settings()).unwrap();
    let (mut first, a) = pipe();
    let (mut second, b) = pipe();
    let (at_a, at_b) = (a.as_raw_fd(), b.as_raw_fd());
    launch.give(a, at_b);
    launch.give(b, at_a);
    let scene_of = |fd: i32| (3..=20).contains(&fd).then(|| format!("{fd}\n"));
    let child = spawn(&launch, None).unwrap();
    drop(launch);
    let (mut one, mut other) = (String::new(), String::new());
    first.read_to_string(&mut one).unwrap();
    second.read_to_string(&mut other).unwrap();
    assert_eq!(one, scene_of(at_b).unwrap_or_default());
    assert_eq!(other, scene_of(at_a).unwrap_or_default());
    scene::wait(&child);
}

#[test]
fn a_failure_is_told_all_the_same() {
    let scene = Scene::new(&["/nowhere"]);
    for place in [3, 5, 400] {
        let mut launch = Launch::from_settings(scene.spec.settings()).unwrap();
        let (_read, write) = pipe();
        launch.give(write, place);
        let child = spawn(&launch, None).unwrap();
        let failure = scene::report(&child).expect("it is told");
        let said = failure.message(&launch);
        assert_eq!(said, "cannot execute /nowhere: No such file or directory");
        scene::wait(&child);
    }
}

#[test]
fn a_variable_replaces_one_of_its_name() {
    let mut scene = Scene::shell("printf %s \"$A $AB\"; exec >&-");
    scene.list("environment", &["PATH=/bin", "AB=1", "A=2"]);
    let mut launch = Launch::from_settings(scene.spec.settings()).unwrap();
    launch.set_variable("A", "3").unwrap();
    let child = spawn(&launch, None).unwrap();
    scene::wait(&child);
    assert_eq!(scene.read("out"), b"3 1");
    assert!(launch.set_variable("A", "\0").is_err());
}
