//! The time, and chance.

use super::sys;
use crate::core::Now;
use nix::time::{clock_gettime, ClockId};
use std::time::Duration;

/// What the core is told with each step.
pub(super) struct Clock {
    /// The state of a xorshift generator; never 0.
    random: u64,
}

impl Clock {
    pub(super) fn new() -> Clock {
        Clock {
            random: sys::random() | 1,
        }
    }

    pub(super) fn now(&mut self) -> Now {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        Now {
            boot_ms: nanos(ClockId::CLOCK_BOOTTIME) as u64 / 1_000_000,
            real_ns: nanos(ClockId::CLOCK_REALTIME),
            chance: (self.random >> 32) as u32,
        }
    }
}

/// Both clocks are always there.
fn nanos(clock: ClockId) -> i64 {
    clock_gettime(clock).map_or(0, |time| Duration::from(time).as_nanos() as i64)
}
