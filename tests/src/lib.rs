//! The *lab*: a private machine for tests, in which an unpatched Debian OpenRC
//! runs real daemons.
//!
//! ```no_run
//! use rc_sv_tests::{lab::TIMEOUT, Lab};
//!
//! let lab = Lab::new();
//! lab.service("foo", "command=/usr/lib/rc-sv-tests/probe-daemon\ncommand_args='--report /tmp/foo'\n");
//! lab.conf("foo", "rc_supervise_module=internal\n");
//! lab.sh("rc-service foo start").ok();
//! let first = &lab.report("/tmp/foo", "start", 1, TIMEOUT)[0];
//! lab.kill(first.pid(), 9);
//! let second = &lab.report("/tmp/foo", "start", 2, TIMEOUT)[1];
//! assert_ne!(first.pid(), second.pid());
//! assert_eq!(second.argv(), first.argv());
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
//! The program that the tests supervise is `probe-daemon`
//! (/usr/lib/rc-sv-tests/probe-daemon in the lab, see its `--help` by a wrong
//! option): it reports how it was started, see [`Line`], and behaves or
//! misbehaves as its arguments say.
//!
//! All methods panic with the whole output when something goes wrong: they are
//! for tests. All waits have a time-out.

pub mod lab;
mod line;
mod sys;

pub use lab::{Builder, Job, Lab, Output, Run, Shell};
pub use line::Line;
