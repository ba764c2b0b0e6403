//! How a service is stopped, and ending what is nobody's child.

use crate::cgroup::Cgroup;
use crate::instance::Instance;
use crate::process;
use nix::errno::Errno;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use rc_sv_api::ladder::Ladder;
use rc_sv_api::{signal, Settings};
use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// A stop can be extended by the service itself to so many times its ladder.
pub const LONGEST_STOP: u32 = 10;

/// How long a KILL may take to work.
pub const KILL_WAIT: Duration = Duration::from_secs(5);

/// Whom the signals of a stop reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KillMode {
    /// The main process; what is left at the end is killed.
    Mixed,
    /// The process group; what is left at the end is killed.
    Group,
    /// The main process only, ever.
    Process,
}

/// How a service is stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// Which signals, and how long each has to work.
    pub ladder: Ladder,
    /// Whom they reach.
    pub kill_mode: KillMode,
}

impl Stop {
    /// What a spec says, with the registry's defaults.
    pub fn from_settings(spec: &dyn Settings) -> Stop {
        let stopsig = spec.int_or_default("stopsig");
        let stopsig = stopsig
            .and_then(|number| i32::try_from(number).ok())
            .unwrap_or(signal::TERM);
        Stop {
            ladder: Ladder::parse(&spec.word("retry"), stopsig).unwrap_or_else(|_| {
                let [kill, down] = ["timeout_kill", "timeout_down"].map(|key| spec.duration(key));
                Ladder::of_timeouts(stopsig, kill, down)
            }),
            kill_mode: match spec.word("rc_supervise_kill_mode").as_str() {
                "process" => KillMode::Process,
                "group" => KillMode::Group,
                _ if spec.flag("stopgroup") => KillMode::Group,
                _ => KillMode::Mixed,
            },
        }
    }

    /// Ends a main process whose parent is gone, and what is left of its process group.
    ///
    /// # Errors
    /// [`io::ErrorKind::TimedOut`]: it still runs. Else it cannot be reached.
    pub fn end(&self, instance: &Instance) -> io::Result<()> {
        self.end_within(instance, None)
    }

    /// The same, but until `deadline` only: the signals that would come later are not sent.
    ///
    /// # Errors
    /// As [`Stop::end`].
    pub fn end_by(&self, instance: &Instance, deadline: Instant) -> io::Result<()> {
        self.end_within(instance, Some(deadline))
    }

    fn end_within(&self, instance: &Instance, deadline: Option<Instant>) -> io::Result<()> {
        let Some(pidfd) = instance.open()? else {
            return Ok(());
        };
        self.climb(instance.pid, pidfd.as_fd(), deadline)?;
        if self.kill_mode != KillMode::Process {
            // An older kernel cannot reach it safely, and then it is left.
            let _ = process::signal_group(pidfd.as_fd(), signal::KILL);
        }
        Ok(())
    }

    fn climb(&self, pid: i32, pidfd: BorrowedFd<'_>, deadline: Option<Instant>) -> io::Result<()> {
        let rungs = self.ladder.rungs().iter();
        let rungs = rungs.map(|rung| (rung.signal, rung.wait));
        for (number, wait) in rungs.chain([(signal::KILL, KILL_WAIT)]) {
            let sent = match self.kill_mode {
                KillMode::Group => process::kill_group(pid, number),
                KillMode::Mixed | KillMode::Process => process::send_signal(pidfd, number),
            };
            // A stopped process sees no other signal before CONT.
            let sent = match number {
                signal::KILL => sent,
                _ => sent.and_then(|()| process::send_signal(pidfd, signal::CONT)),
            };
            match sent {
                // It has ended, and init was quick.
                Err(cause) if cause.raw_os_error() == Some(libc::ESRCH) => return Ok(()),
                sent => sent?,
            }
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            let left = left.unwrap_or(Duration::MAX);
            if ready(pidfd, PollFlags::POLLIN, wait.min(left))? {
                return Ok(());
            }
            if left <= wait {
                break;
            }
        }
        Err(io::ErrorKind::TimedOut.into())
    }

    /// What a main process that ended has left in the cgroup of its spec, where that may not stay.
    pub fn leftovers(&self, spec: &dyn Settings) -> Option<Leftovers> {
        let cgroup = Cgroup::in_service(Path::new(OsStr::from_bytes(spec.text("cgroup")?)));
        let may_stay = self.kill_mode == KillMode::Process;
        let is_there = !may_stay && cgroup.is_populated().is_ok_and(|populated| populated);
        is_there.then_some(Leftovers(cgroup))
    }
}

/// What is left in the cgroup of an instance whose main process has ended.
pub struct Leftovers(Cgroup);

impl Leftovers {
    /// Kills it, and waits until it is gone.
    ///
    /// # Errors
    /// [`io::ErrorKind::TimedOut`]: it still runs. Else the cgroup cannot be used.
    pub fn end(&self) -> io::Result<()> {
        let watch = self.0.watch()?;
        self.0.kill()?;
        while watch.is_populated()? {
            if !ready(watch.as_fd(), PollFlags::POLLPRI, KILL_WAIT)? {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
        Ok(())
    }

    /// The cgroup, for messages.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

/// Whether this came within `wait`.
fn ready(fd: BorrowedFd<'_>, what: PollFlags, wait: Duration) -> io::Result<bool> {
    let timeout = PollTimeout::try_from(wait).unwrap_or(PollTimeout::MAX);
    let mut fds = [PollFd::new(fd, what)];
    loop {
        match poll(&mut fds, timeout) {
            Err(Errno::EINTR) => {}
            count => return Ok(count? > 0),
        }
    }
}
