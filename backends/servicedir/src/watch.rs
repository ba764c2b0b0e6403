//! Waiting for what supervisors do, without looking again and again.

use crate::supervise::{Snapshot, Supervise};
use nix::errno::Errno;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use rc_sv_api::{Error, Result};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Without inotify, of which a user has 128 instances by default (inotify(7),
/// `max_user_instances`), it is looked again after this long.
const AGAIN: Duration = Duration::from_millis(20);

/// Waits for changes in directories.
pub struct Watch {
    /// `None` where there are no more: then each wait is a short one.
    inotify: Option<Inotify>,
    /// Directories that are not there yet.
    awaited: Vec<PathBuf>,
}

impl Watch {
    /// A watch of nothing yet.
    ///
    /// # Errors
    /// The kernel does not watch.
    pub fn new() -> Result<Watch> {
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK);
        let inotify = match inotify {
            Err(Errno::EMFILE) => None,
            inotify => Some(inotify.map_err(|errno| Error::io("inotify", &errno.into()))?),
        };
        Ok(Watch {
            inotify,
            awaited: Vec::new(),
        })
    }

    /// Watches a directory for files that come up, and for the ends of writers.
    ///
    /// # Errors
    /// It cannot be watched.
    pub fn add(&self, directory: &Path) -> Result<()> {
        let events = AddWatchFlags::IN_MOVED_TO | AddWatchFlags::IN_CLOSE_WRITE;
        self.watch(directory, events).map(drop)
    }

    /// Watches a service directory, and the `supervise` in it, now or when it is made.
    ///
    /// # Errors
    /// They cannot be watched.
    pub fn add_service(&mut self, directory: &Path) -> Result<()> {
        self.watch(directory, AddWatchFlags::IN_CREATE)?;
        self.awaited.push(directory.join("supervise"));
        self.add_awaited()
    }

    /// Watches for others that close a directory.
    ///
    /// # Errors
    /// It cannot be watched.
    pub fn add_closing(&self, directory: &Path) -> Result<()> {
        self.watch(directory, AddWatchFlags::IN_CLOSE_NOWRITE)
            .map(drop)
    }

    /// False: it is not there.
    fn watch(&self, directory: &Path, events: AddWatchFlags) -> Result<bool> {
        let Some(inotify) = &self.inotify else {
            return Ok(directory.is_dir());
        };
        match inotify.add_watch(directory, events | AddWatchFlags::IN_ONLYDIR) {
            Err(Errno::ENOENT) => Ok(false),
            Err(errno) => Err(Error::io(
                format_args!("watch {}", directory.display()),
                &errno.into(),
            )),
            Ok(_) => Ok(true),
        }
    }

    /// Waits for the next change. False: there was none before the deadline.
    ///
    /// # Errors
    /// The kernel does not wait.
    pub fn wait(&mut self, deadline: Instant) -> Result<bool> {
        let changed = self.wait_with(Vec::new(), deadline);
        self.drain()?;
        changed
    }

    /// Waits until `look` says something of a snapshot of `service`. `None`: it had not by
    /// `deadline`.
    ///
    /// # Errors
    /// The service cannot be looked at.
    pub fn until<T>(
        &mut self,
        service: Supervise<'_>,
        deadline: Instant,
        mut look: impl FnMut(&Snapshot) -> Result<Option<T>>,
    ) -> Result<Option<T>> {
        loop {
            self.drain()?;
            let snapshot = service.snapshot()?;
            if let Some(found) = look(&snapshot)? {
                return Ok(Some(found));
            }
            if !self.change(&snapshot, deadline)? {
                return Ok(None);
            }
        }
    }

    /// Waits for the next change of a service. False: there was none before the deadline.
    fn change(&self, snapshot: &Snapshot, deadline: Instant) -> Result<bool> {
        let mut fds = Vec::new();
        if let Some(supervisor) = &snapshot.supervisor {
            // POLLERR is always told.
            fds.push(PollFd::new(supervisor.as_fd(), PollFlags::empty()));
        }
        if let Some(process) = &snapshot.process {
            fds.push(PollFd::new(process.as_fd(), PollFlags::POLLIN));
        }
        self.wait_with(fds, deadline)
    }

    fn wait_with<'a>(&'a self, mut fds: Vec<PollFd<'a>>, deadline: Instant) -> Result<bool> {
        match &self.inotify {
            Some(inotify) => {
                fds.push(PollFd::new(inotify.as_fd(), PollFlags::POLLIN));
                wait(&mut fds, deadline)
            }
            None => {
                wait(&mut fds, deadline.min(Instant::now() + AGAIN))?;
                Ok(Instant::now() < deadline)
            }
        }
    }

    /// Takes what has happened so far, and watches what has come up.
    fn drain(&mut self) -> Result<()> {
        if let Some(inotify) = &self.inotify {
            while inotify.read_events().is_ok_and(|events| !events.is_empty()) {}
        }
        self.add_awaited()
    }

    fn add_awaited(&mut self) -> Result<()> {
        for directory in std::mem::take(&mut self.awaited) {
            // Its status is renamed into it when all its FIFOs are open.
            if !self.watch(&directory, AddWatchFlags::IN_MOVED_TO)? {
                self.awaited.push(directory);
            }
        }
        Ok(())
    }
}

/// Waits for one of `fds`. False: nothing came before the deadline.
///
/// # Errors
/// The kernel does not wait.
pub fn wait(fds: &mut [PollFd<'_>], deadline: Instant) -> Result<bool> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match poll(fds, timeout(left)) {
            Ok(0) if left.is_zero() => return Ok(false),
            Ok(0) | Err(Errno::EINTR) => {}
            Ok(_) => return Ok(true),
            Err(errno) => return Err(Error::io("wait for the supervisor", &errno.into())),
        }
    }
}

/// Whether the process of this descriptor has ended.
///
/// # Errors
/// The kernel does not say.
pub fn is_over(pidfd: &OwnedFd) -> io::Result<bool> {
    let mut fds = [PollFd::new(pidfd.as_fd(), PollFlags::POLLIN)];
    Ok(poll(&mut fds, PollTimeout::ZERO)? > 0)
}

/// At most what poll can take, and never zero for what is left.
fn timeout(left: Duration) -> PollTimeout {
    let millis = left.as_nanos().div_ceil(1_000_000);
    PollTimeout::try_from(millis).unwrap_or(PollTimeout::MAX)
}
