//! What cannot be done is refused, not ignored.

use crate::kept::Kind;
use rc_sv_api::key::{Group, Key, Role};
use rc_sv_api::{support, Deed, Result, Settings, Support};

/// By whom it is watched, and by which control file.
const CHOICE: [&str; 2] = ["rc_supervise_module", "rc_monit_type"];

/// The name of a check that monit has.
const SERVICE: &str = "rc_monit_service";

/// What monit does itself, where it is told so by a control file made from the settings.
const CHECKS: [&str; 8] = [
    "rc_supervise_health",
    "rc_supervise_health_interval",
    "rc_supervise_health_timeout",
    "rc_supervise_health_failures",
    "rc_supervise_health_within",
    "rc_supervise_health_start",
    "rc_supervise_health_action",
    "rc_supervise_memory_limit",
];

/// What only OpenRC's stop acts upon.
const STOP: [&str; 2] = ["retry", "stopsig"];

/// What OpenRC's start knows nothing of, and the module gives the daemon afterwards.
const PRIORITIES: [&str; 3] = [
    "rc_supervise_nice",
    "rc_supervise_ionice",
    "rc_supervise_oom_score_adj",
];

/// What OpenRC does when it starts the service, and rc-sv-exec when it runs it again.
const START: [&str; 15] = [
    "command_background",
    "start_stop_daemon_args",
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
    "timeout_ready",
];

/// What rc-sv-exec does when it runs the service again.
const RESPAWN: [&str; 15] = [
    "respawn_delay",
    "respawn_delay_step",
    "respawn_delay_cap",
    "respawn_max",
    "respawn_period",
    "rc_supervise_delay_factor",
    "rc_supervise_jitter",
    "rc_supervise_min_interval",
    "rc_supervise_reset_after",
    "rc_supervise_on_give_up",
    "rc_supervise_finish",
    "rc_supervise_finish_timeout",
    "rc_supervise_unhealthy",
    "rc_supervise_alert",
    "rc_supervise_alert_timeout",
];

/// What to do instead of what nobody does for a service that monit watches.
const INSTEAD: [(&str, &str); 23] = [
    ("rc_supervise_policy", UNSEEN),
    ("rc_supervise_success_codes", UNSEEN),
    ("rc_supervise_prevent_codes", UNSEEN),
    ("rc_supervise_force_codes", UNSEEN),
    ("timeout_down", OPENRCS_STOP),
    ("timeout_kill", OPENRCS_STOP),
    ("stopgroup", OPENRCS_STOP),
    ("rc_supervise_kill_mode", OPENRCS_STOP),
    ("healthcheck_timer", MONITS_CHECKS),
    ("healthcheck_delay", MONITS_CHECKS),
    ("output_logger", "unset it and set output_log"),
    ("error_logger", "unset it and set error_log"),
    ("rc_supervise_respawn", "set it to spec"),
    ("rc_supervise_propagate", "set it to no"),
    ("notify", OPENRCS_START),
    ("ready", OPENRCS_START),
    ("rc_supervise_ready", OPENRCS_START),
    (
        "rc_supervise_operators",
        "unset it; members of such a group cannot use monit",
    ),
    ("rc_supervise_memory_max", OPENRCS),
    ("rc_supervise_pids_max", OPENRCS),
    ("rc_supervise_cpu_weight", OPENRCS),
    ("rc_supervise_watchdog", MONITS_CHECKS),
    (
        "rc_supervise_health_successes",
        "unset it; monit wants one success",
    ),
];

/// The daemon is nobody's child whom we could ask.
const UNSEEN: &str = "unset it; who only watches a program does not see how it ended, so it is \
                      respawned after each end";
const MONITS_CHECKS: &str = "unset it and set rc_supervise_health";
const OPENRCS_START: &str = "unset it; OpenRC's own start says when it is up";
const OPENRCS_STOP: &str = "unset it; OpenRC's own stop ends the service: set retry";
const OPENRCS: &str = "unset it and set rc_cgroup_settings";

const GIVEN: &str = "unset it; with rc_monit_type=file the control file that you give decides that";
const MONITS: &str = "unset it; with rc_monit_type=native monit's own control file decides that";
const NAMELESS: &str = "unset it, or set rc_monit_type=native";

/// How is done what the setting asks for, with a control file of this kind.
pub fn of_setting(kind: Kind, key: &Key) -> Support {
    let name = key.name;
    if CHOICE.contains(&name) {
        return Support::Native;
    }
    if name == SERVICE {
        return match kind {
            Kind::Native => Support::Native,
            Kind::Simple | Kind::File => Support::Refused(NAMELESS),
        };
    }
    if key.role != Role::Setting || key.group == Group::Suite {
        return Support::Foreign;
    }
    let is_check = CHECKS.contains(&name);
    match kind {
        // OpenRC starts none of these services by that tool.
        _ if name == "supervise_daemon_args" => Support::Foreign,
        _ if STOP.contains(&name) => Support::OpenRc,
        _ if PRIORITIES.contains(&name) => Support::Emulated,
        Kind::Native if START.contains(&name) => Support::OpenRc,
        Kind::Simple | Kind::File if START.contains(&name) => Support::Emulated,
        Kind::Simple if is_check => Support::Native,
        Kind::File if is_check => Support::Refused(GIVEN),
        Kind::Simple | Kind::File if RESPAWN.contains(&name) => Support::Emulated,
        Kind::Native if is_check || RESPAWN.contains(&name) => Support::Refused(MONITS),
        _ => Support::Refused(instead(name)),
    }
}

fn instead(name: &str) -> &'static str {
    let found = INSTEAD.into_iter().find(|(refused, _)| *refused == name);
    found.map_or("unset it", |(_, instead)| instead)
}

/// How is done what no setting asks for.
pub fn of_deed(kind: Kind, deed: Deed) -> Support {
    match (deed, kind) {
        (Deed::Respawn, Kind::Native) => Support::Native,
        (Deed::GaveUp | Deed::Restarts, Kind::Native) => Support::Lacking,
        (Deed::Respawn | Deed::GaveUp | Deed::Restarts, _) => Support::Emulated,
        // Nobody is the parent of what OpenRC has started.
        (Deed::LastExit | Deed::Signal | Deed::Reload, _) => Support::Lacking,
    }
}

/// Refuses the settings of `spec` that are set and that nothing acts upon.
///
/// # Errors
/// [`rc_sv_api::Code::Invalid`] with the setting.
pub fn check(kind: Kind, spec: &dyn Settings) -> Result<()> {
    support::refuse(spec, |key| match of_setting(kind, key) {
        Support::Refused(instead) => Some(support::objection("monit", key, instead)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rc_sv_api::{key, Spec};

    fn with(name: &str, value: &str) -> Spec {
        let mut spec = Spec::default();
        spec.set(name, value.as_bytes(), name).unwrap();
        spec
    }

    #[test]
    fn what_nobody_does_is_refused_under_each_kind() {
        for (name, value) in [
            ("rc_supervise_respawn", "script"),
            ("rc_supervise_propagate", "yes"),
            ("rc_supervise_kill_mode", "group"),
            ("timeout_kill", "500"),
            ("rc_supervise_watchdog", "5s"),
            ("output_logger", "logger -t foo"),
            ("rc_supervise_policy", "on-failure"),
            ("rc_supervise_prevent_codes", "78"),
        ] {
            let spec = with(name, value);
            for kind in [Kind::Simple, Kind::File, Kind::Native] {
                let said = check(kind, spec.settings()).unwrap_err().message;
                assert!(said.starts_with(name), "{said}");
            }
        }
        for (name, value) in [("rc_supervise_respawn", "spec"), ("respawn_max", "5")] {
            let spec = with(name, value);
            check(Kind::Simple, spec.settings()).unwrap();
        }
    }

    #[test]
    fn each_setting_is_in_one_list_and_in_the_registry() {
        let instead = INSTEAD.map(|(name, _)| name);
        let lists = [&CHECKS[..], &STOP, &PRIORITIES, &START, &RESPAWN, &instead];
        for name in lists.concat() {
            let key = key::find(name).unwrap_or_else(|| panic!("{name} is no setting"));
            assert_eq!(key.role, Role::Setting, "{name}");
            let count = lists.iter().filter(|list| list.contains(&name)).count();
            assert_eq!(count, 1, "{name}");
        }
        let log = with("rc_supervise_log_max_size", "1M");
        let said = check(Kind::Simple, log.settings()).unwrap_err().message;
        assert!(said.ends_with("in this version; unset it"), "{said}");
    }

    #[test]
    fn what_another_file_decides_is_refused() {
        let health = with("rc_supervise_health", "tcp:80");
        check(Kind::Simple, health.settings()).unwrap();
        assert!(check(Kind::File, health.settings()).is_err());
        let pace = with("rc_supervise_delay_factor", "3");
        check(Kind::File, pace.settings()).unwrap();
        assert!(check(Kind::Native, pace.settings()).is_err());
        let name = with("rc_monit_service", "nginx");
        check(Kind::Native, name.settings()).unwrap();
        assert!(check(Kind::Simple, name.settings()).is_err());
    }
}
