//! Finding out from the outside whether a service works: what is looked at ([`Target`]), when and
//! how often ([`Rules`]), what follows from the answers ([`Checkup`]), and the looking itself
//! ([`Probe`]).

mod answer;
mod checkup;
mod list;
mod probe;
mod target;

pub use checkup::{Change, Checkup, Outcome, Todo};
pub use list::{Action, Check, Rules};
pub use probe::{Probe, Step, Wait};
pub use target::Target;
