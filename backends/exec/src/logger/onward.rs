//! An output that goes on to a program.

use super::end::End;
use super::spool::Spool;
use crate::log::render::Moment;
use nix::fcntl::SpliceFFlags;
use std::io;
use std::os::fd::OwnedFd;

/// The pipe to the program; whoever started this logger holds both its ends.
pub(super) struct Onward {
    pipe: OwnedFd,
}

impl Onward {
    pub(super) fn new(pipe: OwnedFd) -> Onward {
        Onward { pipe }
    }
}

impl End for Onward {
    /// Waits while the program does not read.
    fn deliver(&mut self, spool: &mut Spool, _: bool, _: Moment) -> io::Result<bool> {
        Ok(spool.waiting() > 0 && spool.give(&self.pipe, SpliceFFlags::empty())? > 0)
    }

    /// What a program gets is the output as it was written.
    fn say(&mut self, _: String) {}

    fn due(&self) -> Option<u64> {
        None
    }
}
