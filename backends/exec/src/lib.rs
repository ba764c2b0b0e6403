//! From a spec to a running process.
