//! What follows from the answers of one check. Pure: times go in as milliseconds of a monotonic
//! clock.

use super::list::LONGEST_WINDOW;
use super::Rules;
use rc_sv_api::duration;
use std::time::Duration;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The service works.
    Pass,
    /// It does not.
    Fail,
    /// It could not be found out. That is no failure, and no success.
    Unknown,
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Todo {
    /// Nothing yet.
    Nothing,
    /// The check is to be made; [`Checkup::ended`] follows.
    Begin,
    /// The check takes too long, is to be given up, and counts as failed; [`Checkup::ended`]
    /// still follows.
    GiveUp,
}

/// What became of the service's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is as it was.
    None,
    /// It is unhealthy from now on.
    Sick,
    /// It is healthy again, or known to be for the first time.
    Well,
}

/// One check of one instance of a service, from its readiness on.
#[derive(Clone, Copy, Debug)]
pub struct Checkup {
    rules: Rules,
    /// When the next one is due.
    next_ms: u64,
    run: Run,
    /// The last results that are known, the latest in bit 0: failed or not.
    failed: u64,
    /// How many there are in `failed`.
    known: u32,
    healthy: Option<bool>,
    /// The last one could not be made.
    is_blind: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Run {
    No,
    /// It is being made, until then.
    Until(u64),
    /// It took too long, and has not ended yet.
    GivenUp,
}

impl Checkup {
    /// A check of a service that became ready at `now_ms`.
    pub fn new(rules: Rules, now_ms: u64) -> Checkup {
        let first = match rules.start {
            Duration::ZERO => rules.interval,
            start => start,
        };
        Checkup {
            rules,
            next_ms: after(now_ms, first),
            run: Run::No,
            failed: 0,
            known: 0,
            healthy: None,
            is_blind: false,
        }
    }

    /// When [`Checkup::elapsed`] is to be asked; `None` while only the end of a check that was
    /// given up is waited for.
    pub fn deadline(&self) -> Option<u64> {
        match self.run {
            Run::No => Some(self.next_ms),
            Run::Until(until) => Some(until),
            Run::GivenUp => None,
        }
    }

    /// What is due at `now_ms`. A check that falls due while the one before is still being made
    /// is left out.
    pub fn elapsed(&mut self, now_ms: u64) -> (Todo, Change) {
        match self.run {
            Run::No if self.next_ms <= now_ms => {
                self.next_ms = after(now_ms, self.rules.interval);
                self.run = Run::Until(after(now_ms, self.rules.timeout));
                (Todo::Begin, Change::None)
            }
            Run::Until(until) if until <= now_ms => {
                self.run = Run::GivenUp;
                (Todo::GiveUp, self.count(true))
            }
            _ => (Todo::Nothing, Change::None),
        }
    }

    /// Takes in how the check ended that was begun.
    pub fn ended(&mut self, outcome: Outcome, now_ms: u64) -> Change {
        let run = std::mem::replace(&mut self.run, Run::No);
        // Those that fell due meanwhile are left out.
        let interval = millis(self.rules.interval).max(1);
        if self.next_ms <= now_ms {
            let missed = (now_ms - self.next_ms) / interval + 1;
            self.next_ms = self.next_ms.saturating_add(missed.saturating_mul(interval));
        }
        self.is_blind = matches!((run, outcome), (Run::Until(_), Outcome::Unknown));
        match (run, outcome) {
            (Run::Until(_), Outcome::Pass) => self.count(false),
            (Run::Until(_), Outcome::Fail) => self.count(true),
            _ => Change::None,
        }
    }

    /// Whether the service is healthy; `None` as long as nothing is known.
    pub fn is_healthy(&self) -> Option<bool> {
        self.healthy
    }

    /// Whether the check is being made.
    pub fn is_running(&self) -> bool {
        self.run != Run::No
    }

    /// What is wrong, in one line; `found` is what the last look found.
    pub fn sick_line(&self, found: &str) -> String {
        let (failures, limit) = self.failures();
        match self.rules.within {
            0 if failures <= limit => format!("unhealthy: {found}"),
            0 => format!("unhealthy: {found} ({failures} times)"),
            within => format!("unhealthy: {found} ({failures} of the last {within})"),
        }
    }

    /// That it took too long, in words; it is the one at `index` of so many.
    pub fn late_line(&self, index: usize, of: usize) -> String {
        let limit = duration::show(self.rules.timeout);
        match of {
            0 | 1 => format!("the check did not end within {limit}"),
            _ => format!("check {} did not end within {limit}", index + 1),
        }
    }

    /// That the last one could not be made, in one line; `found` is what that has found.
    pub fn blind_line(&self, found: &str) -> Option<String> {
        self.is_blind
            .then(|| format!("a check could not be made: {found}"))
    }

    /// How many failures count, and how many make it unhealthy.
    fn failures(&self) -> (u32, u32) {
        let counted = match self.rules.within {
            0 => self.failed.trailing_ones(),
            within => (self.failed & low(within)).count_ones(),
        };
        (counted, self.rules.failures)
    }

    /// What it goes by.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    fn count(&mut self, failed: bool) -> Change {
        self.failed = self.failed << 1 | u64::from(failed);
        self.known = (self.known + 1).min(LONGEST_WINDOW);
        let (failures, limit) = self.failures();
        let successes = (!self.failed).trailing_ones().min(self.known);
        let healthy = match self.healthy {
            // More than can be remembered is as good as all that can be.
            Some(true) | None if failed && failures >= limit.min(LONGEST_WINDOW) => false,
            Some(false) | None if successes >= self.rules.successes.min(LONGEST_WINDOW) => true,
            _ => return Change::None,
        };
        self.healthy = Some(healthy);
        if healthy {
            // What was before its recovery does not count again.
            (self.failed, self.known) = (0, 0);
            Change::Well
        } else {
            Change::Sick
        }
    }
}

/// Whether all checks of a service pass; `None` while that is not known.
pub fn are_healthy(checkups: &[Checkup]) -> Option<bool> {
    let mut all = checkups.iter().map(Checkup::is_healthy);
    if all.clone().any(|healthy| healthy == Some(false)) {
        return Some(false);
    }
    let known = all.len() > 0 && all.all(|healthy| healthy == Some(true));
    known.then_some(true)
}

/// The lowest `count` bits.
fn low(count: u32) -> u64 {
    match count {
        0..64 => (1 << count) - 1,
        _ => u64::MAX,
    }
}

fn after(now_ms: u64, wait: Duration) -> u64 {
    now_ms.saturating_add(millis(wait))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "checkup_tests.rs"]
mod tests;
