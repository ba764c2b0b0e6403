//! The restart policy: a pure function from how a run ended to what happens next.
//!
//! Meaning of the words of `rc_supervise_policy`: systemd.service(5), table of `Restart=`. Order
//! of precedence: prevent codes, force codes, policy; then the limit.

mod forecast;
mod judge;

pub use forecast::Forecast;
pub use judge::{judge, Cause, History, Run, Verdict};

use crate::exit::ExitSet;
use crate::spec::Settings;
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

#[cfg(test)]
mod tests;
