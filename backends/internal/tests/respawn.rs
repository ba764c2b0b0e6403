//! Respawn, back-off, give-up, and the ends after which there is none.

mod scene;

use rc_sv_api::exit::Exit;
use rc_sv_api::{Spec, State};
use rc_sv_internal::protocol::Request;
use scene::{exists, list, name, signal, with, Scene};
use std::time::{Duration, Instant};

/// Reports its pid and stays.
const STAY: &str = "echo $$ >> $R; exec sleep 1000";

/// No pause and no limit.
const AT_ONCE: [(&str, &str); 3] = [
    ("respawn_delay", "0"),
    ("rc_supervise_min_interval", "0"),
    ("respawn_max", "0"),
];

/// A pause far beyond the time that any test waits.
const LONG_PAUSE: [(&str, &str); 2] = [("respawn_delay", "1000s"), ("respawn_delay_cap", "1000s")];

fn at_once(spec: Spec) -> Spec {
    with(spec, &AT_ONCE)
}

#[test]
fn a_killed_daemon_is_back_with_another_pid() {
    let scene = Scene::new();
    scene.start(&at_once(scene.spec("foo", STAY))).unwrap();
    let first = scene.pid("foo");
    scene.reports.until("foo", 1);
    let kill = |count: usize, pid: i32| {
        let killed = Instant::now();
        signal(pid, libc::SIGKILL);
        let lines = scene.reports.until("foo", count + 1);
        (lines, killed.elapsed())
    };
    let (lines, took) = kill(1, first);
    assert_ne!(lines[0], lines[1]);
    let status = scene.until("foo", State::Up);
    assert_eq!(
        status.pid.map(|pid| pid.to_string()),
        Some(lines[1].clone())
    );
    assert_eq!(status.restarts, Some(1));
    assert_eq!(status.last_exit, Some(Exit::Signal(9)));
    assert!(!exists(first), "the zombie was left");
    // A busy machine makes some of them longer, but not all.
    let at_once = |took: &Duration| *took < Duration::from_secs(1);
    let mut others = (2..20).map(|count| kill(count, scene.pid("foo")).1);
    assert!(
        at_once(&took) || others.any(|took| at_once(&took)),
        "{took:?}"
    );
}

#[test]
fn the_runs_never_overlap() {
    let scene = Scene::new();
    // A second instance would find the directory of the first.
    let script = "mkdir $R.lock && echo $$ >> $R || echo TWICE >> $R; trap 'rmdir $R.lock' EXIT; \
                  [ $(wc -l < $R) -lt 50 ] || { echo end >> $R; exec sleep 1000; }; exit 1";
    scene.start(&at_once(scene.spec("foo", script))).unwrap();
    let lines = scene.reports.until_line("foo", "end");
    assert!(!lines.contains(&"TWICE".into()), "{lines:?}");
    assert_eq!(scene.status("foo").restarts, Some(lines.len() as u32 - 2));
}

#[test]
fn pauses_grow_until_the_service_is_given_up_once() {
    let scene = Scene::new();
    let hook = scene.dir.join("gave-up");
    scene::executable(
        &hook,
        "#!/bin/sh\necho \"$RC_SVCNAME $SERVICE_RESULT $RESPAWN_COUNT $*\" >> $R.hook\n",
    );
    let settings = [
        ("respawn_delay", "20ms"),
        ("rc_supervise_jitter", "0"),
        ("rc_supervise_min_interval", "0"),
        ("respawn_max", "4"),
        ("rc_supervise_on_give_up", hook.to_str().unwrap()),
    ];
    let spec = with(scene.spec("foo", "date +%s%N >> $R; exit 3"), &settings);
    scene.start(&spec).unwrap();
    let status = scene.until("foo", State::GaveUp);
    assert_eq!(status.last_exit, Some(Exit::Code(3)));
    let hooks = scene.reports.until("foo.hook", 1);
    assert_eq!(hooks, ["foo start-limit-hit 4 3 0"]);
    let starts: Vec<u64> = scene
        .reports
        .lines("foo")
        .iter()
        .map(|line| line.parse().unwrap())
        .collect();
    assert_eq!(starts.len(), 5, "one start and four respawns");
    for (index, pair) in starts.windows(2).enumerate() {
        let gap = Duration::from_nanos(pair[1] - pair[0]);
        assert!(
            gap >= Duration::from_millis(20 << index),
            "pause {index}: {gap:?}"
        );
    }
    // By hand it may try again, with a full allowance.
    scene.start(&spec).unwrap();
    scene.reports.until("foo", 10);
    scene.until("foo", State::GaveUp);
    assert_eq!(scene.reports.until("foo.hook", 2).len(), 2);
    scene.stop("foo").unwrap();
    assert_eq!(scene.status("foo").state, State::Down);
}

#[test]
fn a_stop_does_not_wait_for_a_pause() {
    let scene = Scene::new();
    let spec = with(scene.spec("foo", "echo $$ >> $R; exit 1"), &LONG_PAUSE);
    scene.start(&spec).unwrap();
    let status = scene.until("foo", State::Backoff);
    assert!(
        status.next_restart_ms.is_some_and(|pause| pause > 900_000),
        "{status:?}"
    );
    scene.stop("foo").unwrap();
    assert_eq!(scene.status("foo").state, State::Down);
    assert_eq!(scene.reports.lines("foo").len(), 1);
}

#[test]
fn a_start_does_not_wait_for_a_pause_either() {
    let scene = Scene::new();
    let script = "echo $$ >> $R; [ $(wc -l < $R) -gt 1 ] && exec sleep 1000; exit 1";
    scene
        .start(&with(scene.spec("foo", script), &LONG_PAUSE))
        .unwrap();
    scene.until("foo", State::Backoff);
    scene.order(Request::Restart(name("foo"))).unwrap();
    assert_eq!(scene.reports.until("foo", 2).len(), 2);
    assert_eq!(scene.status("foo").state, State::Up);
}

#[test]
fn policies_and_codes_decide() {
    let scene = Scene::new();
    type Case = (
        &'static str,
        &'static [(&'static str, &'static str)],
        &'static str,
        State,
    );
    let cases: [Case; 6] = [
        (
            "clean",
            &[("rc_supervise_policy", "on-failure")],
            "exit 0",
            State::Down,
        ),
        (
            "never",
            &[("rc_supervise_policy", "no")],
            "exit 3",
            State::GaveUp,
        ),
        (
            "prevented",
            &[("rc_supervise_prevent_codes", "78")],
            "exit 78",
            State::GaveUp,
        ),
        (
            "signal",
            &[("rc_supervise_prevent_codes", "USR1")],
            "kill -USR1 $$",
            State::GaveUp,
        ),
        (
            "forced",
            &[
                ("rc_supervise_policy", "no"),
                ("rc_supervise_force_codes", "3"),
            ],
            "[ $(wc -l < $R) -gt 1 ] && exit 4; exit 3",
            State::GaveUp,
        ),
        (
            "success",
            &[
                ("rc_supervise_policy", "on-failure"),
                ("rc_supervise_success_codes", "7"),
            ],
            "exit 7",
            State::Down,
        ),
    ];
    for (service, settings, end, state) in cases {
        let script = format!("echo $$ >> $R; {end}");
        scene
            .start(&with(at_once(scene.spec(service, &script)), settings))
            .unwrap();
        let status = scene.until(service, state);
        let starts = if service == "forced" { 2 } else { 1 };
        assert_eq!(
            scene.reports.lines(service).len(),
            starts,
            "{service}: {status:?}"
        );
    }
}

#[test]
fn a_spec_that_breaks_meanwhile_is_tried_again_later() {
    let scene = Scene::new();
    let settings = [
        ("respawn_delay", "50ms"),
        ("respawn_max", "0"),
        ("rc_supervise_min_interval", "0"),
    ];
    let spec = with(scene.spec("foo", STAY), &settings);
    scene.start(&spec).unwrap();
    scene.reports.until("foo", 1);
    let mut broken = spec.clone();
    broken.put("argv", list(&["/nonexistent/x"]));
    scene.write(&broken);
    signal(scene.pid("foo"), libc::SIGKILL);
    while scene.until("foo", State::Backoff).last_exit != Some(Exit::NotRun(libc::ENOENT)) {}
    scene.write(&spec);
    scene.reports.until("foo", 2);
    scene.until("foo", State::Up);
}
