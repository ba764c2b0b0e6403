//! The restart policy: a pure function from how a run ended to what happens next.
//!
//! Meaning of the words of `rc_supervise_policy`: systemd.service(5), table of `Restart=`. Order
//! of precedence: prevent codes, force codes, policy; then the limit.

use crate::exit::{Exit, ExitSet};
use crate::spec::Settings;
use std::collections::VecDeque;
use std::time::Duration;

/// After which ends a service is respawned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// After each end.
    Always,
    /// After a clean end.
    OnSuccess,
    /// After an end that was not clean, a time-out or a missed watchdog.
    OnFailure,
    /// As `OnFailure`, but not after an exit code.
    OnAbnormal,
    /// After a signal that is not clean.
    OnAbort,
    /// Never.
    No,
}

impl When {
    /// The value for a word of `rc_supervise_policy`.
    pub fn from_word(word: &str) -> Option<When> {
        const ALL: [When; 6] = [
            When::Always,
            When::OnSuccess,
            When::OnFailure,
            When::OnAbnormal,
            When::OnAbort,
            When::No,
        ];
        let index = crate::key::policies()
            .iter()
            .position(|known| *known == word)?;
        Some(ALL[index])
    }
}

/// How the pause grows from one respawn to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Growth {
    /// It is multiplied by this, in thousandths.
    Factor(u32),
    /// This is added.
    Step(Duration),
}

/// When a service is respawned and when it is given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// After which ends.
    pub when: When,
    /// Exits that count as clean besides the usual ones.
    pub success: ExitSet,
    /// Exits that fail the service for good.
    pub prevent: ExitSet,
    /// Exits after which it is respawned whatever `when` says.
    pub force: ExitSet,
    /// Pause before the first respawn.
    pub delay: Duration,
    /// Pause before the first respawn after a run of at least `reset_after`.
    pub delay_after_reset: Duration,
    /// How the pause grows.
    pub growth: Growth,
    /// The pause grows no further than this.
    pub delay_cap: Duration,
    /// By how many per cent a pause may be off.
    pub jitter_percent: u8,
    /// Shortest time from start to start.
    pub min_interval: Duration,
    /// After a run of this length the pause is back at its beginning.
    pub reset_after: Duration,
    /// Respawns allowed within `period`; 0 for any number.
    pub limit: u32,
    /// The sliding window.
    pub period: Duration,
}

impl Policy {
    /// The policy of a spec, with the registry's defaults.
    pub fn from_settings(spec: &dyn Settings) -> Policy {
        let duration = |key| spec.duration(key).unwrap_or_default();
        let exits = |key| ExitSet::parse(&spec.word(key)).unwrap_or_default();
        let number = |key| u32::try_from(spec.int_or_default(key).unwrap_or(0)).unwrap_or(u32::MAX);
        let delay = duration("respawn_delay");
        Policy {
            when: When::from_word(&spec.word("rc_supervise_policy")).unwrap_or(When::Always),
            success: exits("rc_supervise_success_codes"),
            prevent: exits("rc_supervise_prevent_codes"),
            force: exits("rc_supervise_force_codes"),
            delay,
            delay_after_reset: match spec.int("respawn_delay") {
                Some(_) => delay,
                None => Duration::ZERO,
            },
            growth: match spec.duration("respawn_delay_step") {
                Some(step) => Growth::Step(step),
                None => Growth::Factor(number("rc_supervise_delay_factor")),
            },
            delay_cap: duration("respawn_delay_cap").max(delay),
            jitter_percent: number("rc_supervise_jitter").min(100) as u8,
            min_interval: duration("rc_supervise_min_interval"),
            reset_after: duration("rc_supervise_reset_after"),
            limit: number("respawn_max"),
            period: duration("respawn_period"),
        }
    }

    /// The pause before the respawn that follows `earlier` respawns in a row, without jitter.
    pub fn pause(&self, earlier: u32) -> Duration {
        let pause = match self.growth {
            Growth::Step(step) => self.delay.saturating_add(step.saturating_mul(earlier)),
            Growth::Factor(thousandths) => {
                let factor = f64::from(thousandths) / 1000.0;
                let seconds = self.delay.as_secs_f64() * factor.powi(earlier.min(1000) as i32);
                Duration::from_secs_f64(seconds.min(self.delay_cap.as_secs_f64()))
            }
        };
        pause.min(self.delay_cap)
    }
}

/// What the policy has to remember of one service. Cleared by a start that a person asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// When the respawns within the window were decided: milliseconds of the caller's clock.
    respawns: VecDeque<u64>,
    /// Respawns since the last run of at least `reset_after`.
    streak: u32,
}

impl History {
    /// Respawns since the last run that was long enough.
    pub fn streak(&self) -> u32 {
        self.streak
    }

    /// Respawns that count against the limit at `now` (ms).
    pub fn in_window(&self, policy: &Policy, now: u64) -> u32 {
        let period = policy.period.as_millis() as u64;
        let recent = self
            .respawns
            .iter()
            .filter(|at| now.saturating_sub(**at) < period);
        recent.count() as u32
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = History::default();
    }
}

/// How one run of a service ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// How the main process ended.
    pub exit: Exit,
    /// Why the supervisor ended it, if it did.
    pub cause: Cause,
    /// How long the main process ran.
    pub lasted: Duration,
    /// The finish command exited 125: never again.
    pub permanent: bool,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The main process ended by itself, or was killed by somebody else.
    Itself,
    /// It did not become ready, or did not stop, in time.
    Timeout,
    /// It missed its watchdog.
    Watchdog,
    /// Its health checks failed.
    Unhealthy,
}

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is respawned after this pause.
    Respawn(Duration),
    /// It stays down; that is no failure.
    Down,
    /// It has failed too often.
    GiveUp,
    /// It has failed for good.
    Permanent,
}

/// Decides what happens after `run` at `now` (milliseconds of a monotonic clock), and remembers
/// it. `chance` is any random number; it only moves the pause within its jitter.
pub fn judge(policy: &Policy, history: &mut History, run: &Run, now: u64, chance: u32) -> Verdict {
    if run.permanent || policy.prevent.contains(run.exit) {
        return Verdict::Permanent;
    }
    let clean = is_clean(policy, run);
    if !policy.force.contains(run.exit) && !wants_respawn(policy.when, run, clean) {
        return if clean {
            Verdict::Down
        } else {
            Verdict::Permanent
        };
    }
    let healthy = run.lasted >= policy.reset_after;
    if healthy {
        history.streak = 0;
    }
    let period = policy.period.as_millis() as u64;
    history
        .respawns
        .retain(|at| now.saturating_sub(*at) < period);
    if policy.limit != 0 && history.respawns.len() >= policy.limit as usize {
        return Verdict::GiveUp;
    }
    if policy.limit != 0 {
        history.respawns.push_back(now);
    }
    let pause = if healthy {
        policy.delay_after_reset
    } else {
        policy.pause(history.streak)
    };
    history.streak = history.streak.saturating_add(1);
    let earliest = policy.min_interval.saturating_sub(run.lasted);
    Verdict::Respawn(jittered(pause, policy.jitter_percent, chance).max(earliest))
}

fn is_clean(policy: &Policy, run: &Run) -> bool {
    run.cause == Cause::Itself && (run.exit.is_clean() || policy.success.contains(run.exit))
}

/// The table of `Restart=` in systemd.service(5).
fn wants_respawn(when: When, run: &Run, clean: bool) -> bool {
    let by_signal = run.cause == Cause::Itself && run.exit.signal().is_some() && !clean;
    match when {
        When::Always => true,
        When::OnSuccess => clean,
        When::OnFailure => !clean,
        When::OnAbnormal => by_signal || run.cause != Cause::Itself,
        When::OnAbort => by_signal,
        When::No => false,
    }
}

fn jittered(pause: Duration, percent: u8, chance: u32) -> Duration {
    let swing = f64::from(chance) / f64::from(u32::MAX) * 2.0 - 1.0;
    pause.mul_f64(1.0 + swing * f64::from(percent.min(100)) / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Spec;

    const MIDDLE: u32 = u32::MAX / 2;

    fn policy(settings: &[(&str, &str)]) -> Policy {
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
}
