//! Asking monit, over its own HTTP interface and never through its program.
//!
//! What is asked is done later, and is lost when monit reads its control file in between: whoever
//! asks looks whether it was done, and asks again.

pub mod answer;
pub mod http;

use answer::Monit;
use base64::Engine as _;
use http::{exchange, Address, Answer};
use nix::errno::Errno;
use nix::poll::PollTimeout;
use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;
use rc_sv_api::{Code, Error, Result};
use std::fmt;
use std::io;
use std::time::{Duration, Instant};

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

/// monit reads its control file within a second or so.
const RELOAD: Duration = Duration::from_secs(3);

/// Between two attempts to connect while monit reads its control file. Nothing can be waited for:
/// its socket is taken away and made again, and connecting is what makes its server notice that it
/// has to end (11 ms instead of half a second).
const KNOCK: Duration = Duration::from_millis(5);

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

    /// The same, and a monit that reads its control file at the moment is waited for: its socket is
    /// not there then.
    ///
    /// # Errors
    /// As [`Client::look`].
    pub fn look_if_running(&self) -> Result<Seen> {
        match self.look(Instant::now() + ANSWER) {
            Err(error) if error.code == Code::NotRunning && is_running() => {
                self.look_through_reload(Instant::now() + RELOAD)
            }
            seen => seen,
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
        let request = format!(
            "POST /{} HTTP/1.0\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Cookie: securitytoken={TOKEN}\r\nContent-Length: {}\r\n{}\r\n{body}",
            in_path(service),
            body.len(),
            self.headers(),
        );
        let answer = self.ask(&request, deadline)?;
        match answer.status {
            200 | 302 => Ok(()),
            400 | 404 => Err(Error::new(
                Code::NotFound,
                format!("monit knows no service {service} ({})", self.place()),
            )),
            _ => Err(self.refused(&answer)),
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
        Ok(answer::start_program(&String::from_utf8_lossy(
            &answer.body,
        )))
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

    fn ask(&self, request: &str, deadline: Instant) -> Result<Answer> {
        exchange(&self.address, request.as_bytes(), deadline).map_err(|cause| self.failed(&cause))
    }

    fn headers(&self) -> String {
        match &self.authorization {
            Some(value) => format!("Authorization: {value}\r\n"),
            None => String::new(),
        }
    }

    /// Where, for messages.
    fn place(&self) -> String {
        match &self.address {
            Address::Unix(path) => path.display().to_string(),
            Address::Tcp(address) => address.to_string(),
        }
    }

    fn failed(&self, cause: &io::Error) -> Error {
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

    fn refused(&self, answer: &Answer) -> Error {
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

/// Waits as long as it takes monit to get on: nothing tells when it has.
pub fn pause() {
    let pause = PollTimeout::try_from(KNOCK).unwrap_or(PollTimeout::ZERO);
    // Interrupted or not: it is only a pause.
    let _ = nix::poll::poll(&mut [], pause);
}

/// Whether there is a process called monit, whichever that is.
fn is_running() -> bool {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut names = processes.filter_map(|entry| std::fs::read(entry.path().join("comm")).ok());
    names.any(|name| name == b"monit\n")
}

fn send(pid: i32, signal: Signal) -> Result<()> {
    match kill(Pid::from_raw(pid), signal) {
        Ok(()) => Ok(()),
        Err(Errno::ESRCH) => Err(Error::new(
            Code::NotRunning,
            format!("monit (pid {pid}) is gone"),
        )),
        Err(errno) => Err(Error::io(
            format_args!("cannot signal monit (pid {pid})"),
            &errno.into(),
        )),
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
        let error = client.look(Instant::now() + KNOCK).unwrap_err();
        assert_eq!(error.code, Code::NotRunning);
        assert_eq!(
            error.message,
            "monit does not run, or its control file lacks \
             `set httpd unixsocket /nonexistent/monit.sock`"
        );
    }
}
