//! The state table, row by row: in which state, what happens, what comes of it.

use super::bench::Bench;
use crate::core::Hook;
use rc_sv_api::exit::Exit;
use rc_sv_api::State;

/// A row: its number in the module's documentation, settings, how the state is reached, what
/// happens, which effects come of it, and which state.
type Row = (
    &'static str,
    &'static [(&'static str, &'static str)],
    fn(&mut Bench),
    fn(&mut Bench) -> String,
    &'static str,
    State,
);

const CRASH: Exit = Exit::Code(3);
const CLEAN: Exit = Exit::Signal(15);
const NONE: &[(&str, &str)] = &[];
const FINISH: &[(&str, &str)] = &[
    ("rc_supervise_finish", "/bin/finish"),
    ("respawn_delay", "20"),
];
const ONCE: &[(&str, &str)] = &[("respawn_max", "1"), ("rc_supervise_on_give_up", "/bin/a")];
const AT_ONCE: &[(&str, &str)] = &[("respawn_delay", "0")];

fn nothing(_: &mut Bench) {}

fn up(bench: &mut Bench) {
    bench.start(1);
    bench.come_up();
}

fn starting(bench: &mut Bench) {
    bench.start(1);
    bench.spawned();
}

fn waiting(bench: &mut Bench) {
    up(bench);
    bench.exited(CRASH);
}

fn respawning(bench: &mut Bench) {
    waiting(bench);
    bench.pass(500);
    bench.spawned();
}

fn stopping(bench: &mut Bench) {
    up(bench);
    bench.stop(2);
}

fn killed(bench: &mut Bench) {
    stopping(bench);
    bench.pass(35_000);
}

fn stuck(bench: &mut Bench) {
    killed(bench);
    bench.pass(5_000);
}

fn sweeping(bench: &mut Bench) {
    up(bench);
    bench.exited_leaving(CRASH);
}

fn failed(bench: &mut Bench) {
    up(bench);
    bench.exited(CRASH);
    bench.pass(500);
    bench.come_up();
    bench.exited(CRASH);
}

#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("1 down, start", NONE, nothing, |b| b.start(1), "spawn 1", State::Starting),
    ("1 failed, start", ONCE, failed, |b| b.start(2), "spawn 3", State::Starting),
    ("2 starting, not executed, commanded", NONE, starting, |b| b.exec_failed() + &b.exited(Exit::Code(127)),
        "reap 1, <down>, 1 Failed: cannot execute /x: No such file or directory", State::Down),
    ("2 starting, not executed, respawn", NONE, respawning, |b| b.exec_failed() + &b.exited(Exit::Code(127)),
        "reap 2, <backoff>", State::Backoff),
    ("2 starting, not spawned, commanded", NONE, |b| { b.start(1); }, Bench::spawn_failed,
        "<down>, 1 Failed: cannot fork: Resource temporarily unavailable", State::Down),
    ("2 starting, not spawned, respawn", NONE, |b| { waiting(b); b.pass(500); }, Bench::spawn_failed,
        "<backoff>", State::Backoff),
    ("3 starting, executed", NONE, starting, Bench::executed, "1 ok", State::Up),
    ("4 starting, time-out", NONE, starting, |b| b.pass(90_000), "sweep 1", State::Stopping),
    ("4 time-out, exit", NONE, |b| { starting(b); b.pass(90_000); }, |b| b.exited(Exit::Signal(9)),
        "reap 1, <down>, 1 Timeout: the program was not executed within 90 s", State::Down),
    ("4 time-out of a respawn, exit", NONE, |b| { respawning(b); b.pass(90_000); }, |b| b.exited(Exit::Signal(9)),
        "reap 2, <backoff>", State::Backoff),
    ("5 up, exit, something left", NONE, up, |b| b.exited_leaving(CRASH), "sweep 1", State::Stopping),
    ("5 up, exit, alone, no pause", AT_ONCE, up, |b| b.exited(CRASH), "spawn 2, reap 1", State::Starting),
    ("5 up, exit, kill_mode process", &[("rc_supervise_kill_mode", "process"), ("respawn_delay", "0")], up,
        |b| b.exited_leaving(CRASH), "spawn 2, reap 1", State::Starting),
    ("5 starting, exit before it was executed", NONE, starting, |b| b.exited(Exit::Signal(9)),
        "reap 1, <down>, 1 Failed: killed by KILL before it was executed", State::Down),
    ("6 up for long, exit", NONE, |b| { respawning(b); b.executed(); b.pass(60_000); }, |b| b.exited(CRASH),
        "spawn 3, reap 2", State::Starting),
    ("10 up, stop", NONE, up, |b| b.stop(2), "TERM main 1, CONT main 1", State::Stopping),
    ("10 up, stop, group", &[("rc_supervise_kill_mode", "group")], up, |b| b.stop(2),
        "TERM group 1, CONT group 1", State::Stopping),
    ("10 waiting, stop", NONE, waiting, |b| b.stop(2), "<down>, 2 ok", State::Down),
    ("10 starting, stop", NONE, starting, |b| b.stop(2),
        "1 Conflict: overtaken by a later stop, TERM main 1, CONT main 1", State::Stopping),
    ("10 failed, stop", ONCE, failed, |b| b.stop(2), "<down>, 2 ok", State::Down),
    ("10 down, stop", NONE, |b| { waiting(b); b.stop(2); }, |b| b.stop(3), "3 ok", State::Down),
    ("10 stopping, stop", NONE, stopping, |b| b.stop(3), "", State::Stopping),
    ("11 stopping, rung over", NONE, stopping, |b| b.pass(30_000), "KILL main 1", State::Stopping),
    ("11 stopping, last rung over", NONE, stopping, |b| { b.pass(30_000); b.pass(5_000) }, "sweep 1", State::Stopping),
    ("11 last rung over, process", &[("rc_supervise_kill_mode", "process"), ("retry", "TERM/1")], stopping,
        |b| b.pass(1_000), "KILL main 1", State::Stopping),
    ("11 killed, still there", NONE, killed, |b| b.pass(5_000),
        "2 Failed: still running: pid 101 does not die", State::Stopping),
    ("12 stopping, exit", NONE, stopping, |b| b.exited(CLEAN), "reap 1, <down>, 2 ok", State::Down),
    ("12 stopping, exit, something left", NONE, stopping, |b| b.exited_leaving(CLEAN), "sweep 1", State::Stopping),
    ("12 stuck, exit", NONE, stuck, |b| b.exited_leaving(CLEAN), "sweep 1", State::Stopping),
    ("12 stuck, exit, alone", NONE, stuck, |b| b.exited(CLEAN), "reap 1, <down>", State::Down),
    ("13 swept, no finish command", NONE, sweeping, Bench::emptied, "reap 1, <backoff>", State::Backoff),
    ("13 swept, no pause", AT_ONCE, sweeping, Bench::emptied, "spawn 2, reap 1", State::Starting),
    ("13 swept, finish command", FINISH, sweeping, Bench::emptied, "finish 1 (exited 3), reap 1", State::Stopping),
    ("13 finish command ended", FINISH, |b| { up(b); b.exited(CRASH); }, |b| b.hook_ended(Hook::Finish, Exit::Code(1)),
        "<backoff>", State::Backoff),
    ("13 finish command hangs", FINISH, |b| { up(b); b.exited(CRASH); }, |b| b.pass(5_000),
        "kill finish 1", State::Stopping),
    ("13 finish command killed", FINISH, |b| { up(b); b.exited(CRASH); b.pass(5_000); },
        |b| b.hook_ended(Hook::Finish, Exit::Signal(9)), "<backoff>", State::Backoff),
    ("13 finish command unkillable", FINISH, |b| { up(b); b.exited(CRASH); b.pass(5_000); }, |b| b.pass(5_000),
        "<backoff>", State::Backoff),
    ("13 not emptied", NONE, sweeping, |b| b.pass(5_000), "", State::Stopping),
    ("13 emptied at last", NONE, |b| { sweeping(b); b.pass(50_000); }, Bench::emptied, "spawn 2, reap 1", State::Starting),
    ("14 stopped in the finish command", FINISH, |b| { up(b); b.exited(CRASH); b.stop(2); },
        |b| b.hook_ended(Hook::Finish, Exit::Code(0)), "<down>, 2 ok", State::Down),
    ("15 policy: it may end", &[("rc_supervise_policy", "on-failure")], up, |b| b.exited(CLEAN),
        "reap 1, <down>", State::Down),
    ("15 policy: it may not fail", &[("rc_supervise_policy", "no")], up, |b| b.exited(CRASH),
        "reap 1, <failed for good: exited 3>", State::GaveUp),
    ("15 prevented", &[("rc_supervise_prevent_codes", "78")], up, |b| b.exited(Exit::Code(78)),
        "reap 1, <failed for good: exited 78>", State::GaveUp),
    ("15 finish 125", FINISH, |b| { up(b); b.exited(CRASH); }, |b| b.hook_ended(Hook::Finish, Exit::Code(125)),
        "<failed for good: exited 3, and the finish command exited 125>", State::GaveUp),
    ("16 gave up", ONCE, |b| { respawning(b); b.executed(); }, |b| b.exited(CRASH),
        "reap 2, <gave up after 1 restart in 500 ms: exited 3>, alert 2 (exited 3, start-limit-hit)", State::GaveUp),
    ("17 back-off", NONE, up, |b| b.exited(CRASH), "reap 1, <backoff>", State::Backoff),
    ("18 waiting, timer", NONE, waiting, |b| b.pass(500), "spawn 2", State::Starting),
    ("18 waiting, start", NONE, waiting, |b| b.start(2), "spawn 2", State::Starting),
    ("18 waiting, restart", NONE, waiting, |b| b.restart(2), "spawn 2", State::Starting),
];

#[test]
fn each_row_of_the_state_table() {
    let mut wrong = String::new();
    for (row, settings, given, when, effects, state) in ROWS {
        let mut bench = Bench::new(settings);
        given(&mut bench);
        let (came, reached) = (when(&mut bench), bench.state());
        if (came.as_str(), reached) != (*effects, *state) {
            wrong += &format!("{row}\n  came {came}: {reached:?}\n  want {effects}: {state:?}\n");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}
