//! Descriptors that the program is to have besides the standard ones, each at a place of its own.
//!
//! A place can be the number of anything that the child has open: the report, another gift. So all
//! that is needed moves above every number that matters first, then everything below is closed,
//! then each goes to its place. Only system calls are made, as in all steps of a child.

use super::syscall::{self, Errno};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;

/// A descriptor for the program.
#[derive(Clone, Debug)]
pub(super) struct Gift {
    pub(super) fd: Arc<OwnedFd>,
    /// Its number in the program; more than 2.
    pub(super) place: RawFd,
}

/// Where the report is where there are no gifts.
const REPORT: RawFd = 3;

/// Gives all descriptors above 2 their numbers, and closes the others. `report` is the one to
/// report on, if there is one.
pub(super) fn arrange(gifts: &[Gift], report: Option<RawFd>) -> Result<(), Errno> {
    if gifts.is_empty() {
        return match report {
            Some(report) => syscall::duplicate(report, REPORT, libc::O_CLOEXEC)
                .and_then(|()| syscall::close_from(REPORT + 1)),
            None => syscall::close_from(REPORT),
        };
    }
    let free = free(gifts, report);
    // From here on the descriptors are nobody else's.
    syscall::close_from(free)?;
    for (gift, at) in gifts.iter().zip(free..) {
        syscall::duplicate(gift.fd.as_raw_fd(), at, libc::O_CLOEXEC)?;
    }
    if let Some(report) = report {
        let at = free + gifts.len() as RawFd;
        syscall::duplicate(report, at, libc::O_CLOEXEC)?;
    }
    syscall::close_range(REPORT, free - 1)?;
    for (gift, at) in gifts.iter().zip(free..) {
        syscall::duplicate(at, gift.place, 0)?;
    }
    Ok(())
}

/// Where the report is after [`arrange`].
pub(super) fn report_place(gifts: &[Gift], report: RawFd) -> RawFd {
    match gifts.len() {
        0 => REPORT,
        count => free(gifts, Some(report)) + count as RawFd,
    }
}

/// The first number from which on nothing matters.
fn free(gifts: &[Gift], report: Option<RawFd>) -> RawFd {
    let mut free = report.unwrap_or(REPORT);
    for gift in gifts {
        free = free.max(gift.place).max(gift.fd.as_raw_fd());
    }
    free + 1
}
