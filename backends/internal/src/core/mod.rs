//! The pure core of the supervisor: events and the time in, effects out.
//!
//! There is no process, no clock and no I/O in here. (The module has the name of Rust's own `core`
//! crate, which is reached as `::core` where both are in sight; nothing in this crate needs it.)

mod effect;
mod event;
mod machine;
mod plan;

pub use effect::{Effect, Hook, Record, Whom};
pub use event::{Command, Event};
pub use machine::Core;
pub use plan::{KillMode, Plan};

/// A service that the core knows; stable until it is forgotten, then used again for another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(u32);

impl Id {
    /// Its number: small, counted from 0, for use as an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Somebody who waits for an answer; the core only hands it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Waiter(pub u64);

/// What the core cannot know by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// CLOCK_BOOTTIME in milliseconds: all time-outs and pauses.
    pub boot_ms: u64,
    /// CLOCK_REALTIME in nanoseconds: for people.
    pub real_ns: i64,
    /// A random number: moves pauses within their jitter.
    pub chance: u32,
}
