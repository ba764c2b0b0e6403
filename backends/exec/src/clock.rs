//! The clocks.

use nix::time::{clock_gettime, ClockId};
use std::time::Duration;

/// CLOCK_BOOTTIME in milliseconds: the clock of records.
pub fn boot_ms() -> u64 {
    nanos(ClockId::CLOCK_BOOTTIME) as u64 / 1_000_000
}

/// CLOCK_REALTIME in nanoseconds.
pub fn real_ns() -> i64 {
    nanos(ClockId::CLOCK_REALTIME)
}

/// Both clocks are always there.
fn nanos(clock: ClockId) -> i64 {
    clock_gettime(clock).map_or(0, |time| Duration::from(time).as_nanos() as i64)
}
