//! The monit module.
