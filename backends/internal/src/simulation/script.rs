//! What a simulated service does: the words of `rc-sv-loader check --simulate`.

use crate::core::{self, Plan};
use rc_sv_api::duration::{self, Unit};
use rc_sv_api::exit::Exit;
use rc_sv_api::{signal, Error, Result};
use std::time::Duration;

/// What each instance of a simulated service does. What is not said does not happen: it becomes
/// ready at once, runs, is healthy, says that it is alive, and ends at the first signal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// How it ends, and how long after it was executed.
    pub end: Option<(Exit, Duration)>,
    /// When it becomes ready.
    pub ready: Ready,
    /// From when on each look at its health fails.
    pub unhealthy: Option<Duration>,
    /// From when on it does not say that it is alive.
    pub silent: Option<Duration>,
    /// It ends by KILL alone.
    pub stubborn: bool,
    /// When somebody stops the service, counted from the very beginning.
    pub stop: Option<Duration>,
}

/// When an instance becomes ready, counted from its execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ready {
    /// So long after.
    After(Duration),
    /// It does not.
    Never,
}

impl Default for Ready {
    fn default() -> Ready {
        Ready::After(Duration::ZERO)
    }
}

impl Script {
    /// Parses phrases that are separated by commas: `exit CODE after TIME`, `signal NAME after
    /// TIME`, `never ready`, `ready after TIME`, `unhealthy after TIME`, `silent after TIME`,
    /// `stubborn`, `stop after TIME`.
    ///
    /// # Errors
    /// [`rc_sv_api::Code::Invalid`] with the phrase and what would be right.
    pub fn parse(text: &str) -> Result<Script> {
        let mut script = Script::default();
        for phrase in text.split(',') {
            script.take(phrase).map_err(|wanted| {
                Error::invalid(format!("simulate {phrase:?}: must be {wanted}"))
            })?;
        }
        Ok(script)
    }

    /// Whether anybody would notice all that it does.
    ///
    /// # Errors
    /// [`rc_sv_api::Code::Invalid`] with what nobody would notice, and what would.
    pub fn check(&self, plan: &Plan) -> Result<()> {
        let care = plan.care.as_ref();
        let is_checked = care.is_some_and(|care| !care.checks.is_empty());
        let is_watched = care.is_some_and(|care| care.watchdog.is_some());
        let is_asked = plan.ready != core::Ready::Executed;
        let phrases = [
            (
                self.ready != Ready::default() && !is_asked,
                "ready: is seen by notify or rc_supervise_ready alone, and neither is set",
            ),
            (
                self.unhealthy.is_some() && !is_checked,
                "unhealthy: is seen by a health check alone, and none is set",
            ),
            (
                self.silent.is_some() && !is_watched,
                "silent: is seen by rc_supervise_watchdog alone, which is not set",
            ),
        ];
        match phrases.into_iter().find(|(is_unseen, _)| *is_unseen) {
            Some((_, why)) => Err(Error::invalid(format!("simulate {why}"))),
            None => Ok(()),
        }
    }

    fn take(&mut self, phrase: &str) -> std::result::Result<(), String> {
        let words: Vec<&str> = phrase.split_ascii_whitespace().collect();
        match *words {
            ["exit", code, "after", time] => {
                let code = code.parse().map_err(|_| "exit with a code from 0 to 255")?;
                self.end = Some((Exit::Code(code), after(time)?));
            }
            ["signal", name, "after", time] => {
                let number = signal::parse(name).and_then(|number| u8::try_from(number).ok());
                let number = number.ok_or("signal with a name such as SEGV")?;
                self.end = Some((Exit::Signal(number), after(time)?));
            }
            ["never", "ready"] => self.ready = Ready::Never,
            ["ready", "after", time] => self.ready = Ready::After(after(time)?),
            ["unhealthy", "after", time] => self.unhealthy = Some(after(time)?),
            ["silent", "after", time] => self.silent = Some(after(time)?),
            ["stubborn"] => self.stubborn = true,
            ["stop", "after", time] => self.stop = Some(after(time)?),
            _ => {
                return Err(
                    "exit CODE after TIME, signal NAME after TIME, never ready, ready after \
                            TIME, unhealthy after TIME, silent after TIME, stubborn, or stop after \
                            TIME"
                        .to_string(),
                )
            }
        }
        Ok(())
    }
}

fn after(time: &str) -> std::result::Result<Duration, String> {
    duration::parse(time, Unit::Seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_phrase_is_known() {
        let text = "exit 3 after 5s, ready after 200ms,unhealthy after 1m, silent after 2, \
                    stubborn, stop after 1h";
        let script = Script::parse(text).unwrap();
        assert_eq!(
            script,
            Script {
                end: Some((Exit::Code(3), Duration::from_secs(5))),
                ready: Ready::After(Duration::from_millis(200)),
                unhealthy: Some(Duration::from_secs(60)),
                silent: Some(Duration::from_secs(2)),
                stubborn: true,
                stop: Some(Duration::from_secs(3600)),
            }
        );
        let other = Script::parse("signal segv after 0, never ready").unwrap();
        assert_eq!(other.end, Some((Exit::Signal(11), Duration::ZERO)));
        assert_eq!(other.ready, Ready::Never);
    }

    #[test]
    fn what_is_no_phrase_is_named() {
        let said = |text| Script::parse(text).unwrap_err().message;
        for text in [
            "",
            "exit 3",
            "dies",
            "stop after 5s,",
            "never",
            "exit 3 after",
        ] {
            assert!(
                said(text).contains("must be exit CODE after TIME"),
                "{text:?}"
            );
        }
        assert_eq!(
            said("exit 256 after 1"),
            "simulate \"exit 256 after 1\": must be exit with a code from 0 to 255"
        );
        assert_eq!(
            said("signal NOPE after 1"),
            "simulate \"signal NOPE after 1\": must be signal with a name such as SEGV"
        );
        assert!(said("stop after soon").contains("must be a duration such as"));
    }
}
