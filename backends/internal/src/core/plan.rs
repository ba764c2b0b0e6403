//! The plan: what the core has to know of a spec.

use rc_sv_api::ladder::Ladder;
use rc_sv_api::policy::Policy;
use rc_sv_api::signal;
use rc_sv_api::spec::Settings;
use rc_sv_exec::alert;
use rc_sv_exec::check::{Check, Rules};
use rc_sv_exec::readiness::Readiness;
use rc_sv_exec::renewal;
use rc_sv_exec::stop::{KillMode, Stop};
use std::time::Duration;

/// How long a service may take to become ready when `timeout_ready` is unset or 0.
const READY_TIMEOUT: Duration = Duration::from_secs(90);

/// What the core has to know of a spec; everything else stays in the spec's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// When the service is respawned and when it is given up.
    pub policy: Policy,
    /// How it is stopped.
    pub ladder: Ladder,
    /// Whom the signals of a stop reach.
    pub kill_mode: KillMode,
    /// Whether there is a finish command.
    pub finish: bool,
    /// How long the finish command may take.
    pub finish_timeout: Duration,
    /// Whether there is a command for giving up.
    pub on_give_up: bool,
    /// Whether there is a command that alerts a person.
    pub alert: bool,
    /// Whether the runscript is run for a respawn, and makes the spec anew.
    pub script: bool,
    /// Whether the services that need it stop while it does not do its work.
    pub propagate: bool,
    /// What shows that it is ready.
    pub ready: Ready,
    /// How long it may take from the spawn until it is ready.
    pub ready_timeout: Duration,
    /// What most services have none of.
    pub care: Option<Box<Care>>,
}

/// What shows that a service is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ready {
    /// Its program is executed.
    Executed,
    /// It says so.
    Told,
    /// Something answers.
    Answers,
}

/// What is done for a service beyond running it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Care {
    /// Its checks, in the order of [`Check::all`].
    pub checks: Vec<Rules>,
    /// How long its command for being unhealthy may take, where it has one.
    pub unhealthy: Option<Duration>,
    /// How often it has to say that it is alive.
    pub watchdog: Option<Duration>,
    /// The signal for one that has not said so.
    pub watchdog_signal: i32,
    /// When one that was given up is tried again.
    pub retry_after: Option<Duration>,
    /// Whether another service takes its place when it is given up.
    pub alternate: bool,
}

impl Plan {
    /// The plan of a spec, with the registry's defaults.
    pub fn from_settings(spec: &dyn Settings) -> Plan {
        let Stop { ladder, kill_mode } = Stop::from_settings(spec);
        let duration = |key| spec.duration(key).unwrap_or_default();
        Plan {
            policy: Policy::from_settings(spec),
            ladder,
            kill_mode,
            finish: spec.list("rc_supervise_finish").is_some(),
            finish_timeout: duration("rc_supervise_finish_timeout"),
            on_give_up: spec.list("rc_supervise_on_give_up").is_some(),
            alert: spec.list(alert::COMMAND).is_some(),
            script: renewal::is_by_script(spec),
            propagate: spec.flag("rc_supervise_propagate"),
            ready: match Readiness::of(spec).unwrap_or_default() {
                Readiness::Executed => Ready::Executed,
                Readiness::Descriptor(_) | Readiness::Socket | Readiness::PidFile => Ready::Told,
                Readiness::Answers(_) => Ready::Answers,
            },
            ready_timeout: spec
                .duration("timeout_ready")
                .filter(|limit| !limit.is_zero())
                .unwrap_or(READY_TIMEOUT),
            care: Care::from_settings(spec).map(Box::new),
        }
    }

    /// The signal for a service that missed its watchdog.
    pub(super) fn watchdog_signal(&self) -> i32 {
        self.care
            .as_ref()
            .map_or(signal::ABRT, |care| care.watchdog_signal)
    }
}

impl Care {
    /// `None` where nothing is set that asks for any.
    fn from_settings(spec: &dyn Settings) -> Option<Care> {
        // What is wrong was refused by whoever wrote the spec.
        let checks = Check::all(spec).unwrap_or_default();
        let some = |key| spec.duration(key).filter(|time| !time.is_zero());
        let care = Care {
            checks: checks.iter().map(|check| check.rules).collect(),
            unhealthy: Check::reaction(spec, &checks),
            watchdog: some("rc_supervise_watchdog"),
            watchdog_signal: spec
                .int_or_default("rc_supervise_watchdog_signal")
                .and_then(|number| i32::try_from(number).ok())
                .unwrap_or(signal::ABRT),
            retry_after: some("rc_supervise_retry_after"),
            alternate: spec.text("rc_supervise_alternate").is_some(),
        };
        let nothing = Care {
            checks: Vec::new(),
            unhealthy: None,
            watchdog: None,
            watchdog_signal: signal::ABRT,
            retry_after: None,
            alternate: false,
        };
        (care != nothing).then_some(care)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rc_sv_api::{signal, Spec};

    fn plan(settings: &[(&str, &str)]) -> Plan {
        let mut spec = Spec::default();
        for (name, value) in settings {
            spec.set(name, value.as_bytes(), "test").unwrap();
        }
        Plan::from_settings(spec.settings())
    }

    #[test]
    fn an_empty_spec_has_the_defaults_of_the_registry() {
        let plan = plan(&[]);
        assert_eq!(plan.ladder, Ladder::standard(signal::TERM));
        assert_eq!(plan.kill_mode, KillMode::Mixed);
        assert!(!plan.finish && !plan.on_give_up && !plan.alert);
        assert_eq!(plan.finish_timeout, Duration::from_secs(5));
        assert_eq!(plan.ready_timeout, READY_TIMEOUT);
    }

    #[test]
    fn no_start_may_take_for_ever() {
        assert_eq!(plan(&[("timeout_ready", "0")]).ready_timeout, READY_TIMEOUT);
    }

    #[test]
    fn each_setting_arrives() {
        let full = plan(&[
            ("retry", "INT/3/KILL/1"),
            ("rc_supervise_finish", "/bin/finish"),
            ("rc_supervise_finish_timeout", "2"),
            ("rc_supervise_on_give_up", "/bin/alert"),
            ("rc_supervise_alert", "/bin/mail"),
            ("timeout_ready", "1500"),
        ]);
        assert_eq!(full.ladder.total(), Duration::from_secs(4));
        assert!(full.finish && full.on_give_up && full.alert);
        assert_eq!(full.finish_timeout, Duration::from_secs(2));
        assert_eq!(full.ready_timeout, Duration::from_millis(1500));
        let stopsig = plan(&[("stopsig", "QUIT")]);
        assert_eq!(stopsig.ladder, Ladder::standard(3));
    }

    #[test]
    fn stopgroup_is_an_older_word_for_a_kill_mode() {
        let mode = |settings: &[(&str, &str)]| plan(settings).kill_mode;
        assert_eq!(mode(&[("stopgroup", "yes")]), KillMode::Group);
        assert_eq!(
            mode(&[("rc_supervise_kill_mode", "group")]),
            KillMode::Group
        );
        let both = [("stopgroup", "yes"), ("rc_supervise_kill_mode", "process")];
        assert_eq!(mode(&both), KillMode::Process);
    }
}
