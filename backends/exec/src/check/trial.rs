//! Looks at whether a service is ready, one after the other until one passes. Pure: times go in as
//! milliseconds of a monotonic clock.

use super::{Change, Outcome, Todo};
use std::time::Duration;

/// The longest pause between two looks.
const LONGEST_PAUSE_MS: u64 = 1_000;

/// The first one.
const FIRST_PAUSE_MS: u64 = 50;

/// The looks at one instance of a service.
#[derive(Clone, Copy, Debug)]
pub struct Trial {
    /// The pause after the current look.
    pause_ms: u64,
    step: Step,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The next one is due.
    Due(u64),
    /// One is being made, until then at the latest.
    Until(u64),
    /// One took too long, and has not ended yet.
    GivenUp,
}

impl Trial {
    /// How long one look may take.
    pub const TIMEOUT: Duration = Duration::from_secs(10);

    /// The first look is made at once.
    pub fn new(now_ms: u64) -> Trial {
        Trial {
            pause_ms: FIRST_PAUSE_MS,
            step: Step::Due(now_ms),
        }
    }

    /// When [`Trial::elapsed`] is to be asked; `None` while only the end of a look that was given
    /// up is waited for.
    pub fn deadline(&self) -> Option<u64> {
        match self.step {
            Step::Due(at) | Step::Until(at) => Some(at),
            Step::GivenUp => None,
        }
    }

    /// Whether a look is being made.
    pub fn is_running(&self) -> bool {
        !matches!(self.step, Step::Due(_))
    }

    /// What is due at `now_ms`.
    pub fn elapsed(&mut self, now_ms: u64) -> Todo {
        match self.step {
            Step::Due(at) if at <= now_ms => {
                let limit = u64::try_from(Trial::TIMEOUT.as_millis()).unwrap_or(u64::MAX);
                self.step = Step::Until(now_ms.saturating_add(limit));
                Todo::Begin
            }
            Step::Until(at) if at <= now_ms => {
                self.step = Step::GivenUp;
                Todo::GiveUp
            }
            _ => Todo::Nothing,
        }
    }

    /// Takes in how the look ended that was begun: `Well` when the service is ready, `Sick` when it
    /// is known not to be.
    pub fn ended(&mut self, outcome: Outcome, now_ms: u64) -> Change {
        let was = self.step;
        if let Step::Due(_) = was {
            return Change::None;
        }
        self.step = Step::Due(now_ms.saturating_add(self.pause_ms));
        self.pause_ms = (self.pause_ms * 2).min(LONGEST_PAUSE_MS);
        match (was, outcome) {
            (Step::GivenUp, _) => Change::None,
            (_, Outcome::Pass) => Change::Well,
            (_, Outcome::Fail | Outcome::Unknown) => Change::Sick,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_until_a_look_passes() {
        let mut trial = Trial::new(1_000);
        let mut now_ms = 1_000;
        for pause in [50, 100, 200, 400, 800, 1_000, 1_000] {
            assert_eq!(trial.deadline(), Some(now_ms));
            assert_eq!(trial.elapsed(now_ms), Todo::Begin);
            assert!(trial.is_running());
            assert_eq!(trial.elapsed(now_ms), Todo::Nothing);
            assert_eq!(trial.ended(Outcome::Fail, now_ms), Change::Sick);
            assert_eq!(trial.elapsed(now_ms), Todo::Nothing);
            now_ms += pause;
        }
        assert_eq!(trial.elapsed(now_ms), Todo::Begin);
        assert_eq!(trial.ended(Outcome::Pass, now_ms), Change::Well);
        assert_eq!(trial.ended(Outcome::Pass, now_ms), Change::None);
    }

    #[test]
    fn an_answer_that_comes_too_late_is_none() {
        let mut trial = Trial::new(0);
        assert_eq!(trial.elapsed(0), Todo::Begin);
        assert_eq!(trial.deadline(), Some(10_000));
        assert_eq!(trial.elapsed(10_000), Todo::GiveUp);
        assert_eq!(trial.deadline(), None);
        assert_eq!(trial.ended(Outcome::Pass, 10_001), Change::None);
        assert_eq!(trial.deadline(), Some(10_051));
    }
}
