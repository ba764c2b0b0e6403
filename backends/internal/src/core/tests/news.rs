//! What everybody is told, and what a person is alerted of.

use super::bench::Bench;
use crate::core::{Command, Look, Word};
use rc_sv_api::event::Kind;
use rc_sv_api::exit::Exit;
use rc_sv_api::State;
use rc_sv_exec::check::Outcome;

const CRASH: Exit = Exit::Code(3);

/// One that is given up at the second crash, of which a person is told.
const ONCE: &[(&str, &str)] = &[
    ("respawn_max", "1"),
    ("rc_supervise_alert", "/bin/mail"),
    ("rc_supervise_reset_after", "60"),
];

/// One that is looked at every second; a person is told what is found.
const CHECKED: &[(&str, &str)] = &[
    (
        "rc_supervise_health",
        "tcp:80 interval=1 failures=2 action=alert; tcp:81 interval=1h",
    ),
    ("rc_supervise_alert", "/bin/mail"),
    ("rc_supervise_reset_after", "60"),
];

/// The events so far, as words.
fn told(bench: &mut Bench) -> Vec<String> {
    let told = std::mem::take(&mut bench.told);
    told.iter()
        .map(|event| {
            let pid = event.status.pid.map(|pid| format!(" {pid}"));
            let health = match (event.kind, event.status.healthy) {
                (Kind::Health, healthy) => format!(" {healthy:?}"),
                _ => String::new(),
            };
            let state = event.status.state.name();
            format!("{} {state}{}{health}", event.seq, pid.unwrap_or_default())
        })
        .collect()
}

fn gives_up(bench: &mut Bench) -> String {
    bench.exited(CRASH);
    bench.pass(500);
    bench.come_up();
    bench.exited(CRASH)
}

/// A look at the first check.
fn finds(bench: &mut Bench, outcome: Outcome) -> String {
    bench.pass(1_000);
    bench.finds(Look::Check(0), outcome)
}

#[test]
fn a_life_is_told_in_order() {
    let mut bench = Bench::up(&[("respawn_max", "1")]);
    assert_eq!(told(&mut bench), ["1 starting", "2 up 101"]);
    bench.pass(700);
    bench.exited_leaving(CRASH);
    let moment = bench.told[0].status.since_boot_ns;
    assert_eq!(moment, Some(bench.now_ms * 1_000_000));
    assert_eq!(bench.told[0].status.last_exit, Some(CRASH));
    bench.emptied();
    assert_eq!(told(&mut bench), ["3 stopping", "4 waiting"]);
    bench.pass(500);
    bench.come_up();
    bench.exited(CRASH);
    let last = bench.told.last().unwrap();
    assert_eq!(last.kind, Kind::GaveUp);
    assert!(last.status.detail.starts_with("gave up after 1 restart"));
    assert_eq!(
        told(&mut bench),
        ["5 starting", "6 up 102", "7 gave-up"],
        "what it passes through within one step is no event"
    );
    bench.stop(2);
    bench.command(Command::Forget, 3);
    assert_eq!(told(&mut bench), ["8 down", "9 unmanaged"]);
}

#[test]
fn what_changes_nothing_is_no_event() {
    let mut bench = Bench::up(&[("notify", "socket:ready")]);
    bench.says(Word::Ready);
    told(&mut bench);
    bench.says(Word::Status("busy".into()));
    bench.says(Word::Alive);
    bench.start(2);
    bench.pass(100_000);
    assert_eq!(told(&mut bench), [""; 0]);
    let (id, run, pid) = (bench.id(), bench.run, 77);
    bench.tell(crate::core::Event::Main { id, run, pid });
    assert_eq!(told(&mut bench), ["3 up 77"], "another main process is one");
}

#[test]
fn health_is_told_when_it_is_known_and_when_it_changes() {
    let mut bench = Bench::up(&[("rc_supervise_health", "tcp:80 interval=1 failures=2")]);
    told(&mut bench);
    for outcome in [Outcome::Pass, Outcome::Pass, Outcome::Fail] {
        finds(&mut bench, outcome);
    }
    assert_eq!(told(&mut bench), ["3 up 101 Some(true)"]);
    finds(&mut bench, Outcome::Fail);
    assert_eq!(
        told(&mut bench),
        ["4 up 101 Some(false)", "5 stopping 101"],
        "before what follows from it"
    );
}

#[test]
fn a_person_is_told_once_of_a_give_up_and_once_that_it_is_over() {
    let mut bench = Bench::up(ONCE);
    let gave_up = gives_up(&mut bench);
    let line = "gave up after 1 restart in 500 ms: exited 3";
    assert!(
        gave_up.contains(&format!("gave-up alert ({line})")),
        "{gave_up}"
    );
    bench.start(2);
    bench.come_up();
    assert_eq!(bench.pass(59_999), "", "it may fail again");
    assert_eq!(bench.pass(1), "recovered alert (up for 60 s)");
    assert_eq!(bench.pass(1_000_000), "");
    bench.restart(3);
    bench.exited(CRASH);
    bench.come_up();
    assert_eq!(bench.pass(1_000_000), "", "nobody was told of a failure");
}

#[test]
fn tries_that_fail_are_no_news_and_one_that_lasts_is() {
    let settings = [ONCE, &[("rc_supervise_retry_after", "5m")]].concat();
    let mut bench = Bench::up(&settings);
    gives_up(&mut bench);
    for _ in 0..3 {
        bench.pass(300_000);
        bench.come_up();
        assert_eq!(bench.pass(30_000), "");
        let again = bench.exited(CRASH);
        assert!(again.ends_with("<gave up again: exited 3>"), "{again}");
    }
    bench.pass(300_000);
    bench.come_up();
    assert_eq!(bench.pass(60_000), "recovered alert (up for 60 s)");
    bench.exited(CRASH);
    bench.come_up();
    let told = bench.exited(CRASH);
    assert!(
        told.contains("gave-up alert"),
        "that is another one: {told}"
    );
}

#[test]
fn a_person_who_starts_it_is_told_of_the_next_give_up() {
    let mut bench = Bench::up(ONCE);
    gives_up(&mut bench);
    bench.start(2);
    bench.come_up();
    let again = gives_up(&mut bench);
    assert!(again.contains("gave-up alert"), "{again}");
}

#[test]
fn a_person_is_told_that_it_is_unhealthy_and_that_it_is_well() {
    let mut bench = Bench::up(CHECKED);
    assert_eq!(finds(&mut bench, Outcome::Fail), "");
    let line = "unhealthy: tcp:80: Connection refused";
    assert_eq!(
        finds(&mut bench, Outcome::Fail),
        format!("<sick: {line}>, unhealthy alert ({line})")
    );
    assert_eq!(finds(&mut bench, Outcome::Fail), "", "once");
    let well = "<well>, recovered alert (healthy again)";
    assert_eq!(finds(&mut bench, Outcome::Pass), well);
    finds(&mut bench, Outcome::Fail);
    let again = finds(&mut bench, Outcome::Fail);
    assert!(again.contains("unhealthy alert"), "{again}");
}

#[test]
fn one_that_dies_of_it_is_well_when_its_successor_lasts() {
    let mut bench = Bench::up(CHECKED);
    finds(&mut bench, Outcome::Fail);
    finds(&mut bench, Outcome::Fail);
    bench.exited(CRASH);
    bench.pass(500);
    bench.come_up();
    let alerts = bench.pass(60_000);
    assert!(
        alerts.ends_with("recovered alert (up for 60 s)"),
        "{alerts}"
    );
}

#[test]
fn those_that_need_it_stop_while_it_is_down_and_start_with_it() {
    let settings = [("respawn_max", "1"), ("rc_supervise_propagate", "yes")];
    let mut bench = Bench::new(&settings);
    bench.start(1);
    bench.spawned();
    let up = bench.executed();
    assert_eq!(
        up, "1 ok, start dependents",
        "an earlier supervisor may have stopped them"
    );
    let down = bench.exited(CRASH);
    assert!(down.starts_with("stop dependents, "), "{down}");
    bench.pass(500);
    bench.spawned();
    assert_eq!(bench.executed(), "start dependents");
    assert!(bench.exited(CRASH).starts_with("stop dependents, "));
    assert_eq!(bench.state(), State::GaveUp);
    bench.start(2);
    bench.spawned();
    assert_eq!(bench.executed(), "2 ok, start dependents");
    // What a person does is OpenRC's business.
    let all = [bench.stop(3), bench.exited(CRASH), bench.start(4)].concat();
    bench.come_up();
    let restarted = [
        bench.restart(5),
        bench.exited(CRASH),
        bench.spawned(),
        bench.executed(),
    ];
    assert!(!(all + &restarted.concat()).contains("dependents"));
}

#[test]
fn those_that_need_it_stop_while_it_is_unhealthy() {
    let settings = [CHECKED, &[("rc_supervise_propagate", "yes")]].concat();
    let mut bench = Bench::up(&settings);
    finds(&mut bench, Outcome::Fail);
    let sick = finds(&mut bench, Outcome::Fail);
    assert!(sick.contains("stop dependents"), "{sick}");
    assert!(!finds(&mut bench, Outcome::Fail).contains("dependents"));
    let well = finds(&mut bench, Outcome::Pass);
    assert!(well.ends_with("start dependents"), "{well}");
}

#[test]
fn nobody_is_told_where_there_is_no_command() {
    let mut bench = Bench::up(&[("respawn_max", "1"), ("rc_supervise_reset_after", "60")]);
    assert!(!gives_up(&mut bench).contains("alert"));
    bench.start(2);
    bench.come_up();
    assert_eq!(bench.pass(1_000_000), "");
    assert_eq!(bench.state(), State::Up);
}
