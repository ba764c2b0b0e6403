//! What is done, which is everything that is asked of a module.

use rc_sv_api::key::{Group, Key, Role};
use rc_sv_api::{Deed, Error, Result, Settings, Support};

/// How the supervisor does what the setting asks for.
pub fn of_setting(key: &Key) -> Support {
    match key.role == Role::Setting && key.group != Group::Suite {
        true => Support::Native,
        false => Support::Foreign,
    }
}

/// How the supervisor does what needs no setting.
pub fn of_deed(_deed: Deed) -> Support {
    Support::Native
}

/// Refuses what this service cannot have.
///
/// # Errors
/// [`rc_sv_api::Code::Invalid`] with the setting.
pub fn check(spec: &dyn Settings) -> Result<()> {
    if spec.word("rc_supervise_respawn") == "script" && spec.text("runscript").is_none() {
        let why = "rc_supervise_respawn: script is for a service that has one; set it to spec";
        return Err(Error::invalid(why));
    }
    Ok(())
}

#[cfg(test)]
#[path = "refusals_tests.rs"]
mod tests;
