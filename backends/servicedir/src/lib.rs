//! Service directories: s6, runit and daemontools.
//!
//! The three suites of this family do the same with the same files: a scanner looks through a
//! directory and begins a supervisor for each service directory in it; the supervisor runs what is
//! called `run` there, takes orders as bytes from a FIFO, and writes a status file. They are driven
//! by these files alone: no program of a suite is ever executed.
//!
//! [`suite`] has what is different, [`tree`] the service directories, [`supervise`] one supervisor,
//! [`family`] the backend that is made of them.

mod call;
mod changes;
#[cfg(test)]
mod changes_tests;
mod directory;
mod family;
mod known;
mod native;
pub mod observed;
mod origin;
mod progress;
mod recorded;
pub mod refusals;
mod registration;
mod scanner;
mod start;
mod status;
mod stop;
pub mod suite;
mod supervise;
pub mod tai64n;
mod timeouts;
mod tree;
mod watch;

pub use family::{Family, Module};
