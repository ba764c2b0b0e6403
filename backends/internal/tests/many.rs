//! A thousand services, and what an idle supervisor does and holds.

#![allow(clippy::print_stdout)] // Figures, for people.

mod scene;

use nix::poll::{poll, PollFd};
use rc_sv_api::{State, Status};
use rc_sv_internal::protocol::{Reply, Request};
use scene::{signal, with, Scene, PATIENCE};
use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

const COUNT: usize = 1_000;

/// How long something may take that is done to all of them.
const ALL: Duration = Duration::from_secs(120);

/// Tells people the figures of this machine.
fn tell(line: &str) {
    println!("{line}");
}

/// Proportional memory of the supervisor, in kB.
fn pss(scene: &Scene) -> u64 {
    let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", scene.supervisor())).unwrap();
    let line = text.lines().find(|line| line.starts_with("Pss:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Processor time that the supervisor has used, in milliseconds.
fn used(scene: &Scene) -> u64 {
    let text = fs::read_to_string(format!("/proc/{}/schedstat", scene.supervisor())).unwrap();
    text.split(' ').next().unwrap().parse::<u64>().unwrap() / 1_000_000
}

/// Lets time pass in which nothing is done.
fn idle(time: Duration) {
    let nothing: &mut [PollFd<'_>] = &mut [];
    assert_eq!(poll(nothing, time.as_millis() as u16), Ok(0));
}

/// The children of the supervisor, zombies too.
fn children(scene: &Scene) -> BTreeSet<i32> {
    let tasks = format!("/proc/{}/task", scene.supervisor());
    // A child is listed with the thread that made it.
    let lists = fs::read_dir(tasks).unwrap().map(|task| {
        let list = task.unwrap().path().join("children");
        fs::read_to_string(list).unwrap()
    });
    lists
        .flat_map(|list| {
            let pids = list.split_whitespace().map(|pid| pid.parse().unwrap());
            pids.collect::<Vec<i32>>()
        })
        .collect()
}

fn descriptors(scene: &Scene) -> usize {
    fs::read_dir(format!("/proc/{}/fd", scene.supervisor()))
        .unwrap()
        .count()
}

fn list(scene: &Scene) -> Vec<Status> {
    let listed = scene.connect().list(Instant::now() + PATIENCE).unwrap();
    listed.into_iter().map(|(_, status)| status).collect()
}

/// The pids of all services, as soon as all are up with this many respawns.
fn until_up(scene: &Scene, restarts: u32) -> BTreeSet<i32> {
    let deadline = Instant::now() + ALL;
    loop {
        let all = list(scene);
        let is_up =
            |status: &&Status| status.state == State::Up && status.restarts == Some(restarts);
        let up = all.iter().filter(is_up).count();
        if up == COUNT {
            return all.iter().filter_map(|status| status.pid).collect();
        }
        assert!(Instant::now() < deadline, "{up} of {} are up", all.len());
    }
}

#[test]
fn a_thousand_services_are_started_killed_and_stopped() {
    let scene = Scene::new();
    tell(&format!("PSS without services: {} kB", pss(&scene)));
    let settings = [("respawn_delay", "0"), ("rc_supervise_min_interval", "0")];
    let services: Vec<_> = (0..COUNT)
        .map(|index| {
            let spec = scene.spec_of(&format!("s{index}"), &["/bin/sleep", "1000"]);
            scene.write(&with(spec, &settings))
        })
        .collect();

    let order = |make: &dyn Fn(rc_sv_api::ServiceName) -> Request| {
        let begun = Instant::now();
        let deadline = begun + ALL;
        let mut connections: Vec<_> = (0..16).map(|_| scene.connect()).collect();
        let mut parts = services.chunks(COUNT.div_ceil(connections.len()));
        for connection in &mut connections {
            for service in parts.next().unwrap_or_default() {
                connection.send(&make(service.clone()), deadline).unwrap();
            }
        }
        let mut parts = services.chunks(COUNT.div_ceil(connections.len()));
        for connection in &mut connections {
            for _ in parts.next().unwrap_or_default() {
                assert_eq!(connection.receive(deadline).unwrap().0, Reply::Done);
            }
        }
        begun.elapsed()
    };
    let took = order(&Request::Start);
    tell(&format!(
        "{COUNT} starts: {took:?}, processor {} ms",
        used(&scene)
    ));
    let first = until_up(&scene, 0);
    assert_eq!(first.len(), COUNT, "pids are shared");
    assert_eq!(children(&scene), first);

    let begun = Instant::now();
    let listed = list(&scene);
    tell(&format!("{} states: {:?}", listed.len(), begun.elapsed()));

    let (begun, before) = (Instant::now(), used(&scene));
    for pid in &first {
        signal(*pid, libc::SIGKILL);
    }
    let second = until_up(&scene, 1);
    let (took, used) = (begun.elapsed(), used(&scene) - before);
    tell(&format!(
        "all killed at once, all back: {took:?}, processor {used} ms"
    ));
    assert_eq!(second.len(), COUNT);
    assert!(first.is_disjoint(&second));
    assert_eq!(children(&scene), second, "lost, doubled, or zombies");

    idle(Duration::from_millis(2_500));
    let memory = pss(&scene);
    tell(&format!("PSS with {COUNT} services: {memory} kB"));
    assert!(memory < 5_000, "{memory} kB");

    tell(&format!("{COUNT} stops: {:?}", order(&Request::Stop)));
    assert_eq!(children(&scene).len(), 0);
    assert!(list(&scene)
        .iter()
        .all(|status| status.state == State::Down));
}

#[test]
fn an_idle_supervisor_does_not_wake_up() {
    let scene = Scene::new();
    let spec = with(
        scene.spec("waits", "exit 1"),
        &[("respawn_delay", "1000s"), ("respawn_delay_cap", "1000s")],
    );
    scene.start(&spec).unwrap();
    scene.start(&scene.spec("runs", "exec sleep 1000")).unwrap();
    scene.until("waits", State::Backoff);
    // After its last work it tidies up once.
    idle(Duration::from_millis(3_000));
    let switches = || {
        let status = fs::read_to_string(format!("/proc/{}/status", scene.supervisor())).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("voluntary"))
            .unwrap();
        line.split_whitespace()
            .nth(1)
            .unwrap()
            .parse::<u64>()
            .unwrap()
    };
    tell(&format!("PSS with 2 services: {} kB", pss(&scene)));
    let rests = || {
        let before = switches();
        idle(Duration::from_millis(5_000));
        switches() == before
    };
    // On a busy machine it may do that only now.
    assert!((0..4).any(|_| rests()), "it wakes up");
}

#[test]
fn hundreds_of_deaths_leak_nothing() {
    let scene = Scene::new();
    let settings = [
        ("respawn_delay", "0"),
        ("rc_supervise_min_interval", "0"),
        ("respawn_max", "0"),
        ("rc_supervise_finish", "/bin/true"),
    ];
    scene
        .start(&with(scene.spec("foo", "exec sleep 1000"), &settings))
        .unwrap();
    let before = descriptors(&scene);
    for restarts in 1..=300 {
        signal(scene.pid("foo"), libc::SIGKILL);
        let deadline = Instant::now() + PATIENCE;
        loop {
            let status = scene.status("foo");
            if status.state == State::Up && status.restarts == Some(restarts) {
                break;
            }
            assert!(Instant::now() < deadline, "{status:?}");
        }
    }
    assert_eq!(children(&scene).len(), 1, "zombies");
    // The connection of the last question may still be open.
    let after = descriptors(&scene);
    assert!(
        after <= before + 1,
        "{before} descriptors before, {after} after"
    );
}
