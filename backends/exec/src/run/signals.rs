//! The signals of `rc-sv-exec`, and waiting for one.

use crate::clock;
use nix::errno::Errno;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rc_sv_api::ladder::Ladder;
use rc_sv_api::{signal, Error, Result};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

/// All signals of this process, which has one thread: they wait until they are asked for.
pub struct Signals {
    fd: SignalFd,
}

/// What ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Woken {
    /// What was waited for.
    Ready,
    /// A signal.
    Signal(i32),
    /// The time is over.
    Late,
}

/// The signals that end a process which only waits, besides those of its stop ladder.
const ENDING: [i32; 3] = [signal::TERM, signal::INT, libc::SIGQUIT];

impl Signals {
    /// Blocks all signals of this thread. A program that it executes has them unblocked again.
    ///
    /// # Errors
    /// There is no descriptor left.
    pub fn block() -> Result<Signals> {
        let mut signals = SigSet::all();
        // Of children and of writing by this process itself: the first tells nothing that is not
        // known, and the second is ignored, which it is not while it is blocked.
        signals.remove(Signal::SIGCHLD);
        signals.remove(Signal::SIGPIPE);
        let block = || {
            signals.thread_set_mask()?;
            SignalFd::with_flags(&signals, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
        };
        let fd = block().map_err(|errno| Error::io("block signals", &errno.into()))?;
        Ok(Signals { fd })
    }

    /// Waits for `fd`, a signal, or the end of `limit`; without one, for ever.
    pub(super) fn wait(
        &self,
        fd: Option<(BorrowedFd<'_>, PollFlags)>,
        limit: Option<Duration>,
    ) -> io::Result<Woken> {
        self.wait_any(fd.as_slice(), limit)
    }

    /// The same for any of several.
    pub(crate) fn wait_any(
        &self,
        wanted: &[(BorrowedFd<'_>, PollFlags)],
        limit: Option<Duration>,
    ) -> io::Result<Woken> {
        let end = limit.map(|limit| clock::boot_ms().saturating_add(limit.as_millis() as u64));
        loop {
            let timeout = match end.map(|end| end.saturating_sub(clock::boot_ms())) {
                None => PollTimeout::NONE,
                // What is longer is waited for in pieces.
                Some(left) => PollTimeout::try_from(left.min(60_000)).unwrap_or(PollTimeout::ZERO),
            };
            let mut fds = vec![PollFd::new(self.fd.as_fd(), PollFlags::POLLIN)];
            fds.extend(wanted.iter().map(|(fd, what)| PollFd::new(*fd, *what)));
            match poll(&mut fds, timeout) {
                Err(Errno::EINTR) => continue,
                count => count?,
            };
            let is_ready = fds.iter().skip(1).any(|fd| fd.any() == Some(true));
            if let Some(number) = self.next()? {
                return Ok(Woken::Signal(number));
            }
            if is_ready {
                return Ok(Woken::Ready);
            }
            if end.is_some_and(|end| clock::boot_ms() >= end) {
                return Ok(Woken::Late);
            }
        }
    }

    /// Waits for `limit`. Answers whether a signal ended it that ends a waiting process: the usual
    /// ones, and those of `ladder`. Others are for a daemon that does not run, and are forgotten.
    pub(super) fn pause(&self, limit: Duration, ladder: &Ladder) -> io::Result<bool> {
        let end = clock::boot_ms().saturating_add(limit.as_millis() as u64);
        loop {
            let left = Duration::from_millis(end.saturating_sub(clock::boot_ms()));
            match self.wait(None, Some(left))? {
                Woken::Signal(number) if ends_waiting(number, ladder) => return Ok(true),
                Woken::Signal(_) => {}
                Woken::Ready | Woken::Late => return Ok(false),
            }
        }
    }

    /// The next signal that came.
    fn next(&self) -> io::Result<Option<i32>> {
        Ok(self.fd.read_signal()?.map(|info| info.ssi_signo as i32))
    }
}

/// Waits for `fd` and leaves all signals for later. `false`: the time is over.
pub(super) fn wait_deaf(fd: BorrowedFd<'_>, limit: Duration) -> io::Result<bool> {
    let end = clock::boot_ms().saturating_add(limit.as_millis() as u64);
    loop {
        let left = end.saturating_sub(clock::boot_ms());
        // What is longer is waited for in pieces.
        let timeout = PollTimeout::try_from(left.min(60_000)).unwrap_or(PollTimeout::ZERO);
        match poll(&mut [PollFd::new(fd, PollFlags::POLLIN)], timeout) {
            Err(Errno::EINTR) => {}
            Ok(0) if left == 0 => return Ok(false),
            Ok(0) => {}
            ready => return Ok(ready? > 0),
        }
    }
}

/// Whether a signal ends a process which only waits, whatever its service.
pub(crate) fn is_ending(number: i32) -> bool {
    ENDING.contains(&number)
}

/// Whether a signal ends a process which only waits, of a service with this ladder.
pub(super) fn ends_waiting(number: i32, ladder: &Ladder) -> bool {
    is_ending(number) || ladder.rungs().iter().any(|rung| rung.signal == number)
}
