//! The `internal` module: rc-sv's own supervisor.

pub mod client;
pub mod core;
pub mod protocol;
pub mod simulation;
pub mod supervisor;
mod wire;

use client::Internal;

rc_sv_api::export_backend!(Internal: restart, signal, forget, list, watch);
