//! Telling a person that a service has failed, and that this is over: by `rc_supervise_alert`, in a
//! process of its own, which holds up nobody. Of what a person was told stands in a file, so that
//! the end of it is told once, whoever looks after the service by then.

use super::command;
use super::record;
use super::signals::Signals;
use super::{output, Call};
use crate::alert::{self, Alert, Topic};
use crate::clock;
use crate::place::Dir;
use crate::spec_file;
use rc_sv_api::exit::Exit;
use rc_sv_api::policy::Cause;
use rc_sv_api::{Error, Result, Settings};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

/// The file in a service's directory.
const NAME: &str = "alarm";

/// Of what a person was told, and how the main process had ended last, if it had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Alarm {
    pub of: Matter,
    pub exit: Option<Exit>,
}

/// Of what a person was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Matter {
    /// That the service was given up.
    Failed,
    /// That it is unhealthy, and left alone.
    Sick,
}

impl Alarm {
    fn text(self) -> String {
        let word = match self.of {
            Matter::Failed => "failed",
            Matter::Sick => "sick",
        };
        format!("{word} {}", record::exit_text(self.exit))
    }

    fn parse(bytes: &[u8]) -> Option<Alarm> {
        let (word, exit) = std::str::from_utf8(bytes).ok()?.split_once(' ')?;
        let of = match word {
            "failed" => Matter::Failed,
            "sick" => Matter::Sick,
            _ => return None,
        };
        let exit = record::exit_of(exit)?;
        Some(Alarm { of, exit })
    }
}

/// Notes that a person is told, if anybody is.
///
/// # Errors
/// The file cannot be written.
pub(super) fn raise(call: &Call, spec: &dyn Settings, alarm: Alarm) -> Result<()> {
    match spec.list(alert::COMMAND) {
        None => Ok(()),
        Some(_) => call.dir.replace(NAME, 0o600, alarm.text().as_bytes()),
    }
}

/// Of what a person was told who was not told yet that it is over.
///
/// # Errors
/// The file cannot be read.
pub(super) fn raised(dir: &Dir, spec: &dyn Settings) -> Result<Option<Alarm>> {
    if spec.list(alert::COMMAND).is_none() {
        return Ok(None);
    }
    Ok(dir.read(NAME)?.and_then(|bytes| Alarm::parse(&bytes)))
}

/// It is over.
///
/// # Errors
/// The file cannot be removed.
pub(super) fn clear(call: &Call) -> Result<()> {
    call.dir.remove(NAME)
}

/// Has a process of its own tell a person; `None` where nobody is told.
///
/// # Errors
/// No process can be made.
pub(super) fn begin(
    call: &Call,
    spec: &dyn Settings,
    topic: Topic,
    reason: &str,
    exit: Option<Exit>,
) -> Result<Option<Child>> {
    if spec.list(alert::COMMAND).is_none() {
        return Ok(None);
    }
    let mut command = Command::new("/proc/self/exe");
    command.args(["alert".as_ref(), call.dir.path().as_os_str()]);
    command.args([topic.word(), reason, &record::exit_text(exit)]);
    command.current_dir("/").process_group(0);
    // Its output leads to the logger, into whose pipe it looks.
    command.stdin(Stdio::null());
    let made = command.spawn();
    made.map(Some)
        .map_err(|cause| Error::io("make a process that alerts", &cause))
}

/// What a person is to be told, by arguments, because it goes through an execve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    topic: Topic,
    reason: String,
    exit: Option<Exit>,
}

impl Told {
    /// What the arguments say. `None`: they make no sense.
    pub(super) fn parse(arguments: &[String]) -> Option<Told> {
        match arguments {
            [topic, reason, exit] => Some(Told {
                topic: Topic::of_word(topic)?,
                reason: reason.clone(),
                exit: record::exit_of(exit)?,
            }),
            _ => None,
        }
    }
}

/// What that process does.
pub(super) fn tell(call: &Call, told: &Told, signals: &Signals) -> Result<u8> {
    let spec = spec_file::read(&call.dir)?;
    let record = record::read(&call.dir)?.unwrap_or_default();
    let alert = Alert {
        topic: told.topic,
        reason: told.reason.clone(),
        exit: told.exit,
        result: match told.topic {
            Topic::GaveUp => record.result(),
            Topic::Unhealthy => Cause::Unhealthy.result(),
            Topic::Recovered => None,
        },
        restarts: record.restarts,
        real_ns: clock::real_ns(),
    };
    let output = output::last_lines(call, spec.settings());
    let launch = alert.launch(spec.settings(), &output)?;
    let limit = alert::timeout(spec.settings());
    command::run_launch(launch, limit, signals).map(|_| 0)
}
