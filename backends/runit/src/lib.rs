//! The runit module.

use rc_sv_servicedir::{suite, Family, Module};

struct Runit;

impl Module for Runit {
    const SUITE: &'static suite::Suite = &suite::RUNIT;
}

rc_sv_api::export_backend!(Family<Runit>: restart, signal, wait, forget, list);
