//! The host of the modules.
