//! What a spawner tells.

use super::Failure;
use rc_sv_api::Error;
use std::os::fd::OwnedFd;

/// What became of an order.
#[derive(Debug)]
pub enum News {
    /// The process exists, but has not executed its program for a while. [`News::Done`] follows;
    /// until then its end says nothing.
    Slow {
        /// The order.
        ticket: u64,
        /// Its pid, which is also its session and its process group. It must be waited for.
        pid: i32,
        /// Readable when it ended.
        pidfd: OwnedFd,
    },
    /// The program was executed, or not, or the process was killed before (its end tells).
    Done {
        /// The order.
        ticket: u64,
        /// Pid and descriptor, as in [`News::Slow`], unless that came before.
        made: Option<(i32, OwnedFd)>,
        /// Why the program was not executed; the process then exits with [`super::NOT_RUN`].
        failure: Option<Failure>,
    },
    /// There is no process.
    NotMade {
        /// The order.
        ticket: u64,
        /// Why.
        error: Error,
    },
    /// No thread has time for it: [`super::spawn`] is to be used.
    Untaken {
        /// The order.
        ticket: u64,
        /// As it was given.
        cgroup: Option<OwnedFd>,
    },
}
