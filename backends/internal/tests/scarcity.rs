//! When the system has no more of something.

mod scene;

use nix::poll::{poll, PollFd};
use rc_sv_api::State;
use rc_sv_internal::protocol::{Reply, Request};
use scene::{await_death, name, signal, with, Scene, PATIENCE};
use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

/// Limits how many descriptors the supervisor may have.
fn limit_descriptors(scene: &Scene, most: usize) {
    limit_descriptors_of(scene.supervisor(), most);
}

/// Limits how many descriptors a process may have, and those that it makes from now on.
fn limit_descriptors_of(pid: i32, most: usize) {
    let limit = format!("--nofile={most}:");
    let output = Command::new("prlimit")
        .args(["--pid", &pid.to_string(), &limit])
        .output();
    let output = output.expect("this test needs prlimit of util-linux");
    assert!(output.status.success(), "{output:?}");
}

/// How many descriptors the supervisor has.
fn descriptors(scene: &Scene) -> usize {
    fs::read_dir(format!("/proc/{}/fd", scene.supervisor()))
        .unwrap()
        .count()
}

/// Processor time that the supervisor has used.
fn used(scene: &Scene) -> Duration {
    let text = fs::read_to_string(format!("/proc/{}/schedstat", scene.supervisor())).unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

#[test]
fn without_descriptors_a_start_fails_in_words_and_nothing_else() {
    let scene = Scene::new();
    for service in ["good", "foo"] {
        scene
            .start(&scene.spec_of(service, &["/bin/sleep", "1000"]))
            .unwrap();
    }
    scene.stop("foo").unwrap();
    // Whoever is answered on a second connection knows that the first one is closed. It stays
    // open, so that the number of descriptors stays the same.
    let mut connection = scene.connect();
    let deadline = Instant::now() + PATIENCE;
    connection.ask(&Request::Ping, deadline).unwrap();
    // Enough to hear of the next one, but not to read its spec. To run it takes no more than that.
    limit_descriptors(&scene, descriptors(&scene) + 2);
    let error = scene
        .start(&scene.spec_of("foo", &["/bin/sleep", "1000"]))
        .unwrap_err();
    assert!(error.message.contains("Too many open files"), "{error}");
    assert_eq!(error.os_errno, libc::EMFILE);
    assert_eq!(scene.status("foo").state, State::Down);
    assert_eq!(scene.status("good").state, State::Up);
    scene.stop("good").unwrap();
    limit_descriptors(&scene, 300);
    scene
        .start(&scene.spec_of("foo", &["/bin/sleep", "1000"]))
        .unwrap();
}

#[test]
fn a_respawn_is_tried_again_until_there_are_descriptors() {
    let scene = Scene::new();
    let settings = [
        ("respawn_delay", "50ms"),
        ("respawn_max", "0"),
        ("rc_supervise_min_interval", "0"),
        // It says nothing of ends that were none of the service's.
        ("rc_supervise_policy", "on-abort"),
    ];
    let spec = with(
        scene.spec("foo", "echo $$ >> $R; exec sleep 1000"),
        &settings,
    );
    scene.start(&spec).unwrap();
    scene.reports.until("foo", 1);
    let mut connection = scene.connect();
    let deadline = Instant::now() + PATIENCE;
    connection.ask(&Request::Ping, deadline).unwrap();
    // The zombie leaves room for one, and it takes two to read a spec, as has to be done with a new one.
    scene.write(&spec);
    limit_descriptors(&scene, descriptors(&scene));
    signal(
        scene.reports.lines("foo")[0].parse().unwrap(),
        libc::SIGABRT,
    );
    loop {
        let question = Request::Status(name("foo"));
        let Reply::Status(status) = connection.ask(&question, deadline).unwrap() else {
            panic!("no status");
        };
        if status.detail.contains("Too many open files") {
            assert_eq!(status.state, State::Backoff);
            break;
        }
        assert!(Instant::now() < deadline, "{status:?}");
    }
    limit_descriptors(&scene, 300);
    scene.reports.until("foo", 2);
    scene.until("foo", State::Up);
}

#[test]
fn clients_wait_for_descriptors_and_the_supervisor_does_not_spin() {
    let scene = Scene::new();
    let deadline = Instant::now() + PATIENCE;
    limit_descriptors(&scene, descriptors(&scene) + 5);
    let mut all: Vec<_> = (0..20).map(|_| scene.connect()).collect();
    for connection in &mut all {
        connection.send(&Request::Ping, deadline).unwrap();
    }
    for connection in &mut all[..4] {
        connection.receive(deadline).unwrap();
    }
    let before = used(&scene);
    let nothing: &mut [PollFd<'_>] = &mut [];
    assert_eq!(poll(nothing, 2_000u16), Ok(0));
    let used = used(&scene) - before;
    assert!(used < Duration::from_millis(100), "{used:?} of 2 s");
    // Who leaves makes room for the next.
    drop(all.drain(..4));
    for mut connection in all {
        connection.receive(deadline).unwrap();
    }
}

#[test]
fn a_full_state_directory_is_named_and_holds_up_nothing() {
    let scene = Scene::new();
    let spec = scene.spec("foo", "exec sleep 1000");
    scene.start(&spec).unwrap();
    // As if nothing more could be written there.
    let state = scene.svcdir.join("rc-sv/foo/state");
    fs::remove_file(&state).unwrap();
    fs::create_dir(&state).unwrap();
    scene.order(Request::Restart(name("foo"))).unwrap();
    assert_eq!(scene.status("foo").state, State::Up);
}

#[test]
fn a_supervisor_without_descriptors_takes_over_everything_or_nothing() {
    let scene = Scene::new();
    let names = ["a", "b", "c", "d", "e", "f"];
    let settings = [("respawn_delay", "0"), ("rc_supervise_min_interval", "0")];
    let start = |service| {
        let spec = scene.spec_of(service, &["/bin/sleep", "1000"]);
        scene.start(&with(spec, &settings)).unwrap();
        scene.pid(service)
    };
    let pids = names.map(start);
    let (guardian, first) = (scene.guardian(), scene.supervisor());
    // Enough to begin, and to go on with some of them.
    limit_descriptors_of(guardian, descriptors(&scene) - 3);
    signal(first, libc::SIGKILL);
    await_death(first);
    signal(pids[0], libc::SIGKILL);
    // One that has forgotten some stays; one that leaves them to the next is followed by it.
    let children = format!("/proc/{guardian}/task/{guardian}/children");
    let mut begun = BTreeSet::new();
    let deadline = Instant::now() + PATIENCE;
    while begun.len() < 2 {
        let text = fs::read_to_string(&children).unwrap();
        let children = text.split_whitespace().map(|pid| pid.parse().unwrap());
        begun.extend(children.filter(|pid| *pid != first && !pids.contains(pid)));
        assert!(Instant::now() < deadline, "only {begun:?}");
    }
    limit_descriptors_of(guardian, 300);
    let other = loop {
        let status = scene.status("a");
        match status.pid.filter(|pid| *pid != pids[0]) {
            Some(pid) => break pid,
            None => assert!(Instant::now() < deadline, "{status:?}"),
        }
    };
    assert!(!pids.contains(&other));
    for (service, pid) in names.into_iter().zip(pids).skip(1) {
        assert_eq!(scene.pid(service), pid);
        scene.stop(service).unwrap();
    }
}

#[test]
fn a_supervisor_without_descriptors_becomes_the_guardian_later() {
    let scene = Scene::new();
    scene
        .start(&scene.spec_of("foo", &["/bin/sleep", "1000"]))
        .unwrap();
    let daemon = scene.pid("foo");
    let (guardian, heir) = (scene.guardian(), scene.supervisor());
    let mut connection = scene.connect();
    let deadline = Instant::now() + PATIENCE;
    connection.ask(&Request::Ping, deadline).unwrap();
    // No other one, whatever is closed meanwhile.
    limit_descriptors_of(heir, 3);
    signal(guardian, libc::SIGKILL);
    await_death(guardian);
    // It sees the death first, and is still there.
    connection.ask(&Request::Ping, deadline).unwrap();
    limit_descriptors_of(heir, 300);
    while scene.guardian() != heir {
        assert!(Instant::now() < deadline, "there is no guardian");
    }
    assert_ne!(scene.supervisor(), heir);
    assert_eq!(scene.pid("foo"), daemon);
}
