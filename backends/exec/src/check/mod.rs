//! Finding out from the outside whether a service works: what is looked at ([`Target`]), when and
//! how often ([`Rules`]), what follows from the answers ([`Checkup`], [`Trial`], [`Findings`]), and
//! the looking itself ([`Look`], [`Probe`]).

mod answer;
mod checkup;
mod findings;
mod list;
mod look;
mod memory;
mod probe;
mod target;
mod trial;

pub use checkup::{are_healthy, Change, Checkup, Outcome, Todo};
pub use findings::Findings;
pub use list::{Action, Check, Rules, MOST};
pub use look::{Found, Look};
pub use probe::{Probe, Step, Wait};
pub use target::Target;
pub use trial::Trial;

/// What fuzz/ calls besides.
#[cfg(fuzzing)]
pub mod fuzzed {
    /// What an answer over HTTP means so far; `None` while that is open.
    pub fn judge(bytes: &[u8], ended: bool) -> Option<(super::Outcome, String)> {
        super::answer::judge(bytes, ended)
    }
}
