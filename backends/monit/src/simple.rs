//! A control file from the settings of the service: `rc_monit_type=simple`.

use crate::control_file::render::{render, Found, Watched};
use crate::control_file::Rendered;
use crate::settings::Monit;
use rc_sv_api::{Error, Result, ServiceName, Settings};
use rc_sv_exec::check::Check;
use rc_sv_exec::place::Dir;
use rc_sv_exec::{alert, installed, suite, svcdir};

/// monit's own default, and what is assumed of one that is not there.
const POLL: u32 = 30;

/// The control file of `service`.
///
/// # Errors
/// [`rc_sv_api::Code::Invalid`]: there is nothing by which monit could find its process, or a value
/// holds what monit cannot take.
pub fn control_file(monit: &Monit, spec: &dyn Settings, service: &ServiceName) -> Result<Rendered> {
    let name = service.as_str();
    let tool = suite::find("rc-service").unwrap_or_else(|| "/sbin/rc-service".into());
    // monit ignores a signal, and so would the service.
    let exec = installed::path(installed::EXEC);
    let tool = tool.display().to_string();
    let rc_service = |action: &str| words(&[&exec, "plain", &tool, name, action]);
    let svcdir = svcdir::find(spec.text("svcdir"));
    let directory = Dir::path_of_service(&svcdir, service);
    let poll = match monit.client.look_if_running() {
        Ok(seen) => seen.monit.poll,
        Err(_) => POLL,
    };
    render(&Watched {
        name: name.to_string(),
        found: found(spec)?,
        start: rc_service("start"),
        stop: rc_service("stop"),
        respawn: words(&[&exec, "respawn", &directory.display().to_string()]),
        is_alerted: spec.list(alert::COMMAND).is_some(),
        checks: Check::all(spec)?,
        poll,
    })
}

fn found(spec: &dyn Settings) -> Result<Found> {
    if let Some(path) = spec.text("pidfile") {
        return Ok(Found::Pidfile(path.to_vec()));
    }
    match spec.text("procname") {
        Some(name) => Ok(Found::Matching(expression(name))),
        None => Err(Error::invalid(
            "monit finds a process by its pid file: set pidfile, or procname where there is none",
        )),
    }
}

/// An extended regular expression that matches a command line whose program is called `name`.
fn expression(name: &[u8]) -> Vec<u8> {
    let mut expression = b"^([^ ]*/)?".to_vec();
    for byte in name {
        if b".[]{}()*+?^$|\\".contains(byte) {
            expression.push(b'\\');
        }
        expression.push(*byte);
    }
    expression.extend_from_slice(b"( |$)");
    expression
}

fn words(list: &[&str]) -> Vec<Vec<u8>> {
    list.iter().map(|word| word.as_bytes().to_vec()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_processes_become_expressions_that_mean_just_them() {
        assert_eq!(expression(b"foo"), b"^([^ ]*/)?foo( |$)");
        assert_eq!(expression(b"a.b+"), b"^([^ ]*/)?a\\.b\\+( |$)");
    }
}
