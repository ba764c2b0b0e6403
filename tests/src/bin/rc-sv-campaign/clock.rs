//! The clock on the wall, which jumps. It is the machine's: no namespace has one of its own.

use nix::sys::time::TimeSpec;
use nix::time::{clock_gettime, clock_settime, ClockId};

use crate::chance::Chance;
use crate::Result;

/// By how much, in seconds: a leap second, summer time, a day, and a clock without a battery.
const JUMPS: [i64; 8] = [
    1,
    -1,
    3_600,
    -3_600,
    86_400,
    -86_400,
    315_360_000,
    -315_360_000,
];

/// A jump, until it is undone.
pub struct Jump {
    /// How far the wall's clock was ahead of the monotonic one before.
    ahead: TimeSpec,
}

impl Jump {
    /// Sets the clock forth or back.
    pub fn begin(chance: &mut Chance) -> Result<Jump> {
        let ahead = now(ClockId::CLOCK_REALTIME)? - now(ClockId::CLOCK_MONOTONIC)?;
        set(ahead + TimeSpec::new(chance.one_of(&JUMPS), 0))?;
        Ok(Jump { ahead })
    }

    /// Sets it to what it would be without that.
    pub fn end(self) -> Result<()> {
        set(self.ahead)
    }
}

fn now(clock: ClockId) -> Result<TimeSpec> {
    clock_gettime(clock).map_err(|errno| format!("read a clock: {errno}"))
}

fn set(ahead: TimeSpec) -> Result<()> {
    clock_settime(
        ClockId::CLOCK_REALTIME,
        now(ClockId::CLOCK_MONOTONIC)? + ahead,
    )
    .map_err(|errno| format!("set the clock: {errno}"))
}
