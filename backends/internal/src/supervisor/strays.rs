//! Children that cannot be watched.

use super::{sys, Supervisor};
use rc_sv_api::signal;
use std::os::fd::{AsFd, OwnedFd};

impl Supervisor {
    /// Kills a child that cannot be watched. It is reaped when it has ended.
    pub(super) fn abandon(&mut self, pidfd: OwnedFd) {
        // It cannot have been reaped yet, and is ours: this does not fail.
        let _ = sys::send_signal(pidfd.as_fd(), signal::KILL);
        self.strays.push(pidfd);
        self.reap_strays();
    }

    /// Reaps abandoned children that have ended.
    pub(super) fn reap_strays(&mut self) {
        self.strays
            .retain(|pidfd| matches!(sys::ending(pidfd.as_fd(), true), Ok(None)));
    }
}
