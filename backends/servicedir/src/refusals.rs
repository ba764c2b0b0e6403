//! What is done, and how. What cannot be done is refused, not ignored.

use crate::origin::Origin;
use crate::suite::Suite;
use rc_sv_api::key::{Group, Key, Role};
use rc_sv_api::{support, Deed, Error, Result, Settings, Support};

/// The settings of a service with a command that are acted upon: by `rc-sv-exec`, or by the stop.
const DONE: [&str; 68] = [
    "command_background",
    "start_stop_daemon_args",
    "supervise_daemon_args",
    "command_user",
    "directory",
    "chroot",
    "umask",
    "capabilities",
    "secbits",
    "no_new_privs",
    "pidfile",
    "procname",
    "output_log",
    "error_log",
    "input_file",
    "notify",
    "ready",
    "timeout_ready",
    "rc_supervise_ready",
    "rc_supervise_health",
    "rc_supervise_health_interval",
    "rc_supervise_health_timeout",
    "rc_supervise_health_failures",
    "rc_supervise_health_successes",
    "rc_supervise_health_within",
    "rc_supervise_health_start",
    "rc_supervise_health_action",
    "rc_supervise_unhealthy",
    "healthcheck_timer",
    "healthcheck_delay",
    "rc_supervise_watchdog",
    "rc_supervise_watchdog_signal",
    "rc_supervise_memory_limit",
    "retry",
    "stopsig",
    "stopgroup",
    "timeout_kill",
    "timeout_down",
    "respawn_delay",
    "respawn_delay_step",
    "respawn_delay_cap",
    "respawn_max",
    "respawn_period",
    "rc_supervise_module",
    "rc_supervise_policy",
    "rc_supervise_success_codes",
    "rc_supervise_prevent_codes",
    "rc_supervise_force_codes",
    "rc_supervise_delay_factor",
    "rc_supervise_jitter",
    "rc_supervise_min_interval",
    "rc_supervise_reset_after",
    "rc_supervise_on_give_up",
    "rc_supervise_retry_after",
    "rc_supervise_alternate",
    "rc_supervise_alert",
    "rc_supervise_alert_timeout",
    "rc_supervise_propagate",
    "rc_supervise_respawn",
    "rc_supervise_finish",
    "rc_supervise_finish_timeout",
    "rc_supervise_kill_mode",
    "rc_supervise_nice",
    "rc_supervise_ionice",
    "rc_supervise_oom_score_adj",
    "rc_supervise_memory_max",
    "rc_supervise_pids_max",
    "rc_supervise_cpu_weight",
];

/// The settings for which the suite's own logger is begun, which is rc-sv-logger.
const LOGGED: [&str; 9] = [
    "output_logger",
    "error_logger",
    "rc_supervise_syslog",
    "rc_supervise_log_max_size",
    "rc_supervise_log_max_age",
    "rc_supervise_log_keep",
    "rc_supervise_log_timestamp",
    "rc_supervise_log_rate",
    "rc_supervise_log_buffer",
];

/// Those of a directory that was written by hand: how it is stopped; and those that the loader
/// finds in the surroundings of the runscript, if nobody has set them.
const DONE_FOR_NATIVE: [&str; 9] = [
    "rc_supervise_module",
    "retry",
    "stopsig",
    "timeout_kill",
    "timeout_down",
    "umask",
    "rc_supervise_nice",
    "rc_supervise_ionice",
    "rc_supervise_oom_score_adj",
];

/// What to do instead of what is not done.
const INSTEAD: [(&str, &str); 3] = [
    (
        "s6_svwait_options_start",
        "unset it: a start waits until the service is up, and ready where it tells; timeout_ready \
         can be set",
    ),
    (
        "s6_force_kill",
        "unset it: a stop ends with KILL at the latest; timeout_kill can be set",
    ),
    (
        "rc_supervise_operators",
        "unset it: who may write to its FIFO may do anything",
    ),
];

/// How `suite` does what the setting asks of a service with a command.
pub fn of_setting(suite: &Suite, key: &Key) -> Support {
    let is_of_suite = key.name.starts_with(suite.name);
    if key.name == suite.native_setting {
        return Support::Native;
    }
    if key.role != Role::Setting || (key.group == Group::Suite && !is_of_suite) {
        return Support::Foreign;
    }
    match key.name {
        name if suite.kill_setting == Some(name) => Support::Emulated,
        "rc_supervise_module" => Support::Native,
        "rc_supervise_finish" if suite.finish => Support::Native,
        name if LOGGED.contains(&name) => Support::Native,
        name if DONE.contains(&name) => Support::Emulated,
        name => {
            let instead = INSTEAD.into_iter().find(|(of, _)| *of == name);
            Support::Refused(instead.map_or("unset it", |(_, instead)| instead))
        }
    }
}

/// How a suite does what needs no setting: it begins what has ended, and rc-sv-exec does the rest.
pub fn of_deed(deed: Deed) -> Support {
    match deed {
        Deed::Respawn => Support::Native,
        _ => Support::Emulated,
    }
}

/// Refuses the settings of `spec` that are set and that nothing acts upon.
///
/// # Errors
/// [`rc_sv_api::Code::Invalid`] with the setting.
pub(crate) fn check(suite: &Suite, origin: &Origin, spec: &dyn Settings) -> Result<()> {
    support::refuse(spec, |key| refusal(suite, origin, key))
}

/// Why the setting cannot be acted upon.
fn refusal(suite: &Suite, origin: &Origin, key: &Key) -> Option<String> {
    let (name, is_native) = (key.name, matches!(origin, Origin::Native(_)));
    match of_setting(suite, key) {
        Support::Foreign | Support::OpenRc | Support::Lacking => None,
        Support::Refused(instead) => Some(support::objection(suite.name, key, instead)),
        Support::Native | Support::Emulated if !is_native => None,
        _ if DONE_FOR_NATIVE.contains(&name) || name == suite.native_setting => None,
        _ if suite.kill_setting == Some(name) => None,
        _ if name == "rc_supervise_finish_timeout" && suite.finish => None,
        // Its supervisor is told by the program itself.
        _ if name == "timeout_ready" && suite.listens => None,
        _ => Some(format!("{name}: is for a service with a command; a service directory written by hand decides that itself")),
    }
}

/// Refuses the same in a spec that was checked and then resolved: options of OpenRC's tools have
/// become settings by then.
///
/// # Errors
/// [`rc_sv_api::Code::Invalid`] with the setting.
pub(crate) fn check_options(suite: &Suite, resolved: &dyn Settings) -> Result<()> {
    check(suite, &Origin::Generated, resolved).map_err(|error| {
        let message = format!(
            "supervise_daemon_args or start_stop_daemon_args sets {}",
            error.message
        );
        Error { message, ..error }
    })
}

#[cfg(test)]
#[path = "refusals_tests.rs"]
mod tests;
