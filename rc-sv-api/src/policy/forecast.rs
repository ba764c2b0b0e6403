//! What a policy comes to, for people.

use super::{judge, Cause, History, Policy, Run, Verdict};
use crate::exit::Exit;
use std::fmt;
use std::time::Duration;

/// A service that was respawned so often and was not given up will not be soon.
const PATIENCE: u32 = 5_000;

/// What becomes of a service that always exits with 1 at once. Without jitter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forecast {
    /// It is given up.
    GivesUp {
        /// After so many respawns.
        restarts: u32,
        /// So long after its first end.
        after: Duration,
    },
    /// Its first failure is its last.
    NotRespawned,
    /// There is no limit, or it is not reached within the period, or so far away that nobody waits
    /// for it.
    Never,
}

impl Policy {
    /// What becomes of a service that always fails at once.
    pub fn forecast(&self) -> Forecast {
        const MIDDLE: u32 = u32::MAX / 2 + 1;
        let run = Run {
            exit: Exit::Code(1),
            cause: Cause::Itself,
            lasted: Duration::ZERO,
            permanent: false,
        };
        let mut history = History::default();
        let mut after = Duration::ZERO;
        for restarts in 0..PATIENCE {
            let now = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
            match judge(self, &mut history, &run, now, MIDDLE) {
                Verdict::Respawn(pause) => after = after.saturating_add(pause),
                Verdict::GiveUp => return Forecast::GivesUp { restarts, after },
                Verdict::Down | Verdict::Permanent => return Forecast::NotRespawned,
            }
        }
        Forecast::Never
    }
}

impl fmt::Display for Forecast {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Forecast::GivesUp { restarts, after } => {
                let plural = if *restarts == 1 { "" } else { "s" };
                let seconds = after.as_secs();
                write!(
                    out,
                    "gives up after {restarts} restart{plural}, about {seconds} s if it always \
                     dies at once"
                )
            }
            Forecast::NotRespawned => out.write_str("is not respawned after a failure"),
            Forecast::Never => out.write_str("never gives up, not even if it always dies at once"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::policy;
    use super::*;

    fn of(settings: &[(&str, &str)]) -> String {
        policy(settings).forecast().to_string()
    }

    #[test]
    fn the_usual_policy_gives_up_after_four_minutes() {
        let quiet = [("rc_supervise_min_interval", "0")];
        let seconds = [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0];
        let Forecast::GivesUp { restarts, after } = policy(&quiet).forecast() else {
            panic!("it never gives up");
        };
        assert_eq!(restarts, 10);
        let sum: f64 = seconds.iter().sum();
        assert!((after.as_secs_f64() - sum).abs() < 0.01, "{after:?}");
        assert_eq!(
            of(&quiet),
            "gives up after 10 restarts, about 243 s if it always dies at once"
        );
    }

    #[test]
    fn a_limit_that_is_not_reached_is_none() {
        let never = "never gives up, not even if it always dies at once";
        assert_eq!(of(&[("respawn_max", "0")]), never);
        let slow = [
            ("respawn_delay", "60"),
            ("respawn_max", "10"),
            ("respawn_period", "10m"),
        ];
        assert_eq!(of(&slow), never, "nine fit into ten minutes");
        let fast = [("respawn_max", "1"), ("respawn_delay", "7")];
        assert_eq!(
            of(&fast),
            "gives up after 1 restart, about 7 s if it always dies at once"
        );
    }

    #[test]
    fn some_policies_do_not_respawn_at_all() {
        let no = "is not respawned after a failure";
        assert_eq!(of(&[("rc_supervise_policy", "on-success")]), no);
        assert_eq!(of(&[("rc_supervise_prevent_codes", "1")]), no);
    }
}
