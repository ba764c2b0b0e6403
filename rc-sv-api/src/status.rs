//! The status: one snapshot of what is observed of a service.

use crate::exit::Exit;

/// What a service is doing. The numbers are part of ABI 1 (`RC_SV_STATE_*`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(i32)]
pub enum State {
    /// It could not be found out.
    #[default]
    Unknown = 0,
    /// The supervisor has no entry for it.
    Unmanaged = 1,
    /// It is down and wanted down, or ended by itself and is not to be respawned.
    Down = 2,
    /// It runs, but is not ready yet.
    Starting = 3,
    /// It runs.
    Up = 4,
    /// It is being stopped, or cleaned up after its end.
    Stopping = 5,
    /// It died; a respawn is scheduled.
    Backoff = 6,
    /// It will not be respawned by itself.
    GaveUp = 7,
    /// It runs, but is stopped by a signal.
    Paused = 8,
}

impl State {
    /// Every state.
    pub const ALL: [State; 9] = [
        State::Unknown,
        State::Unmanaged,
        State::Down,
        State::Starting,
        State::Up,
        State::Stopping,
        State::Backoff,
        State::GaveUp,
        State::Paused,
    ];

    /// The state for a number of the ABI; [`State::Unknown`] for one that this version does not
    /// know.
    pub fn from_raw(raw: i32) -> State {
        State::ALL
            .into_iter()
            .find(|state| *state as i32 == raw)
            .unwrap_or_default()
    }

    /// The word for people and for JSON.
    pub fn name(self) -> &'static str {
        match self {
            State::Unknown => "unknown",
            State::Unmanaged => "unmanaged",
            State::Down => "down",
            State::Starting => "starting",
            State::Up => "up",
            State::Stopping => "stopping",
            State::Backoff => "waiting",
            State::GaveUp => "gave-up",
            State::Paused => "paused",
        }
    }
}

/// One snapshot. `None` means that the backend cannot tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// What the service is doing.
    pub state: State,
    /// Whether it is wanted up.
    pub wanted_up: Option<bool>,
    /// Whether it said that it is ready.
    pub ready: Option<bool>,
    /// Whether its health checks pass.
    pub healthy: Option<bool>,
    /// Pid of the main process.
    pub pid: Option<i32>,
    /// Pid of the process that waits on it.
    pub supervisor_pid: Option<i32>,
    /// CLOCK_REALTIME of the last change of state, in nanoseconds.
    pub since_real_ns: Option<i64>,
    /// CLOCK_BOOTTIME of the last change of state, in nanoseconds.
    pub since_boot_ns: Option<u64>,
    /// Respawns since the supervisor took the service.
    pub restarts: Option<u32>,
    /// Consecutive failures: respawns since the service was last up for long.
    pub failures: u32,
    /// How the main process ended last.
    pub last_exit: Option<Exit>,
    /// Time until the scheduled respawn, in milliseconds.
    pub next_restart_ms: Option<u32>,
    /// One line for people, at most 143 bytes; empty when there is nothing to add.
    pub detail: String,
}

impl Status {
    /// A snapshot that tells the state only.
    pub fn of_state(state: State) -> Status {
        Status {
            state,
            ..Status::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_states_round_trip() {
        for state in State::ALL {
            assert_eq!(State::from_raw(state as i32), state);
        }
        assert_eq!(State::from_raw(99), State::Unknown);
    }
}
