//! From the execution of a program to the readiness of the service.

use super::bench::Bench;
use crate::core::{Event, Look, Word};
use rc_sv_api::exit::Exit;
use rc_sv_api::State;
use rc_sv_exec::check::Outcome;
use std::time::Duration;

const CRASH: Exit = Exit::Code(3);
const TOLD: [(&str, &str); 1] = [("notify", "socket:ready")];
const ANSWERS: [(&str, &str); 1] = [("rc_supervise_ready", "tcp:80")];

/// One that was executed, and is not ready yet.
fn executed(settings: &[(&str, &str)]) -> Bench {
    let mut bench = Bench::new(settings);
    bench.start(1);
    bench.come_up();
    assert_eq!(bench.state(), State::Starting);
    bench
}

#[test]
fn a_start_is_answered_when_it_says_that_it_is_ready() {
    let mut bench = executed(&TOLD);
    assert_eq!(bench.status().ready, Some(false));
    assert_eq!(bench.says(Word::Status("loading".into())), "");
    assert_eq!(bench.status().detail, "loading");
    assert_eq!(bench.says(Word::Ready), "1 ok");
    assert_eq!(bench.state(), State::Up);
    assert_eq!(bench.says(Word::Ready), "", "once");
    assert_eq!(bench.status().detail, "loading");
}

#[test]
fn who_says_that_it_is_ready_was_executed() {
    let mut bench = Bench::new(&TOLD);
    bench.start(1);
    bench.spawned();
    assert_eq!(bench.says(Word::Ready), "1 ok");
    assert_eq!(bench.executed(), "");
    assert_eq!(bench.state(), State::Up);
}

#[test]
fn one_that_dies_before_is_a_failed_start_at_once() {
    let mut bench = executed(&TOLD);
    let failed = "reap 1, <down>, 1 Failed: exited 3 before it was ready";
    assert_eq!(bench.exited(CRASH), failed);
    assert_eq!(bench.state(), State::Down);
    assert_eq!(bench.start(2), "spawn 2");
    bench.come_up();
    assert_eq!(bench.says(Word::Ready), "2 ok");
}

#[test]
fn what_it_says_of_its_failure_is_told() {
    let mut bench = executed(&TOLD);
    bench.says(Word::Errno(98));
    let line = "exited 3; it says: Address already in use before it was ready";
    assert_eq!(
        bench.exited(CRASH),
        format!("reap 1, <down>, 1 Failed: {line}")
    );
}

#[test]
fn one_that_is_not_ready_in_time_is_stopped_by_its_ladder() {
    let mut bench = executed(&TOLD);
    assert_eq!(bench.pass(89_999), "");
    bench.says(Word::Status("replaying the journal".into()));
    assert_eq!(bench.pass(1), "TERM main 1, CONT main 1");
    let line = "1 Timeout: not ready within 90 s: replaying the journal";
    assert_eq!(
        bench.exited(Exit::Signal(15)),
        format!("reap 1, <down>, {line}")
    );
}

#[test]
fn it_can_ask_for_more_time() {
    let mut bench = executed(&TOLD);
    bench.pass(80_000);
    assert_eq!(bench.says(Word::Extend(Duration::from_secs(60))), "");
    assert_eq!(bench.pass(59_999), "");
    bench.says(Word::Extend(Duration::from_secs(60)));
    bench.says(Word::Extend(Duration::from_secs(1)));
    assert_eq!(bench.pass(59_999), "", "a shorter one takes nothing away");
    assert_eq!(
        bench.pass(1),
        "TERM main 1, CONT main 1",
        "no more was asked for"
    );
}

#[test]
fn a_stop_can_be_extended_too_but_not_for_ever() {
    let mut bench = Bench::up(&[("retry", "TERM/5")]);
    bench.stop(2);
    bench.pass(4_000);
    bench.says(Word::Extend(Duration::from_secs(20)));
    assert_eq!(bench.pass(19_999), "");
    bench.says(Word::Extend(Duration::from_secs(1_000)));
    assert_eq!(bench.pass(26_000), "");
    assert_eq!(bench.pass(1), "sweep 1", "ten times the ladder");
}

#[test]
fn one_that_can_never_be_ready_has_a_second_for_its_last_words() {
    let mut bench = executed(&TOLD);
    let why = "it closed descriptor 3 without a newline";
    assert_eq!(bench.says(Word::NeverReady(why)), "");
    assert_eq!(bench.pass(999), "");
    assert_eq!(bench.pass(1), "TERM main 1, CONT main 1");
    let line = format!("reap 1, <down>, 1 Timeout: it can never become ready: {why}");
    assert_eq!(bench.exited(Exit::Signal(15)), line);
    let mut bench = executed(&TOLD);
    bench.says(Word::NeverReady(why));
    let better = "reap 1, <down>, 1 Failed: exited 3 before it was ready";
    assert_eq!(bench.exited(CRASH), better);
}

#[test]
fn a_respawn_becomes_ready_too_or_counts_as_failed() {
    let mut bench = executed(&TOLD);
    bench.says(Word::Ready);
    bench.exited(CRASH);
    assert_eq!(bench.pass(500), "spawn 2");
    bench.come_up();
    assert_eq!(bench.state(), State::Starting);
    bench.says(Word::Ready);
    assert_eq!(bench.state(), State::Up);
    bench.exited(CRASH);
    bench.pass(1_000);
    bench.come_up();
    assert_eq!(
        bench.exited(CRASH),
        "reap 3, <backoff>",
        "nobody asked: tried again"
    );
}

#[test]
fn a_stop_before_readiness_is_a_stop() {
    let mut bench = executed(&TOLD);
    let overtaken = "1 Conflict: overtaken by a later stop";
    assert_eq!(
        bench.stop(2),
        format!("{overtaken}, TERM main 1, CONT main 1")
    );
    assert_eq!(bench.says(Word::Ready), "", "too late");
    assert_eq!(bench.exited(Exit::Signal(15)), "reap 1, <down>, 2 ok");
}

#[test]
fn an_answer_from_outside_makes_it_ready() {
    let mut bench = Bench::new(&ANSWERS);
    bench.start(1);
    bench.spawned();
    assert_eq!(bench.executed(), "look ready 1");
    assert_eq!(bench.finds(Look::Ready, Outcome::Fail), "");
    assert_eq!(bench.pass(50), "look ready 1");
    bench.finds(Look::Ready, Outcome::Unknown);
    assert_eq!(bench.pass(99), "");
    assert_eq!(bench.pass(1), "look ready 1", "the pause grows");
    assert_eq!(bench.finds(Look::Ready, Outcome::Pass), "1 ok");
    assert_eq!(bench.pass(100_000), "");
}

#[test]
fn a_look_that_hangs_is_killed_and_what_was_found_is_told() {
    let mut bench = executed(&ANSWERS);
    assert_eq!(bench.pass(10_000), "kill ready 1");
    assert_eq!(bench.pass(10_000), "", "it has not ended yet");
    bench.finds(Look::Ready, Outcome::Unknown);
    assert_eq!(bench.pass(50), "look ready 1");
    bench.finds(Look::Ready, Outcome::Fail);
    bench.pass(60_000);
    bench.finds(Look::Ready, Outcome::Fail);
    while bench.state() == State::Starting {
        bench.pass(100);
        bench.finds(Look::Ready, Outcome::Fail);
    }
    let line = "1 Timeout: not ready within 90 s: tcp:80: Connection refused";
    assert_eq!(
        bench.exited(Exit::Signal(15)),
        format!("reap 1, <down>, {line}")
    );
}

#[test]
fn one_that_says_that_it_ends_is_waited_for_and_then_stopped() {
    let mut bench = executed(&TOLD);
    bench.says(Word::Ready);
    assert_eq!(bench.says(Word::Stopping), "");
    assert_eq!(bench.state(), State::Stopping);
    assert_eq!(bench.start(2), "", "it waits for the next");
    assert_eq!(bench.pass(29_999), "");
    assert_eq!(bench.pass(1), "TERM main 1, CONT main 1");
    assert_eq!(bench.exited(Exit::Signal(15)), "spawn 2, reap 1");
}

#[test]
fn a_reload_is_seen_and_an_end_meanwhile_is_an_end() {
    let mut bench = executed(&TOLD);
    bench.says(Word::Ready);
    bench.says(Word::Reloading);
    assert_eq!(
        (bench.state(), bench.status().detail.as_str()),
        (State::Up, "reloading")
    );
    bench.says(Word::Ready);
    assert_eq!(bench.status().detail, "");
    bench.says(Word::Reloading);
    assert_eq!(bench.exited(Exit::Code(1)), "reap 1, <backoff>");
}

#[test]
fn another_process_can_become_the_main_process() {
    let mut bench = executed(&TOLD);
    let (id, run, pid) = (bench.id(), 1, 777);
    let moved = Event::Main { id, run, pid };
    assert_eq!(bench.tell(moved), "<pid 777, 0 restarts>");
    bench.says(Word::Ready);
    assert_eq!(bench.status().pid, Some(777));
    assert_eq!(bench.exited(CRASH), "reap 1, <backoff>");
    let (id, run, pid) = (bench.id(), 1, 778);
    assert_eq!(bench.tell(Event::Main { id, run, pid }), "", "too late");
}
