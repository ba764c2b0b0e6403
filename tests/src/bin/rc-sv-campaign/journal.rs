//! What guardian and supervisor tell the system log: why something became of a service.

use std::collections::VecDeque;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;

use crate::Result;

const PLACE: &str = "/dev/log";

/// So many of the last lines are kept.
const KEPT: usize = 20_000;

/// So many are shown.
const SHOWN: usize = 40;

/// The end of the system log.
pub struct Journal {
    socket: UnixDatagram,
    lines: VecDeque<String>,
}

impl Journal {
    /// Listens where the log daemon would.
    pub fn open() -> Result<Journal> {
        let failed = |error: std::io::Error| format!("{PLACE}: {error}");
        match fs::remove_file(PLACE) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let socket = UnixDatagram::bind(PLACE).map_err(failed)?;
        socket.set_nonblocking(true).map_err(failed)?;
        let lines = VecDeque::new();
        Ok(Journal { socket, lines })
    }

    /// Takes in what was told, often enough that the queue of the socket holds it.
    pub fn read(&mut self) {
        let mut line = [0; 2048];
        while let Ok(length) = self.socket.recv(&mut line) {
            if self.lines.len() == KEPT {
                self.lines.pop_front();
            }
            let line = String::from_utf8_lossy(&line[..length]);
            self.lines.push_back(line.into_owned());
        }
    }

    /// The last lines about a service, or about none.
    pub fn about(&mut self, service: &str) -> Vec<&str> {
        self.read();
        let start = format!(": {service}: ");
        let of_both = [": the ", "upgrade to"];
        let is_shown =
            |line: &&str| line.contains(&start) || of_both.iter().any(|own| line.contains(own));
        let lines = self.lines.iter().map(String::as_str).filter(is_shown);
        let all: Vec<&str> = lines.collect();
        all[all.len().saturating_sub(SHOWN)..].to_vec()
    }
}
