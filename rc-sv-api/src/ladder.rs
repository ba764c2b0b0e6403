//! The stop ladder: which signal, how long to wait, which next.
//!
//! The format is the `retry` variable of OpenRC (src/shared/schedules.c, 0.45 to 0.63):
//! `TERM/30/KILL/5`, or a plain time-out N for `stopsig/N/KILL/N`.

use crate::duration::{self, Unit};
use crate::signal;
use std::time::Duration;

/// One rung: a signal and how long the service has to end after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rung {
    /// Number of the signal.
    pub signal: i32,
    /// Time until the next rung.
    pub wait: Duration,
}

/// The rungs, in order; never empty. After the last one comes an unconditional KILL of everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder(Box<[Rung]>);

/// More rungs than this is a typing error.
const MAX_RUNGS: usize = 16;

impl Ladder {
    /// `signal`, 30 s, KILL, 5 s: what is done when no `retry` is given.
    pub fn standard(signal: i32) -> Ladder {
        let kill = Rung {
            signal: signal::KILL,
            wait: Duration::from_secs(5),
        };
        Ladder(Box::new([
            Rung {
                signal,
                wait: Duration::from_secs(30),
            },
            kill,
        ]))
    }

    /// `signal`, KILL when `kill` is over, and so much longer that `down` is over: what s6's time-outs
    /// say where no `retry` is given. Nothing waits for ever: zero, s6's word for that, is as unset.
    pub fn of_timeouts(signal: i32, kill: Option<Duration>, down: Option<Duration>) -> Ladder {
        let mut ladder = Ladder::standard(signal);
        let [kill, down] = [kill, down].map(|wait| wait.filter(|wait| !wait.is_zero()));
        let first = kill.into_iter().chain(down).min();
        if let ([rung, last], Some(first)) = (&mut ladder.0[..], first) {
            rung.wait = first;
            last.wait = last
                .wait
                .max(down.unwrap_or_default().saturating_sub(first));
        }
        ladder
    }

    /// Parses OpenRC's `retry`; `stopsig` is the signal for a plain time-out.
    ///
    /// # Errors
    /// The words for what would be right.
    pub fn parse(text: &str, stopsig: i32) -> Result<Ladder, String> {
        let text = text.trim();
        if let Ok(wait) = duration::parse(text, Unit::Seconds) {
            let kill = Rung {
                signal: signal::KILL,
                wait,
            };
            return Ok(Ladder(Box::new([
                Rung {
                    signal: stopsig,
                    wait,
                },
                kill,
            ])));
        }
        let words: Vec<&str> = text.split('/').collect();
        let mut rungs = Vec::new();
        for pair in words.chunks(2) {
            let [name, wait] = pair else {
                return Err(wanted());
            };
            let signal = signal::parse(name.trim_start_matches('-')).ok_or_else(wanted)?;
            let wait = duration::parse(wait, Unit::Seconds).map_err(|_| wanted())?;
            rungs.push(Rung { signal, wait });
        }
        if rungs.is_empty() || rungs.len() > MAX_RUNGS {
            return Err(wanted());
        }
        Ok(Ladder(rungs.into()))
    }

    /// The rungs, first to last.
    pub fn rungs(&self) -> &[Rung] {
        &self.0
    }

    /// What follows the first rung, if anything.
    pub fn after_first(&self) -> Option<Ladder> {
        let (_, rest) = self.0.split_first()?;
        (!rest.is_empty()).then(|| Ladder(rest.into()))
    }

    /// How long a stop can take at most before the final KILL.
    pub fn total(&self) -> Duration {
        self.0.iter().map(|rung| rung.wait).sum()
    }
}

fn wanted() -> String {
    "a time-out such as 30, or signals and time-outs such as TERM/30/KILL/5".to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_and_plain_time_outs() {
        let ladder = Ladder::parse("SIGTERM/30/-9/5", signal::TERM).unwrap();
        assert_eq!(ladder, Ladder::standard(signal::TERM));
        assert_eq!(ladder.total(), Duration::from_secs(35));
        let plain = Ladder::parse("7", signal::INT).unwrap();
        assert_eq!(
            (plain.rungs()[0].signal, plain.rungs()[1].signal),
            (signal::INT, signal::KILL)
        );
        assert_eq!(plain.total(), Duration::from_secs(14));
        let rest = plain.after_first().unwrap();
        assert_eq!(rest.rungs(), &plain.rungs()[1..]);
        assert_eq!(rest.after_first(), None);
    }

    #[test]
    fn time_outs_of_s6() {
        let of = |kill: Option<u64>, down: Option<u64>| {
            let ladder = Ladder::of_timeouts(
                signal::INT,
                kill.map(Duration::from_secs),
                down.map(Duration::from_secs),
            );
            let rungs = ladder.rungs();
            assert_eq!(
                (rungs[0].signal, rungs[1].signal),
                (signal::INT, signal::KILL)
            );
            (rungs[0].wait.as_secs(), rungs[1].wait.as_secs())
        };
        assert_eq!(of(None, None), (30, 5));
        assert_eq!(of(Some(3), None), (3, 5));
        assert_eq!(of(None, Some(60)), (60, 5));
        assert_eq!(of(Some(3), Some(60)), (3, 57));
        assert_eq!(of(Some(60), Some(3)), (3, 5));
        assert_eq!(of(Some(0), Some(0)), (30, 5));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "TERM",
            "TERM/",
            "TERM/5/KILL",
            "NOPE/5",
            "TERM/x",
            "5/TERM",
        ] {
            assert!(Ladder::parse(text, signal::TERM).is_err(), "{text:?}");
        }
        assert!(Ladder::parse(&"TERM/1/".repeat(17), signal::TERM).is_err());
    }
}
