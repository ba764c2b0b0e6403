//! The *lab*: a private machine for tests, in which an unpatched Debian OpenRC
//! runs real daemons.
//!
//! ```no_run
//! use rc_sv_tests::Lab;
//!
//! let lab = Lab::new();
//! lab.service("foo", "command=/usr/lib/rc-sv-tests/probe-daemon\nsupervisor=supervise-daemon\n");
//! lab.conf("foo", "rc_supervise_module=internal\n");
//! lab.sh("rc-service foo start").ok();
//! assert_eq!(lab.sh("rc-service foo status").code(), 0);
//! ```
//!
//! A [`Lab`] is a set of namespaces (mount, PID, UTS, IPC, network, cgroup) over
//! a Debian root made by `tests/lab/make-root`, with the installed rc-sv tree
//! laid on top. Everything written inside goes to a private tmpfs. When the
//! `Lab` is dropped, or the test process dies in any way, all of it is gone:
//! processes, mounts, cgroup.
//!
//! Needs root. Two directories are found through the environment:
//! `RC_SV_ROOT` (the Debian root; default the newest `target/lab/root-*`) and
//! `RC_SV_STAGE` (the installed tree; default `target/lab/stage`, made by
//! `make stage`). What is missing makes a test fail with the command to run;
//! nothing is skipped.
//!
//! All methods panic with the whole output when something goes wrong: they are
//! for tests. All waits have a time-out.

pub mod lab;
mod sys;

pub use lab::{Builder, Job, Lab, Output, Shell};
