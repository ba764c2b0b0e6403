//! CLOCK_MONOTONIC, which all processes of a machine share.

use nix::time::{clock_gettime, ClockId};

/// One second, in nanoseconds.
pub const SECOND: u64 = 1_000_000_000;

/// Now, in nanoseconds.
pub fn now() -> u64 {
    // It cannot fail for this clock.
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(0, |time| {
        time.tv_sec() as u64 * SECOND + time.tv_nsec() as u64
    })
}

/// So many seconds from now: the deadline of a wait that normally ends much earlier.
pub fn in_seconds(seconds: u64) -> u64 {
    now() + seconds * SECOND
}

/// How long `work` takes, in nanoseconds.
pub fn time<T>(work: impl FnOnce() -> T) -> (u64, T) {
    let from = now();
    let result = work();
    (now() - from, result)
}
