//! Checks, the watchdog, and one more try after giving up.

use super::bench::Bench;
use super::world::plan;
use crate::core::{Command, Hook, Look, Word};
use rc_sv_api::exit::Exit;
use rc_sv_api::State;
use rc_sv_exec::check::Outcome::{Fail, Pass, Unknown};
use std::time::Duration;

const CRASH: Exit = Exit::Code(3);
const TERM: Exit = Exit::Signal(15);
const CHECK: Look = Look::Check(0);

fn checked(options: &str) -> Bench {
    let check = format!("tcp:80 interval=10 timeout=2 {options}");
    Bench::up(&[("rc_supervise_health", &check)])
}

/// Lets the next check find this.
fn next(bench: &mut Bench, outcome: rc_sv_exec::check::Outcome) -> String {
    assert_eq!(bench.pass(10_000), "look check0 1");
    bench.finds(CHECK, outcome)
}

#[test]
fn failures_make_it_unhealthy_and_stop_it() {
    let mut bench = checked("");
    assert_eq!(bench.status().healthy, None);
    assert_eq!(next(&mut bench, Pass), "");
    assert_eq!(bench.status().healthy, Some(true));
    assert_eq!(next(&mut bench, Fail) + &next(&mut bench, Fail), "");
    assert_eq!(next(&mut bench, Unknown), "", "that is no failure");
    let blind = "a check could not be made: tcp:80: Connection refused";
    assert_eq!(bench.status().detail, blind);
    let sick = "unhealthy: tcp:80: Connection refused";
    let stop = "TERM main 1, CONT main 1";
    assert_eq!(next(&mut bench, Fail), format!("<sick: {sick}>, {stop}"));
    assert_eq!(bench.exited(TERM), "reap 1, <backoff>");
    assert_eq!(bench.pass(500), "spawn 2");
    bench.come_up();
    assert_eq!(bench.status().healthy, None, "it begins anew");
    assert_eq!(bench.pass(9_999), "");
    assert_eq!(bench.pass(1), "look check0 2");
}

#[test]
fn a_clean_end_of_an_unhealthy_one_is_a_failure() {
    let settings = [
        ("rc_supervise_health", "tcp:80 interval=10 failures=1"),
        ("rc_supervise_policy", "on-failure"),
        ("respawn_max", "1"),
    ];
    let mut bench = Bench::up(&settings);
    next(&mut bench, Fail);
    assert_eq!(bench.exited(Exit::Code(0)), "reap 1, <backoff>");
    bench.pass(500);
    bench.come_up();
    bench.pass(10_000);
    bench.finds(CHECK, Fail);
    let line = "gave up after 1 restart in 11 s: unhealthy: tcp:80: Connection refused";
    assert_eq!(bench.exited(TERM), format!("reap 2, <{line}>"));
}

#[test]
fn its_command_runs_first_but_not_for_ever() {
    let settings = [
        ("rc_supervise_health", "tcp:80 interval=10 failures=1"),
        ("rc_supervise_unhealthy", "/bin/unhealthy"),
    ];
    let mut bench = Bench::up(&settings);
    let begins = "<sick: unhealthy: tcp:80: Connection refused>, unhealthy 1 (";
    assert!(next(&mut bench, Fail).starts_with(begins));
    assert_eq!(bench.state(), State::Stopping);
    let stop = "TERM main 1, CONT main 1";
    assert_eq!(bench.hook_ended(Hook::Unhealthy, Exit::Code(0)), stop);
    bench.exited(TERM);
    bench.pass(500);
    bench.come_up();
    bench.pass(10_000);
    bench.finds(CHECK, Fail);
    assert_eq!(bench.pass(9_999), "");
    assert_eq!(bench.pass(1), "kill unhealthy 2, TERM main 2, CONT main 2");
    assert_eq!(bench.hook_ended(Hook::Unhealthy, Exit::Signal(9)), "");
}

#[test]
fn a_restart_does_not_wait_for_its_command() {
    let settings = [
        ("rc_supervise_health", "tcp:80 interval=10 failures=1"),
        ("rc_supervise_unhealthy", "/bin/unhealthy"),
    ];
    let mut bench = Bench::up(&settings);
    next(&mut bench, Fail);
    assert_eq!(bench.restart(2), "TERM main 1, CONT main 1");
    assert_eq!(bench.exited(TERM), "spawn 2, reap 1");
    bench.come_up();
    assert_eq!(bench.state(), State::Up);
}

#[test]
fn a_hung_check_is_told_of_even_when_it_is_dead() {
    let mut bench = checked("failures=1 action=alert");
    let line = "unhealthy: the check did not end within 2 s";
    let told = format!("look check0 1, kill check0 1, <sick: {line}>");
    assert_eq!(bench.pass(12_000), told);
    bench.finds(CHECK, Fail);
    assert_eq!(bench.status().detail, line);
}

#[test]
fn a_hung_check_is_killed_and_delays_nothing() {
    let mut bench = checked("failures=2");
    assert_eq!(bench.pass(12_000), "look check0 1, kill check0 1");
    assert_eq!(bench.pass(60_000), "", "no other one beside it");
    assert_eq!(bench.stop(2), "kill check0 1, TERM main 1, CONT main 1");
    assert_eq!(bench.exited(TERM), "reap 1, <down>, 2 ok");
    let mut bench = checked("");
    bench.pass(10_000);
    assert_eq!(bench.exited(CRASH), "reap 1, kill check0 1, <backoff>");
    assert_eq!(bench.finds(CHECK, Fail), "", "of one that is gone");
}

#[test]
fn an_alert_is_told_once_and_so_is_the_recovery() {
    let mut bench = checked("action=alert failures=2");
    next(&mut bench, Fail);
    assert_eq!(
        next(&mut bench, Fail),
        "<sick: unhealthy: tcp:80: Connection refused>"
    );
    assert_eq!(next(&mut bench, Fail), "");
    let status = bench.status();
    assert_eq!((status.state, status.healthy), (State::Up, Some(false)));
    assert_eq!(
        status.detail,
        "unhealthy: tcp:80: Connection refused (3 times)"
    );
    assert_eq!(next(&mut bench, Pass), "<well>");
    assert_eq!(bench.status().detail, "");
}

#[test]
fn a_command_can_be_all_that_is_done() {
    let settings = [
        (
            "rc_supervise_health",
            "tcp:80 interval=10 failures=1 action=exec",
        ),
        ("rc_supervise_unhealthy", "/bin/unhealthy"),
    ];
    let mut bench = Bench::up(&settings);
    assert!(next(&mut bench, Fail).ends_with(", unhealthy)"));
    assert_eq!(bench.state(), State::Up);
    assert_eq!(bench.pass(10_000), "kill unhealthy 1, look check0 1");
}

#[test]
fn nothing_is_checked_before_readiness() {
    let settings = [
        ("rc_supervise_health", "tcp:80 interval=1"),
        ("notify", "fd:3"),
        ("timeout_ready", "60s"),
    ];
    let mut bench = Bench::new(&settings);
    bench.start(1);
    bench.come_up();
    assert_eq!(bench.pass(59_000), "");
    bench.says(Word::Ready);
    assert_eq!(bench.pass(1_000), "look check0 1");
}

#[test]
fn new_checks_hold_at_once_for_one_that_is_up() {
    let mut bench = checked("");
    bench.pass(10_000);
    let other = plan(&[("rc_supervise_health", "tcp:81 interval=1")]);
    assert_eq!(
        bench.command(Command::Start(other), 2),
        "kill check0 1, 2 ok"
    );
    assert_eq!(bench.finds(CHECK, Fail), "", "an answer to the old one");
    assert_eq!(bench.pass(1_000), "look check0 1");
}

#[test]
fn a_missed_watchdog_is_a_signal_and_then_the_ladder() {
    let settings = [
        ("rc_supervise_watchdog", "5"),
        ("rc_supervise_policy", "on-abnormal"),
    ];
    let mut bench = Bench::up(&settings);
    bench.pass(4_000);
    bench.says(Word::Alive);
    assert_eq!(bench.pass(4_999), "");
    let line = "missed its watchdog: no sign of life for 5 s";
    let signals = "ABRT main 1, CONT main 1";
    assert_eq!(bench.pass(1), format!("<sick: {line}>, {signals}"));
    assert_eq!(bench.status().detail, line);
    assert_eq!(bench.says(Word::Alive), "", "too late");
    assert_eq!(bench.pass(30_000), "TERM main 1, CONT main 1");
    assert_eq!(bench.exited(Exit::Code(0)), "reap 1, <backoff>");
}

#[test]
fn the_watchdog_is_armed_at_readiness_and_set_by_the_service() {
    let settings = [
        ("rc_supervise_watchdog", "5"),
        ("rc_supervise_watchdog_signal", "QUIT"),
        ("notify", "socket:ready"),
    ];
    let mut bench = Bench::new(&settings);
    bench.start(1);
    bench.come_up();
    bench.says(Word::Alive);
    assert_eq!(bench.pass(60_000), "");
    bench.says(Word::Watchdog(Duration::from_secs(9)));
    bench.says(Word::Ready);
    assert_eq!(bench.pass(8_999), "");
    bench.says(Word::Watchdog(Duration::ZERO));
    assert_eq!(bench.pass(60_000), "", "it has none any more");
    assert!(bench.says(Word::Trigger).contains("QUIT main 1"));
}

#[test]
fn a_command_that_was_killed_is_not_run_again_before_it_has_ended() {
    let settings = [
        ("rc_supervise_health", "tcp:80 interval=10 failures=1"),
        ("rc_supervise_health_action", "exec"),
        ("rc_supervise_unhealthy", "/bin/u"),
        ("rc_supervise_health_timeout", "2"),
    ];
    let mut bench = Bench::up(&settings);
    assert!(next(&mut bench, Fail).contains(", unhealthy 1 "));
    assert_eq!(bench.pass(2_000), "kill unhealthy 1");
    assert_eq!(bench.pass(8_000), "look check0 1");
    bench.finds(CHECK, Pass);
    let again = next(&mut bench, Fail);
    assert!(
        again.starts_with("<sick") && !again.contains("unhealthy 1 "),
        "{again}"
    );
    bench.hook_ended(Hook::Unhealthy, Exit::Signal(9));
    next(&mut bench, Pass);
    let again = next(&mut bench, Fail);
    assert!(again.contains(", unhealthy 1 "), "{again}");
}

#[test]
fn one_that_was_given_up_is_tried_again_and_told_of_once() {
    let settings = [
        ("respawn_max", "1"),
        ("rc_supervise_retry_after", "5m"),
        ("rc_supervise_on_give_up", "/bin/a"),
        ("rc_supervise_alternate", "other"),
        ("rc_supervise_reset_after", "60"),
    ];
    let mut bench = Bench::up(&settings);
    bench.exited(CRASH);
    bench.pass(500);
    bench.come_up();
    let line = "<gave up after 1 restart in 0 ms: exited 3>";
    let commands = "alert 2 (exited 3, start-limit-hit), alternate 2 (exited 3, start-limit-hit)";
    let gave_up = bench.exited(CRASH);
    assert!(gave_up.ends_with(commands), "{gave_up}, and not {line}");
    bench.hook_ended(Hook::GiveUp, Exit::Code(0));
    bench.hook_ended(Hook::Alternate, Exit::Code(0));
    assert!(bench
        .status()
        .detail
        .starts_with("one more try in 5 min: gave up"));
    assert_eq!(bench.pass(300_000), "<one more try>, spawn 3");
    bench.come_up();
    assert_eq!(bench.exited(CRASH), "reap 3, <gave up again: exited 3>");
    assert_eq!(bench.pass(300_000), "<one more try>, spawn 4");
    bench.come_up();
    bench.pass(60_000);
    assert_eq!(
        bench.exited(CRASH),
        "spawn 5, reap 4",
        "it has its full allowance"
    );
}

#[test]
fn a_stop_ends_the_tries() {
    let settings = [("respawn_max", "1"), ("rc_supervise_retry_after", "5m")];
    let mut bench = Bench::up(&settings);
    bench.exited(CRASH);
    bench.pass(500);
    bench.come_up();
    bench.exited(CRASH);
    assert_eq!(bench.stop(2), "<down>, 2 ok");
    assert_eq!(bench.pass(1_000_000), "");
}

#[test]
fn what_failed_for_good_is_not_tried_again() {
    let settings = [
        ("rc_supervise_prevent_codes", "78"),
        ("rc_supervise_retry_after", "5m"),
    ];
    let mut bench = Bench::up(&settings);
    bench.exited(Exit::Code(78));
    assert_eq!(bench.state(), State::GaveUp);
    assert_eq!(bench.pass(1_000_000), "");
}
