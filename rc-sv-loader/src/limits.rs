//! The resource limits of a service, under which the runscript already runs, and so do we.
//!
//! They are the daemon's: with `rc_ulimit="-n 10"` or `"-f 0"` the loader itself could not open or
//! write what it has to, and with `"-s 48"` not even read its command line, for which clap alone
//! needs 53 KiB of stack. So it takes them down first, as far as it may, and then lifts its own.

use crate::services::Failure;
use crate::sys::{self, Limit};
use rc_sv_api::Error;
use std::sync::OnceLock;

/// Those that we began with.
static BEGUN_WITH: OnceLock<Vec<Limit>> = OnceLock::new();

/// Enough for any call.
const DESCRIPTORS: u64 = 1024;

/// The stack that Linux gives by default. It grows by what the limit is at that moment.
const STACK: u64 = 8 << 20;

/// What is lifted, with its letter in ulimit, how far, and what the system says where it is too
/// low.
#[allow(clippy::unnecessary_cast)] // Not with every C library.
const LIFTED: [(u32, char, u64, i32); 5] = [
    (libc::RLIMIT_FSIZE as u32, 'f', u64::MAX, libc::EFBIG),
    (libc::RLIMIT_DATA as u32, 'd', u64::MAX, libc::ENOMEM),
    (libc::RLIMIT_AS as u32, 'v', u64::MAX, libc::ENOMEM),
    (libc::RLIMIT_NOFILE as u32, 'n', DESCRIPTORS, libc::EMFILE),
    // A quarter of the stack is for the arguments of what is executed.
    (libc::RLIMIT_STACK as u32, 's', STACK, libc::E2BIG),
];

/// Lifts the limits of this process, for its own work. Only for a process that does nothing else:
/// the program, or a child.
pub fn lift() {
    let begun_with = BEGUN_WITH.get_or_init(sys::limits);
    sys::ignore_file_size_signal();
    for limit in begun_with {
        let lifted = LIFTED.iter().find(|(number, ..)| *number == limit.number);
        if let Some((_, _, wanted, _)) = lifted {
            sys::set_limit(limit.number, raised(limit, *wanted));
        }
    }
}

/// The limits of the service that this process works for.
pub(crate) fn of_service() -> Vec<Limit> {
    BEGUN_WITH.get().cloned().unwrap_or_else(sys::limits)
}

/// Says which limit is to blame, where one that could not be lifted is.
pub fn explain(failure: Failure) -> Failure {
    Failure {
        error: blame(failure.error, &sys::limits()),
        ..failure
    }
}

fn blame(error: Error, limits: &[Limit]) -> Error {
    let guilty = LIFTED.iter().find_map(|(number, letter, wanted, errno)| {
        let limit = limits.iter().find(|limit| limit.number == *number)?;
        let soft = limit.soft.filter(|soft| soft < wanted)?;
        (*errno == error.os_errno).then_some((letter, soft))
    });
    match guilty {
        None => error,
        Some((letter, soft)) => Error {
            message: format!(
                "{} (rc_ulimit or `ulimit -{letter}` of the service is too low: {soft}, and may \
                 not be raised)",
                error.message
            ),
            ..error
        },
    }
}

/// Soft and hard limit to try, best first.
fn raised(limit: &Limit, wanted: u64) -> [(Option<u64>, Option<u64>); 2] {
    let wanted = (wanted != u64::MAX).then_some(wanted);
    let more = |a: Option<u64>, b: Option<u64>| Some(a?.max(b?));
    let less = |a: Option<u64>, b: Option<u64>| match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    let soft = more(limit.soft, wanted);
    [
        (soft, more(limit.hard, wanted)),
        (less(soft, limit.hard), limit.hard),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(number: u32, soft: Option<u64>, hard: Option<u64>) -> Limit {
        Limit { number, soft, hard }
    }

    #[test]
    fn a_limit_is_raised_as_far_as_needed_or_allowed() {
        let low = limit(1, Some(0), Some(0));
        assert_eq!(raised(&low, u64::MAX), [(None, None), (Some(0), Some(0))]);
        let soft = limit(1, Some(0), None);
        assert_eq!(raised(&soft, u64::MAX), [(None, None), (None, None)]);
        let few = limit(7, Some(10), Some(20));
        let expected = [(Some(1024), Some(1024)), (Some(20), Some(20))];
        assert_eq!(raised(&few, 1024), expected);
        let many = limit(7, Some(4096), None);
        let expected = [(Some(4096), None), (Some(4096), None)];
        assert_eq!(raised(&many, 1024), expected);
    }

    #[test]
    fn the_limit_that_is_to_blame_is_named() {
        let error = |errno| Error::io("pipe", &std::io::Error::from_raw_os_error(errno));
        let number = LIFTED[3].0;
        let limits = [limit(number, Some(8), Some(8))];
        let message = "pipe: Too many open files (rc_ulimit or `ulimit -n` of the service is too \
                       low: 8, and may not be raised)";
        assert_eq!(blame(error(libc::EMFILE), &limits).message, message);
        let other = error(libc::EFBIG);
        assert_eq!(blame(other.clone(), &limits), other);
        let enough = [limit(number, Some(1024), None)];
        let full = error(libc::EMFILE);
        assert_eq!(blame(full.clone(), &enough), full);
    }
}
