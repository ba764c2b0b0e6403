//! `rc-sv-logger`: one process between a service and where its output ends, for one stream.
//!
//! What the service writes goes from its pipe into the spool, and from there to the sink. Both
//! belong to whoever started the logger, who starts it again when it ends: whatever the moment at
//! which it is killed, no byte is lost, and none is written to a file or a program twice. A disk
//! that hangs holds up this process, and after it the service, but nobody else.
//!
//! What cannot be delivered waits in the spool. When that is full too, what is oldest is lost,
//! rather than the service held up, and how much it was is said as soon as something can be said.

mod end;
mod file;
mod onward;
mod open;
pub mod pipe;
mod program;
pub mod spool;
mod syslog;

use crate::clock;
use crate::log::render::Moment;
use crate::log::{lines, Sink, Stream, Which};
use crate::place::Dir;
use crate::process;
use crate::run::{is_ending, Call, Signals, Woken};
use crate::spec_file;
use end::{End, Nowhere};
use file::LogFile;
use nix::fcntl::{Flock, FlockArg};
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use onward::Onward;
use program::Program;
use rc_sv_api::{Error, Result, ServiceName};
use spool::Spool;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;
use syslog::Syslog;

/// Where the logger is given the spool. Its standard input is the pipe of the service, its standard
/// output that of the program to which the output goes on.
pub const SPOOL: i32 = 3;

/// How much waits in the spool at most.
const MOST_WAITING: u64 = 256 << 10;

/// How long a sink that failed is left alone.
const RETRY_MS: u64 = 1_000;

/// Logs the stream `which` of the service that `dir` belongs to, until nobody can write to it any
/// more.
///
/// # Errors
/// It cannot begin.
pub fn run(dir: &Dir, which: Which) -> Result<()> {
    let spec = spec_file::read(dir)?;
    let service = spec.settings().service()?;
    let wanted = |stream: &Stream| stream.which == which;
    let stream = Stream::all(spec.settings())?.into_iter().find(wanted);
    let stream = stream.ok_or_else(|| {
        Error::invalid(format!("{service}: its {} needs no logger", which.name()))
    })?;
    drop(spec);
    let spool = process::given(SPOOL).map_err(failed)?;
    let end: Option<Box<dyn End>> = match stream.sink {
        Sink::Program(_) => Some(Box::new(Onward::new(process::given(1).map_err(failed)?))),
        _ => None,
    };
    Logger::new(&service, stream, spool.into(), end, None)?.work();
    Ok(())
}

/// Logs the service in whose service directory of a suite, `log`, it was called. The pipe of the
/// suite is its standard input, and a logger program is kept up by itself. A signal to end makes it
/// read what there is, and end.
///
/// # Errors
/// It cannot begin.
pub fn run_in_directory(warn: fn(&str)) -> Result<()> {
    let signals = Signals::block()?;
    let call = Call::in_directory(warn)?;
    let spec = spec_file::read(call.dir())?;
    let service = spec.settings().service()?;
    let stream = Stream::only(spec.settings())?;
    let stream =
        stream.ok_or_else(|| Error::invalid(format!("{service}: its output needs no logger")))?;
    let spool = spool::open(call.dir(), stream.which.name())?;
    let end: Option<Box<dyn End>> = match &stream.sink {
        Sink::Program(command) => Some(Box::new(Program::new(spec, command.clone())?)),
        _ => None,
    };
    Logger::new(&service, stream, spool, end, Some(signals))?.work();
    Ok(())
}

fn failed(cause: io::Error) -> Error {
    Error::io("take over the spool", &cause)
}

struct Logger {
    pipe: OwnedFd,
    spool: Spool,
    end: Box<dyn End>,
    /// Where the logger itself says what is wrong.
    own: Syslog,
    /// Nobody can write to the pipe any more.
    is_over: bool,
    /// When the sink, which failed, is tried again.
    retry_ms: Option<u64>,
    /// Lines that could not be kept.
    lost: u64,
    /// There where whoever supervises it ends it by a signal.
    signals: Option<Signals>,
    /// It was told to end.
    is_leaving: bool,
}

impl Logger {
    fn new(
        service: &ServiceName,
        stream: Stream,
        spool: File,
        end: Option<Box<dyn End>>,
        signals: Option<Signals>,
    ) -> Result<Logger> {
        // That of a supervisor that was killed goes on as long as it can.
        let spool = Flock::lock(spool, FlockArg::LockExclusive)
            .map_err(|(_, errno)| failed(errno.into()))?;
        let end = match (end, stream.sink) {
            (Some(end), _) => end,
            (None, Sink::File { path, root, owner }) => {
                Box::new(LogFile::new(&path, root.as_deref(), &owner, stream.kept)?)
            }
            (None, Sink::Syslog(number)) => {
                Box::new(Syslog::limited(number, service.as_str(), &stream.kept))
            }
            (None, Sink::Program(_) | Sink::Nothing) => Box::new(Nowhere),
        };
        let mut spool = Spool::of(spool, stream.buffer);
        spool.catch_up();
        Ok(Logger {
            pipe: process::given(0).map_err(failed)?,
            spool,
            end,
            own: Syslog::new(syslog::OWN, &format!("rc-sv-logger: {service}")),
            is_over: false,
            retry_ms: None,
            lost: 0,
            signals,
            is_leaving: false,
        })
    }

    fn work(mut self) {
        loop {
            let now = moment();
            let went_on = self.deliver(now);
            let is_stuck = self.retry_ms.is_some();
            if is_stuck && (self.is_over || self.spool.waiting() >= MOST_WAITING) {
                let waiting = self.spool.peek(MOST_WAITING as usize);
                self.lost += lines::count(&waiting);
                self.spool.advance(waiting.len() as u64);
            }
            if self.is_over && !went_on {
                break;
            }
            self.listen(went_on, now);
        }
        self.end.end();
        if self.lost > 0 {
            self.own
                .tell(&format!("{} lines lost at the end", self.lost));
        }
    }

    /// Delivers something, where something can be delivered.
    fn deliver(&mut self, now: Moment) -> bool {
        if self.retry_ms.is_some_and(|at| now.boot_ms < at) {
            return false;
        }
        if self.spool.waiting() == 0 && self.end.due().is_none_or(|due| now.boot_ms < due) {
            return false;
        }
        if self.lost > 0 {
            self.end.say(format!("{} lines lost", self.lost));
        }
        match self.end.deliver(&mut self.spool, self.is_over, now) {
            Ok(went_on) => {
                self.retry_ms = None;
                self.lost = 0;
                went_on
            }
            Err(cause) => {
                if self.retry_ms.is_none() {
                    self.own.tell(&cause.to_string());
                }
                self.retry_ms = Some(now.boot_ms + RETRY_MS);
                false
            }
        }
    }

    /// Waits for the service, as long as there is nothing to deliver, and takes what it wrote.
    fn listen(&mut self, is_busy: bool, now: Moment) {
        let due = self.retry_ms.or_else(|| self.end.due());
        let patience = match due {
            // What is still in the pipe is all that is waited for.
            _ if is_busy || (self.is_leaving && !self.is_over) => Some(Duration::ZERO),
            None => None,
            Some(due) => Some(Duration::from_millis(due.saturating_sub(now.boot_ms) + 1)),
        };
        let room = MOST_WAITING.saturating_sub(self.spool.waiting());
        // A pipe whose writers have gone is readable for ever.
        let is_deaf = self.is_over || room == 0;
        self.wait(is_deaf, patience);
        if is_deaf {
            return;
        }
        match self.spool.take(&self.pipe, room as usize) {
            Ok(0) => self.is_over = true,
            Ok(_) => {}
            Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => {
                self.is_over = self.is_leaving;
            }
            // There is no memory for the spool: the service is not to be held up for that.
            Err(cause) => {
                let mut bytes = [0; 4096];
                let length = nix::unistd::read(&self.pipe, &mut bytes).unwrap_or(0);
                if self.lost == 0 {
                    self.own.tell(&format!("cannot keep the output: {cause}"));
                }
                self.lost += lines::count(&bytes[..length]);
                self.is_over |= length == 0;
            }
        }
    }
}

impl Logger {
    /// Waits until there may be something to do.
    fn wait(&mut self, is_deaf: bool, patience: Option<Duration>) {
        let mut fds = self.end.waits();
        if !is_deaf {
            fds.push((self.pipe.as_fd(), PollFlags::POLLIN));
        }
        let Some(signals) = &self.signals else {
            let mut fds: Vec<PollFd<'_>> = fds
                .into_iter()
                .map(|(fd, what)| PollFd::new(fd, what))
                .collect();
            let patience = patience.map(|it| PollTimeout::try_from(it).unwrap_or(PollTimeout::MAX));
            // What it says does not matter: whoever is asked next never waits.
            let _ = poll(&mut fds, patience.unwrap_or(PollTimeout::NONE));
            return;
        };
        if let Ok(Woken::Signal(number)) = signals.wait_any(&fds, patience) {
            self.is_leaving |= is_ending(number);
        }
    }
}

fn moment() -> Moment {
    Moment {
        real_ns: clock::real_ns(),
        boot_ms: clock::boot_ms(),
    }
}
