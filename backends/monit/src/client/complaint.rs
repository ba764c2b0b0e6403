//! What is said of a monit that cannot be asked.

use super::http::{Address, Answer};
use super::Client;
use rc_sv_api::{Code, Error};
use std::io;

impl Client {
    /// Where it is.
    pub(super) fn place(&self) -> String {
        match &self.address {
            Address::Unix(path) => path.display().to_string(),
            Address::Tcp(address) => address.to_string(),
        }
    }

    /// An exchange that failed: what that says of monit, and what would be right.
    pub(super) fn failed(&self, cause: &io::Error) -> Error {
        let place = self.place();
        let said = |code, what: String| Error {
            os_errno: cause.raw_os_error().unwrap_or(0),
            ..Error::new(code, what)
        };
        match cause.kind() {
            io::ErrorKind::NotFound => said(
                Code::NotRunning,
                format!(
                    "monit does not run, or its control file lacks `set httpd unixsocket {place}`"
                ),
            ),
            io::ErrorKind::ConnectionRefused => said(
                Code::NotRunning,
                format!("monit does not run: nobody listens at {place}"),
            ),
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => said(
                Code::NotRunning,
                format!("monit closed the connection to {place}"),
            ),
            io::ErrorKind::TimedOut => {
                said(Code::Timeout, format!("monit does not answer at {place}"))
            }
            io::ErrorKind::PermissionDenied => said(
                Code::Permission,
                format!("{place}: only the user of monit may ask"),
            ),
            io::ErrorKind::InvalidData => {
                said(Code::Protocol, format!("{place}: {cause}; is this monit?"))
            }
            _ => Error::io(format_args!("monit at {place}"), cause),
        }
    }

    /// An answer that is none to what was asked.
    pub(super) fn refused(&self, answer: &Answer) -> Error {
        let place = self.place();
        match answer.status {
            401 => Error::new(
                Code::Permission,
                format!(
                    "monit at {place} wants a password: set user and password under [modules.monit] \
                     in rc-sv.toml, or `allow localhost` for a socket in monit's control file"
                ),
            ),
            403 => Error::new(
                Code::Permission,
                format!("monit at {place} lets us only read: drop `read-only` in its control file"),
            ),
            status => Error::new(
                Code::Protocol,
                format!("monit at {place} answered with status {status} of HTTP"),
            ),
        }
    }
}
