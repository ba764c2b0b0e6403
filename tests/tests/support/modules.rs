//! The modules, and what each says of itself.

use rc_sv_api::key::{Group, Key, Role};
use rc_sv_api::{Deed, Support};
use rc_sv_monit::{refusals as monit, Kind};
use rc_sv_servicedir::refusals as suites;
use rc_sv_servicedir::suite::{DAEMONTOOLS, RUNIT, S6};

/// A module, as the table has it.
#[derive(Clone, Copy, Debug)]
pub struct Module {
    pub name: &'static str,
    pub of_setting: fn(&Key) -> Support,
    pub of_deed: fn(Deed) -> Support,
    /// How a service asks for this kind of it, where it has kinds.
    pub kind: Option<&'static str>,
}

const fn suite(name: &'static str, of_setting: fn(&Key) -> Support) -> Module {
    Module {
        name,
        of_setting,
        of_deed: suites::of_deed,
        kind: None,
    }
}

/// The internal module does all that is asked of a module. It has no list of that: its own test
/// goes through the registry.
fn of_everything(key: &Key) -> Support {
    match key.role == Role::Setting && key.group != Group::Suite {
        true => Support::Native,
        false => Support::Foreign,
    }
}

/// Those that own processes.
pub const MODULES: [Module; 4] = [
    Module {
        name: "internal",
        of_setting: of_everything,
        of_deed: |_| Support::Native,
        kind: None,
    },
    suite("s6", |key| suites::of_setting(&S6, key)),
    suite("runit", |key| suites::of_setting(&RUNIT, key)),
    suite("daemontools", |key| suites::of_setting(&DAEMONTOOLS, key)),
];

/// The one that watches, by where its control file comes from.
#[allow(dead_code)] // Not everybody asks for it.
pub const WATCHERS: [Module; 3] = [
    Module {
        name: "monit",
        of_setting: |key| monit::of_setting(Kind::Simple, key),
        of_deed: |deed| monit::of_deed(Kind::Simple, deed),
        kind: Some("simple"),
    },
    Module {
        name: "monit",
        of_setting: |key| monit::of_setting(Kind::File, key),
        of_deed: |deed| monit::of_deed(Kind::File, deed),
        kind: Some("file"),
    },
    Module {
        name: "monit",
        of_setting: |key| monit::of_setting(Kind::Native, key),
        of_deed: |deed| monit::of_deed(Kind::Native, deed),
        kind: Some("native"),
    },
];

/// Whether `module` refuses the setting, or lacks the deed, called `name`.
#[allow(dead_code)] // Only the proofs ask.
pub fn refuses(module: &Module, name: &str) -> bool {
    let support = match rc_sv_api::key::find(name) {
        Some(key) => Some((module.of_setting)(key)),
        None => (Deed::ALL.into_iter())
            .find(|deed| deed.text() == name)
            .map(module.of_deed),
    };
    matches!(support, Some(Support::Refused(_) | Support::Lacking))
}
