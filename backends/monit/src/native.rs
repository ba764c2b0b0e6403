//! A check that the administrator's own configuration of monit has: `rc_monit_type=native`. It is
//! switched on and off, and nothing else.

use crate::attach;
use crate::client::service::{PROCESS, PROGRAM};
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
/// does nothing.
///
/// # Errors
/// With the remedy.
pub fn check(monit: &Monit, name: &str, deadline: Instant) -> Result<()> {
    let seen = monit.client.look(deadline)?;
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
    match monit.client.start_program(name, deadline)? {
        Some(program) if loops_back(&program) => Err(Error::invalid(format!(
            "monit's check {name} has the start program {program:?}: OpenRC takes a service that \
             has crashed for started, and does nothing; use rc_monit_type=simple, or let it start \
             the daemon itself"
        ))),
        _ => Ok(()),
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

/// Whether a start program is OpenRC's start of a service. A restart goes through, at its price.
fn loops_back(program: &str) -> bool {
    let words: Vec<&str> = program
        .split_whitespace()
        .map(|word| word.trim_matches(|byte| byte == '\'' || byte == '"'))
        .collect();
    let ours = |word: &&str| {
        ["rc-service", "service", "openrc-run"]
            .iter()
            .any(|tool| word.rsplit('/').next() == Some(tool))
            || word.starts_with("/etc/init.d/")
    };
    words.iter().any(ours) && words.last() == Some(&"start")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_programs_that_come_back_to_openrc_are_known() {
        for bad in [
            "/etc/init.d/foo start",
            "/sbin/rc-service foo start",
            "'/usr/sbin/service' 'foo' 'start'",
        ] {
            assert!(loops_back(bad), "{bad}");
        }
        for good in ["/usr/bin/foo -d", "/etc/init.d/foo restart", "/bin/start"] {
            assert!(!loops_back(good), "{good}");
        }
    }
}
