//! Whether what is to be done for a service beyond running it can be done.

use crate::check::{Check, Target};
use crate::log::Stream;
use crate::readiness::Readiness;
use rc_sv_api::{Error, Result, Settings};

/// Checks readiness, health checks, the watchdog and the loggers of a spec.
///
/// # Errors
/// [`rc_sv_api::Code::Invalid`] with the setting that is wrong and what would be right.
pub(super) fn check(spec: &dyn Settings) -> Result<()> {
    Stream::all(spec)?;
    let readiness = Readiness::of(spec)?;
    let checks = Check::all(spec)?;
    if readiness == Readiness::PidFile
        && (spec.text("pidfile").is_none() || spec.flag("command_background"))
    {
        return Err(Error::invalid(
            "rc_supervise_ready=pidfile: needs pidfile, and not command_background, with which the \
             daemon does not write it itself",
        ));
    }
    let watchdog = spec.duration("rc_supervise_watchdog").unwrap_or_default();
    if !watchdog.is_zero() && readiness != Readiness::Socket {
        return Err(Error::invalid(
            "rc_supervise_watchdog: needs notify=socket:ready, by which the service says that it \
             is alive",
        ));
    }
    let calls_script = checks.iter().any(|check| check.target == Target::Hook);
    if calls_script && spec.text("runscript").is_none() {
        return Err(Error::invalid(
            "rc_supervise_health: hook needs a runscript, and there is none",
        ));
    }
    if spec.text("rc_supervise_alternate").is_some()
        && spec.text("rc_supervise_alternate") == spec.text("service")
    {
        return Err(Error::invalid(
            "rc_supervise_alternate: must be another service than this one",
        ));
    }
    Ok(())
}
