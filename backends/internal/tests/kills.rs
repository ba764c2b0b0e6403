//! Supervisor and guardian are killed at random moments while services crash.

mod scene;

use nix::poll::{poll, PollFd};
use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;
use rc_sv_api::State;
use rc_sv_internal::client::connection::Connection;
use scene::{processes, with, Scene, PATIENCE};
use std::fs;
use std::time::Instant;

const SERVICES: usize = 20;
const KILLS: usize = 60;

/// The same kills each time, as far as that is up to the test.
const SEED: u64 = 0x005e_ed0f_6a2d;

/// Takes a lock, which it could not get beside another copy, and ends soon.
const CRASHES: &str = "exec 9>> $R.lock; flock -n 9 || echo double >> $R; echo start >> $R; \
                       sleep 0.$((($$ % 4) + 1)) 9>&-; echo end >> $R; exit 3";

struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % sides
    }
}

fn name(index: usize) -> String {
    format!("s{index}")
}

/// Children of a process, zombies too.
fn children(parent: i32) -> Vec<i32> {
    let mut all = processes();
    let line = format!("PPid:\t{parent}\n");
    all.retain(|pid| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        status.contains(&line)
    });
    all
}

fn descriptors(pid: i32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, |entries| entries.count())
}

/// Sees to it that somebody supervises, as any command would.
fn supervised(scene: &Scene) -> i32 {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(pid) = scene.supervisor_now() {
            return pid;
        }
        if !matches!(Connection::open(&scene.svcdir, PATIENCE), Ok(Some(_))) {
            scene.begin();
        }
        assert!(Instant::now() < deadline, "there is no supervisor");
    }
}

/// Waits until a service has reported more, and sees to it that somebody supervises.
fn until_more(scene: &Scene, service: &str, more: usize) {
    let wanted = scene.reports.lines(service).len() + more;
    let deadline = Instant::now() + PATIENCE;
    while scene.reports.lines(service).len() < wanted {
        supervised(scene);
        let nothing: &mut [PollFd<'_>] = &mut [];
        poll(nothing, 10u16).unwrap();
        assert!(Instant::now() < deadline, "{service} was forgotten");
    }
}

#[test]
fn nothing_is_disturbed_doubled_or_forgotten() {
    let scene = Scene::new();
    let settings = [
        ("respawn_delay", "0"),
        ("respawn_max", "0"),
        ("rc_supervise_min_interval", "0"),
    ];
    for index in 0..SERVICES {
        let spec = with(scene.spec(&name(index), CRASHES), &settings);
        scene.start(&spec).unwrap();
    }
    until_more(&scene, "s0", 4);
    let before = descriptors(scene.supervisor());
    let mut dice = Dice(SEED);
    for _ in 0..KILLS {
        let (supervisor, guardian) = (supervised(&scene), scene.guardian());
        let victims = match dice.throw(4) {
            0 | 1 => vec![supervisor],
            2 => vec![guardian],
            _ => vec![guardian, supervisor],
        };
        for victim in victims {
            // It may be gone already, because the other one was quick.
            let _ = kill(Pid::from_raw(victim), Signal::SIGKILL);
        }
        let service = name(dice.throw(SERVICES));
        until_more(&scene, &service, 1 + dice.throw(3));
    }
    // Each one is still looked after.
    for index in 0..SERVICES {
        until_more(&scene, &name(index), 4);
    }
    let deadline = Instant::now() + PATIENCE;
    let is_calm = || {
        let (guardian, supervisor) = (scene.guardian(), scene.supervisor());
        children(guardian).len() + children(supervisor).len() <= SERVICES + 1
            && descriptors(supervisor) <= before + 8
    };
    while !is_calm() {
        let supervisor = scene.supervisor();
        let (is, at_first) = (descriptors(supervisor), before);
        assert!(
            Instant::now() < deadline,
            "{is} descriptors, {at_first} before"
        );
    }
    for index in 0..SERVICES {
        scene.stop(&name(index)).unwrap();
        assert_eq!(scene.status(&name(index)).state, State::Down);
    }
    for index in 0..SERVICES {
        let lines = scene.reports.lines(&name(index));
        let mut expected = ["start", "end"].iter().cycle();
        // The last one was stopped.
        assert!(
            lines
                .iter()
                .all(|line| Some(&line.as_str()) == expected.next()),
            "{lines:?}"
        );
    }
}
