//! The time, and chance.

use super::sys;
use crate::core::Now;
use rc_sv_exec::clock;

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
            boot_ms: clock::boot_ms(),
            real_ns: clock::real_ns(),
            chance: (self.random >> 32) as u32,
        }
    }
}
