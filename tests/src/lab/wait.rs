//! Waiting for events, and the bounded waits for things that have none.

use std::fmt::Display;
use std::os::fd::AsFd;
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::inotify::Inotify;

/// Interval of [`until`].
const INTERVAL: Duration = Duration::from_millis(10);

/// Waits until `fd` is readable or at its end. False after `timeout`.
pub(crate) fn readable(fd: impl AsFd, timeout: Duration) -> bool {
    let deadline = Instant::now() + timeout;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match poll(
            &mut [PollFd::new(fd.as_fd(), PollFlags::POLLIN)],
            rounded(left),
        ) {
            Ok(0) if left.is_zero() => return false,
            Ok(0) | Err(Errno::EINTR) => {}
            Ok(_) => return true,
            Err(error) => panic!("poll: {error}"),
        }
    }
}

/// Waits until one of the watches has something to tell; without watches, for a moment. False
/// when there is no time left.
pub(crate) fn changed(watches: Option<&Inotify>, left: Duration) -> bool {
    match watches {
        Some(watches) => readable(watches, left),
        None => {
            thread::sleep(INTERVAL.min(left));
            !left.is_zero()
        }
    }
}

/// A time-out for poll that does not end before `left`.
pub(crate) fn rounded(left: Duration) -> PollTimeout {
    let more = if left.is_zero() {
        left
    } else {
        left + Duration::from_millis(1)
    };
    PollTimeout::try_from(more).unwrap_or(PollTimeout::MAX)
}

/// Waits until `done` returns a value, looking again every 10 ms. This is for
/// what the kernel sends no event for, as the contents of /proc or the state of a socket's owner. Where there
/// is an event (a file, a process, a pipe) use that.
///
/// # Panics
/// After `timeout`, naming `what`.
pub fn until<T>(what: &str, timeout: Duration, mut done: impl FnMut() -> Option<T>) -> T {
    until_ok(what, timeout, || done().ok_or(""))
}

/// The same; `done` says what it has found instead, and the last of that is told too.
///
/// # Panics
/// After `timeout`, naming `what`.
pub fn until_ok<T, E: Display>(
    what: &str,
    timeout: Duration,
    mut done: impl FnMut() -> Result<T, E>,
) -> T {
    let deadline = Instant::now() + timeout;
    loop {
        match done() {
            Ok(value) => return value,
            Err(found) if Instant::now() >= deadline => {
                panic!("{what}: not after {timeout:?}; {found}")
            }
            Err(_) => thread::sleep(INTERVAL),
        }
    }
}
