//! What is known of a service: what the kernel says of its process, what is recorded of its runs,
//! and monit's word.

use crate::client::service::Service;
use crate::client::Seen;
use rc_sv_api::Code::{NotRunning, Timeout};
use rc_sv_api::{Result, Settings, State, Status};
use rc_sv_exec::clock;
use rc_sv_exec::place::Dir;
use rc_sv_exec::run::{record, record::Phase};
use rc_sv_exec::watched;

/// The status of the service with this directory and these settings, which monit calls `name`.
/// `look` asks monit.
///
/// # Errors
/// The record cannot be read, or monit does not let us ask, or is not understood.
pub fn status(
    directory: Option<&Dir>,
    spec: &dyn Settings,
    name: &str,
    look: impl Fn() -> Result<Seen>,
) -> Result<Status> {
    let Some((directory, record)) = directory.and_then(|directory| {
        let record = record::read(directory).transpose()?;
        Some((directory, record))
    }) else {
        return Ok(Status::of_state(State::Unmanaged));
    };
    let record = record?;
    let status = record.status(clock::boot_ms());
    if record.phase != Phase::Running {
        return Ok(status);
    }
    let pid = watched::running(directory, spec).map(|found| found.instance.pid);
    let word = match look() {
        Err(error) if matches!(error.code, NotRunning | Timeout) => Err(error.message),
        Err(error) => return Err(error),
        Ok(seen) => match seen.monit.service(name) {
            Some(service) if service.is_watched() => Ok((service.clone(), seen)),
            Some(_) => Err("monit does not watch it".to_string()),
            None => Err(format!("monit has no check {name}")),
        },
    };
    let pid = match &word {
        // Where nothing else tells, monit does, which looks seldom.
        Ok((service, _)) if spec.text("pidfile").is_none() => pid.or(service.pid),
        _ => pid,
    };
    let status = Status { pid, ..status };
    Ok(match word {
        Ok((service, seen)) => watched(status, &service, &seen),
        Err(why) => Status {
            state: if pid.is_some() {
                State::Up
            } else {
                // And nobody brings it back.
                State::Down
            },
            detail: why,
            ..status
        },
    })
}

fn watched(status: Status, service: &Service, seen: &Seen) -> Status {
    // Between two looks monit does not know yet that a process has ended.
    let faults = service.faults();
    Status {
        state: match status.pid {
            Some(_) => State::Up,
            None => State::Backoff,
        },
        healthy: Some(service.status == 0),
        supervisor_pid: seen.pid,
        detail: match (status.pid, faults.is_empty()) {
            (None, _) => format!("it ended; monit looks every {} s", seen.monit.poll),
            (Some(_), true) => String::new(),
            (Some(_), false) => format!("monit: {faults}"),
        },
        ..status
    }
}
