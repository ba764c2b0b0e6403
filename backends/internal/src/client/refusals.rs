//! What this version does not do yet is refused, not ignored.

use rc_sv_api::{Error, Result, Settings};

/// Settings of which every value is refused, and what to do instead.
const NOT_YET: [(&str, &str); 9] = [
    ("notify", READINESS),
    ("ready", READINESS),
    ("timeout_ready", READINESS),
    ("timeout_down", LADDER),
    ("timeout_kill", LADDER),
    ("healthcheck_timer", HEALTH),
    ("healthcheck_delay", HEALTH),
    ("output_logger", LOGGER),
    ("error_logger", LOGGER),
];

const READINESS: &str = "unset it: a service is ready as soon as its program is executed";
const LADDER: &str = "unset it and set retry";
const HEALTH: &str = "unset it: there are no health checks";
const LOGGER: &str = "unset it and set output_log or error_log";

/// Refuses the settings of `spec` that are set and that nothing acts upon.
///
/// # Errors
/// [`rc_sv_api::Code::Invalid`] with the setting.
pub fn check(spec: &dyn Settings) -> Result<()> {
    let set = spec.keys();
    if let Some((name, instead)) = NOT_YET.into_iter().find(|(name, _)| set.contains(name)) {
        return Err(refused(name, instead));
    }
    if spec.flag("rc_supervise_propagate") {
        return Err(refused("rc_supervise_propagate", "set it to no"));
    }
    if spec.word("rc_supervise_respawn") != "spec" {
        return Err(refused("rc_supervise_respawn", "set it to spec"));
    }
    Ok(())
}

fn refused(name: &str, instead: &str) -> Error {
    Error::invalid(format!(
        "{name}: internal does not do this in this version; {instead}"
    ))
}
