//! A check that the administrator's own configuration of monit has: `rc_monit_type=native`. It is
//! switched on and off, and nothing else.

use crate::attach;
use crate::client::service::{PROCESS, PROGRAM};
use crate::client::BUSY;
use crate::control_file::start::loops_back;
use crate::settings::Monit;
use rc_sv_api::{Code, Error, Result, ServiceName, Settings};
use std::time::Instant;

/// What monit calls the service: `rc_monit_service`, or as OpenRC does.
pub fn name<'a>(spec: &'a dyn Settings, service: &'a ServiceName) -> &'a str {
    spec.text("rc_monit_service")
        .and_then(|name| std::str::from_utf8(name).ok())
        .unwrap_or(service.as_str())
}

/// Refuses a check that could not do its work: one that is not there, is about something else than
/// a process, or whose start program comes back to OpenRC, which takes the service for started and
/// does nothing. Answers why monit cannot be asked now; it watches by its own configuration when it
/// comes.
///
/// # Errors
/// With the remedy.
pub fn check(monit: &Monit, name: &str) -> Result<Option<String>> {
    let seen = match monit.client.look_if_running() {
        Err(error) if matches!(error.code, Code::NotRunning | Code::Timeout) => {
            return Ok(Some(error.message));
        }
        seen => seen?,
    };
    let main = &seen.monit.control_file;
    let service = seen.monit.service(name).ok_or_else(|| {
        Error::new(
            Code::NotFound,
            format!("monit has no check {name}; its control file is {main}"),
        )
    })?;
    if service.kind != PROCESS && service.kind != PROGRAM {
        return Err(Error::invalid(format!(
            "monit's check {name} is about no process or program"
        )));
    }
    match monit.client.start_program(name, Instant::now() + BUSY)? {
        Some(program) if loops_back(&program) => Err(Error::invalid(format!(
            "monit's check {name} has the start program {program:?}: OpenRC takes a service that \
             has crashed for started, and does nothing; use rc_monit_type=simple, or let it start \
             the daemon itself"
        ))),
        _ => Ok(None),
    }
}

/// Has monit watch the check `name` no more. Who is not there does not watch, and comes back as its
/// own configuration says.
///
/// # Errors
/// monit still watches it.
pub fn let_go(monit: &Monit, name: &str, deadline: Instant) -> Result<()> {
    match attach::unwatch(monit, name, deadline) {
        Err(error) if matches!(error.code, Code::NotRunning | Code::NotFound) => Ok(()),
        unwatched => unwatched,
    }
}
