//! A program to which an output goes on, kept up by the logger itself. The pipe to it stays when it
//! ends, with what it has not read.

use super::end::End;
use super::spool::Spool;
use crate::launch::{Launch, Running};
use crate::log::render::Moment;
use nix::fcntl::{OFlag, SpliceFFlags};
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::unistd::pipe2;
use rc_sv_api::{Error, Result, Spec};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

/// One that lived for so long has not failed.
const HEALTHY_MS: u64 = 1_000;

/// How long it may take for what it is given at the end, and then to end itself; in milliseconds.
const LAST_WORDS: u16 = 5_000;

/// The program, and the pipe to it.
pub(super) struct Program {
    spec: Spec,
    command: Vec<u8>,
    read: Arc<OwnedFd>,
    write: Option<OwnedFd>,
    /// It, and since when.
    running: Option<(Running, u64)>,
    is_full: bool,
}

impl Program {
    pub(super) fn new(spec: Spec, command: Vec<u8>) -> Result<Program> {
        let (read, write) = pipe2(OFlag::O_CLOEXEC)
            .map_err(|errno| Error::io("make a pipe for a logger", &errno.into()))?;
        Ok(Program {
            spec,
            command,
            read: Arc::new(read),
            write: Some(write),
            running: None,
            is_full: false,
        })
    }

    /// Begins it where it does not run. One that ended at once is not begun again at once.
    fn keep_up(&mut self, now_ms: u64) -> io::Result<()> {
        if let Some((running, since_ms)) = &self.running {
            let Some(ended) = running.end() else {
                return Ok(());
            };
            let is_healthy = now_ms.saturating_sub(*since_ms) >= HEALTHY_MS;
            self.running = None;
            if !is_healthy {
                let why = ended.map_or_else(|error| error.message, |exit| exit.to_string());
                return Err(io::Error::other(format!("logger program: {why}")));
            }
        }
        let begun = Launch::for_log_program(self.spec.settings(), &self.command);
        let begun = begun.and_then(|mut launch| {
            launch.share(Arc::clone(&self.read), 0);
            Running::begin(launch)
        });
        let running = begun.map_err(|error| io::Error::other(error.message))?;
        self.running = Some((running, now_ms));
        Ok(())
    }

    /// Waits until it has read something, has ended, or takes too long. `false`: the last.
    fn wait(&self) -> bool {
        let waits = self.waits();
        let mut fds: Vec<PollFd<'_>> = waits
            .iter()
            .map(|(fd, what)| PollFd::new(*fd, *what))
            .collect();
        poll(&mut fds, LAST_WORDS).is_ok_and(|count| count > 0)
    }
}

impl End for Program {
    fn deliver(&mut self, spool: &mut Spool, is_end: bool, now: Moment) -> io::Result<bool> {
        self.keep_up(now.boot_ms)?;
        let Some(write) = self.write.as_ref().filter(|_| spool.waiting() > 0) else {
            return Ok(false);
        };
        let given = spool.give(write, SpliceFFlags::SPLICE_F_NONBLOCK);
        self.is_full = matches!(&given, Err(cause) if cause.kind() == io::ErrorKind::WouldBlock);
        match (self.is_full, is_end) {
            (false, _) => Ok(given? > 0),
            (true, false) => Ok(false),
            (true, true) if self.wait() => Ok(true),
            (true, true) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    /// What a program gets is the output as it was written.
    fn say(&mut self, _: String) {}

    fn due(&self) -> Option<u64> {
        let is_over = |(running, _): &(Running, u64)| {
            let mut fds = [PollFd::new(running.as_fd(), PollFlags::POLLIN)];
            poll(&mut fds, PollTimeout::ZERO) == Ok(1)
        };
        self.running.as_ref().is_none_or(is_over).then_some(0)
    }

    fn waits(&self) -> Vec<(BorrowedFd<'_>, PollFlags)> {
        let running = self.running.iter();
        let running = running.map(|(running, _)| (running.as_fd(), PollFlags::POLLIN));
        let room = self.write.iter().filter(|_| self.is_full);
        let room = room.map(|write| (write.as_fd(), PollFlags::POLLOUT));
        running.chain(room).collect()
    }

    /// It reads what it was given, and the end of that.
    fn end(&mut self) {
        (self.write, self.is_full) = (None, false);
        if self.running.is_some() && !self.wait() {
            if let Some((running, _)) = &self.running {
                running.kill();
            }
        }
    }
}
