//! What cannot be done is refused, not ignored.

use crate::kept::Kind;
use rc_sv_api::key::{self, Role, Since};
use rc_sv_api::support::is_default;
use rc_sv_api::{Error, Result, Settings};

/// What nobody does for a service that monit watches, and what to do instead.
const UNDONE: [(&str, &str); 19] = [
    ("timeout_down", OPENRCS_STOP),
    ("timeout_kill", OPENRCS_STOP),
    ("rc_supervise_kill_mode", OPENRCS_STOP),
    ("output_logger", "set output_log"),
    ("error_logger", "set error_log"),
    ("rc_supervise_respawn", "set it to spec"),
    ("rc_supervise_propagate", "set it to no"),
    (
        "rc_supervise_ready",
        "unset it; OpenRC's own start says when it is up",
    ),
    (
        "rc_supervise_operators",
        "unset it; members of such a group cannot use monit",
    ),
    ("rc_supervise_memory_max", OPENRCS),
    ("rc_supervise_pids_max", OPENRCS),
    ("rc_supervise_cpu_weight", OPENRCS),
    ("rc_supervise_retry_after", "unset it"),
    ("rc_supervise_alert", USE_MONITS),
    ("rc_supervise_alert_timeout", USE_MONITS),
    ("rc_supervise_alternate", "unset it"),
    (
        "rc_supervise_watchdog",
        "unset it, or use rc_supervise_health",
    ),
    ("rc_supervise_watchdog_signal", "unset it"),
    (
        "rc_supervise_health_successes",
        "unset it; monit wants one success",
    ),
];

const USE_MONITS: &str = "unset it and set monit's own alerts";
const OPENRCS_STOP: &str = "unset it; OpenRC's own stop ends the service: set retry";
const OPENRCS: &str = "unset it and set rc_cgroup_settings";

/// What the loader finds in the surroundings of the runscript, if nobody has set it; and ours.
const HARMLESS: [&str; 6] = [
    "rc_supervise_module",
    "rc_monit_type",
    "rc_monit_service",
    "rc_supervise_nice",
    "rc_supervise_ionice",
    "rc_supervise_oom_score_adj",
];

/// Refuses the settings of `spec` that are set and that nothing acts upon.
///
/// # Errors
/// [`rc_sv_api::Code::Invalid`] with the setting.
pub fn check(kind: Kind, spec: &dyn Settings) -> Result<()> {
    let set = spec.keys().into_iter().filter_map(key::find);
    for key in set.filter(|key| key.role == Role::Setting && !is_default(spec, key)) {
        if let Some((name, instead)) = UNDONE.iter().find(|(name, _)| *name == key.name) {
            return Err(Error::invalid(format!(
                "{name}: monit does not do this in this version; {instead}"
            )));
        }
        let is_ours = key.since == Since::RcSv && !HARMLESS.contains(&key.name);
        let is_of_checks = key.name.starts_with("rc_supervise_health")
            || ["rc_supervise_memory_limit"].contains(&key.name);
        let where_it_is = match kind {
            Kind::Native if is_ours => "monit's own control file",
            Kind::File if is_of_checks => "the control file that you give",
            _ => continue,
        };
        return Err(Error::invalid(format!(
            "{}: with this rc_monit_type {where_it_is} decides that; unset it",
            key.name
        )));
    }
    match spec.text("rc_monit_service") {
        Some(_) if kind != Kind::Native => Err(Error::invalid(
            "rc_monit_service: is for rc_monit_type=native; unset it",
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rc_sv_api::Spec;

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
    fn what_another_file_decides_is_refused() {
        let health = with("rc_supervise_health", "tcp:80");
        check(Kind::Simple, health.settings()).unwrap();
        assert!(check(Kind::File, health.settings()).is_err());
        let policy = with("rc_supervise_policy", "on-failure");
        check(Kind::File, policy.settings()).unwrap();
        assert!(check(Kind::Native, policy.settings()).is_err());
        let name = with("rc_monit_service", "nginx");
        check(Kind::Native, name.settings()).unwrap();
        assert!(check(Kind::Simple, name.settings()).is_err());
    }
}
