//! The s6 module.

use rc_sv_servicedir::{suite, Family, Module};

struct S6;

impl Module for S6 {
    const SUITE: &'static suite::Suite = &suite::S6;
}

rc_sv_api::export_backend!(Family<S6>: restart, signal, wait, forget, list);
