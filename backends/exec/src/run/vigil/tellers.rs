//! The processes that tell others of a program, for which nobody waits.

use super::Vigil;
use crate::process;
use rc_sv_api::{Error, Result};
use std::process::Child;

impl Vigil<'_> {
    /// One more was begun, or none was called for.
    pub(super) fn begun(&mut self, begun: Result<Option<Child>>) {
        let child = match begun {
            Ok(None) => return,
            Ok(Some(child)) => child,
            Err(error) => return self.call.warn_of(Err(error)),
        };
        match process::open_process(i32::try_from(child.id()).unwrap_or_default()) {
            Ok(pidfd) => self.tellers.push((child, pidfd)),
            // It stays a zombie as long as this process lives.
            Err(cause) => self.call.warn_of(Err(Error::io("watch a process", &cause))),
        }
    }

    /// Takes in which of them ended.
    pub(super) fn see_tellers(&mut self) {
        let runs = |child: &mut Child| matches!(child.try_wait(), Ok(None));
        self.tellers.retain_mut(|(child, _)| runs(child));
    }
}
