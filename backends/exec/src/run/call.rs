//! Of which service `rc-sv-exec` was called, and in which place.

use crate::place::Dir;
use nix::fcntl::{open, readlink, OFlag};
use nix::sys::stat::{stat, Mode};
use nix::unistd::geteuid;
use rc_sv_api::{Code, Error, Result, ServiceName};
use std::fs::{self, File};
use std::io::Write;
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The symbolic link in a service directory of a suite.
pub const LINK: &str = "rc-sv";

/// The name of the directory of all services.
const TREE: &str = "rc-sv";

/// The file of a service directory by which s6-supervise listens whether a program is ready: on which
/// descriptor.
const S6_LISTENS: &str = "notification-fd";

/// Where a supervisor of the suites takes its orders.
const CONTROL: &str = "supervise/control";

/// A service, and what is known of whoever called.
pub struct Call {
    pub(super) svcdir: PathBuf,
    pub(super) service: ServiceName,
    pub(super) dir: Dir,
    pub(super) seat: Seat,
    pub(super) warn: fn(&str),
}

/// In which place it was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seat {
    /// In a service directory of a suite, which is the working directory.
    Directory {
        /// The supervisor tells of ends: it runs `finish`.
        finish: bool,
        /// Standard output leads to a logger.
        log: bool,
    },
    /// By the path of the service's own directory.
    Path,
    /// The same, and who called only watches: OpenRC starts and stops the service.
    Watched,
}

impl Call {
    /// The service whose service directory is the working directory. `warn` is told what goes
    /// wrong by the way.
    ///
    /// # Errors
    /// The directory, or where its link leads, is not safe, or no place of a service.
    pub fn in_directory(warn: fn(&str)) -> Result<Call> {
        check_directory()?;
        let link = readlink(LINK).map_err(|errno| {
            let what = "read the link rc-sv of the service directory";
            Error::io(what, &errno.into())
        })?;
        let seat = Seat::Directory {
            finish: Path::new("finish").exists(),
            log: Path::new("log").is_dir(),
        };
        Call::of(Path::new(&link), seat, warn)
    }

    /// The service with this directory, `SVCDIR/rc-sv/SERVICE`.
    ///
    /// # Errors
    /// It is not safe, or no place of a service.
    pub fn of_path(path: &Path, warn: fn(&str)) -> Result<Call> {
        Call::of(path, Seat::Path, warn)
    }

    /// The same, of a service that OpenRC starts and stops, and that somebody only watches.
    pub(super) fn of_watched(self) -> Call {
        Call {
            seat: Seat::Watched,
            ..self
        }
    }

    fn of(path: &Path, seat: Seat, warn: fn(&str)) -> Result<Call> {
        let wanted = || {
            let message = format!(
                "{}: must be SVCDIR/rc-sv/SERVICE, an absolute path",
                path.display()
            );
            Error::invalid(message)
        };
        let tree = path.parent().ok_or_else(wanted)?;
        let svcdir = tree.parent().filter(|svcdir| svcdir.is_absolute());
        let svcdir = svcdir.ok_or_else(wanted)?;
        if tree.file_name().is_none_or(|name| name != TREE) {
            return Err(wanted());
        }
        let name = path.file_name().ok_or_else(wanted)?;
        let service = ServiceName::new(name.as_bytes())?;
        Ok(Call {
            dir: Dir::open_service(svcdir, &service)?,
            svcdir: svcdir.to_path_buf(),
            service,
            seat,
            warn,
        })
    }

    /// The directory of the service.
    pub fn dir(&self) -> &Dir {
        &self.dir
    }

    /// Tells librc, for this process, which state directory is meant.
    pub fn tell_librc(&self) {
        std::env::set_var("RC_SVCDIR", &self.svcdir);
    }

    /// Whether whoever supervises runs `finish` after each end.
    pub(super) fn has_finish(&self) -> bool {
        match self.seat {
            Seat::Directory { finish, .. } => finish,
            Seat::Path | Seat::Watched => true,
        }
    }

    /// Whether OpenRC starts and stops the service, and knows its main process itself.
    pub(super) fn is_watched(&self) -> bool {
        self.seat == Seat::Watched
    }

    /// Whether standard output leads to a logger.
    pub(super) fn has_log(&self) -> bool {
        matches!(self.seat, Seat::Directory { log: true, .. })
    }

    /// The descriptor on which s6-supervise wants to hear that the program is ready.
    pub(super) fn s6_listens(&self) -> Option<RawFd> {
        match self.seat {
            Seat::Directory { .. } => fs::read_to_string(S6_LISTENS).ok()?.trim().parse().ok(),
            Seat::Path | Seat::Watched => None,
        }
    }

    /// Tells the supervisor not to start the service again: the byte `d`, which all suites have.
    ///
    /// # Errors
    /// Nobody reads its FIFO.
    pub(super) fn take_down(&self) -> Result<()> {
        if matches!(self.seat, Seat::Path | Seat::Watched) {
            return Ok(());
        }
        let flags = OFlag::O_WRONLY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        open(CONTROL, flags, Mode::empty())
            .map_err(Into::into)
            .and_then(|fifo| File::from(fifo).write_all(b"d"))
            .map_err(|cause| Error::io("tell the supervisor that the service is down", &cause))
    }

    /// Warns of what went wrong, if it did.
    pub(super) fn warn_of(&self, result: Result<()>) {
        if let Err(error) = result {
            (self.warn)(&format!("{}: {error}", self.service));
        }
    }
}

/// The working directory must belong to root or to the caller, and nobody else may write to it.
fn check_directory() -> Result<()> {
    const OTHERS_WRITE: u32 = 0o022;
    let status = stat(".").map_err(|errno| Error::io("service directory", &errno.into()))?;
    let is_ours = status.st_uid == 0 || status.st_uid == geteuid().as_raw();
    if is_ours && status.st_mode & OTHERS_WRITE == 0 {
        return Ok(());
    }
    let here = std::env::current_dir().unwrap_or_default();
    let message = format!(
        "{}: must belong to root or the caller, and only they may write to it",
        here.display()
    );
    Err(Error::new(Code::Permission, message))
}
