//! What must hold for internal: relations within one run, and its memory. Never absolute times.

use crate::figure::{find, Figure};
use crate::inside::FLOOR;
use crate::suites::{self, SERVICES};
use crate::{control, memory, monit, pace, restart, storm};

/// One condition.
#[derive(Clone, Debug)]
pub struct Bar {
    /// What is asked, with what was measured.
    pub text: String,
    /// Whether it holds.
    pub holds: bool,
    /// Whether the run fails without it.
    pub binding: bool,
}

const OURS: &str = "internal";

/// What dinit takes, in that of the floor: 1.10 ms beside 0.79 ms, on another machine.
const DINIT: f64 = 1.39;

/// What a first restart takes at most, in that of the floor.
const MOST: f64 = 1.5;

/// What dinit's storm takes, in that of the floor: 260 ms beside 210 ms, on another machine.
const STORM: f64 = 1.24;

/// All of them, for a run with internal.
pub fn check(figures: &[Figure]) -> Vec<Bar> {
    let list = control::list_name(storm::SERVICES);
    let mut bars = Vec::new();
    for peer in ["supervise-daemon", "s6, readiness", "s6"] {
        bars.push(ahead_of(figures, peer, 1.0, true));
    }
    for peer in ["runit", "daemontools"] {
        bars.push(ahead_of(figures, peer, 1.0, false));
    }
    bars.push(ahead_of(figures, FLOOR, DINIT, false));
    bars.push(ahead_of(figures, FLOOR, MOST, false));
    bars.push(storm_near_the_floor(figures));
    for section in [storm::LOST, storm::DOUBLED] {
        bars.push(at_most(figures, section, OURS, 0.0, "services"));
    }
    let pss = |services, most| {
        at_most(
            figures,
            memory::PSS,
            &memory::name(OURS, services),
            most,
            "kB",
        )
    };
    bars.push(pss(1, 600.0));
    bars.push(pss(100, 1_200.0));
    bars.push(pss(1_000, 4_000.0));
    for services in [1, 100] {
        let name = memory::name(OURS, services);
        bars.push(at_most(figures, memory::IDLE, &name, 0.0, "switches"));
    }
    let back_off = control::OUT_OF_BACK_OFF;
    bars.push(in_milliseconds(figures, control::SECTION, back_off, 10.0));
    bars.push(in_milliseconds(figures, control::SECTION, &list, 1.0));
    for (name, most) in [pace::RESPAWN, pace::INTERVAL, pace::STOPPED, pace::TWICE] {
        bars.push(in_milliseconds(figures, pace::SECTION, name, most));
    }
    bars.extend(of_suites(figures));
    bars.extend(of_monit(figures));
    bars
}

/// What else runs on the machine decides with it, so it does not bind.
fn in_milliseconds(figures: &[Figure], section: &str, name: &str, most: f64) -> Bar {
    let ms = find(figures, section, name).map_or(f64::NAN, Figure::median) / 1e6;
    Bar {
        text: format!("{name}: below {most} ms: {ms:.2}"),
        holds: ms < most,
        binding: false,
    }
}

/// All of a storm are back, in the time of the floor beside it.
fn storm_near_the_floor(figures: &[Figure]) -> Bar {
    let median = |name: &str| find(figures, storm::SECTION, name).map_or(f64::NAN, Figure::median);
    let ratio = median(OURS) / median(&storm::floor_name(OURS));
    Bar {
        text: format!("storm: all back, below {STORM:.2} of the floor: {ratio:.2}"),
        holds: ratio < STORM,
        binding: false,
    }
}

/// Of the modules for suites: against OpenRC's scripts and the suites' own tools. What else runs on
/// the machine decides with them, so they do not bind.
fn of_suites(figures: &[Figure]) -> Vec<Bar> {
    let median =
        |section, name: &str| find(figures, section, name).map_or(f64::NAN, Figure::median);
    let bar = |text: String, holds| Bar {
        text,
        holds,
        binding: false,
    };
    let mut bars = Vec::new();
    for (suite, times) in [("s6", 5.0), ("runit", 2.0)] {
        for (section, verb) in [
            (suites::UP, "up"),
            (suites::GONE, "down"),
            (suites::BEYOND, "stop beyond OpenRC's own time"),
        ] {
            let theirs = median(section, &suites::theirs(suite));
            let ratio = theirs / median(section, &suites::ours(suite));
            let text =
                format!("{suite}: {verb} {times} times faster than by OpenRC's script: {ratio:.1}");
            bars.push(bar(text, ratio >= times));
        }
    }
    for (suite, _) in suites::names() {
        let one = median(suites::STATUS, &suites::one(suite)) / 1e3;
        bars.push(bar(
            format!("{suite}: status below 10 µs: {one:.1}"),
            one < 10.0,
        ));
        let forked = median(suites::STATUS, &suites::forked(suite));
        let ratio = forked / median(suites::STATUS, &suites::all(suite));
        let text =
            format!("{suite}: {SERVICES} states 100 times cheaper than its tool: {ratio:.0}");
        bars.push(bar(text, ratio >= 100.0));
    }
    bars
}

/// Of the module monit. Most of it is monit's own time, so they do not bind.
fn of_monit(figures: &[Figure]) -> Vec<Bar> {
    let median =
        |section, name: &str| find(figures, section, name).map_or(f64::NAN, Figure::median) / 1e6;
    let bar = |text: String, holds| Bar {
        text,
        holds,
        binding: false,
    };
    let mut bars = Vec::new();
    for (section, most) in [
        (monit::ATTACH, 50.0),
        (monit::DETACH, 30.0),
        (monit::STATUS, 2.0),
    ] {
        for name in [monit::IN_PROCESS, monit::BY_PROGRAM] {
            let ms = median(section, name);
            let text = format!("{section}: {name}: below {most} ms: {ms:.2}");
            bars.push(bar(text, ms < most));
        }
    }
    let ours = median(monit::RECOVERY, monit::BY_EXEC);
    // monit looks every second.
    let text = format!("{}: below 2 s: {:.2}", monit::RECOVERY, ours / 1e3);
    bars.push(bar(text, ours < 2_000.0));
    bars
}

/// A restart takes less than `times` that of `peer`.
fn ahead_of(figures: &[Figure], peer: &str, times: f64, binding: bool) -> Bar {
    let median = |name| find(figures, restart::SECTION, name).map_or(f64::NAN, Figure::median);
    let ratio = median(OURS) / median(peer);
    Bar {
        text: format!("restart: below {times:.2} of {peer}: {ratio:.2}"),
        holds: ratio < times,
        binding,
    }
}

fn at_most(figures: &[Figure], section: &str, name: &str, most: f64, unit: &str) -> Bar {
    let value = find(figures, section, name).map_or(f64::NAN, Figure::median);
    Bar {
        text: format!("{section}: {name}: at most {most} {unit}: {value}"),
        holds: value <= most,
        binding: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Unit;

    fn run(ours: f64, lost: f64) -> Vec<Bar> {
        let one =
            |section: &str, name: &str, value| Figure::new(section, name, Unit::Count, vec![value]);
        let restart = |name, value| one(restart::SECTION, name, value);
        let mut figures = Vec::new();
        for (suite, _) in suites::names() {
            for section in [suites::UP, suites::GONE, suites::BEYOND] {
                figures.push(one(section, &suites::ours(suite), 1.0));
                figures.push(one(section, &suites::theirs(suite), 5.0));
            }
            figures.push(one(suites::STATUS, &suites::one(suite), 9e3));
            figures.push(one(suites::STATUS, &suites::all(suite), 1.0));
            figures.push(one(suites::STATUS, &suites::forked(suite), 100.0));
        }
        for section in [monit::ATTACH, monit::DETACH, monit::STATUS] {
            for name in [monit::IN_PROCESS, monit::BY_PROGRAM] {
                figures.push(one(section, name, 1.9e6));
            }
        }
        figures.push(one(monit::RECOVERY, monit::BY_EXEC, 1e9));
        let list = control::list_name(storm::SERVICES);
        figures.push(one(control::SECTION, &list, 9e5));
        figures.push(one(control::SECTION, control::OUT_OF_BACK_OFF, 9e6));
        for (name, _) in [pace::RESPAWN, pace::INTERVAL, pace::STOPPED, pace::TWICE] {
            figures.push(one(pace::SECTION, name, 9e6));
        }
        figures.push(one(storm::SECTION, OURS, 1.2));
        figures.push(one(storm::SECTION, &storm::floor_name(OURS), 1.0));
        figures.extend([
            restart(OURS, ours),
            restart("supervise-daemon", 10.0),
            restart("s6, readiness", 9.0),
            restart("s6", 1000.0),
            restart("runit", 8.0),
            restart("daemontools", 7.0),
            restart(FLOOR, 6.0),
            one(storm::LOST, OURS, lost),
            one(storm::DOUBLED, OURS, 0.0),
            one(memory::PSS, "internal, 1", 599.0),
            one(memory::PSS, "internal, 100", 1_199.0),
            one(memory::PSS, "internal, 1000", 3_999.0),
            one(memory::IDLE, "internal, 1", 0.0),
            one(memory::IDLE, "internal, 100", 0.0),
        ]);
        check(&figures)
    }

    fn failed(bars: &[Bar]) -> usize {
        bars.iter().filter(|bar| bar.binding && !bar.holds).count()
    }

    #[test]
    fn a_good_run_passes() {
        let bars = run(6.5, 0.0);
        let missed: Vec<_> = bars.iter().filter(|bar| !bar.holds).collect();
        assert!(missed.is_empty(), "{missed:?}");
    }

    #[test]
    fn slower_than_runit_is_said_but_no_failure() {
        let bars = run(8.2, 0.0);
        assert_eq!(failed(&bars), 0);
        assert_eq!(bars.iter().filter(|bar| !bar.holds).count(), 2);
    }

    #[test]
    fn slower_than_stock_or_a_lost_service_fails() {
        assert_eq!(failed(&run(9.5, 0.0)), 1);
        assert_eq!(failed(&run(6.5, 1.0)), 1);
    }

    #[test]
    fn what_was_not_measured_fails() {
        assert_eq!(failed(&check(&[])), 10);
    }
}
