//! What people want meanwhile: commands of rc-sv-loader, which are not waited for.

use std::fs::File;
use std::io::{Read, Seek};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Result;

/// Longer than the longest ladder and a start together.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Start,
    Stop,
    Restart,
    /// Another supervisor is to take the place of the one that runs, whatever the service.
    Upgrade,
}

/// A command that runs.
pub struct Order {
    pub service: usize,
    pub what: What,
    child: Child,
    said: File,
    until: Instant,
}

/// How it ended.
pub enum Done {
    Well,
    /// With this line.
    Badly(String),
    /// It was killed because it took too long.
    Hung,
}

impl Order {
    /// Begins `command`; `None` where the system has no room for one more process.
    pub fn begin(service: usize, what: What, mut command: Command, said: File) -> Option<Order> {
        let stderr = said.try_clone().ok()?;
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.stderr(stderr).spawn().ok()?;
        Some(Order {
            service,
            what,
            child,
            said,
            until: Instant::now() + PATIENCE,
        })
    }

    /// How it has ended, if it has.
    pub fn look(&mut self) -> Result<Option<Done>> {
        let ended = self
            .child
            .try_wait()
            .map_err(|error| format!("wait: {error}"))?;
        let Some(status) = ended else {
            if Instant::now() < self.until {
                return Ok(None);
            }
            let _ = self.child.kill().and_then(|()| self.child.wait());
            return Ok(Some(Done::Hung));
        };
        if status.success() {
            return Ok(Some(Done::Well));
        }
        let mut text = String::new();
        let read = self
            .said
            .rewind()
            .and_then(|()| self.said.read_to_string(&mut text));
        read.map_err(|error| format!("what a command said: {error}"))?;
        let line = text.lines().last().unwrap_or("nothing").to_string();
        Ok(Some(Done::Badly(line)))
    }
}
