//! Health checks that monit makes itself, and how often it makes them.

use super::quote;
use rc_sv_api::{Error, Result};
use rc_sv_exec::check::{Check, Rules, Target};
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

/// monit's limit of `for N cycles`.
const CYCLES_MAX: u32 = 64;

/// The condition of a check that monit makes itself.
pub fn test(check: &Check) -> Result<Option<String>> {
    let to = |address: &SocketAddr| {
        let host = quote::word(
            "the host of a health check",
            address.ip().to_string().as_bytes(),
        )?;
        Ok::<String, Error>(format!("failed host {host} port {}", address.port()))
    };
    let test = match &check.target {
        Target::Exec(_) => return Ok(None),
        Target::Hook => {
            return Err(Error::invalid(
                "healthcheck_timer: monit does not call healthcheck(); use rc_supervise_health",
            ))
        }
        Target::Memory(bytes) => {
            let kilobytes = (bytes / 1024).max(1);
            return Ok(Some(format!("total memory > {kilobytes} KB")));
        }
        Target::Tcp(address) => format!("{} type tcp", to(address)?),
        Target::Unix(path) => {
            let path = path.as_os_str().as_bytes();
            format!(
                "failed unixsocket {}",
                quote::word("the socket of a health check", path)?
            )
        }
        Target::Http(http) => {
            let path = quote::word("the path of a health check", http.path.as_bytes())?;
            let host = quote::word("the host of a health check", http.host.as_bytes())?;
            format!(
                "{} protocol http request {path} hostheader {host}",
                to(&http.address)?
            )
        }
    };
    let timeout = seconds(check.rules.timeout);
    Ok(Some(format!("{test} with timeout {timeout} seconds")))
}

/// monit tries at each look: a service that must fail three times, ten seconds apart, has failed at
/// all looks of that time.
pub fn cycles(rules: &Rules, poll: u32) -> String {
    times(rules, looks(rules, poll))
}

pub fn times(rules: &Rules, looks: u32) -> String {
    let failures = rules.failures.max(1).saturating_mul(looks).min(CYCLES_MAX);
    match rules.within {
        0 => format!("for {failures} cycles"),
        within => {
            let within = within.saturating_mul(looks).clamp(failures, CYCLES_MAX);
            format!("for {failures} times within {within} cycles")
        }
    }
}

/// How many looks of monit are between two tries.
pub fn looks(rules: &Rules, poll: u32) -> u32 {
    seconds(rules.interval).div_ceil(poll.max(1)).max(1)
}

/// monit counts in whole seconds.
pub fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_millis().div_ceil(1000))
        .unwrap_or(u32::MAX)
        .max(1)
}
