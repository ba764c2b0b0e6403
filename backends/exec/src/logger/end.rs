//! What an output ends in.

use super::spool::Spool;
use crate::log::render::Moment;
use nix::poll::PollFlags;
use std::io;
use std::os::fd::BorrowedFd;

/// What an output ends in.
pub(super) trait End {
    /// Delivers some of what waits. `false`: nothing can be delivered before more is written.
    /// `is_end`: no more will be.
    fn deliver(&mut self, spool: &mut Spool, is_end: bool, now: Moment) -> io::Result<bool>;

    /// Says this line with what is delivered next.
    fn say(&mut self, words: String);

    /// When there is something to deliver though nothing more is written.
    fn due(&self) -> Option<u64>;

    /// What else tells that there is something to do.
    fn waits(&self) -> Vec<(BorrowedFd<'_>, PollFlags)> {
        Vec::new()
    }

    /// Everything was delivered that could be.
    fn end(&mut self) {}
}

/// For an output of which only the last is kept in memory.
pub(super) struct Nowhere;

impl End for Nowhere {
    fn deliver(&mut self, spool: &mut Spool, _: bool, _: Moment) -> io::Result<bool> {
        let waiting = spool.waiting();
        spool.advance(waiting);
        Ok(waiting > 0)
    }

    fn say(&mut self, _: String) {}

    fn due(&self) -> Option<u64> {
        None
    }
}
