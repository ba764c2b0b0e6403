//! One service as monit tells of it.

/// One thing that monit checks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// Its name; monit compares names without regard to case.
    pub name: String,
    /// What it is: [`PROCESS`], [`PROGRAM`], or something else.
    pub kind: u32,
    /// What is wrong: the bits of [`fault`]. Not remembered over `unmonitor`.
    pub status: u64,
    /// Whether it is watched: 0 no, else bits 1 yes, 2 beginning to, 4 waiting for its turn.
    pub monitor: u32,
    /// The action that was asked for and is not finished: 0 none, else of [`pending`].
    pub pending: u32,
    /// When it was looked at last: seconds since 1970.
    pub collected: u64,
    /// Its process, while it is watched and was found.
    pub pid: Option<i32>,
    /// For how many seconds that process has been up.
    pub uptime: Option<u64>,
}

/// `check process`.
pub const PROCESS: u32 = 3;
/// That of the machine as a whole, of which there is always one.
pub const SYSTEM: u32 = 5;
/// `check program`.
pub const PROGRAM: u32 = 7;

/// Bits of [`Service::status`] with their words.
pub const FAULTS: [(u64, &str); 10] = [
    (0x2, "uses too much"),
    (0x4, "was restarted too often"),
    (0x20, "a connection failed"),
    (0x200, "does not exist"),
    (0x400, "is no process"),
    (0x1000, "could not be started"),
    (0x40000, "its pid changed"),
    (0x80000, "its parent changed"),
    (0x200000, "a check failed"),
    (0x400000, "its uptime is out of bounds"),
];

/// Actions of [`Service::pending`] (`Action_Type` of src/monit.h).
pub mod pending {
    /// It is being restarted.
    pub const RESTART: u32 = 2;
    /// It is being stopped.
    pub const STOP: u32 = 3;
    /// It is being started.
    pub const START: u32 = 6;
    /// It is about to be watched.
    pub const MONITOR: u32 = 7;
}

impl Service {
    /// Whether monit watches it.
    pub fn is_watched(&self) -> bool {
        self.monitor != 0
    }

    /// What is wrong with it, in words; empty when nothing is.
    pub fn faults(&self) -> String {
        let words = FAULTS
            .iter()
            .filter(|(bit, _)| self.status & bit != 0)
            .map(|(_, words)| *words);
        words.collect::<Vec<_>>().join(", ")
    }

    /// Takes the text of one element.
    pub(super) fn take(&mut self, field: &str, text: &str) {
        match field {
            "name" => self.name.push_str(text),
            "type" => self.kind = text.parse().unwrap_or(0),
            "status" => self.status = text.parse().unwrap_or(0),
            "monitor" => self.monitor = text.parse().unwrap_or(0),
            "pendingaction" => self.pending = text.parse().unwrap_or(0),
            "collected_sec" => self.collected = text.parse().unwrap_or(0),
            "pid" => self.pid = text.parse().ok().filter(|pid| *pid > 0),
            "uptime" => self.uptime = text.parse().ok(),
            _ => {}
        }
    }
}
