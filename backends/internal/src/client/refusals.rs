//! What is done, which is everything that is asked of a module.

use rc_sv_api::key::{Group, Key, Role};
use rc_sv_api::{Deed, Support};

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

#[cfg(test)]
#[path = "refusals_tests.rs"]
mod tests;
