//! Whether what is to be done for a service beyond running it can be done.

use super::program;
use crate::check::{Action, Check, Target};
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
    check_action(spec, &checks)?;
    check_commands(&readiness, &checks)?;
    if spec.text("rc_supervise_alternate").is_some()
        && spec.text("rc_supervise_alternate") == spec.text("service")
    {
        return Err(Error::invalid(
            "rc_supervise_alternate: must be another service than this one",
        ));
    }
    Ok(())
}

/// A check whose failure means a command needs one.
fn check_action(spec: &dyn Settings, checks: &[Check]) -> Result<()> {
    let is_run = |check: &Check| check.rules.action == Action::Exec;
    if Check::has_reaction(spec, checks) || !checks.iter().any(is_run) {
        return Ok(());
    }
    let origin = match spec.word("rc_supervise_health_action").as_str() {
        "exec" => "rc_supervise_health_action=exec:",
        _ => "rc_supervise_health: action=exec",
    };
    Err(Error::invalid(format!(
        "{origin} needs rc_supervise_unhealthy, the command that is run then"
    )))
}

/// Commands that look at the service, which are run outside of any chroot.
fn check_commands(readiness: &Readiness, checks: &[Check]) -> Result<()> {
    let of_readiness = match readiness {
        Readiness::Answers(target) => Some(("rc_supervise_ready: exec", target)),
        _ => None,
    };
    let of_checks = checks
        .iter()
        .map(|check| ("rc_supervise_health: exec", &check.target));
    for (origin, target) in of_checks.chain(of_readiness) {
        if let Target::Exec(words) = target {
            let program = words.first().map(Vec::as_slice).unwrap_or_default();
            program::check(program, None, origin)?;
        }
    }
    Ok(())
}
