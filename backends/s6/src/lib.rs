//! The s6 module.
