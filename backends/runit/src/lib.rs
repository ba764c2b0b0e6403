//! The runit module.
