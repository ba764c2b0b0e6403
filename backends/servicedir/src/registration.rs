//! Registering a service with the scanner, and taking it back.

use crate::call::{Call, PATIENCE};
use crate::directory;
use crate::scanner::{self, Scanner};
use crate::supervise::{Snapshot, Supervise};
use rc_sv_api::{Code, Error, Result};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The file in a service's directory with the path of its link in the scan directory. What was
/// linked there is taken away there, whatever is configured by then.
const LINK: &str = "scan-link";

/// How long a scanner that looks once a second at most is given before it is told again.
const AGAIN: Duration = Duration::from_millis(1_050);

/// The path of the service's link in a scan directory, if it was registered.
///
/// # Errors
/// The file is not safe, or cannot be read.
pub(crate) fn link(call: &Call) -> Result<Option<PathBuf>> {
    let file = match call.dir.open_private(LINK) {
        Err(error) if error.code == Code::NotFound => return Ok(None),
        file => file?,
    };
    let mut path = Vec::new();
    let read = file.take(8192).read_to_end(&mut path);
    read.map_err(|cause| Error::io("read the path of the link", &cause))?;
    Ok(Some(PathBuf::from(OsStr::from_bytes(&path))))
}

/// Links the service's directory into the scan directory and waits until its supervisor lives.
///
/// # Errors
/// Something else has its name there, or the scanner does not take it; then it is not linked.
pub(crate) fn register(call: &Call, scanner: &Scanner) -> Result<()> {
    let link = scanner.directory().join(call.service.as_str());
    let target = call.tree.path(&call.service);
    // Before the link is there: a call that is killed in between leaves a record of it.
    call.dir.replace(LINK, 0o600, link.as_os_str().as_bytes())?;
    match symlink(&target, &link) {
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {
            // The service may be registered already, or be a directory of the scanner's own.
            if !same(&link, &target) {
                let message = format!("{}: is something else; remove it", link.display());
                return Err(Error::new(Code::Conflict, message));
            }
        }
        linked => {
            linked.map_err(|cause| Error::io(format_args!("make {}", link.display()), &cause))?
        }
    }
    let registered = await_supervisor(call, scanner);
    if registered.is_err() {
        // It must not be taken up later, when nobody expects it.
        withdraw(call, &link);
    }
    registered
}

/// Refuses a directory that is supervised already, unless this scanner does so for this service:
/// whoever else has it would begin it again after each stop.
///
/// # Errors
/// [`Code::Conflict`], or it cannot be looked at.
pub(crate) fn check_free(call: &Call, scanner: &Scanner, directory: &Path) -> Result<()> {
    let failed = |cause| Error::io(directory.display(), &cause);
    let opened = File::open(directory).map_err(failed)?;
    let is_supervised = Supervise::new(call.suite, opened.as_fd(), ".").supervisor()?;
    let link = scanner.directory().join(call.service.as_str());
    if is_supervised.is_none() || same(&link, directory) {
        return Ok(());
    }
    let message = format!(
        "{}: is supervised already, by another scanner or for another service; end that first",
        directory.display()
    );
    Err(Error::new(Code::Conflict, message))
}

/// Waits until the supervisor of a service that is linked lives.
///
/// # Errors
/// The scanner does not begin it in time.
pub(crate) fn await_supervisor(call: &Call, scanner: &Scanner) -> Result<()> {
    let deadline = call.within(PATIENCE);
    let mut watch = call.watch()?;
    while Instant::now() < deadline {
        scanner.nudge();
        let again = deadline.min(Instant::now() + AGAIN);
        if watch.until(call.supervise(), again, supervised)?.is_some() {
            return Ok(());
        }
    }
    Err(Error::new(Code::NotRunning, scanner.complaint()))
}

/// Takes the service from the scanner, before its supervisor ends: the scanner would begin another
/// one. False: its directory, or the link to it, is the scanner's own, and stays there with its
/// supervisor.
///
/// # Errors
/// It is not known where it is linked.
pub(crate) fn unlink(call: &Call) -> Result<bool> {
    let Some(link) = link(call)? else {
        return Ok(true);
    };
    if is_directory(&link) || is_anothers(call, &link) {
        return Ok(false);
    }
    withdraw(call, &link);
    scanner::nudge(call.suite, link.parent().unwrap_or(&link));
    Ok(true)
}

/// Ends the supervisor of the logger, which ends when it has read everything.
///
/// # Errors
/// It does not end.
pub(crate) fn end_logger(call: &Call) -> Result<()> {
    let log = format!("{}/{}", call.service, directory::LOG);
    let supervise = call.tree.supervise(&log);
    match supervise.control(b"dx")? && !supervise.await_end(call.within(PATIENCE))? {
        true => Err(call.late("of the logger does not end")),
        false => Ok(()),
    }
}

/// Forgets where it was registered.
///
/// # Errors
/// The record cannot be removed.
pub(crate) fn forget(call: &Call) -> Result<()> {
    call.dir.remove(LINK)
}

/// Removes the link, if it is still ours.
fn withdraw(call: &Call, link: &Path) {
    if fs::read_link(link).is_ok_and(|target| target == call.tree.path(&call.service)) {
        // Somebody else may have removed it meanwhile.
        let _ = fs::remove_file(link);
    }
}

fn supervised(snapshot: &Snapshot) -> Result<Option<()>> {
    // Before its first status it would not know what it is told.
    Ok((snapshot.supervisor.is_some() && snapshot.observed.is_some()).then_some(()))
}

fn same(one: &Path, other: &Path) -> bool {
    matches!((fs::canonicalize(one), fs::canonicalize(other)), (Ok(one), Ok(other)) if one == other)
}

/// Whether somebody else has linked the directory there.
fn is_anothers(call: &Call, link: &Path) -> bool {
    let ours = call.tree.path(&call.service);
    fs::read_link(link).is_ok_and(|target| target != ours) && same(link, &ours)
}

fn is_directory(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_dir())
}
