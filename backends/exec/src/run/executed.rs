//! Whether a run has come so far that its program is executed; for who asked for it.

use super::lock::{self, Byte};
use super::record::{self, Phase, Record};
use crate::clock;
use crate::place::Dir;
use nix::errno::Errno;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use rc_sv_api::exit::Exit;
use rc_sv_api::policy::Cause;
use rc_sv_api::{duration, Code, Error, Result};
use std::os::fd::AsFd;
use std::time::Duration;

/// How often it is looked where changes cannot be watched, in milliseconds.
const LOOK_AGAIN: u64 = 20;

/// Waits until the program of the service with this directory was executed, in the first run since
/// [`record::forget`]. What it does afterwards, even its end, is no failure of the start. Nothing
/// is changed.
///
/// # Errors
/// [`Code::Failed`]: it could not be executed, and the message and `os_errno` say why; then the
/// suite has been told that it is down, or is about to be. [`Code::Timeout`]: nothing came of it
/// within `limit`.
pub fn await_executed(dir: &Dir, limit: Duration) -> Result<Record> {
    await_change(dir, limit, executed, "the program was not executed within")
}

/// Waits until the program is ready, or, where nobody waits for that, was executed.
///
/// # Errors
/// As [`await_executed`]; and it ended before.
pub fn await_ready(dir: &Dir, limit: Duration) -> Result<Record> {
    let late = "the program did not say that it is ready within";
    await_change(dir, limit, ready, late)
}

/// Waits until there is what is looked for in the files of the service's directory; `late` says what
/// did not happen.
pub(super) fn await_change<T>(
    dir: &Dir,
    limit: Duration,
    look: impl Fn(&Dir) -> Result<Option<T>>,
    late: &str,
) -> Result<T> {
    let failed = |errno: Errno| Error::io("watch the service's directory", &errno.into());
    let end = clock::boot_ms().saturating_add(limit.as_millis() as u64);
    let watch = watch(dir);
    loop {
        if let Some(record) = look(dir)? {
            return Ok(record);
        }
        let left = end.saturating_sub(clock::boot_ms());
        if left == 0 {
            let limit = duration::show(limit);
            return Err(Error::new(Code::Timeout, format!("{late} {limit}")));
        }
        let changed = watch
            .as_ref()
            .map(|watch| PollFd::new(watch.as_fd(), PollFlags::POLLIN));
        let pause = if watch.is_ok() {
            left
        } else {
            left.min(LOOK_AGAIN)
        };
        let timeout = PollTimeout::try_from(pause).unwrap_or(PollTimeout::MAX);
        match poll(changed.ok().as_mut_slice(), timeout) {
            Err(Errno::EINTR) => {}
            count => drop(count.map_err(failed)?),
        }
        while matches!(&watch, Ok(watch) if watch.read_events().is_ok()) {}
    }
}

/// Watches for changes: a record is renamed into its place, and the lock is closed by execve. The
/// kernel has 128 watches for all of root's processes; without one, it is looked again.
fn watch(dir: &Dir) -> nix::Result<Inotify> {
    let watch = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
    let changes = AddWatchFlags::IN_MOVED_TO | AddWatchFlags::IN_CLOSE_WRITE;
    watch.add_watch(dir.path(), changes)?;
    Ok(watch)
}

/// Whether the program of a recorded run may not have been executed yet.
///
/// # Errors
/// The directory cannot be used.
pub fn is_executing(dir: &Dir) -> Result<bool> {
    lock::is_held(dir, Byte::Execute)
}

/// The record, when the program was executed in the first run since [`record::forget`]; `None`:
/// not yet. Changes of the directory's files tell when to look again.
///
/// # Errors
/// [`Code::Failed`]: it could not be executed, and the message and `os_errno` say why.
pub fn executed(dir: &Dir) -> Result<Option<Record>> {
    // In this order: the lock is given back after the record of a failure.
    let is_executing = is_executing(dir)?;
    let Some(record) = record::read(dir)? else {
        return Ok(None);
    };
    match (record.phase, record.last_exit) {
        (Phase::Down | Phase::Failed, Some(Exit::NotRun(errno))) => Err(Error {
            os_errno: errno,
            ..Error::new(Code::Failed, record.note)
        }),
        (Phase::Running, _) => Ok(Some(record).filter(|_| !is_executing)),
        (Phase::Ended | Phase::Finishing, Some(Exit::NotRun(_))) => Ok(None),
        (Phase::Waiting, None) => Ok(None),
        _ => Ok(Some(record)),
    }
}

/// The record, when the program is ready, which is, where nobody waits for that, when it was executed;
/// `None`: not yet.
///
/// # Errors
/// As [`executed`]; and it ended before, or was not ready in time.
pub fn ready(dir: &Dir) -> Result<Option<Record>> {
    let Some(record) = executed(dir)? else {
        return Ok(None);
    };
    match (record.phase, record.ready) {
        (Phase::Running, Some(false)) => Ok(None),
        (Phase::Running, _) | (_, None | Some(true)) => Ok(Some(record)),
        (_, Some(false)) if record.cause == Cause::Timeout => {
            Err(Error::new(Code::Timeout, record.note))
        }
        (_, Some(false)) => {
            let end = record.last_exit.unwrap_or(Exit::Unknown);
            let message = format!("{end} before it was ready");
            Err(Error::new(Code::Failed, message))
        }
    }
}
