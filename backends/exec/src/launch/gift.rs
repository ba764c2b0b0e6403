//! Descriptors that the program is to have, each at a place of its own.
//!
//! A place can be the number of anything that the child has open: the report, another gift. So all
//! that is needed moves above every number that matters first, then everything below is closed,
//! then each goes to its place. Only system calls are made, as in all steps of a child.

use super::syscall::{self, Errno};
use std::ffi::c_char;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::Arc;

/// A descriptor for the program.
#[derive(Clone, Debug)]
pub(super) struct Gift {
    pub(super) fd: Arc<OwnedFd>,
    /// Its number in the program.
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
    settle(gifts, free, false)
}

/// Gives the standard descriptors among them their numbers, when the files of the spec are open: a
/// log that cannot be opened fails the start, also where somebody else writes to it.
pub(super) fn arrange_standard(gifts: &[Gift], report: Option<RawFd>) -> Result<(), Errno> {
    settle(gifts, free(gifts, report), true)
}

fn settle(gifts: &[Gift], free: RawFd, are_standard: bool) -> Result<(), Errno> {
    for (gift, at) in gifts.iter().zip(free..) {
        if (gift.place < REPORT) == are_standard {
            syscall::duplicate(at, gift.place, 0)?;
        }
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

/// The variable by which a program knows that gifts are meant for itself, and not for its parent:
/// `LISTEN_PID`, which only the child can fill in (sd_listen_fds(3)).
#[derive(Debug)]
pub(super) struct OwnPid([AtomicU8; OwnPid::NAME.len() + OwnPid::DIGITS + 1]);

impl OwnPid {
    const NAME: &'static [u8] = b"LISTEN_PID=";
    const DIGITS: usize = 10;

    pub(super) fn new() -> OwnPid {
        let byte = |at: usize| AtomicU8::new(OwnPid::NAME.get(at).copied().unwrap_or(0));
        OwnPid(std::array::from_fn(byte))
    }

    /// Fills in the number of the process that calls it.
    pub(super) fn fill_in(&self) {
        let mut digits = [0u8; OwnPid::DIGITS];
        let mut rest = syscall::own_pid();
        let mut first = OwnPid::DIGITS;
        while rest > 0 && first > 0 {
            first -= 1;
            digits[first] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        let places = self.0.iter().skip(OwnPid::NAME.len());
        for (place, digit) in places.zip(digits.iter().skip(first)) {
            place.store(*digit, Ordering::Relaxed);
        }
    }

    /// As execve(2) takes it.
    pub(super) fn as_ptr(&self) -> *const c_char {
        self.0.as_ptr().cast()
    }
}
