//! The daemontools module.

use rc_sv_servicedir::{suite, Family, Module};

struct Daemontools;

impl Module for Daemontools {
    const SUITE: &'static suite::Suite = &suite::DAEMONTOOLS;
}

rc_sv_api::export_backend!(Family<Daemontools>: restart, signal, wait, forget, list);
