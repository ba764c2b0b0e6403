//! Alerts: what a person is told, by a command of the administrator's, when a service has failed, and
//! when that is over.

use crate::launch::{Ending, Launch};
use rc_sv_api::exit::Exit;
use rc_sv_api::{Result, Settings};
use std::time::Duration;

/// The setting with the command.
pub const COMMAND: &str = "rc_supervise_alert";

/// The setting with the time that it has.
pub const TIMEOUT: &str = "rc_supervise_alert_timeout";

/// What an alert is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// The service was given up.
    GaveUp,
    /// It is unhealthy, and nothing is done about it.
    Unhealthy,
    /// What a person was alerted of is over.
    Recovered,
}

impl Topic {
    /// The topic of a word.
    pub fn of_word(word: &str) -> Option<Topic> {
        [Topic::GaveUp, Topic::Unhealthy, Topic::Recovered]
            .into_iter()
            .find(|topic| topic.word() == word)
    }

    /// As the command is told.
    pub fn word(self) -> &'static str {
        match self {
            Topic::GaveUp => "gave-up",
            Topic::Unhealthy => "unhealthy",
            Topic::Recovered => "recovered",
        }
    }
}

/// One alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// What it is about.
    pub topic: Topic,
    /// Why, in one line.
    pub reason: String,
    /// How the main process ended last, if it has.
    pub exit: Option<Exit>,
    /// systemd's `$SERVICE_RESULT` where `exit` does not tell it.
    pub result: Option<&'static str>,
    /// Respawns since somebody started the service.
    pub restarts: u32,
    /// When it happened: CLOCK_REALTIME in nanoseconds.
    pub real_ns: i64,
}

impl Alert {
    /// Prepares the command of a resolved spec, in the surroundings of a hook ([`Launch::for_hook`])
    /// but without its two arguments. Added to the environment are `RC_SV_EVENT`, `RC_SV_REASON`,
    /// `RC_SV_EXIT`, `RC_SV_TIME`, and `SERVICE_OUTPUT`, which is `output`.
    ///
    /// # Errors
    /// [`rc_sv_api::Code::Invalid`]: there is no such command, or the spec is not resolved.
    pub fn launch(&self, spec: &dyn Settings, output: &str) -> Result<Launch> {
        let ending = Ending {
            exit: self.exit.unwrap_or(Exit::Unknown),
            result: self.result,
            restarts: self.restarts,
        };
        let mut launch = Launch::for_alert(spec, COMMAND, ending)?;
        let seconds = self.real_ns.div_euclid(1_000_000_000).to_string();
        let exit = self.exit.map(|exit| exit.to_string()).unwrap_or_default();
        let variables = [
            ("RC_SV_EVENT", self.topic.word()),
            ("RC_SV_REASON", self.reason.as_str()),
            ("RC_SV_EXIT", exit.as_str()),
            ("RC_SV_TIME", seconds.as_str()),
            ("SERVICE_OUTPUT", output),
        ];
        for (name, value) in variables {
            launch.set_variable(name, value)?;
        }
        Ok(launch)
    }
}

/// How long the command of a spec may take.
pub fn timeout(spec: &dyn Settings) -> Duration {
    let limit = spec.duration(TIMEOUT);
    limit.unwrap_or(Duration::from_secs(30))
}
