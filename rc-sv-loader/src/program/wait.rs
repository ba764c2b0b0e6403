//! `rc-sv-loader wait`. Its exit codes are those of s6-svwait.

use super::command::Goal;
use super::{complain, OK};
use rc_sv_api::{Code, Request, ServiceName, State};
use rc_sv_loader::{Failure, Services};
use std::time::Duration;

/// The time is over.
const TIMED_OUT: u8 = 99;
/// It cannot come to that any more.
const IN_VAIN: u8 = 102;

/// Waits for at most `timeout`; the exit code.
///
/// # Errors
/// The service cannot be asked.
pub fn run(
    services: &Services,
    service: &ServiceName,
    goal: Goal,
    timeout: Duration,
) -> Result<u8, Failure> {
    let request = Request {
        want_state: match goal {
            Goal::Up => State::Up,
            Goal::Down => State::Down,
        },
        timeout: Some(timeout),
        ..Request::default()
    };
    let Err(failure) = services.wait(service, &request) else {
        return Ok(OK);
    };
    let code = match failure.error.code {
        Code::Timeout => TIMED_OUT,
        Code::Failed => IN_VAIN,
        _ => return Err(failure),
    };
    complain(Some(service), &failure);
    Ok(code)
}
