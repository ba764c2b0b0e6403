//! The back-off, its limit, and giving up.

use super::bench::Bench;
use crate::core::Hook;
use rc_sv_api::exit::Exit;
use rc_sv_api::State;

const CRASH: Exit = Exit::Code(3);

/// The pauses of the default, in milliseconds.
const DEFAULT: [u64; 10] = [
    500, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000,
];

/// Whether the pauses are these; the middle of the jitter is not exactly its middle.
fn assert_pauses(pauses: &[u64], expected: &[u64]) {
    let near = |(pause, expected): (&u64, &u64)| pause.abs_diff(*expected) <= 1;
    let all = pauses.iter().zip(expected).all(near);
    assert!(all && pauses.len() == expected.len(), "{pauses:?}");
}

/// Crashes at once again and again, until it is given up; the pauses in milliseconds.
fn crash_loop(bench: &mut Bench) -> Vec<u64> {
    let mut pauses = Vec::new();
    loop {
        bench.exited(CRASH);
        let Some(pause) = bench.status().next_restart_ms else {
            return pauses;
        };
        pauses.push(u64::from(pause));
        bench.pass(u64::from(pause));
        bench.come_up();
        assert!(pauses.len() < 100, "never gives up");
    }
}

#[test]
fn the_default_gives_up_after_ten_respawns_and_243_seconds() {
    let mut bench = Bench::up(&[]);
    let pauses = crash_loop(&mut bench);
    assert_pauses(&pauses, &DEFAULT);
    assert_eq!(bench.state(), State::GaveUp);
    assert_eq!(bench.status().wanted_up, Some(true));
    assert_eq!(
        bench.status().detail,
        "gave up after 10 restarts in 243 s: exited 3"
    );
    assert_eq!(bench.pass(10_000_000), "", "nothing follows");
    bench.start(2);
    bench.come_up();
    // A start gives the full allowance.
    assert_pauses(&crash_loop(&mut bench), &DEFAULT);
}

#[test]
fn a_program_that_vanishes_counts_against_the_limit_too() {
    let mut bench = Bench::up(&[("respawn_max", "2")]);
    bench.exited(CRASH);
    for pause in [500, 1_000] {
        assert_eq!(bench.status().next_restart_ms, Some(pause));
        bench.pass(u64::from(pause));
        bench.spawned();
        bench.exec_failed();
        bench.exited(Exit::Code(127));
    }
    let line = "gave up after 2 restarts in 1.5 s: cannot execute /x: No such file or directory";
    assert_eq!(bench.status().detail, line);
    assert_eq!(bench.status().last_exit, Some(Exit::NotRun(2)));
}

#[test]
fn a_system_that_cannot_fork_is_tried_again_whatever_the_policy() {
    let mut bench = Bench::up(&[("rc_supervise_policy", "on-success"), ("respawn_max", "2")]);
    assert_eq!(bench.exited(Exit::Code(0)), "reap 1, <backoff>");
    bench.pass(500);
    assert_eq!(bench.spawn_failed(), "<backoff>");
    assert_eq!(
        bench.status().detail,
        "restarting in 1 s (2 of 2): cannot fork: Resource temporarily unavailable"
    );
    bench.pass(1_000);
    assert_eq!(
        bench.spawn_failed(),
        "<gave up after 2 restarts in 1.5 s: cannot fork: Resource temporarily unavailable>"
    );
    let mut bench = Bench::up(&[("rc_supervise_policy", "on-success")]);
    bench.exited(Exit::Code(0));
    bench.pass(500);
    bench.spawn_failed();
    bench.pass(1_000);
    bench.come_up();
    let failed = "reap 3, <failed for good: exited 3>";
    assert_eq!(bench.exited(CRASH), failed, "the policy is as it was");
}

#[test]
fn the_pause_counts_from_the_death() {
    let mut bench = Bench::up(&[("respawn_delay", "3"), ("rc_supervise_finish", "/f")]);
    bench.exited(CRASH);
    bench.pass(2_000);
    bench.hook_ended(Hook::Finish, Exit::Code(0));
    assert_eq!(bench.status().next_restart_ms, Some(1_000));
}

#[test]
fn the_window_slides() {
    let settings = [
        ("respawn_max", "3"),
        ("respawn_period", "10"),
        ("respawn_delay", "0"),
    ];
    let gives_up_after = |gap: u64| {
        let mut bench = Bench::up(&settings);
        (0..50).position(|_| {
            bench.pass(gap);
            bench.exited(CRASH);
            let gave_up = bench.state() == State::GaveUp;
            bench.come_up();
            gave_up
        })
    };
    assert_eq!(gives_up_after(3_340), None);
    assert_eq!(gives_up_after(3_330), Some(3));
}

#[test]
fn long_runs_bring_the_pause_back() {
    let mut bench = Bench::up(&[("rc_supervise_reset_after", "10")]);
    for _ in 0..3 {
        bench.exited(CRASH);
        bench.pass(5_000);
        bench.come_up();
    }
    assert_eq!(bench.status().failures, 3);
    bench.pass(10_000);
    assert_eq!(bench.status().failures, 0, "it has been up for long");
    assert_eq!(bench.exited(CRASH), "spawn 5, reap 4");
    assert_eq!(bench.status().restarts, Some(4));
}

#[test]
fn waiting_not_to_be_executed_is_no_long_run() {
    let mut bench = Bench::up(&[("rc_supervise_reset_after", "10"), ("timeout_ready", "20s")]);
    bench.exited(CRASH);
    bench.pass(500);
    bench.spawned();
    assert_eq!(bench.pass(20_000), "sweep 2");
    assert_eq!(bench.exited(Exit::Signal(9)), "reap 2, <backoff>");
    assert_eq!(bench.status().next_restart_ms, Some(1_000));
}

#[test]
fn the_alert_is_run_once_per_give_up_and_not_for_ever() {
    let settings = [("respawn_max", "1"), ("rc_supervise_on_give_up", "/bin/a")];
    let mut bench = Bench::up(&settings);
    bench.exited(CRASH);
    bench.pass(500);
    bench.come_up();
    let gave_up = "<gave up after 1 restart in 500 ms: exited 3>";
    assert_eq!(
        bench.exited(CRASH),
        format!("reap 2, {gave_up}, alert 2 (exited 3, start-limit-hit)")
    );
    bench.start(2);
    bench.come_up();
    bench.exited(CRASH);
    bench.pass(500);
    bench.come_up();
    assert_eq!(
        bench.exited(CRASH),
        format!("reap 4, {gave_up}, kill alert 2, alert 4 (exited 3, start-limit-hit)")
    );
    bench.run = 2;
    assert_eq!(bench.hook_ended(Hook::GiveUp, Exit::Signal(9)), "");
    assert_eq!(bench.pass(59_999), "");
    assert_eq!(bench.pass(1), "kill alert 4");
    assert_eq!(bench.pass(1_000_000), "");
}

#[test]
fn an_alert_that_ended_is_not_killed() {
    let settings = [
        ("rc_supervise_policy", "no"),
        ("rc_supervise_on_give_up", "/bin/a"),
    ];
    let mut bench = Bench::up(&settings);
    bench.exited(CRASH);
    assert_eq!(bench.hook_ended(Hook::GiveUp, Exit::Code(0)), "");
    assert_eq!(bench.core.deadline(), None);
    let mut bench = Bench::up(&settings);
    bench.exited(CRASH);
    assert_eq!(bench.hook_failed(Hook::GiveUp), "");
    assert_eq!(
        bench.status().detail,
        "failed for good: exited 3; cannot execute /hook: Permission denied"
    );
    assert_eq!(bench.core.deadline(), None);
    let mut bench = Bench::up(&settings);
    bench.exited(CRASH);
    assert_eq!(bench.hook_ended(Hook::GiveUp, Exit::Code(1)), "");
    assert_eq!(
        bench.status().detail,
        "failed for good: exited 3; rc_supervise_on_give_up: exited 1"
    );
}

#[test]
fn an_alert_goes_on_while_its_service_is_started_again() {
    let settings = [
        ("rc_supervise_policy", "no"),
        ("rc_supervise_on_give_up", "/bin/a"),
    ];
    let mut bench = Bench::up(&settings);
    bench.exited(CRASH);
    assert_eq!(bench.start(2), "spawn 2");
    bench.come_up();
    assert_eq!(bench.pass(60_000), "kill alert 1");
    assert_eq!(bench.state(), State::Up);
}

#[test]
fn forgetting_a_service_kills_its_alert() {
    let settings = [
        ("rc_supervise_policy", "no"),
        ("rc_supervise_on_give_up", "/bin/a"),
    ];
    let mut bench = Bench::up(&settings);
    bench.exited(CRASH);
    assert_eq!(
        bench.command(crate::core::Command::Forget, 2),
        "kill alert 1, 2 ok"
    );
    assert_eq!(bench.core.deadline(), None);
}

/// Else the supervisor would do nothing but ask, and hear nobody.
#[test]
fn a_system_that_cannot_make_a_process_is_not_asked_again_at_once() {
    let settings = [
        ("respawn_delay", "0"),
        ("respawn_max", "0"),
        ("rc_supervise_min_interval", "0"),
    ];
    let mut bench = Bench::up(&settings);
    bench.exited(CRASH);
    assert_eq!(bench.spawn_failed(), "<backoff>");
    let wait = |bench: &Bench| bench.core.deadline().unwrap() - bench.now().boot_ms;
    assert_eq!(wait(&bench), 100);
    assert_eq!(bench.pass(100), "spawn 3");
    assert_eq!(bench.spawn_failed(), "<backoff>");
    assert_eq!(wait(&bench), 100);
}

#[test]
fn a_start_forgives_what_it_finds_starting() {
    let mut bench = Bench::up(&[]);
    bench.exited(CRASH);
    bench.pass(500);
    bench.spawned();
    let status = bench.status();
    assert_eq!((status.restarts, status.failures), (Some(1), 1));
    bench.start(2);
    let status = bench.status();
    assert_eq!((status.restarts, status.failures), (Some(0), 0));
}

#[test]
fn a_restart_forgives_too() {
    let mut bench = Bench::up(&[]);
    bench.exited(CRASH);
    bench.pass(500);
    bench.come_up();
    bench.restart(2);
    bench.exited(CRASH);
    let status = bench.status();
    assert_eq!((status.restarts, status.failures), (Some(0), 0));
}

#[test]
fn an_exec_that_failed_is_forgotten_when_another_succeeds() {
    let mut bench = Bench::up(&[("respawn_delay", "0.5")]);
    bench.exited(CRASH);
    bench.pass(500);
    bench.spawned();
    bench.exec_failed();
    bench.exited(Exit::Code(127));
    let line = "restarting in 1 s (2 of 10): cannot execute /x: No such file or directory";
    assert_eq!(bench.status().detail, line);
    bench.pass(1_000);
    bench.come_up();
    bench.exited(CRASH);
    assert_eq!(bench.status().detail, "restarting in 2 s (3 of 10)");
}
