//! What a supervisor of a suite has written about its service.

use crate::tai64n::Tai64n;
use rc_sv_api::exit::Exit;

/// The content of a `supervise/status`. It is what the supervisor knew when it last wrote, also
/// when that was long ago: whether the supervisor and the process still live, others must say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observed {
    /// When the phase began.
    pub since: Tai64n,
    /// What runs.
    pub phase: Phase,
    /// What the supervisor has been told.
    pub wants: Wants,
    /// Whether the process was stopped by a control byte.
    pub paused: bool,
    /// Whether the process has said that it is ready.
    pub ready: bool,
    /// How `run` ended last, where it has ended and the suite keeps it.
    pub last_exit: Option<Exit>,
}

/// Which program of a service directory runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// None.
    Down,
    /// `run`, as this process.
    Run(i32),
    /// `finish`, as this process, or about to be one.
    Finish(Option<i32>),
}

impl Phase {
    /// The pid of what runs.
    pub fn pid(self) -> Option<i32> {
        match self {
            Phase::Down => None,
            Phase::Run(pid) => Some(pid),
            Phase::Finish(pid) => pid,
        }
    }
}

/// What a supervisor does when the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wants {
    /// It runs it again.
    Up,
    /// It leaves it down. s6 and runit write this for "once" too.
    Down,
    /// It leaves it down, but lets it run.
    Once,
}
