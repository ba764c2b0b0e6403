//! The internal module.
