//! Becoming the program: for a process that somebody else's supervisor made.

use super::child::{self, Pointers};
use super::steps::{self, Keep};
use super::{Failure, Launch};

/// Replaces this process by the program of `launch`, in the same steps as [`super::spawn`]. It
/// must have one thread: users and groups are those of a thread. Signals that it blocks are
/// unblocked. Every descriptor above 2 is closed by the execution, but for that of `keep`.
///
/// Comes back only when something failed. Some steps may have been taken by then, so nothing is
/// left to do but to tell and to end. Descriptors are still open.
pub fn replace(launch: &Launch, keep: Keep) -> Failure {
    let argv = Pointers::new(&launch.argv);
    let environment = Pointers::new(&launch.environment);
    child::reset_own();
    steps::take_here(launch, &argv, &environment, keep)
}
