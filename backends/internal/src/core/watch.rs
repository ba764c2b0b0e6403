//! What is known of an instance beyond its life: what it says, and what is found by looking at it.

use super::Look;
use rc_sv_exec::check::{are_healthy, Checkup, Findings, Trial};
use std::time::Duration;

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
    /// What looks have found.
    pub findings: Findings<Look>,
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

impl Watch {
    /// When something is due.
    pub(super) fn deadline(&self) -> Option<u64> {
        let trial = self.trial.and_then(|trial| trial.deadline());
        let watchdog = self.watchdog.map(|watchdog| watchdog.until);
        let checks = self.checkups.iter().filter_map(Checkup::deadline);
        checks.chain(trial).chain(watchdog).min()
    }

    /// The looks that are being made.
    pub(super) fn looks(&self) -> impl Iterator<Item = Look> + '_ {
        let of_ready = self.trial.filter(Trial::is_running).map(|_| Look::Ready);
        let checks = self.checks().filter(|(_, checkup)| checkup.is_running());
        of_ready.into_iter().chain(checks.map(|(look, _)| look))
    }

    /// What is wrong with its health.
    pub(super) fn sick_line(&self) -> Option<String> {
        let sick = |(look, checkup): (Look, &Checkup)| {
            let is_sick = checkup.is_healthy() == Some(false);
            is_sick.then(|| checkup.sick_line(self.findings.of(look)))
        };
        self.checks().find_map(sick)
    }

    /// Which check could not be made, and why.
    pub(super) fn blind_line(&self) -> Option<String> {
        let line = |(look, checkup): (Look, &Checkup)| checkup.blind_line(self.findings.of(look));
        self.checks().find_map(line)
    }

    fn checks(&self) -> impl Iterator<Item = (Look, &Checkup)> {
        let checks = self.checkups.iter().enumerate();
        checks.map(|(index, checkup)| (Look::Check(index as u8), checkup))
    }

    /// Whether all checks pass; `None` while that is not known.
    pub(super) fn is_healthy(&self) -> Option<bool> {
        are_healthy(&self.checkups)
    }
}
