//! Another version of the program in place of this one, while everything goes on.
//!
//! The guardian executes the new program first, as itself (`handover`). When that works, it tells the
//! supervisor to step aside, and makes a new one. When it does not, nothing has happened yet; and a
//! new guardian that dies is succeeded by the old supervisor.

use super::log::Level;
use super::reactor::Token;
use super::{sys, Supervisor};
use crate::client::connection::Connection;
use crate::protocol::{Reply, Request};
use crate::wire;
use rc_sv_api::{Code, Error, Result};
use std::fs;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

/// What the guardian tells a supervisor that is to make room; anything else is why not.
pub(super) const STEP_ASIDE: &[u8] = b"+";

/// How a supervisor ends that makes room.
pub(super) const STEPPED_ASIDE: i32 = 4;

/// How long the whole may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Has this program, at its own path, take the place of the guardian and the supervisor of
/// `svcdir`. When this returns, it has. Answers the pid of the supervisor.
///
/// # Errors
/// Why it has not; then the old ones go on.
pub fn upgrade(svcdir: &Path) -> Result<i32> {
    let deadline = Instant::now() + PATIENCE;
    let own = fs::read_link("/proc/self/exe");
    let own = own.map_err(|cause| Error::io("find this program", &cause))?;
    let connect = || -> Result<Connection> {
        let left = deadline.saturating_duration_since(Instant::now());
        Connection::open(svcdir, left)?
            .ok_or_else(|| Error::new(Code::NotRunning, "the supervisor does not run"))
    };
    let path = own.to_str().filter(|path| path.len() <= MOST);
    let path = path.ok_or_else(|| Error::invalid("the path of this program is too long"))?;
    match connect()?.ask(&Request::Upgrade(path.to_string()), deadline) {
        Err(error) if error.code == Code::NotRunning => {}
        Err(error) => return Err(error),
        Ok(_) => return Err(Error::new(Code::Protocol, "an answer to something else")),
    }
    let pid = match connect()?.ask(&Request::Ping, deadline)? {
        Reply::Here(pid, _) => pid,
        _ => return Err(Error::new(Code::Protocol, "an answer to something else")),
    };
    let guardian = fs::read_to_string(wire::directory(svcdir).join(wire::PID)).unwrap_or_default();
    match fs::read_link(format!("/proc/{}/exe", guardian.trim())) {
        Ok(running) if running == own => Ok(pid),
        _ => Err(Error::new(
            Code::Failed,
            "the new program did not stay: the old one goes on",
        )),
    }
}

/// The longest path, in bytes.
pub(crate) const MOST: usize = 200;

impl Supervisor {
    /// Somebody wants another program in place of this one.
    pub(super) fn ask_to_upgrade(&mut self, token: Token, id: u64, program: &str) {
        let line = format!("upgrade to {program}");
        self.log.line(Level::Notice, &line);
        self.upgraders.push((token, id));
        self.keeper.ask_to_upgrade(program);
    }

    /// Takes in what the guardian says.
    pub(super) fn guardian_said(&mut self) {
        let mut packet = [0; 512];
        match sys::receive(self.keeper.as_fd(), &mut packet) {
            Ok((length, _)) if &packet[..length] == STEP_ASIDE => self.step_aside(),
            Ok((length @ 1.., _)) => {
                let why = String::from_utf8_lossy(&packet[..length.min(packet.len())]);
                let error = Error::new(Code::Failed, why);
                self.log.line(Level::Error, &error.message);
                for (token, id) in std::mem::take(&mut self.upgraders) {
                    let refused = Reply::Refused(error.clone());
                    self.clients.reply(token, id, &refused, None, &self.reactor);
                }
            }
            Err(cause) if cause.kind() == std::io::ErrorKind::WouldBlock => {}
            // It is dead, which is seen elsewhere.
            Ok(_) | Err(_) => self.reactor.remove(&self.keeper),
        }
    }

    /// Ends without touching anything: the next one goes on.
    fn step_aside(&mut self) {
        self.settle_all();
        sys::leave(STEPPED_ASIDE);
    }
}
