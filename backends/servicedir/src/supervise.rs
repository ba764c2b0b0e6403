//! The supervisor of one service, seen through the files that it keeps.

use crate::observed::{Observed, Phase};
use crate::suite::Suite;
use crate::watch;
use nix::errno::Errno;
use nix::fcntl::{openat, OFlag};
use nix::poll::{PollFd, PollFlags};
use nix::sys::stat::Mode;
use nix::unistd::{read, write};
use rc_sv_api::{Code, Error, Result};
use rc_sv_exec::process;
use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Instant;

/// Longer than any status.
const LONGEST: usize = 64;

/// A service directory, below an open one.
#[derive(Clone, Copy)]
pub struct Supervise<'a> {
    suite: &'static Suite,
    parent: BorrowedFd<'a>,
    name: &'a str,
}

/// What is true of a service at one moment.
#[derive(Debug)]
pub struct Snapshot {
    /// Open as long as this lives: `POLLERR` comes when the supervisor ends. `None`: there is no
    /// supervisor.
    pub supervisor: Option<OwnedFd>,
    /// What the supervisor has written, now or before it ended. `None`: nothing yet.
    pub observed: Option<Observed>,
    /// The process of which that speaks, if it lives.
    pub process: Option<OwnedFd>,
}

impl Snapshot {
    /// Whether `run` runs, really.
    pub fn runs(&self) -> bool {
        self.running().is_some()
    }

    /// The pid of `run`, if it lives.
    pub fn running(&self) -> Option<i32> {
        match self.observed?.phase {
            Phase::Run(pid) if self.process.is_some() => Some(pid),
            _ => None,
        }
    }

    /// Whether neither `run` nor `finish` runs, and the supervisor knows.
    pub fn is_down(&self) -> bool {
        self.observed
            .is_some_and(|observed| observed.phase == Phase::Down)
    }
}

impl<'a> Supervise<'a> {
    /// The service directory `name` in the directory `parent`; links are followed.
    pub fn new(suite: &'static Suite, parent: BorrowedFd<'a>, name: &'a str) -> Supervise<'a> {
        Supervise {
            suite,
            parent,
            name,
        }
    }

    /// Looks at everything.
    ///
    /// # Errors
    /// A file cannot be read ([`Code::Permission`] for ordinary users), or was not understood
    /// ([`Code::Protocol`]).
    pub fn snapshot(&self) -> Result<Snapshot> {
        let supervisor = self.supervisor()?;
        let observed = self.observe()?;
        let process = match observed.and_then(|observed| observed.phase.pid()) {
            Some(pid) => living(pid)
                .map_err(|cause| Error::io(format_args!("look at process {pid}"), &cause))?,
            None => None,
        };
        Ok(Snapshot {
            supervisor,
            observed,
            process,
        })
    }

    /// Writes control bytes. False: there is no supervisor.
    ///
    /// # Errors
    /// They could not be written.
    pub fn control(&self, bytes: &[u8]) -> Result<bool> {
        let Some(fifo) = self.open_fifo("control")? else {
            return Ok(false);
        };
        match write(&fifo, bytes) {
            Ok(count) if count == bytes.len() => Ok(true),
            // A full pipe: it has not read for long.
            Ok(_) | Err(Errno::EAGAIN) => {
                let message = format!(
                    "{} does not read what it is told; is it stopped?",
                    self.suite.supervisor
                );
                Err(Error::new(Code::Timeout, message))
            }
            Err(Errno::EPIPE) => Ok(false),
            Err(errno) => Err(self.failed("write", "control", errno)),
        }
    }

    /// A FIFO of the supervisor, if there is one.
    ///
    /// # Errors
    /// As for [`Supervise::snapshot`].
    pub fn supervisor(&self) -> Result<Option<OwnedFd>> {
        self.open_fifo(self.suite.alive)
    }

    /// Waits until there is no supervisor. False: there was one at the deadline.
    ///
    /// By its FIFO alone: to give up inotify with all its watches takes the kernel 10 ms and more.
    ///
    /// # Errors
    /// As for [`Supervise::snapshot`].
    pub fn await_end(&self, deadline: Instant) -> Result<bool> {
        while let Some(fifo) = self.supervisor()? {
            // POLLERR is always told.
            let mut fds = [PollFd::new(fifo.as_fd(), PollFlags::empty())];
            if !watch::wait(&mut fds, deadline)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn open_fifo(&self, file: &str) -> Result<Option<OwnedFd>> {
        match self.open(file, OFlag::O_WRONLY | OFlag::O_NONBLOCK) {
            // Nobody reads, or nobody ever did.
            Err(Errno::ENXIO | Errno::ENOENT | Errno::ENOTDIR) => Ok(None),
            Err(errno) => Err(self.failed("open", file, errno)),
            Ok(fifo) => Ok(Some(fifo)),
        }
    }

    /// What it has written, now or before it ended. `None`: nothing yet.
    ///
    /// # Errors
    /// As for [`Supervise::snapshot`].
    pub fn observe(&self) -> Result<Option<Observed>> {
        let file = match self.open("status", OFlag::O_RDONLY) {
            Err(Errno::ENOENT | Errno::ENOTDIR) => return Ok(None),
            file => file.map_err(|errno| self.failed("open", "status", errno))?,
        };
        let mut bytes = [0; LONGEST];
        let length =
            read(&file, &mut bytes).map_err(|errno| self.failed("read", "status", errno))?;
        match (self.suite.decode)(&bytes[..length]) {
            Some(observed) => Ok(Some(observed)),
            None => {
                let message = format!(
                    "{}/supervise/status: {length} bytes that no known version of {} writes",
                    self.name, self.suite.name
                );
                Err(Error::new(Code::Protocol, message))
            }
        }
    }

    fn open(&self, file: &str, flags: OFlag) -> nix::Result<OwnedFd> {
        let mut path = OsString::with_capacity(self.name.len() + 20);
        path.push(self.name);
        path.push("/supervise/");
        path.push(file);
        openat(
            self.parent,
            Path::new(&path),
            flags | OFlag::O_CLOEXEC,
            Mode::empty(),
        )
    }

    fn failed(&self, what: &str, file: &str, errno: Errno) -> Error {
        Error::io(
            format_args!("{what} {}/supervise/{file}", self.name),
            &errno.into(),
        )
    }
}

/// A descriptor of the process, if it lives. A zombie does not.
///
/// # Errors
/// The kernel does not say.
pub fn living(pid: i32) -> io::Result<Option<OwnedFd>> {
    let pidfd = match process::open_process(pid) {
        Err(cause) if cause.raw_os_error() == Some(Errno::ESRCH as i32) => return Ok(None),
        pidfd => pidfd?,
    };
    Ok((!watch::is_over(&pidfd)?).then_some(pidfd))
}
