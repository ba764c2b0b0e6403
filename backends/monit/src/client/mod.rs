//! Asking monit, over its own HTTP interface and never through its program.
//!
//! What is asked is done later, and is lost when monit reads its control file in between: whoever
//! asks looks whether it was done, and asks again.

pub mod answer;
mod complaint;
pub mod http;
mod page;
mod process;
pub mod service;

use answer::Monit;
use base64::Engine as _;
use http::{exchange, Address, Answer};
use nix::sys::signal::Signal;
use process::{is_at_work, is_running, send};
use rc_sv_api::{Code, Error, Result};
use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

#[cfg(fuzzing)]
pub use page::start_program as fuzzed_page;
pub use process::pause;

/// The way to one monit.
#[derive(Clone, Debug)]
pub struct Client {
    address: Address,
    /// The value of `Authorization:`, where monit wants one.
    authorization: Option<String>,
}

/// What can be asked of monit for one service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// To watch it.
    Monitor,
    /// To watch it no more.
    Unmonitor,
}

impl fmt::Display for Action {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Action::Monitor => "monitor",
            Action::Unmonitor => "unmonitor",
        })
    }
}

/// A monit that answered.
#[derive(Clone, Debug)]
pub struct Seen {
    /// What it says.
    pub monit: Monit,
    /// Its process, where the kernel tells.
    pub pid: Option<i32>,
}

/// monit answers within a millisecond; one that hangs is not waited for.
pub const ANSWER: Duration = Duration::from_secs(1);

/// One that is at work is waited for where much depends upon its answer: what is not told it now, it
/// hears of at its next reload, whenever that is.
pub const BUSY: Duration = Duration::from_secs(5);

/// monit reads its control file within a second or so, where the machine does little else.
const RELOAD: Duration = Duration::from_secs(10);

/// monit wants the same token twice, and takes any.
const TOKEN: &str = "rc-sv";

impl Client {
    /// The way to the monit at `address`; `credentials` are `user:password`.
    pub fn new(address: Address, credentials: Option<&str>) -> Client {
        let basic = |text| base64::engine::general_purpose::STANDARD.encode(text);
        Client {
            address,
            authorization: credentials.map(|text| format!("Basic {}", basic(text))),
        }
    }

    /// Its socket, where it is not asked over TCP.
    pub fn socket(&self) -> Option<&Path> {
        match &self.address {
            Address::Unix(path) => Some(path),
            Address::Tcp(_) => None,
        }
    }

    /// Whether it is told who asks.
    pub fn has_credentials(&self) -> bool {
        self.authorization.is_some()
    }

    /// What monit says of itself and of all services.
    ///
    /// # Errors
    /// [`Code::NotRunning`]: nobody is there; [`Code::Timeout`]: somebody is and does not answer;
    /// [`Code::Permission`]: he wants to know who asks.
    pub fn look(&self, deadline: Instant) -> Result<Seen> {
        let request = format!(
            "GET /_status2?format=xml HTTP/1.0\r\n{}\r\n",
            self.headers()
        );
        let answer = self.ask(&request, deadline)?;
        if answer.status != 200 {
            return Err(self.refused(&answer));
        }
        let monit = Monit::parse(&answer.body)
            .map_err(|what| Error::new(Code::Protocol, format!("{what} ({})", self.place())))?;
        Ok(Seen {
            monit,
            pid: answer.pid,
        })
    }

    /// The same of a monit that may be busy, but not of one that hangs. One that reads its control
    /// file at the moment is waited for too: its socket is not there then.
    ///
    /// # Errors
    /// As [`Client::look`].
    pub fn look_if_running(&self) -> Result<Seen> {
        let end = Instant::now() + BUSY;
        loop {
            match self.look(Instant::now() + ANSWER) {
                Err(error) if error.code == Code::NotRunning && is_running() => {
                    return self.look_through_reload(Instant::now() + RELOAD);
                }
                Err(error) if error.code == Code::Timeout && is_at_work() => {
                    if Instant::now() >= end {
                        return Err(error);
                    }
                }
                seen => return seen,
            }
        }
    }

    /// The same while monit may be reading its control file: nobody being there is no error before
    /// `deadline`.
    ///
    /// # Errors
    /// As [`Client::look`].
    pub fn look_through_reload(&self, deadline: Instant) -> Result<Seen> {
        loop {
            match self.look(deadline) {
                Err(error) if error.code == Code::NotRunning && Instant::now() < deadline => {
                    pause();
                }
                seen => return seen,
            }
        }
    }

    /// Asks monit to do `action` for `service`. That it was asked does not mean that it is done.
    ///
    /// # Errors
    /// As [`Client::look`]; [`Code::NotFound`] when monit does not know the service.
    pub fn act(&self, service: &str, action: Action, deadline: Instant) -> Result<()> {
        let body = format!("action={action}&securitytoken={TOKEN}");
        // This path compares names exactly; `/_doaction` takes them for expressions.
        let answer = self.post(&in_path(service), &body, deadline)?;
        match answer.status {
            200 | 302 => Ok(()),
            400 | 404 => Err(Error::new(
                Code::NotFound,
                format!("monit knows no service {service} ({})", self.place()),
            )),
            _ => Err(self.refused(&answer)),
        }
    }

    /// Whether monit would do what it is asked: it is asked for something that there is not.
    ///
    /// # Errors
    /// As [`Client::look`]; [`Code::Permission`]: it lets us only read.
    pub fn try_to_act(&self, deadline: Instant) -> Result<()> {
        let body = format!("service=rc-sv&action=nothing&securitytoken={TOKEN}");
        let answer = self.post("_doaction", &body, deadline)?;
        match answer.status {
            401 | 403 => Err(self.refused(&answer)),
            _ => Ok(()),
        }
    }

    /// The start program of `service`, which monit shows only on its page for people.
    ///
    /// # Errors
    /// As [`Client::look`].
    pub fn start_program(&self, service: &str, deadline: Instant) -> Result<Option<String>> {
        let path = in_path(service);
        let request = format!("GET /{path} HTTP/1.0\r\n{}\r\n", self.headers());
        let answer = self.ask(&request, deadline)?;
        if answer.status != 200 {
            return Err(self.refused(&answer));
        }
        Ok(page::start_program(&String::from_utf8_lossy(&answer.body)))
    }

    /// Makes monit read its control file, and looks until `is_done` says that it did.
    ///
    /// # Errors
    /// As [`Client::look`]; [`Code::Timeout`] with `what` did not come. A monit that is gone
    /// afterwards has ended over what it read ([`Code::NotRunning`]).
    pub fn reload(
        &self,
        pid: i32,
        what: &str,
        is_done: impl Fn(&Seen) -> bool,
        deadline: Instant,
    ) -> Result<Seen> {
        send(pid, Signal::SIGHUP)?;
        loop {
            let seen = self.look_through_reload(deadline)?;
            if is_done(&seen) {
                return Ok(seen);
            }
            if Instant::now() >= deadline {
                let message = format!("monit (pid {pid}) was told to reload, but {what}");
                return Err(Error::new(Code::Timeout, message));
            }
            pause();
        }
    }

    /// Makes monit look at its services now. Only a hint: 5.34 takes it for one when nothing else
    /// is to be done.
    ///
    /// # Errors
    /// It cannot be signalled.
    pub fn poke(&self, pid: i32) -> Result<()> {
        send(pid, Signal::SIGUSR1)
    }

    fn post(&self, path: &str, body: &str, deadline: Instant) -> Result<Answer> {
        let request = format!(
            "POST /{path} HTTP/1.0\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Cookie: securitytoken={TOKEN}\r\nContent-Length: {}\r\n{}\r\n{body}",
            body.len(),
            self.headers(),
        );
        self.ask(&request, deadline)
    }

    fn ask(&self, request: &str, deadline: Instant) -> Result<Answer> {
        exchange(&self.address, request.as_bytes(), deadline).map_err(|cause| self.failed(&cause))
    }

    fn headers(&self) -> String {
        match &self.authorization {
            Some(value) => format!("Authorization: {value}\r\n"),
            None => String::new(),
        }
    }
}

/// A name in the path of a request. monit cuts at a `/`.
fn in_path(name: &str) -> String {
    let mut path = String::new();
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-' => {
                path.push(char::from(byte));
            }
            _ => path.push_str(&format!("%{byte:02X}")),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_paths_keep_to_plain_characters() {
        assert_eq!(in_path("net.eth0-x_1"), "net.eth0-x_1");
        assert_eq!(in_path("a b/c+%"), "a%20b%2Fc%2B%25");
    }

    #[test]
    fn nobody_there_says_what_to_do() {
        let address = Address::Unix("/nonexistent/monit.sock".into());
        let client = Client::new(address, None);
        let error = client.look(Instant::now() + ANSWER).unwrap_err();
        assert_eq!(error.code, Code::NotRunning);
        assert_eq!(
            error.message,
            "monit does not run, or its control file lacks \
             `set httpd unixsocket /nonexistent/monit.sock`"
        );
    }
}
