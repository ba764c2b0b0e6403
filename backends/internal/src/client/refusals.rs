//! What is done. What this version does not do yet is refused, not ignored.

use rc_sv_api::key::{self, Group, Key, Role};
use rc_sv_api::{support, Deed, Error, Result, Settings, Support};

/// Settings that are refused, unless they ask for what holds anyway; and what to do instead.
const NOT_YET: [(&str, &str); 2] = [("timeout_down", LADDER), ("timeout_kill", LADDER)];

const LADDER: &str = "unset it and set retry";

/// How the supervisor does what the setting asks for.
pub fn of_setting(key: &Key) -> Support {
    if key.role != Role::Setting || key.group == Group::Suite {
        return Support::Foreign;
    }
    let refused = NOT_YET.into_iter().find(|(name, _)| *name == key.name);
    refused.map_or(Support::Native, |(_, instead)| Support::Refused(instead))
}

/// How the supervisor does what needs no setting.
pub fn of_deed(_deed: Deed) -> Support {
    Support::Native
}

/// Refuses the settings of `spec` that are set and that nothing acts upon.
///
/// # Errors
/// [`rc_sv_api::Code::Invalid`] with the setting.
pub fn check(spec: &dyn Settings) -> Result<()> {
    for key in spec.keys().into_iter().filter_map(key::find) {
        match of_setting(key) {
            Support::Refused(instead) if !support::is_default(spec, key) => {
                return Err(refused(key.name, instead));
            }
            _ => {}
        }
    }
    if spec.word("rc_supervise_respawn") == "script" && spec.text("runscript").is_none() {
        let why = "rc_supervise_respawn: script is for a service that has one; set it to spec";
        return Err(Error::invalid(why));
    }
    Ok(())
}

/// Refuses the same in a spec that was checked and then resolved: options of OpenRC's tools have
/// become settings by then.
///
/// # Errors
/// [`rc_sv_api::Code::Invalid`] with the setting.
pub fn check_options(resolved: &dyn Settings) -> Result<()> {
    check(resolved).map_err(|error| {
        let message = format!(
            "supervise_daemon_args or start_stop_daemon_args sets {}",
            error.message
        );
        Error { message, ..error }
    })
}

fn refused(name: &str, instead: &str) -> Error {
    Error::invalid(format!(
        "{name}: internal does not do this in this version; {instead}"
    ))
}

#[cfg(test)]
#[path = "refusals_tests.rs"]
mod tests;
