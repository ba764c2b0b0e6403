//! Services that OpenRC starts and stops, and that somebody watches in between: for the module that
//! watches, and for the `respawn` of [`crate::run`].

use crate::instance::Instance;
use crate::pid_file::PidFile;
use crate::place::Dir;
use crate::run::{self, record};
use nix::errno::Errno;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use rc_sv_api::{Code, Error, Result, Settings};
use std::ffi::OsStr;
use std::fs;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// How often it is looked where changes cannot be watched.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Notes that the service with this directory runs, which a person has started: from now on a
/// respawn may be asked for. Its spec must be there.
///
/// # Errors
/// Others than root could name any process in its pid file, or a file cannot be written.
pub fn adopt(dir: &Dir, spec: &dyn Settings) -> Result<()> {
    if let Some(path) = pid_file(spec) {
        PidFile::find(path)?;
    }
    record::forget(dir)?;
    let found = named(spec);
    if let Some(found) = found.filter(|found| found.is_sure) {
        found.instance.write(dir)?;
    }
    record::note_run(dir, spec, found.map(|found| found.instance.pid))
}

/// Notes that nobody wants the service up, and waits for a respawn that is under way: it ends when
/// it sees the note, or has run its program by then. What is asked for later does nothing.
///
/// # Errors
/// [`Code::Timeout`]: it takes longer than `limit`. The note stays.
pub fn release(dir: &Dir, limit: Duration) -> Result<()> {
    record::want_down(dir)?;
    run::rouse(dir)?;
    if await_change(dir.path(), limit, || Ok(!run::is_at_work(dir)?))? {
        return Ok(());
    }
    let message = "a respawn that is under way does not end";
    Err(Error::new(Code::Timeout, message))
}

/// A process that runs.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// Which.
    pub instance: Instance,
    /// Nobody but root and the user of the service had a say in which. Else it may not be signalled.
    pub is_sure: bool,
}

/// The main process of the service with this directory, if it runs: the one that was respawned
/// last, or the one that the pid file names.
pub fn running(dir: &Dir, spec: &dyn Settings) -> Option<Found> {
    let living = Instance::living(dir).map(|instance| Found {
        instance,
        is_sure: true,
    });
    living.or_else(|| named(spec))
}

/// The same, for a daemon that writes its pid file in its own time; and notes it.
///
/// # Errors
/// The note cannot be written.
pub(crate) fn await_running(
    dir: &Dir,
    spec: &dyn Settings,
    limit: Duration,
) -> Result<Option<i32>> {
    let Some(parent) = pid_file(spec).and_then(Path::parent) else {
        return Ok(None);
    };
    await_change(parent, limit, || Ok(named(spec).is_some()))?;
    let found = named(spec);
    if let Some(found) = found.filter(|found| found.is_sure) {
        found.instance.write(dir)?;
    }
    Ok(found.map(|found| found.instance.pid))
}

/// The living process that the pid file names.
pub(crate) fn named(spec: &dyn Settings) -> Option<Found> {
    let (pid, is_roots) = PidFile::find(pid_file(spec)?).ok()?.read()?;
    let instance = Instance::of(pid)
        .ok()
        .filter(|it| pid > 1 && it.is_alive())?;
    let user = fs::metadata(format!("/proc/{pid}")).ok()?.uid();
    let is_own = user != 0 && spec.int("uid") == Some(user.into());
    Some(Found {
        instance,
        is_sure: is_roots || is_own,
    })
}

fn pid_file(spec: &dyn Settings) -> Option<&Path> {
    spec.text("pidfile")
        .map(|text| Path::new(OsStr::from_bytes(text)))
}

/// Waits until `is_so`, which may change when a file in `directory` does. `false`: it did not come
/// to that within `limit`. The kernel has 128 watches for all of root's processes; without one, it is
/// looked again.
fn await_change(
    directory: &Path,
    limit: Duration,
    is_so: impl Fn() -> Result<bool>,
) -> Result<bool> {
    let end = Instant::now() + limit;
    let watch = watch(directory).ok();
    let pause = if watch.is_some() { limit } else { LOOK_AGAIN };
    loop {
        if is_so()? {
            return Ok(true);
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(false);
        }
        let timeout = PollTimeout::try_from(left.min(pause)).unwrap_or(PollTimeout::MAX);
        let changed = watch.as_ref();
        let mut fds = changed.map(|watch| PollFd::new(watch.as_fd(), PollFlags::POLLIN));
        match poll(fds.as_mut_slice(), timeout) {
            Err(Errno::EINTR) => {}
            count => drop(count.map_err(|errno| Error::io("wait", &errno.into()))?),
        }
        while matches!(&watch, Some(watch) if watch.read_events().is_ok()) {}
    }
}

/// A file of a lock is closed by the end of a process and by its execve, a pid file by its writer.
fn watch(directory: &Path) -> nix::Result<Inotify> {
    let watch = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
    let changes = AddWatchFlags::IN_CLOSE_WRITE | AddWatchFlags::IN_MOVED_TO;
    watch.add_watch(directory, changes)?;
    Ok(watch)
}
