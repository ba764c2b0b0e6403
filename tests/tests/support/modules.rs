//! The modules that own processes, and what each says of itself.

use rc_sv_api::key::Key;
use rc_sv_api::{Deed, Support};
use rc_sv_internal::client::refusals as internal;
use rc_sv_servicedir::refusals as suites;
use rc_sv_servicedir::suite::{DAEMONTOOLS, RUNIT, S6};

/// A module, as the table has it.
#[derive(Clone, Copy, Debug)]
pub struct Module {
    pub name: &'static str,
    pub of_setting: fn(&Key) -> Support,
    pub of_deed: fn(Deed) -> Support,
}

const fn suite(name: &'static str, of_setting: fn(&Key) -> Support) -> Module {
    Module {
        name,
        of_setting,
        of_deed: suites::of_deed,
    }
}

pub const MODULES: [Module; 4] = [
    Module {
        name: "internal",
        of_setting: internal::of_setting,
        of_deed: internal::of_deed,
    },
    suite("s6", |key| suites::of_setting(&S6, key)),
    suite("runit", |key| suites::of_setting(&RUNIT, key)),
    suite("daemontools", |key| suites::of_setting(&DAEMONTOOLS, key)),
];

/// Whether `module` refuses the setting or the deed called `name`.
#[allow(dead_code)] // Only the proofs ask.
pub fn refuses(module: &Module, name: &str) -> bool {
    let key = rc_sv_api::key::find(name);
    key.is_some_and(|key| matches!((module.of_setting)(key), Support::Refused(_)))
}
