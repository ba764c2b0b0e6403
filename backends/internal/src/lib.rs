//! The `internal` module: rc-sv's own supervisor.

pub mod core;
pub mod protocol;
pub mod supervisor;
mod wire;
