//! `rc-sv-logger`: one process between a service and where its output ends, for one stream.
//!
//! What the service writes goes from its pipe into the spool, and from there to the sink. Both
//! belong to whoever started the logger, who starts it again when it ends: whatever the moment at
//! which it is killed, no byte is lost, and none is written to a file or a program twice. A disk
//! that hangs holds up this process, and after it the service, but nobody else.
//!
//! What cannot be delivered waits in the spool. When that is full too, what is oldest is lost,
//! rather than the service held up, and how much it was is said as soon as something can be said.

mod file;
mod onward;
mod open;
pub mod pipe;
pub mod spool;
mod syslog;

use crate::log::render::Moment;
use crate::log::{lines, Sink, Stream, Which};
use crate::place::Dir;
use crate::process;
use crate::spec_file;
use file::LogFile;
use nix::fcntl::{Flock, FlockArg};
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::time::{clock_gettime, ClockId};
use onward::Onward;
use rc_sv_api::{Error, Result};
use spool::Spool;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use syslog::Syslog;

/// Where the logger is given the spool. Its standard input is the pipe of the service, its standard
/// output that of the program to which the output goes on.
pub const SPOOL: i32 = 3;

/// How much waits in the spool at most.
const MOST_WAITING: u64 = 256 << 10;

/// How long a sink that failed is left alone.
const RETRY_MS: u64 = 1_000;

/// What an output ends in.
trait End {
    /// Delivers some of what waits. `false`: nothing can be delivered before more is written.
    /// `is_end`: no more will be.
    fn deliver(&mut self, spool: &mut Spool, is_end: bool, now: Moment) -> io::Result<bool>;

    /// Says this line with what is delivered next.
    fn say(&mut self, words: String);

    /// When there is something to deliver though nothing more is written.
    fn due(&self) -> Option<u64>;
}

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
    let failed = |cause: io::Error| Error::io("take over the spool", &cause);
    let spool = process::given(SPOOL).map_err(failed)?;
    let pipe = process::given(0).map_err(failed)?;
    // That of a supervisor that was killed goes on as long as it can.
    let spool = Flock::lock(std::fs::File::from(spool), FlockArg::LockExclusive)
        .map_err(|(_, errno)| failed(errno.into()))?;
    let spool = Spool::of(spool, stream.buffer);
    let own = Syslog::new(syslog::OWN, &format!("rc-sv-logger: {service}"));
    let end: Box<dyn End> = match stream.sink {
        Sink::File { path, root, owner } => {
            Box::new(LogFile::new(&path, root.as_deref(), &owner, stream.kept)?)
        }
        Sink::Syslog(number) => Box::new(Syslog::limited(number, service.as_str(), &stream.kept)),
        Sink::Program(_) => Box::new(Onward::new(process::given(1).map_err(failed)?)),
        Sink::Nothing => Box::new(Nowhere),
    };
    Logger {
        pipe,
        spool,
        end,
        own,
        is_over: false,
        retry_ms: None,
        lost: 0,
    }
    .work();
    Ok(())
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
}

impl Logger {
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
        let patience = match (is_busy, due) {
            (true, _) => PollTimeout::ZERO,
            (false, None) => PollTimeout::NONE,
            (false, Some(due)) => {
                let left = due.saturating_sub(now.boot_ms) + 1;
                PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)
            }
        };
        let room = MOST_WAITING.saturating_sub(self.spool.waiting());
        // A pipe whose writers have gone is readable for ever.
        let deaf = self.is_over || room == 0;
        let mut fds = [PollFd::new(self.pipe.as_fd(), PollFlags::POLLIN)];
        let fds = if deaf { &mut fds[..0] } else { &mut fds[..] };
        if poll(fds, patience).unwrap_or(0) == 0 {
            return;
        }
        match self.spool.take(&self.pipe, room as usize) {
            Ok(0) => self.is_over = true,
            Ok(_) => {}
            Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => {}
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

/// For an output of which only the last is kept in memory.
struct Nowhere;

impl End for Nowhere {
    fn deliver(&mut self, spool: &mut Spool, _: bool, _: Moment) -> io::Result<bool> {
        let waiting = spool.waiting();
        spool.advance(waiting);
        Ok(waiting > 0)
    }

    fn say(&mut self, _: String) {}

    fn due(&self) -> Option<u64> {
        None
    }
}

fn moment() -> Moment {
    let read = |clock| clock_gettime(clock).map_or((0, 0), |at| (at.tv_sec(), at.tv_nsec()));
    let ((real, real_ns), (boot, boot_ns)) =
        (read(ClockId::CLOCK_REALTIME), read(ClockId::CLOCK_BOOTTIME));
    Moment {
        real_ns: real.saturating_mul(1_000_000_000).saturating_add(real_ns),
        boot_ms: (boot * 1_000 + boot_ns / 1_000_000) as u64,
    }
}
