//! What is told of a service, and what it costs to remember it.

use super::bench::Bench;
use super::world::plan;
use crate::core::{Effect, Plan, Word};
use rc_sv_api::exit::Exit;
use rc_sv_api::{State, Status};
use std::mem::{size_of, size_of_val};

const CRASH: Exit = Exit::Code(3);

#[test]
fn the_status_of_what_is_up() {
    let bench = Bench::up(&[]);
    let expected = Status {
        state: State::Up,
        wanted_up: Some(true),
        ready: Some(true),
        pid: Some(101),
        since_boot_ns: Some(1_000_000_000_000),
        since_real_ns: Some(1_000_000_000_007),
        restarts: Some(0),
        ..Status::default()
    };
    assert_eq!(bench.status(), expected);
}

#[test]
fn the_status_of_what_waits() {
    let mut bench = Bench::up(&[]);
    bench.pass(300);
    bench.exited(CRASH);
    bench.pass(100);
    let expected = Status {
        state: State::Backoff,
        wanted_up: Some(true),
        ready: Some(false),
        since_boot_ns: Some(1_000_300_000_000),
        since_real_ns: Some(1_000_300_000_007),
        restarts: Some(0),
        failures: 1,
        last_exit: Some(CRASH),
        next_restart_ms: Some(400),
        detail: "restarting in 400 ms (1 of 10)".to_string(),
        ..Status::default()
    };
    assert_eq!(bench.status(), expected);
}

#[test]
fn a_kill_for_want_of_memory_is_told() {
    let kill = Exit::Signal(9);
    let mut bench = Bench::up(&[("respawn_max", "1"), ("respawn_delay", "1")]);
    bench.says(Word::Starved);
    bench.exited(kill);
    let why = "killed for want of memory by the kernel";
    let waiting = format!("restarting in 1 s (1 of 1): {why}");
    assert_eq!(bench.status().detail, waiting);
    bench.pass(1_000);
    bench.come_up();
    assert_eq!(
        (bench.status().state, bench.status().detail),
        (State::Up, String::new())
    );
    // The next kill has another reason.
    bench.exited(kill);
    let line = bench.status().detail;
    assert!(line.ends_with("killed by KILL"), "{line}");
    let mut bench = Bench::up(&[
        ("rc_supervise_policy", "on-failure"),
        ("respawn_max", "1"),
        ("respawn_delay", "1"),
    ]);
    for _ in 0..2 {
        bench.says(Word::Starved);
        bench.exited(kill);
        bench.pass(1_000);
        bench.come_up();
    }
    let line = bench.status().detail;
    assert!(line.ends_with(&format!("killed by KILL; {why}")), "{line}");
}

#[test]
fn the_time_of_a_state_is_that_of_its_beginning() {
    let mut bench = Bench::up(&[]);
    bench.pass(50);
    bench.stop(2);
    let since = bench.status().since_boot_ns;
    bench.pass(33_000);
    bench.exited_leaving(CRASH);
    bench.pass(9_000);
    assert_eq!(bench.status().state, State::Stopping);
    assert_eq!(bench.status().since_boot_ns, since, "one stop, one time");
    bench.emptied();
    assert_ne!(bench.status().since_boot_ns, since);
}

#[test]
fn lines_for_people() {
    let mut bench = Bench::up(&[("respawn_max", "0"), ("retry", "TERM/2/KILL/3")]);
    assert_eq!(bench.status().detail, "");
    bench.exited(CRASH);
    assert_eq!(
        bench.status().detail,
        "restarting in 500 ms (1, without a limit)"
    );
    bench.start(2);
    bench.come_up();
    bench.stop(3);
    assert_eq!(bench.status().detail, "sent TERM, KILL follows in 2 s");
    bench.pass(2_500);
    assert_eq!(bench.status().detail, "sent KILL, KILL follows in 2.5 s");
    bench.pass(3_000);
    assert_eq!(bench.status().detail, "everything was killed");
    bench.exited_leaving(CRASH);
    assert_eq!(bench.status().detail, "killing what it left");
    bench.emptied();
    assert_eq!(bench.status().detail, "");
}

#[test]
fn lines_about_ends() {
    let mut bench = Bench::up(&[("rc_supervise_finish", "/f"), ("rc_supervise_policy", "no")]);
    bench.exited(Exit::Code(0));
    assert_eq!(bench.status().detail, "running the finish command");
    bench.hook_ended(crate::core::Hook::Finish, Exit::Code(0));
    assert_eq!(bench.status().detail, "ended by itself: exited 0");
    assert_eq!(bench.status().wanted_up, Some(false));
    bench.start(2);
    bench.spawned();
    bench.exec_failed();
    bench.exited(Exit::Code(127));
    let line = "cannot execute /x: No such file or directory";
    assert_eq!(bench.status().detail, line);
    bench.start(3);
    bench.come_up();
    assert_eq!(bench.status().detail, "");
    bench.exited(Exit::Dumped(11));
    bench.hook_ended(crate::core::Hook::Finish, Exit::Code(0));
    let line = "failed for good: killed by SEGV (core dumped)";
    assert_eq!(bench.status().detail, line);
    bench.stop(4);
    assert_eq!(
        (bench.state(), bench.status().detail.as_str()),
        (State::Down, "")
    );
}

#[test]
fn lines_are_never_longer_than_the_abi_allows() {
    let mut bench = Bench::new(&[]);
    bench.start(1);
    let (id, run, errno) = (bench.id(), bench.run, 2);
    let message = "ä".repeat(100);
    let effects = bench.tell(crate::core::Event::SpawnFailed {
        id,
        run,
        message,
        errno,
    });
    assert!(effects.contains(&"ä".repeat(100)), "an answer is not cut");
    assert_eq!(bench.status().detail, "ä".repeat(71));
}

/// The oldest respawn is the first of those in the window, not of all.
#[test]
fn the_time_in_a_give_up_is_that_of_the_window() {
    let settings = [
        ("respawn_max", "2"),
        ("respawn_period", "100"),
        ("respawn_delay", "0"),
    ];
    let mut bench = Bench::up(&settings);
    for run_ms in [0, 90_000, 50_000] {
        bench.pass(run_ms);
        assert!(bench.exited(CRASH).starts_with("spawn"));
        bench.come_up();
    }
    bench.pass(10_000);
    bench.exited(CRASH);
    let line = "gave up after 2 restarts in 60 s: exited 3";
    assert_eq!(bench.status().detail, line);
}

/// The budget of a thousand services is well below a megabyte.
#[test]
fn a_service_is_small() {
    let service = size_of::<crate::core::service::Service>();
    let ladder = size_of_val(plan(&[]).ladder.rungs());
    let window = 16 * size_of::<u64>();
    let total = service + size_of::<Plan>() + ladder + window;
    assert!(
        total <= 800,
        "{total} bytes: {service} + {}",
        size_of::<Plan>()
    );
    assert!(size_of::<Effect>() <= 64, "{}", size_of::<Effect>());
}

#[test]
fn a_service_that_is_up_wakes_nobody() {
    let mut bench = Bench::up(&[]);
    assert_eq!(bench.core.deadline(), None);
    for waiter in 2..50 {
        bench.restart(waiter);
        bench.exited(CRASH);
        assert!(bench.core.deadline().is_some());
        bench.come_up();
    }
    assert_eq!(bench.core.deadline(), None, "no timer is left behind");
}
