//! The runscript before a respawn.

use super::bench::Bench;
use super::world::plan;
use crate::core::{Command, Hook};
use rc_sv_api::exit::Exit;
use rc_sv_api::State;

const SCRIPT: [(&str, &str); 3] = [
    ("rc_supervise_respawn", "script"),
    ("respawn_delay", "1"),
    ("rc_supervise_jitter", "0"),
];

/// One that died and whose runscript runs for instance 2.
fn scripted() -> Bench {
    let mut bench = Bench::up(&SCRIPT);
    bench.exited(Exit::Code(3));
    assert_eq!(bench.state(), State::Backoff);
    let effects = bench.pass(1_000);
    assert!(effects.contains("script 2"), "{effects}");
    assert!(!effects.contains("spawn"), "{effects}");
    bench.run = 2;
    assert_eq!(bench.state(), State::Starting);
    assert_eq!(bench.status().detail, "running the runscript");
    bench
}

fn renew(bench: &mut Bench, settings: &[(&str, &str)], waiter: u64) -> String {
    bench.command(Command::Renew(plan(settings)), waiter)
}

#[test]
fn what_a_start_has_made_is_spawned_at_once() {
    let mut bench = Bench::new(&SCRIPT);
    assert!(bench.start(1).contains("spawn 1"));
    bench.come_up();
    // Another start of what is up brings a spec for the next instance.
    bench.start(2);
    bench.exited(Exit::Code(3));
    assert!(bench.pass(1_000).contains("spawn 2"));
    bench.come_up();
    // That one was used.
    bench.exited(Exit::Code(3));
    assert!(bench.pass(2_000).contains("script 3"));
}

#[test]
fn its_success_is_followed_by_the_spawn_with_what_it_has_made() {
    let mut bench = scripted();
    let settings = [SCRIPT[0], ("respawn_delay", "7"), SCRIPT[2]];
    assert_eq!(renew(&mut bench, &settings, 3), "3 ok");
    assert_eq!(bench.hook_ended(Hook::Script, Exit::Code(0)), "spawn 2");
    assert_eq!(bench.hook_ended(Hook::Script, Exit::Code(0)), "", "once");
    bench.come_up();
    assert_eq!(bench.state(), State::Up);
    bench.exited(Exit::Code(3));
    assert_eq!(bench.status().next_restart_ms, Some(14_000));
    assert!(bench.pass(14_000).contains("script 3"));
}

#[test]
fn its_failure_is_an_end() {
    let mut bench = scripted();
    bench.hook_ended(Hook::Script, Exit::Code(4));
    assert_eq!(bench.state(), State::Backoff);
    assert_eq!(bench.status().last_exit, Some(Exit::Code(4)));
    let detail = bench.status().detail;
    assert_eq!(
        detail,
        "restarting in 2 s (2 of 10): the runscript: exited 4"
    );
    assert!(bench.pass(2_000).contains("script 3"));
    bench.run = 3;
    bench.hook_failed(Hook::Script);
    let detail = bench.status().detail;
    assert!(
        detail.ends_with(": cannot execute /hook: Permission denied"),
        "{detail}"
    );
}

#[test]
fn a_stop_lets_it_end_and_kills_it_past_the_ladder() {
    let mut bench = scripted();
    assert_eq!(bench.stop(5), "");
    assert_eq!(bench.state(), State::Stopping);
    let effects = bench.hook_ended(Hook::Script, Exit::Code(0));
    assert!(
        effects.contains("5 ok") && !effects.contains("spawn"),
        "{effects}"
    );
    assert_eq!(bench.status().last_exit, Some(Exit::Code(3)));

    let mut bench = scripted();
    bench.stop(5);
    let effects = bench.pass(60_000);
    assert!(effects.contains("kill script 2"), "{effects}");
    let effects = bench.hook_ended(Hook::Script, Exit::Signal(9));
    assert!(effects.contains("down"), "{effects}");
    assert_eq!(bench.state(), State::Down);
}

#[test]
fn one_that_hangs_is_killed_and_is_late() {
    let mut bench = scripted();
    let effects = bench.pass(90_000);
    assert!(effects.contains("kill script 2"), "{effects}");
    bench.hook_ended(Hook::Script, Exit::Signal(9));
    assert_eq!(bench.state(), State::Backoff);
    assert_eq!(bench.status().last_exit, Some(Exit::Signal(9)));
}

#[test]
fn a_restart_by_the_module_runs_it_and_tells_of_its_failure() {
    let mut bench = Bench::up(&SCRIPT);
    bench.restart(2);
    assert!(bench.exited(Exit::Signal(15)).contains("script 2"));
    bench.run = 2;
    let effects = bench.hook_ended(Hook::Script, Exit::Code(4));
    assert!(
        effects.contains("2 Failed: the runscript: exited 4"),
        "{effects}"
    );
    assert_eq!(bench.state(), State::Down);
}

#[test]
fn what_nobody_runs_is_not_renewed() {
    let mut bench = Bench::up(&SCRIPT);
    let answer = renew(&mut bench, &SCRIPT, 3);
    assert!(answer.contains("no runscript was run"), "{answer}");
}
