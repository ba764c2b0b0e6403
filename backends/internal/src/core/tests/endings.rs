//! The ends of instances: orders of events, late events, sweeps, finish commands.

use super::bench::Bench;
use crate::core::Hook;
use rc_sv_api::exit::Exit;
use rc_sv_api::State;

const CRASH: Exit = Exit::Code(3);
const TERM: Exit = Exit::Signal(15);

#[test]
fn repeated_and_late_events_change_nothing() {
    let mut bench = Bench::up(&[("respawn_delay", "0")]);
    assert_eq!(
        bench.executed() + &bench.spawned() + &bench.exec_failed(),
        ""
    );
    assert_eq!(bench.spawn_failed() + &bench.emptied(), "");
    assert_eq!(bench.hook_ended(Hook::Finish, Exit::Code(0)), "");
    assert_eq!(bench.exited(CRASH), "spawn 2, reap 1");
    assert_eq!(bench.status().last_exit, Some(CRASH));
    bench.run = 1;
    assert_eq!(
        bench.exited(CRASH) + &bench.emptied() + &bench.spawned(),
        ""
    );
    assert_eq!(
        bench.executed() + &bench.exec_failed() + &bench.spawn_failed(),
        ""
    );
    bench.run = 2;
    assert_eq!(bench.spawned(), "<pid 102, 1 restarts>");
}

#[test]
fn an_end_after_the_end_has_no_second_record() {
    let mut bench = Bench::up(&[]);
    bench.stop(2);
    assert_eq!(bench.exited(CRASH), "reap 1, <down>, 2 ok");
    assert_eq!(bench.exited(TERM), "");
    assert_eq!(bench.status().last_exit, Some(CRASH));
}

#[test]
fn a_stop_before_the_pid_is_known_catches_up() {
    let mut bench = Bench::new(&[]);
    bench.start(1);
    assert_eq!(bench.stop(2), "1 Conflict: overtaken by a later stop");
    assert_eq!(
        bench.spawned(),
        "<pid 101, 0 restarts>, TERM main 1, CONT main 1"
    );
    assert_eq!(bench.exited(TERM), "reap 1, <down>, 2 ok");
}

#[test]
fn a_stop_of_what_could_not_be_spawned_is_done() {
    let mut bench = Bench::new(&[]);
    bench.start(1);
    bench.stop(2);
    assert_eq!(bench.spawn_failed(), "<down>, 2 ok");
}

#[test]
fn a_spawn_that_takes_longer_than_its_time_is_killed_when_it_comes() {
    let mut bench = Bench::new(&[("timeout_ready", "1000")]);
    bench.start(1);
    assert_eq!(bench.pass(1_000), "", "there is nobody to kill yet");
    assert_eq!(bench.spawned(), "<pid 101, 0 restarts>, sweep 1");
    let mut bench = Bench::new(&[("timeout_ready", "1000")]);
    bench.start(1);
    assert_eq!(
        bench.pass(6_000),
        "1 Timeout: the program was not executed within 1 s; \
         its main process is still being made"
    );
    assert_eq!(bench.spawned(), "<pid 101, 0 restarts>, sweep 1");
    assert_eq!(bench.exited(Exit::Signal(9)), "reap 1, <down>");
}

#[test]
fn an_exec_that_fails_but_does_not_end_is_killed() {
    let mut bench = Bench::new(&[]);
    bench.start(1);
    bench.spawned();
    assert_eq!(bench.exec_failed(), "");
    assert_eq!(bench.pass(5_000), "sweep 1");
    assert_eq!(
        bench.exited(Exit::Signal(9)),
        "reap 1, <down>, 1 Failed: cannot execute /x: No such file or directory"
    );
    assert_eq!(bench.status().last_exit, Some(Exit::NotRun(2)));
}

#[test]
fn no_cont_follows_a_kill() {
    let mut bench = Bench::up(&[("retry", "KILL/1/USR1/1")]);
    assert_eq!(bench.stop(2), "KILL main 1");
    assert_eq!(bench.pass(1_000), "USR1 main 1, CONT main 1");
}

#[test]
fn each_rung_has_its_time() {
    let mut bench = Bench::up(&[("retry", "TERM/2/INT/3/KILL/4")]);
    bench.stop(2);
    assert_eq!(bench.pass(1_999), "");
    assert_eq!(bench.pass(1), "INT main 1, CONT main 1");
    assert_eq!(bench.pass(2_999), "");
    assert_eq!(bench.pass(1), "KILL main 1");
    assert_eq!(bench.pass(3_999), "");
    assert_eq!(bench.pass(1), "sweep 1");
    assert_eq!(bench.stop(3), "", "it joins");
    assert_eq!(bench.emptied(), "", "the main process is still to end");
    assert_eq!(bench.exited_leaving(Exit::Signal(9)), "sweep 1");
    assert_eq!(bench.emptied(), "reap 1, <down>, 2 ok, 3 ok");
}

#[test]
fn rungs_without_a_time_are_climbed_at_once() {
    let mut bench = Bench::up(&[("retry", "TERM/0/INT/0")]);
    bench.stop(2);
    assert_eq!(bench.pass(0), "INT main 1, CONT main 1, sweep 1");
}

#[test]
fn leftovers_that_do_not_die_hold_up_the_respawn() {
    let mut bench = Bench::up(&[("respawn_delay", "0")]);
    assert_eq!(bench.exited_leaving(CRASH), "sweep 1");
    assert_eq!(bench.pass(5_000), "");
    assert_eq!(
        bench.start(2),
        "2 Conflict: still running: processes that it left do not die"
    );
    assert_eq!(bench.status().pid, None);
    assert_eq!(bench.emptied(), "spawn 2, reap 1");
}

#[test]
fn leftovers_that_do_not_die_fail_a_stop() {
    let mut bench = Bench::up(&[]);
    bench.stop(2);
    bench.exited_leaving(TERM);
    assert_eq!(
        bench.pass(5_000),
        "2 Failed: still running: processes that it left do not die"
    );
    assert_eq!(bench.emptied(), "reap 1, <down>");
}

#[test]
fn the_finish_command_runs_after_the_sweep_and_before_the_answer() {
    let mut bench = Bench::up(&[("rc_supervise_finish", "/bin/f")]);
    bench.stop(2);
    assert_eq!(bench.exited_leaving(TERM), "sweep 1");
    assert_eq!(bench.emptied(), "finish 1 (killed by TERM), reap 1");
    assert_eq!(bench.emptied(), "", "once");
    assert_eq!(
        bench.hook_ended(Hook::Finish, Exit::Code(125)),
        "<down>, 2 ok"
    );
}

#[test]
fn the_finish_command_is_not_run_for_what_never_ran() {
    let mut bench = Bench::new(&[("rc_supervise_finish", "/bin/f")]);
    bench.start(1);
    bench.spawned();
    bench.exec_failed();
    assert_eq!(
        bench.exited(Exit::Code(127)),
        "reap 1, <down>, 1 Failed: cannot execute /x: No such file or directory"
    );
}

#[test]
fn a_stop_or_a_start_in_the_finish_command_waits_for_it() {
    let mut bench = Bench::up(&[("rc_supervise_finish", "/bin/f")]);
    bench.exited(CRASH);
    assert_eq!(bench.stop(2), "");
    assert_eq!(bench.pass(5_000), "kill finish 1");
    assert_eq!(bench.start(3), "2 Conflict: overtaken by a later start");
    assert_eq!(bench.hook_ended(Hook::Finish, Exit::Code(125)), "spawn 2");
}

#[test]
fn a_finish_command_that_cannot_be_run_is_no_reason_to_stay_down() {
    let mut bench = Bench::up(&[("rc_supervise_finish", "/bin/f")]);
    bench.exited(CRASH);
    assert_eq!(bench.hook_failed(Hook::Finish), "<backoff>");
    assert_eq!(
        bench.status().detail,
        "restarting in 500 ms (1 of 10): cannot execute /hook: Permission denied"
    );
}

#[test]
fn the_125_of_a_finish_command_that_was_killed_does_not_count() {
    let mut bench = Bench::up(&[("rc_supervise_finish", "/bin/f")]);
    bench.exited(CRASH);
    bench.pass(5_000);
    assert_eq!(bench.hook_ended(Hook::Finish, Exit::Code(125)), "spawn 2");
}

#[test]
fn an_end_without_a_spawned_is_reaped_all_the_same() {
    let mut bench = Bench::new(&[]);
    bench.start(1);
    let answer = "reap 1, <down>, 1 Failed: killed by KILL before it was executed";
    assert_eq!(bench.exited(Exit::Signal(9)), answer);
    assert_eq!(bench.spawned(), "");
    assert_eq!(bench.state(), State::Down);
}

#[test]
fn what_was_not_executed_cannot_be_executed_later() {
    let mut bench = Bench::new(&[]);
    bench.start(1);
    bench.spawned();
    bench.exec_failed();
    assert_eq!(bench.executed(), "");
    assert_eq!(bench.state(), State::Starting);
}

#[test]
fn a_finish_command_that_was_not_run_cannot_end() {
    let mut bench = Bench::up(&[("rc_supervise_finish", "/bin/f")]);
    bench.exited_leaving(CRASH);
    assert_eq!(bench.hook_ended(Hook::Finish, Exit::Code(125)), "");
    assert_eq!(bench.emptied(), "finish 1 (exited 3), reap 1");
}
