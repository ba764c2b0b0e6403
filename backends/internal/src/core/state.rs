//! The state of one service.

use rc_sv_api::status::State as Reported;

/// What a service is doing. `until` is milliseconds of CLOCK_BOOTTIME.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing runs, and nothing will without a command.
    Down,
    /// It died and is respawned at `until`.
    Waiting { until: u64 },
    /// A main process was ordered; it has to be ready before `until`.
    Starting { until: u64 },
    /// It is ready.
    Up,
    /// It is to end: it says so itself, or was told by other means than the ladder. The ladder
    /// follows at `until`.
    Leaving { until: u64 },
    /// The main process is to end. `rung` is the one it stands on; `None`: everything was killed.
    Stopping { rung: Option<u8>, until: u64 },
    /// The main process is dead and `part` is being done.
    Finishing { part: Part, until: u64 },
    /// It is not respawned, because it failed too often or for good; tried again at `until`.
    Failed { until: Option<u64> },
    /// Everything was killed and something still runs.
    Stuck,
}

/// What is done after the end of a main process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// What it left is killed.
    Sweep,
    /// The finish command runs.
    Hook,
    /// The finish command was killed.
    KilledHook,
}

/// Which instance the waiters of a start wait for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Asked {
    /// None: nobody asked, or it has been up since.
    #[default]
    No,
    /// The current one. When it fails, the start has failed.
    This,
    /// The one after the current one, which is about to end.
    Next,
}

impl State {
    /// When it has to be left at the latest.
    pub(super) fn until(self) -> Option<u64> {
        match self {
            State::Waiting { until }
            | State::Starting { until }
            | State::Leaving { until }
            | State::Stopping { until, .. }
            | State::Finishing { until, .. } => Some(until),
            State::Failed { until } => until,
            State::Down | State::Up | State::Stuck => None,
        }
    }

    /// Whether nothing changes any more without a command, or without an end that may never come.
    pub(super) fn is_settled(self) -> bool {
        matches!(self, State::Down | State::Failed { .. } | State::Stuck)
    }

    /// As it is told to others.
    pub(super) fn reported(self) -> Reported {
        match self {
            State::Down => Reported::Down,
            State::Waiting { .. } => Reported::Backoff,
            State::Starting { .. } => Reported::Starting,
            State::Up => Reported::Up,
            State::Leaving { .. }
            | State::Stopping { .. }
            | State::Finishing { .. }
            | State::Stuck => Reported::Stopping,
            State::Failed { .. } => Reported::GaveUp,
        }
    }
}
