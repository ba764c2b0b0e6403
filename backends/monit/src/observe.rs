//! What is known of a service: monit's word, and what the kernel says of the process.

use crate::client::answer::{pending, Service};
use crate::client::Seen;
use rc_sv_api::{Result, Settings, State, Status};
use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// How long monit may take to answer a question.
pub const ANSWER: Duration = Duration::from_secs(1);

/// The status of the check `name` of the service with these settings.
///
/// # Errors
/// monit's answer was not understood, or it does not let us ask.
pub fn status(spec: &dyn Settings, name: &str, seen: Result<Seen>) -> Result<Status> {
    use rc_sv_api::Code::{NotRunning, Timeout};
    match seen {
        Ok(seen) => match seen.monit.service(name) {
            Some(service) => Ok(known(spec, service, seen.pid)),
            None => Ok(alone(spec, format!("monit has no check {name}"))),
        },
        Err(error) if matches!(error.code, NotRunning | Timeout) => Ok(alone(spec, error.message)),
        Err(error) => Err(error),
    }
}

fn known(spec: &dyn Settings, service: &Service, monit: Option<i32>) -> Status {
    // Between two looks monit does not know yet that a process has ended.
    let pid = service
        .pid
        .filter(|pid| is_alive(*pid))
        .or(pid_in_file(spec));
    let state = match (pid, service.pending) {
        (_, pending::STOP) => State::Stopping,
        (Some(_), _) => State::Up,
        (None, pending::START | pending::RESTART) => State::Starting,
        (None, _) if service.is_watched() => State::Backoff,
        (None, _) => State::Down,
    };
    let detail = match (service.is_watched(), service.faults()) {
        (false, _) => "monit does not watch it".to_string(),
        (true, faults) if faults.is_empty() => String::new(),
        (true, faults) => format!("monit: {faults}"),
    };
    Status {
        wanted_up: Some(service.is_watched()),
        healthy: service.is_watched().then_some(service.status == 0),
        pid,
        supervisor_pid: monit.filter(|_| service.is_watched()),
        detail,
        ..Status::of_state(state)
    }
}

/// Nobody watches it.
fn alone(spec: &dyn Settings, detail: String) -> Status {
    let pid = pid_in_file(spec);
    Status {
        pid,
        detail,
        ..Status::of_state(match pid {
            Some(_) => State::Up,
            None => State::Unmanaged,
        })
    }
}

fn pid_in_file(spec: &dyn Settings) -> Option<i32> {
    let path = Path::new(OsStr::from_bytes(spec.text("pidfile")?));
    let mut text = String::new();
    let file = fs::File::open(path).ok()?;
    file.take(32).read_to_string(&mut text).ok()?;
    let pid = text.trim().parse().ok().filter(|pid| *pid > 1)?;
    is_alive(pid).then_some(pid)
}

/// A zombie is not alive.
fn is_alive(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat
        .rsplit_once(") ")
        .and_then(|(_, rest)| rest.chars().next());
    state.is_some_and(|state| !"ZX".contains(state))
}
