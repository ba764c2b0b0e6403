use super::super::Action;
use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

const RULES: Rules = Rules {
    interval: Duration::from_secs(30),
    timeout: Duration::from_secs(10),
    start: Duration::ZERO,
    failures: 3,
    successes: 2,
    within: 0,
    action: Action::Restart,
};

/// Lets the next check begin and end like this.
fn made(checkup: &mut Checkup, outcome: Outcome) -> Change {
    let at = checkup.deadline().unwrap();
    assert_eq!(checkup.elapsed(at), (Todo::Begin, Change::None));
    checkup.ended(outcome, at + 1)
}

/// The changes after each of these results: `+` passes, `-` fails, `?` is unknown.
fn told(rules: Rules, results: &str) -> String {
    let mut checkup = Checkup::new(rules, 0);
    let each = |result| {
        let outcome = match result {
            '+' => Outcome::Pass,
            '-' => Outcome::Fail,
            _ => Outcome::Unknown,
        };
        match made(&mut checkup, outcome) {
            Change::None => '.',
            Change::Sick => 'S',
            Change::Well => 'W',
        }
    };
    results.chars().map(each).collect()
}

#[test]
fn failures_in_a_row_make_it_sick_and_successes_well() {
    assert_eq!(told(RULES, "--+--+---"), "........S");
    assert_eq!(told(RULES, "++---+++"), ".W..S.W.");
    assert_eq!(told(RULES, "---+-++---"), "..S...W..S");
    assert_eq!(
        told(
            Rules {
                failures: 1,
                successes: 1,
                ..RULES
            },
            "+-+-"
        ),
        "WSWS"
    );
}

#[test]
fn one_that_cannot_be_made_says_so_until_it_can() {
    let mut checkup = Checkup::new(RULES, 0);
    assert_eq!(checkup.blind_line("x"), None);
    for outcome in [Outcome::Pass, Outcome::Fail] {
        made(&mut checkup, Outcome::Unknown);
        let line = "a check could not be made: x";
        assert_eq!(checkup.blind_line("x").as_deref(), Some(line));
        made(&mut checkup, outcome);
        assert_eq!(checkup.blind_line("x"), None);
    }
    // One that was given up was made.
    let due = checkup.deadline().unwrap();
    checkup.elapsed(due);
    checkup.elapsed(due + 10_000);
    checkup.ended(Outcome::Unknown, due + 10_001);
    assert_eq!(checkup.blind_line("x"), None);
}

#[test]
fn what_is_unknown_counts_for_nothing() {
    assert_eq!(told(RULES, "????????"), "........");
    assert_eq!(told(RULES, "-?-?-"), "....S");
    assert_eq!(told(RULES, "+?+"), "..W");
}

#[test]
fn failures_can_be_counted_among_the_last() {
    let rules = Rules { within: 5, ..RULES };
    assert_eq!(told(rules, "-+-+-"), "....S");
    assert_eq!(told(rules, "-++-+-+-"), "..W....S");
    // A recovery begins a new window.
    assert_eq!(told(rules, "---++--+-"), "..S.W...S");
}

#[test]
fn the_first_comes_after_an_interval_or_the_start_period() {
    assert_eq!(Checkup::new(RULES, 500).deadline(), Some(30_500));
    let late = Rules {
        start: Duration::from_secs(90),
        ..RULES
    };
    let mut checkup = Checkup::new(late, 500);
    assert_eq!(checkup.elapsed(90_499), (Todo::Nothing, Change::None));
    assert_eq!(checkup.elapsed(90_500), (Todo::Begin, Change::None));
}

#[test]
fn one_that_hangs_is_given_up_counts_once_and_holds_up_the_next() {
    let mut checkup = Checkup::new(
        Rules {
            failures: 1,
            ..RULES
        },
        0,
    );
    assert_eq!(checkup.elapsed(30_000), (Todo::Begin, Change::None));
    assert_eq!(checkup.deadline(), Some(40_000));
    assert_eq!(checkup.elapsed(40_000), (Todo::GiveUp, Change::Sick));
    assert_eq!(checkup.deadline(), None, "it waits for the end");
    assert!(checkup.is_running());
    assert_eq!(checkup.elapsed(500_000), (Todo::Nothing, Change::None));
    assert_eq!(
        checkup.ended(Outcome::Pass, 500_000),
        Change::None,
        "too late"
    );
    assert_eq!(checkup.failures(), (1, 1));
    assert_eq!(checkup.deadline(), Some(510_000), "in step with the first");
}

#[test]
fn those_that_fall_due_meanwhile_are_left_out() {
    let rules = Rules {
        interval: Duration::from_secs(1),
        ..RULES
    };
    let mut checkup = Checkup::new(rules, 0);
    assert_eq!(checkup.elapsed(1_000), (Todo::Begin, Change::None));
    assert_eq!(checkup.elapsed(2_000), (Todo::Nothing, Change::None));
    checkup.ended(Outcome::Pass, 4_500);
    assert_eq!(checkup.deadline(), Some(5_000));
}

#[test]
fn an_end_without_a_beginning_changes_nothing() {
    let mut checkup = Checkup::new(
        Rules {
            failures: 1,
            ..RULES
        },
        0,
    );
    assert_eq!(checkup.ended(Outcome::Fail, 1), Change::None);
}

proptest! {
    /// Changes alternate, are justified by what came last, and no check is ever forgotten.
    #[test]
    fn changes_follow_from_results(
        failures in 1_u32..6,
        successes in 1_u32..6,
        window in 0_u32..10,
        results in vec(prop::sample::select(vec!['+', '-', '?']), 0..80),
    ) {
        let within = if window == 0 { 0 } else { failures + window };
        let rules = Rules { failures, successes, within, ..RULES };
        let mut checkup = Checkup::new(rules, 0);
        let mut known = String::new();
        let mut healthy = None;
        for result in results {
            let outcome = match result {
                '+' => Outcome::Pass,
                '-' => Outcome::Fail,
                _ => Outcome::Unknown,
            };
            if result != '?' {
                known.push(result);
            }
            match made(&mut checkup, outcome) {
                Change::Sick => {
                    prop_assert_ne!(healthy, Some(false));
                    let among = if within == 0 { failures } else { within };
                    let tail = &known[known.len().saturating_sub(among as usize)..];
                    prop_assert!(tail.matches('-').count() >= failures as usize, "{tail}");
                    healthy = Some(false);
                }
                Change::Well => {
                    prop_assert_ne!(healthy, Some(true));
                    prop_assert!(known.ends_with(&"+".repeat(successes as usize)));
                    healthy = Some(true);
                }
                Change::None => {}
            }
            prop_assert_eq!(checkup.is_healthy(), healthy);
            if within == 0 && healthy != Some(false) {
                prop_assert!(!known.ends_with(&"-".repeat(failures as usize)));
            }
        }
    }

    /// Whatever happens when, there is something to wait for unless a given-up check hangs.
    #[test]
    fn time_is_never_lost(steps in vec((0_u64..100_000, any::<bool>()), 1..60)) {
        let (mut checkup, mut now) = (Checkup::new(RULES, 0), 0);
        for (wait, end) in steps {
            now += wait;
            checkup.elapsed(now);
            if end {
                checkup.ended(Outcome::Unknown, now);
                prop_assert!(!checkup.is_running());
                prop_assert!(checkup.deadline().is_some_and(|at| at > now));
            } else if let Some(at) = checkup.deadline() {
                prop_assert!(at > now || checkup.elapsed(now).0 != Todo::Nothing);
            } else {
                prop_assert!(checkup.is_running());
            }
        }
    }
}
