//! Who beats whom: commands against the state, and against each other.

use super::bench::Bench;
use super::world::plan;
use crate::core::Command;
use rc_sv_api::exit::Exit;

const CRASH: Exit = Exit::Code(3);
const TERM: Exit = Exit::Signal(15);

#[test]
fn two_starts_make_one_instance_and_both_are_answered() {
    let mut bench = Bench::new(&[]);
    assert_eq!(bench.start(1), "spawn 1");
    assert_eq!(bench.start(2), "");
    bench.spawned();
    assert_eq!(bench.executed(), "1 ok, 2 ok");
    assert_eq!(bench.start(3), "3 ok", "it is up already");
}

#[test]
fn two_starts_that_fail_are_both_told_why() {
    let mut bench = Bench::new(&[]);
    bench.start(1);
    bench.start(2);
    assert_eq!(
        bench.spawn_failed(),
        "<down>, 1 Failed: cannot fork: Resource temporarily unavailable, \
         2 Failed: cannot fork: Resource temporarily unavailable"
    );
    assert_eq!(bench.status().wanted_up, Some(false));
    assert_eq!(bench.pass(1_000_000), "", "nothing is tried again");
}

#[test]
fn a_start_during_a_respawn_decides_its_fate() {
    let mut bench = Bench::up(&[]);
    bench.exited(CRASH);
    bench.pass(500);
    bench.spawned();
    assert_eq!(bench.start(2), "");
    bench.exec_failed();
    assert_eq!(
        bench.exited(Exit::Code(127)),
        "reap 2, <down>, 2 Failed: cannot execute /x: No such file or directory"
    );
}

#[test]
fn a_start_that_comes_when_the_other_has_failed_is_tried_by_itself() {
    let mut bench = Bench::new(&[]);
    bench.start(1);
    bench.spawned();
    bench.exec_failed();
    let first = "1 Failed: cannot execute /x: No such file or directory";
    assert_eq!(bench.start(2), first);
    assert_eq!(bench.exited(Exit::Code(127)), "spawn 2, reap 1");
    bench.spawned();
    assert_eq!(bench.executed(), "2 ok");
}

#[test]
fn a_start_after_a_time_out_is_tried_by_itself() {
    let mut bench = Bench::new(&[("timeout_ready", "1500")]);
    bench.start(1);
    bench.spawned();
    assert_eq!(bench.pass(1500), "sweep 1");
    let first = "1 Timeout: the program was not executed within 1.5 s";
    assert_eq!(bench.start(2), first);
    assert_eq!(bench.exited(Exit::Signal(9)), "spawn 2, reap 1");
}

#[test]
fn a_start_overtakes_a_stop_and_comes_after_it() {
    let mut bench = Bench::up(&[]);
    bench.stop(2);
    assert_eq!(bench.start(3), "2 Conflict: overtaken by a later start");
    assert_eq!(bench.exited(TERM), "spawn 2, reap 1");
    bench.spawned();
    assert_eq!(bench.executed(), "3 ok");
}

#[test]
fn a_stop_overtakes_a_start_that_waits_for_a_stop() {
    let mut bench = Bench::up(&[]);
    bench.stop(2);
    bench.start(3);
    assert_eq!(bench.stop(4), "3 Conflict: overtaken by a later stop");
    assert_eq!(bench.exited(TERM), "reap 1, <down>, 4 ok");
}

#[test]
fn a_start_in_the_clean_up_of_a_crash_is_not_delayed_by_the_pause() {
    let mut bench = Bench::up(&[("respawn_delay", "30")]);
    bench.exited_leaving(CRASH);
    assert_eq!(bench.start(2), "");
    assert_eq!(bench.emptied(), "spawn 2, reap 1");
    let status = bench.status();
    assert_eq!((status.restarts, status.failures), (Some(0), 0));
}

#[test]
fn a_restart_stops_and_starts_and_is_answered_when_it_is_up() {
    let mut bench = Bench::up(&[]);
    assert_eq!(bench.restart(2), "TERM main 1, CONT main 1");
    assert_eq!(bench.exited(CRASH), "spawn 2, reap 1");
    assert_eq!(bench.spawned(), "<pid 102, 0 restarts>");
    assert_eq!(bench.executed(), "2 ok");
}

#[test]
fn a_restart_of_what_is_starting_answers_the_start_too() {
    let mut bench = Bench::new(&[]);
    bench.start(1);
    bench.spawned();
    assert_eq!(bench.restart(2), "TERM main 1, CONT main 1");
    assert_eq!(bench.executed(), "", "the instance that has to go");
    assert_eq!(bench.exited(TERM), "spawn 2, reap 1");
    bench.spawned();
    assert_eq!(bench.executed(), "1 ok, 2 ok");
}

#[test]
fn a_restart_of_what_ends_anyway_sends_nothing() {
    let mut bench = Bench::new(&[]);
    bench.start(1);
    bench.spawned();
    bench.exec_failed();
    let first = "1 Failed: cannot execute /x: No such file or directory";
    assert_eq!(bench.restart(2), first);
    assert_eq!(bench.exited(Exit::Code(127)), "spawn 2, reap 1");
}

#[test]
fn a_restart_that_cannot_start_again_fails_and_stays_down() {
    let mut bench = Bench::up(&[]);
    bench.restart(2);
    bench.exited(TERM);
    bench.spawned();
    bench.exec_failed();
    assert_eq!(
        bench.exited(Exit::Code(127)),
        "reap 2, <down>, 2 Failed: cannot execute /x: No such file or directory"
    );
}

#[test]
fn a_restart_brings_a_new_plan() {
    let mut bench = Bench::up(&[]);
    let group = plan(&[("rc_supervise_kill_mode", "group")]);
    let restart = bench.command(Command::Restart(Some(group)), 2);
    assert_eq!(restart, "TERM group 1, CONT group 1");
    bench.exited(TERM);
    bench.come_up();
    assert_eq!(bench.stop(3), "TERM group 2, CONT group 2");
}

#[test]
fn a_start_of_what_is_up_replaces_the_plan_only() {
    let mut bench = Bench::up(&[]);
    let never = plan(&[("rc_supervise_policy", "no")]);
    assert_eq!(bench.command(Command::Start(never), 2), "2 ok");
    assert_eq!(bench.exited(TERM), "reap 1, <down>");
}

#[test]
fn a_shorter_ladder_in_the_middle_of_a_stop_is_no_trouble() {
    let mut bench = Bench::up(&[("retry", "TERM/1/INT/1/QUIT/1/KILL/1")]);
    bench.stop(2);
    assert_eq!(
        bench.pass(2_000),
        "INT main 1, CONT main 1, QUIT main 1, CONT main 1"
    );
    bench.command(Command::Start(plan(&[("retry", "TERM/1")])), 3);
    bench.stop(4);
    assert_eq!(bench.pass(1_000), "sweep 1");
}

#[test]
fn what_is_stuck_can_neither_be_started_nor_stopped() {
    let mut bench = Bench::up(&[("retry", "TERM/1")]);
    bench.stop(2);
    bench.pass(60_000);
    let line = "still running: pid 101 does not die";
    assert_eq!(bench.start(3), format!("3 Conflict: {line}"));
    assert_eq!(bench.restart(4), format!("4 Conflict: {line}"));
    assert_eq!(bench.stop(5), format!("5 Failed: {line}"));
    assert_eq!(bench.status().detail, line);
    assert_eq!(bench.exited(TERM), "reap 1, <down>");
    assert_eq!(bench.start(6), "spawn 2");
}

#[test]
fn a_restart_of_what_does_not_die_fails_and_is_not_made_up_for_later() {
    let mut bench = Bench::up(&[("retry", "TERM/1")]);
    bench.restart(2);
    assert_eq!(
        bench.pass(6_000),
        "sweep 1, 2 Failed: still running: pid 101 does not die"
    );
    assert_eq!(bench.exited(TERM), "reap 1, <down>");
}

#[test]
fn a_start_that_hangs_and_does_not_die_says_both() {
    let mut bench = Bench::new(&[("timeout_ready", "60000")]);
    bench.start(1);
    bench.spawned();
    assert_eq!(
        bench.pass(65_000),
        "sweep 1, 1 Timeout: the program was not executed within 60 s; \
         still running: pid 101 does not die"
    );
    assert_eq!(bench.exited(Exit::Signal(9)), "reap 1, <down>");
}

#[test]
fn signals_go_to_a_program_that_runs() {
    let mut bench = Bench::up(&[]);
    assert_eq!(bench.command(Command::Signal(1), 2), "HUP main 1, 2 ok");
    let invalid = "3 Invalid: signal 65: must be from 1 to 64";
    assert_eq!(bench.command(Command::Signal(65), 3), invalid);
    bench.stop(4);
    assert_eq!(bench.command(Command::Signal(10), 5), "USR1 main 1, 5 ok");
    bench.exited(TERM);
    let nothing = "6 NotFound: no main process runs";
    assert_eq!(bench.command(Command::Signal(1), 6), nothing);
    bench.start(7);
    bench.spawned();
    let nothing = "8 NotFound: no main process runs";
    assert_eq!(
        bench.command(Command::Signal(1), 8),
        nothing,
        "HUP would kill it now"
    );
}
