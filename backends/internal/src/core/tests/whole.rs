//! All services together: who is known, and the end of the supervisor.

use super::bench::{name, Bench};
use super::world::plan;
use crate::core::{Command, Event, Hook, Waiter};
use rc_sv_api::exit::Exit;
use rc_sv_api::State;

const CRASH: Exit = Exit::Code(3);
const TERM: Exit = Exit::Signal(15);

#[test]
fn only_what_is_down_is_forgotten() {
    let mut bench = Bench::up(&[]);
    assert_eq!(
        bench.command(Command::Forget, 2),
        "2 Conflict: it is up; only a service that is down can be forgotten"
    );
    bench.stop(3);
    bench.exited(TERM);
    let id = bench.id();
    assert_eq!(bench.command(Command::Forget, 4), "4 ok");
    assert_eq!(bench.core.find(&name("foo")), None);
    assert_eq!(bench.core.status(id, bench.now()).state, State::Unmanaged);
    assert_eq!(bench.start(5), "spawn 2", "the id is new, the instance too");
    bench.run = 1;
    assert_eq!(
        bench.exited(CRASH) + &bench.spawned(),
        "",
        "of the one before"
    );
}

#[test]
fn what_was_never_started_is_down() {
    let mut bench = Bench::new(&[]);
    assert_eq!(bench.stop(1), "1 ok");
    assert_eq!(bench.command(Command::Forget, 2), "2 ok");
    let unknown = "NotFound: it was never started here";
    assert_eq!(bench.restart(3), format!("3 {unknown}"));
    assert_eq!(bench.command(Command::Signal(1), 4), format!("4 {unknown}"));
    assert_eq!(bench.core.find(&name("foo")), None);
    let restart = Command::Restart(Some(plan(&[])));
    assert_eq!(bench.command(restart, 5), "spawn 1");
}

#[test]
fn commands_without_a_waiter_are_obeyed_in_silence() {
    let mut bench = Bench::up(&[]);
    let stop = Event::Command {
        service: name("foo"),
        command: Command::Stop,
        waiter: None,
    };
    assert_eq!(bench.tell(stop), "TERM main 1, CONT main 1");
    assert_eq!(bench.exited(TERM), "reap 1, <down>");
}

#[test]
fn services_are_found_and_listed_by_name() {
    let mut bench = Bench::new(&[]);
    for (waiter, service) in ["c", "a", "foo", "b"].into_iter().enumerate() {
        bench.tell(Event::Command {
            service: name(service),
            command: Command::Start(plan(&[])),
            waiter: Some(Waiter(waiter as u64)),
        });
    }
    let listed: Vec<&str> = bench.core.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(listed, ["a", "b", "c", "foo"]);
    for (id, known) in bench.core.iter() {
        assert_eq!(bench.core.find(known), Some(id));
        assert_eq!(bench.core.name(id), Some(known));
    }
}

#[test]
fn a_shutdown_stops_everything_and_then_quits() {
    let mut bench = Bench::up(&[]);
    bench.tell(Event::Command {
        service: name("bar"),
        command: Command::Start(plan(&[])),
        waiter: Some(Waiter(2)),
    });
    let shutdown = "2 Conflict: overtaken by a later shutdown, TERM main 1, CONT main 1";
    assert_eq!(bench.tell(Event::Shutdown), shutdown);
    assert_eq!(bench.tell(Event::Shutdown), "", "once");
    let refused = "Failed: the supervisor is shutting down: only stop and status are possible";
    assert_eq!(bench.start(3), format!("3 {refused}"));
    assert_eq!(bench.command(Command::Signal(1), 4), format!("4 {refused}"));
    assert_eq!(bench.stop(5), "");
    let bar = bench.core.find(&name("bar")).unwrap();
    let (id, run, message, errno) = (bar, 2, String::new(), 11);
    assert_eq!(
        bench.tell(Event::SpawnFailed {
            id,
            run,
            message,
            errno
        }),
        "<down>"
    );
    bench.run = 1;
    assert_eq!(bench.exited(TERM), "reap 1, <down>, 5 ok, quit");
    assert_eq!(bench.tell(Event::Deadline), "", "quit comes once");
}

#[test]
fn a_shutdown_does_not_wait_for_what_does_not_die_or_for_alerts() {
    let mut bench = Bench::new(&[]);
    assert_eq!(bench.tell(Event::Shutdown), "quit");
    let mut bench = Bench::up(&[("retry", "TERM/1")]);
    bench.tell(Event::Shutdown);
    assert_eq!(bench.pass(6_000), "sweep 1, quit");
    let mut bench = Bench::up(&[
        ("rc_supervise_policy", "no"),
        ("rc_supervise_on_give_up", "/a"),
    ]);
    bench.exited(CRASH);
    assert_eq!(bench.tell(Event::Shutdown), "<down>, kill alert 1, quit");
    assert_eq!(bench.hook_ended(Hook::GiveUp, Exit::Signal(9)), "");
}

#[test]
fn ids_of_forgotten_services_are_used_again() {
    let mut bench = Bench::new(&[]);
    for run in 1..100 {
        assert_eq!(bench.start(run), format!("spawn {run}"));
        assert_eq!(bench.id().index(), 0);
        bench.spawn_failed();
        bench.command(Command::Forget, run);
    }
}

/// Two services that are decided about in the same step do not come back together.
#[test]
fn jitter_differs_between_services() {
    let settings = [("rc_supervise_finish", "/f"), ("respawn_delay", "60")];
    let mut bench = Bench::up(&settings);
    bench.exited(CRASH);
    let start = Event::Command {
        service: name("bar"),
        command: Command::Start(plan(&settings)),
        waiter: None,
    };
    assert_eq!(bench.tell(start), "spawn 2");
    let (id, run, exit) = (bench.core.find(&name("bar")).unwrap(), 2, CRASH);
    bench.tell(Event::Executed { id, run });
    let exited = Event::Exited {
        id,
        run,
        exit,
        alone: true,
    };
    assert_eq!(bench.tell(exited), "finish 2 (exited 3), reap 2");
    assert_eq!(
        bench.pass(10_000),
        "kill finish 1, kill finish 2, <backoff>, <backoff>"
    );
    let bar = bench.core.status(id, bench.now());
    assert_ne!(bar.next_restart_ms, bench.status().next_restart_ms);
}
