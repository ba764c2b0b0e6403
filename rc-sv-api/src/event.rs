//! Events: what happened to a service, in order.

use crate::status::Status;

/// What kind of thing happened. The numbers are part of ABI 1 (`RC_SV_EVENT_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Kind {
    /// The state changed.
    State = 1,
    /// The health changed.
    Health = 2,
    /// The service was given up.
    GaveUp = 3,
    /// Contact to the supervisor was lost.
    SupervisorLost = 4,
    /// The service wrote a line; it is in the status' detail.
    LogLine = 5,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 5] = [
        Kind::State,
        Kind::Health,
        Kind::GaveUp,
        Kind::SupervisorLost,
        Kind::LogLine,
    ];

    /// The word for people and for JSON.
    pub fn name(self) -> &'static str {
        match self {
            Kind::State => "state",
            Kind::Health => "health",
            Kind::GaveUp => "gave-up",
            Kind::SupervisorLost => "supervisor-lost",
            Kind::LogLine => "log-line",
        }
    }
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub kind: Kind,
    /// Number of the event in its stream; a gap means that events were lost.
    pub seq: u64,
    /// To which service.
    pub service: String,
    /// The service's status after it; its `since_real_ns` and `since_boot_ns` are the moment of the
    /// event.
    pub status: Status,
}
