//! What is known of an instance beyond its life: what it says, and what is found by looking at it.

use super::Look;
use rc_sv_exec::check::Checkup;
use std::time::Duration;

/// The longest pause between two looks at whether a service is ready.
const LONGEST_PAUSE_MS: u64 = 1_000;

/// The first one.
const FIRST_PAUSE_MS: u64 = 50;

/// There only where there is something to know.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// What it says that it is doing.
    pub status: Option<Box<str>>,
    /// It reads its configuration again.
    pub reloading: bool,
    /// The looks at whether it is ready.
    pub trial: Option<Trial>,
    /// Its checks, from readiness on.
    pub checkups: Vec<Checkup>,
    /// What the last look found that did not pass.
    pub found: Option<Box<str>>,
    /// From readiness on.
    pub watchdog: Option<Watchdog>,
    /// Whether it is healthy, as others were told.
    pub told: Option<bool>,
}

/// How often an instance has to say that it is alive, and when next at the latest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watchdog {
    pub interval: Duration,
    pub until: u64,
}

/// Looks at whether it is ready, one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trial {
    /// The pause after the current look.
    pause_ms: u64,
    pub step: Step,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The next one is due.
    Due(u64),
    /// One is being made, until then at the latest.
    Until(u64),
    /// One took too long, and has not ended yet.
    GivenUp,
}

impl Trial {
    /// The first look is made at once.
    pub(super) fn new(now_ms: u64) -> Trial {
        Trial {
            pause_ms: FIRST_PAUSE_MS,
            step: Step::Due(now_ms),
        }
    }

    /// A look did not find it ready.
    pub(super) fn failed(&mut self, now_ms: u64) {
        self.step = Step::Due(now_ms.saturating_add(self.pause_ms));
        self.pause_ms = (self.pause_ms * 2).min(LONGEST_PAUSE_MS);
    }
}

impl Watch {
    /// When something is due.
    pub(super) fn deadline(&self) -> Option<u64> {
        let trial = self.trial.and_then(|trial| match trial.step {
            Step::Due(at) | Step::Until(at) => Some(at),
            Step::GivenUp => None,
        });
        let watchdog = self.watchdog.map(|watchdog| watchdog.until);
        let checks = self.checkups.iter().filter_map(Checkup::deadline);
        checks.chain(trial).chain(watchdog).min()
    }

    /// The looks that are being made.
    pub(super) fn looks(&self) -> impl Iterator<Item = Look> + '_ {
        let of_ready = self
            .trial
            .filter(|trial| !matches!(trial.step, Step::Due(_)))
            .map(|_| Look::Ready);
        let checks = self.checkups.iter().enumerate();
        let checks = checks
            .filter(|(_, checkup)| checkup.is_running())
            .map(|(index, _)| Look::Check(index as u8));
        of_ready.into_iter().chain(checks)
    }

    /// Whether all checks pass; `None` while that is not known.
    pub(super) fn is_healthy(&self) -> Option<bool> {
        let mut all = self.checkups.iter().map(Checkup::is_healthy);
        if all.clone().any(|healthy| healthy == Some(false)) {
            return Some(false);
        }
        let known = all.len() > 0 && all.all(|healthy| healthy == Some(true));
        known.then_some(true)
    }
}
