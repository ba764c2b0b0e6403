//! The daemontools module.
