//! The internal module.

pub mod core;
