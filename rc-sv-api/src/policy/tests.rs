//! The policy against its documentation.

use super::judge::jittered;
use super::*;
use crate::exit::Exit;
use crate::spec::Spec;

const MIDDLE: u32 = u32::MAX / 2;

pub(super) fn policy(settings: &[(&str, &str)]) -> Policy {
    let mut spec = Spec::default();
    for (name, value) in settings {
        spec.set(name, value.as_bytes(), "test").unwrap();
    }
    Policy::from_settings(spec.settings())
}

fn run(exit: Exit, lasted_ms: u64) -> Run {
    let lasted = Duration::from_millis(lasted_ms);
    Run {
        exit,
        cause: Cause::Itself,
        lasted,
        permanent: false,
    }
}

/// Pauses of a service that dies at once, until it is given up, in milliseconds.
fn crash_loop(policy: &Policy) -> Vec<u64> {
    let (mut history, mut now, mut pauses) = (History::default(), 0, Vec::new());
    while let Verdict::Respawn(pause) =
        judge(policy, &mut history, &run(Exit::Code(3), 0), now, MIDDLE)
    {
        now += pause.as_millis() as u64;
        pauses.push(pause.as_millis() as u64);
        assert!(pauses.len() < 100, "never gives up");
    }
    pauses
}

#[test]
fn the_default_gives_up_after_ten_respawns_and_243_seconds() {
    let pauses = crash_loop(&policy(&[("rc_supervise_min_interval", "0")]));
    let expected = [
        500, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000,
    ];
    for (pause, expected) in pauses.iter().zip(expected) {
        assert!(pause.abs_diff(expected) <= 1, "{pauses:?}");
    }
    assert_eq!(pauses.len(), 10);
}

#[test]
fn steps_add_and_are_capped() {
    let policy = policy(&[
        ("respawn_delay", "1"),
        ("respawn_delay_step", "2"),
        ("respawn_delay_cap", "4"),
    ]);
    let pauses: Vec<u64> = (0..4).map(|n| policy.pause(n).as_secs()).collect();
    assert_eq!(pauses, [1, 3, 4, 4]);
}

#[test]
fn the_window_slides() {
    let policy = policy(&[
        ("respawn_max", "3"),
        ("respawn_period", "10"),
        ("respawn_delay", "0"),
        ("rc_supervise_min_interval", "0"),
    ]);
    let verdicts = |gap: u64| {
        let mut history = History::default();
        let ends = (1..=20).map(|n| n * gap);
        ends.map(|now| judge(&policy, &mut history, &run(Exit::Code(1), gap), now, 0))
            .position(|verdict| verdict == Verdict::GiveUp)
    };
    assert_eq!(
        verdicts(10_000 / 3 + 10),
        None,
        "slower than the limit never gives up"
    );
    assert_eq!(
        verdicts(10_000 / 3 - 10),
        Some(3),
        "faster gives up at the limit plus one"
    );
}

#[test]
fn a_long_run_brings_the_pause_back() {
    let explicit = policy(&[("respawn_delay", "1"), ("rc_supervise_reset_after", "5")]);
    let mut history = History::default();
    let short = run(Exit::Signal(9), 100);
    for _ in 0..3 {
        judge(&explicit, &mut history, &short, 0, MIDDLE);
    }
    assert_eq!(history.streak(), 3);
    let long = judge(
        &explicit,
        &mut history,
        &run(Exit::Signal(9), 5000),
        0,
        MIDDLE,
    );
    assert!(matches!(long, Verdict::Respawn(pause) if pause.as_millis().abs_diff(1000) <= 1));
    let unset = policy(&[]);
    let long = run(Exit::Signal(9), 60_000);
    let verdict = judge(&unset, &mut History::default(), &long, 0, MIDDLE);
    assert_eq!(verdict, Verdict::Respawn(Duration::ZERO));
}

#[test]
fn starts_keep_their_distance() {
    let policy = policy(&[("respawn_delay", "0"), ("rc_supervise_min_interval", "2")]);
    let mut history = History::default();
    let verdict = judge(&policy, &mut history, &run(Exit::Code(1), 500), 0, MIDDLE);
    assert_eq!(verdict, Verdict::Respawn(Duration::from_millis(1500)));
    let verdict = judge(&policy, &mut history, &run(Exit::Code(1), 9000), 0, MIDDLE);
    assert_eq!(verdict, Verdict::Respawn(Duration::ZERO));
}

#[test]
fn jitter_stays_within_its_bounds() {
    for chance in [0, 1, MIDDLE, u32::MAX] {
        let millis = jittered(Duration::from_secs(1), 10, chance).as_millis();
        assert!((900..=1100).contains(&millis), "{millis}");
    }
    assert_eq!(
        jittered(Duration::from_secs(1), 0, 7),
        Duration::from_secs(1)
    );
}

#[test]
fn the_table_of_systemd() {
    let ends = [
        run(Exit::Code(0), 0),
        run(Exit::Signal(15), 0),
        run(Exit::Code(1), 0),
        run(Exit::Signal(11), 0),
        Run {
            cause: Cause::Timeout,
            ..run(Exit::Signal(15), 0)
        },
    ];
    let table = [
        ("always", [true, true, true, true, true]),
        ("on-success", [true, true, false, false, false]),
        ("on-failure", [false, false, true, true, true]),
        ("on-abnormal", [false, false, false, true, true]),
        ("on-abort", [false, false, false, true, false]),
        ("no", [false; 5]),
    ];
    for (word, expected) in table {
        let policy = policy(&[("rc_supervise_policy", word)]);
        let respawns = ends.map(|run| {
            let verdict = judge(&policy, &mut History::default(), &run, 0, 0);
            matches!(verdict, Verdict::Respawn(_))
        });
        assert_eq!(respawns, expected, "{word}");
    }
}

#[test]
fn prevent_beats_force_beats_policy() {
    let policy = policy(&[
        ("rc_supervise_policy", "no"),
        ("rc_supervise_prevent_codes", "78 9"),
        ("rc_supervise_force_codes", "9 5"),
    ]);
    let verdict = |exit| judge(&policy, &mut History::default(), &run(exit, 0), 0, 0);
    assert_eq!(verdict(Exit::Code(78)), Verdict::Permanent);
    assert_eq!(verdict(Exit::Code(9)), Verdict::Permanent);
    assert!(matches!(verdict(Exit::Code(5)), Verdict::Respawn(_)));
    assert_eq!(verdict(Exit::Code(0)), Verdict::Down);
    assert_eq!(
        verdict(Exit::Code(1)),
        Verdict::Permanent,
        "a failure is not a success"
    );
    let finish = Run {
        permanent: true,
        ..run(Exit::Code(5), 0)
    };
    assert_eq!(
        judge(&policy, &mut History::default(), &finish, 0, 0),
        Verdict::Permanent
    );
}
