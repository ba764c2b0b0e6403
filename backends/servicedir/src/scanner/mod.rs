//! The scanner of a suite: which directory it looks through, and telling it to look.

mod process;

use crate::suite::{Nudge, Suite};
use nix::errno::Errno;
use nix::fcntl::{open, OFlag};
use nix::poll::{poll, PollTimeout};
use nix::sys::stat::Mode;
use nix::unistd::write;
pub(crate) use process::supervisor;
use process::Process;
use rc_sv_api::{Code, Error, Result};
use rc_sv_exec::suite;
use std::fs::metadata;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a scanner that OpenRC has started may take to be at work, and how often it is looked,
/// in milliseconds.
const BEGINNING: Duration = Duration::from_secs(3);
const LOOK_AGAIN: u8 = 20;

/// Where OpenRC has its services.
const SCRIPTS: &str = "/etc/init.d";

/// The setting of a module with the path of the scan directory.
pub const SETTING: &str = "scandir";

/// A scanner that runs.
#[derive(Debug)]
pub struct Scanner {
    suite: &'static Suite,
    directory: PathBuf,
    /// Where only that tells that it runs.
    process: Option<Process>,
}

impl Scanner {
    /// The scanner of `suite` for the directory that was set, or else that of OpenRC's own service,
    /// or else one for a usual directory, or else any one that root or the caller runs.
    ///
    /// # Errors
    /// [`Code::Unavailable`]: the suite is not installed; [`Code::NotRunning`]: its scanner does
    /// not run.
    pub fn find(suite: &'static Suite, set: Option<&Path>, svcdir: &Path) -> Result<Scanner> {
        let openrc = svcdir.join(suite.openrc_scan_dir);
        let usual = suite.scan_dirs.iter().map(PathBuf::from);
        let candidates: Vec<PathBuf> = match set {
            Some(set) => vec![set.to_path_buf()],
            None => std::iter::once(openrc).chain(usual).collect(),
        };
        // OpenRC calls it started when its process was made, which may not be at work yet; no event
        // tells when it is.
        let is_begun = svcdir.join("started").join(suite.scanner_service).exists();
        let end = Instant::now() + if is_begun { BEGINNING } else { Duration::ZERO };
        loop {
            if let Some(scanner) = Scanner::among(suite, &candidates, set.is_none()) {
                return Ok(scanner);
            }
            if Instant::now() >= end {
                break;
            }
            let looked = poll(&mut [], PollTimeout::from(LOOK_AGAIN));
            looked.map_err(|errno| Error::io("wait for the scanner", &errno.into()))?;
        }
        if suite::find(suite.scanner).is_none() {
            let message = format!(
                "{} is not installed: there is no {}",
                suite.name, suite.scanner
            );
            return Err(Error::new(Code::Unavailable, message));
        }
        let what_to_do = begin(suite, &candidates[0]);
        let message = format!("{} does not run: {what_to_do}", suite.scanner);
        Err(Error::new(Code::NotRunning, message))
    }

    fn among(suite: &'static Suite, candidates: &[PathBuf], or_any: bool) -> Option<Scanner> {
        if suite.nudge == Nudge::Control {
            let controlled = candidates.iter().find(|it| control(it).is_some());
            if let Some(directory) = controlled {
                let directory = directory.clone();
                return Some(Scanner {
                    suite,
                    directory,
                    process: None,
                });
            }
        }
        let mut running = Process::all(suite);
        // One that has just begun has not gone to its directory yet.
        let is_at_work = |directory: &Path| match suite.nudge {
            Nudge::Control => control(directory).is_some(),
            Nudge::Wake | Nudge::None => directory != Path::new("/"),
        };
        running.retain(|process| is_at_work(&process.directory));
        let of = |directory: &PathBuf| {
            let wanted = identity(directory)?;
            running
                .iter()
                .find(|process| identity(&process.directory) == Some(wanted))
        };
        let process = candidates.iter().find_map(of);
        let process = process.or_else(|| running.first().filter(|_| or_any))?;
        Some(Scanner {
            suite,
            directory: process.directory.clone(),
            process: Some(process.clone()),
        })
    }

    /// The directory that it looks through.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Tells it to look, as far as it can be told.
    pub fn nudge(&self) {
        match &self.process {
            Some(process) if self.suite.nudge == Nudge::Wake => process.wake(),
            _ => nudge(self.suite, &self.directory),
        }
    }

    /// What to say of a scanner that did not do what it was to do in time.
    pub fn complaint(&self) -> String {
        let shown = self.directory.display();
        let process = Process::all(self.suite)
            .into_iter()
            .find(|process| identity(&process.directory) == identity(&self.directory));
        match process {
            Some(process) if process.is_stopped() => format!(
                "{} of {shown} is stopped by a signal: kill -CONT {}",
                self.suite.scanner, process.pid
            ),
            Some(process) => format!(
                "{} of {shown} (pid {}) did not take the service; its own messages say why",
                self.suite.scanner, process.pid
            ),
            None => format!(
                "{} of {shown} does not run any more: {}",
                self.suite.scanner,
                begin(self.suite, &self.directory)
            ),
        }
    }
}

/// Tells the scanner of a directory that something was taken away there, so that it does not begin
/// a supervisor that ends again.
pub fn nudge(suite: &Suite, directory: &Path) {
    if suite.nudge == Nudge::Control {
        // It is not there any more, or its pipe is full of the same: either is seen by what it
        // does not do.
        if let Some(fifo) = control(directory) {
            let _ = write(&fifo, b"a");
        }
    }
}

/// How a person begins the scanner of a directory.
fn begin(suite: &Suite, directory: &Path) -> String {
    let service = suite.scanner_service;
    if directory.ends_with(suite.openrc_scan_dir) && Path::new(SCRIPTS).join(service).exists() {
        return format!("rc-service {service} start");
    }
    let Suite { name, scanner, .. } = suite;
    let shown = directory.display();
    format!("begin {scanner} for {shown}, or set {SETTING} in [modules.{name}] of rc-sv.toml")
}

/// s6-svscan's FIFO, if it reads.
fn control(directory: &Path) -> Option<OwnedFd> {
    let path = directory.join(".s6-svscan/control");
    let flags = OFlag::O_WRONLY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    match open(&path, flags, Mode::empty()) {
        Err(Errno::ENXIO) => None,
        fifo => fifo.ok(),
    }
}

/// The same directory has many names.
fn identity(directory: &Path) -> Option<(u64, u64)> {
    let found = metadata(directory).ok()?;
    Some((found.dev(), found.ino()))
}
