//! Which checks a service has.

use super::Target;
use rc_sv_api::duration::{self, Unit};
use rc_sv_api::{words, Error, Result, Settings};
use std::time::Duration;

/// More checks than this are no help to anybody.
pub const MOST: usize = 16;

/// How many results are remembered.
pub(super) const LONGEST_WINDOW: u32 = 64;

/// The shortest interval, and the shortest time-out.
const SHORTEST: Duration = Duration::from_millis(10);

/// How often memory is looked at.
const MEMORY_INTERVAL: Duration = Duration::from_secs(5);

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What is looked at.
    pub target: Target,
    /// When, and what follows.
    pub rules: Rules,
}

/// When a check is made and what follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// From the beginning of one to the beginning of the next.
    pub interval: Duration,
    /// After this long it has failed.
    pub timeout: Duration,
    /// From readiness to the first; zero is one interval.
    pub start: Duration,
    /// So many failures make the service unhealthy.
    pub failures: u32,
    /// So many successes in a row make it healthy again.
    pub successes: u32,
    /// The failures are counted among so many last checks; 0 counts those in a row.
    pub within: u32,
    /// What is done then.
    pub action: Action,
}

/// What is done about an unhealthy service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The command for that is run, then the service is stopped and the policy decides.
    Restart,
    /// Somebody is told.
    Alert,
    /// The command for that is run.
    Exec,
}

impl Check {
    /// The checks of a spec: `rc_supervise_health`, then OpenRC's `healthcheck_timer`, then
    /// `rc_supervise_memory_limit`.
    ///
    /// # Errors
    /// [`rc_sv_api::Code::Invalid`] with the setting and what would be right.
    pub fn all(spec: &dyn Settings) -> Result<Vec<Check>> {
        let rules = defaults(spec);
        let mut checks = Vec::new();
        for line in lines(spec.text("rc_supervise_health").unwrap_or_default()) {
            let check = parse(line, rules).map_err(|wanted| {
                let line = String::from_utf8_lossy(line);
                Error::invalid(format!("rc_supervise_health={line:?}: must be {wanted}"))
            })?;
            checks.push(check);
        }
        let timer = spec.duration("healthcheck_timer").unwrap_or_default();
        let delay = spec.duration("healthcheck_delay").unwrap_or_default();
        if timer.is_zero() && !delay.is_zero() {
            let line =
                "healthcheck_delay: needs healthcheck_timer, which says how often is checked";
            return Err(Error::invalid(line));
        }
        if !timer.is_zero() {
            checks.push(Check {
                target: Target::Hook,
                rules: Rules {
                    interval: timer,
                    start: delay,
                    failures: 1,
                    successes: 1,
                    within: 0,
                    action: Action::Restart,
                    ..rules
                },
            });
        }
        if let Some(limit) = spec
            .int("rc_supervise_memory_limit")
            .filter(|limit| *limit > 0)
        {
            checks.push(Check {
                target: Target::Memory(limit.unsigned_abs()),
                rules: Rules {
                    interval: MEMORY_INTERVAL,
                    start: Duration::ZERO,
                    failures: 1,
                    successes: 1,
                    within: 0,
                    action: Action::Restart,
                    ..rules
                },
            });
        }
        if !checks.is_empty() && rules.timeout < SHORTEST {
            return Err(Error::invalid(format!(
                "rc_supervise_health_timeout: must be at least {}",
                duration::show(SHORTEST)
            )));
        }
        match checks.len() {
            0..=MOST => Ok(checks),
            many => Err(Error::invalid(format!(
                "rc_supervise_health: {many} checks: must be at most {MOST}"
            ))),
        }
    }

    /// How long the command about an unhealthy service with these checks may take; `None` where
    /// there is none: neither `rc_supervise_unhealthy` nor unhealthy() of the runscript.
    pub fn reaction(spec: &dyn Settings, checks: &[Check]) -> Option<Duration> {
        let limit = spec.duration("rc_supervise_health_timeout");
        limit.filter(|limit| Check::has_reaction(spec, checks) && !limit.is_zero())
    }

    /// Whether there is such a command.
    pub fn has_reaction(spec: &dyn Settings, checks: &[Check]) -> bool {
        let calls_script = checks.iter().any(|check| check.target == Target::Hook);
        spec.list("rc_supervise_unhealthy").is_some() || calls_script
    }
}

fn defaults(spec: &dyn Settings) -> Rules {
    let duration = |key| spec.duration(key).unwrap_or_default();
    let count = |key| u32::try_from(spec.int_or_default(key).unwrap_or(0)).unwrap_or(u32::MAX);
    Rules {
        interval: duration("rc_supervise_health_interval"),
        timeout: duration("rc_supervise_health_timeout"),
        start: duration("rc_supervise_health_start"),
        failures: count("rc_supervise_health_failures"),
        successes: count("rc_supervise_health_successes"),
        within: count("rc_supervise_health_within"),
        action: action(spec.word("rc_supervise_health_action").as_str()).unwrap_or(Action::Restart),
    }
}

fn action(word: &str) -> Option<Action> {
    match word {
        "restart" => Some(Action::Restart),
        "alert" => Some(Action::Alert),
        "exec" => Some(Action::Exec),
        _ => None,
    }
}

/// The parts of `text` between newlines and semicolons that are not quoted.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (mut quote, mut escaped) = (None, false);
    let parts = text.split(move |byte| {
        match (*byte, quote) {
            _ if escaped => escaped = false,
            (b'\\', None | Some(b'"')) => escaped = true,
            (b'\'' | b'"', None) => quote = Some(*byte),
            (_, Some(open)) if open == *byte => quote = None,
            (b'\n' | b';', None) => return true,
            _ => {}
        }
        false
    });
    parts.filter(|part| !part.trim_ascii().is_empty())
}

/// `TARGET [option=value ...]`.
fn parse(line: &[u8], rules: Rules) -> std::result::Result<Check, String> {
    let words = words::split(line)?;
    let (target, options) = words.split_first().ok_or("a target")?;
    let target = match target.as_slice() {
        b"hook" => Target::Hook,
        other => Target::parse_or("hook", other)?,
    };
    let mut check = Check { target, rules };
    for option in options {
        let option = String::from_utf8_lossy(option);
        let (name, value) = option
            .split_once('=')
            .ok_or("a target (exec: with its command in quotes), then options as NAME=VALUE")?;
        check.rules.set(name, value)?;
    }
    check.rules.check()?;
    Ok(check)
}

impl Rules {
    fn set(&mut self, name: &str, value: &str) -> std::result::Result<(), String> {
        let duration =
            || duration::parse(value, Unit::Seconds).map_err(|is| format!("{name}={is}"));
        let count = || {
            value
                .parse()
                .map_err(|_| format!("{name}= and a whole number"))
        };
        match name {
            "interval" => self.interval = duration()?,
            "timeout" => self.timeout = duration()?,
            "start" => self.start = duration()?,
            "failures" => self.failures = count()?,
            "successes" => self.successes = count()?,
            "within" => self.within = count()?,
            "action" => self.action = action(value).ok_or("action=restart, alert or exec")?,
            _ => {
                return Err(
                    "one of the options interval timeout start failures successes within \
                            action"
                        .into(),
                )
            }
        }
        Ok(())
    }

    fn check(&self) -> std::result::Result<(), String> {
        if self.interval < SHORTEST || self.timeout < SHORTEST {
            return Err("with an interval and a timeout of at least 10ms".into());
        }
        let counts = 1..=LONGEST_WINDOW;
        if !counts.contains(&self.failures) || !counts.contains(&self.successes) {
            return Err(format!(
                "with failures and successes from 1 to {LONGEST_WINDOW}"
            ));
        }
        if self.within > LONGEST_WINDOW || (self.within != 0 && self.within < self.failures) {
            let least = self.failures;
            return Err(format!(
                "with within from {least}, its failures, to {LONGEST_WINDOW}, or 0"
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "list_tests.rs"]
mod tests;
