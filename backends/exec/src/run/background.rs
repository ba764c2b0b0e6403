//! A program that goes into the background by itself: it ends well, and its pid file tells of the
//! daemon that goes on in its place.

use super::record;
use super::signals::{is_ending, Signals, Woken};
use super::{report, Call};
use crate::cgroup::Cgroup;
use crate::clock;
use crate::instance::Instance;
use crate::launch::Launch;
use crate::readiness::{self, Readiness};
use crate::watched;
use nix::poll::PollFlags;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use rc_sv_api::exit::Exit;
use rc_sv_api::{Error, Result, Settings};
use std::ffi::OsStr;
use std::fs;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// The daemon that goes on after `starter`, which was begun at `begun_ms` and ended so, where its
/// spec says that this is its way. `None`: nothing goes on, or a signal says that nothing is to.
///
/// # Errors
/// It cannot be waited for.
pub(super) fn await_daemon(
    call: &Call,
    spec: &dyn Settings,
    starter: &Instance,
    begun_ms: u64,
    exit: Option<Exit>,
    signals: &Signals,
) -> Result<Option<Instance>> {
    if Readiness::of(spec)? != Readiness::PidFile || exit != Some(Exit::Code(0)) {
        return Ok(None);
    }
    let failed = |cause| Error::io("wait for the pid file", &cause);
    let Some(changes) = changes(spec).map_err(|errno| failed(errno.into()))? else {
        return Ok(None);
    };
    let cgroup = spec
        .text("cgroup")
        .map(|path| Cgroup::in_service(Path::new(OsStr::from_bytes(path))));
    let members = cgroup.as_ref().and_then(|cgroup| cgroup.watch().ok());
    let limit = u64::try_from(readiness::timeout(spec).as_millis()).unwrap_or(u64::MAX);
    let end = begun_ms.saturating_add(limit);
    loop {
        if let Some(daemon) = named(spec, starter, cgroup.as_ref()) {
            return Ok(Some(daemon));
        }
        let is_empty = members
            .as_ref()
            .is_some_and(|members| matches!(members.is_populated(), Ok(false)));
        let left = Duration::from_millis(end.saturating_sub(clock::boot_ms()));
        if is_empty || left.is_zero() || matches!(record::is_wanted_down(&call.dir), Ok(true)) {
            return Ok(None);
        }
        let members = members.as_ref().map(|it| (it.as_fd(), PollFlags::POLLPRI));
        let changed = Some((changes.as_fd(), PollFlags::POLLIN));
        let all: Vec<_> = [changed, members].into_iter().flatten().collect();
        match signals.wait_any(&all, Some(left)).map_err(failed)? {
            Woken::Signal(number) if is_ending(number) => return Ok(None),
            Woken::Signal(_) | Woken::Ready | Woken::Late => {}
        }
        while changes.read_events().is_ok_and(|events| !events.is_empty()) {}
    }
}

/// What tells of changes of the pid file, where that tells of the main process.
///
/// # Errors
/// Its directory cannot be watched.
pub(super) fn changes(spec: &dyn Settings) -> nix::Result<Option<Inotify>> {
    let is_way = matches!(Readiness::of(spec), Ok(Readiness::PidFile));
    let path = spec.text("pidfile").filter(|_| is_way);
    let parent = path.and_then(|path| Path::new(OsStr::from_bytes(path)).parent());
    let Some(parent) = parent else {
        return Ok(None);
    };
    let watch = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
    let changes = AddWatchFlags::IN_CLOSE_WRITE | AddWatchFlags::IN_MOVED_TO;
    watch.add_watch(parent, changes)?;
    Ok(Some(watch))
}

/// Whether the pid file names this process, which so stays in the foreground.
pub(super) fn names(spec: &dyn Settings, pid: i32) -> bool {
    watched::named(spec).is_some_and(|found| found.is_sure && found.instance.pid == pid)
}

/// Records that the service is this daemon from now on, and that it is ready.
///
/// # Errors
/// It cannot be recorded.
pub(super) fn take_over(call: &Call, spec: &dyn Settings, daemon: &Instance) -> Result<()> {
    daemon.write(&call.dir)?;
    let mut record = record::read(&call.dir)?.unwrap_or_default();
    (record.pid, record.ready) = (Some(daemon.pid), Some(true));
    record.write(&call.dir)?;
    let launch = Launch::from_settings(spec)?;
    call.warn_of(report::spawned(call, &launch, &record));
    Ok(())
}

/// The daemon that the pid file names, if it is ours: in the cgroup, where there is one, and no older
/// than who has started it.
fn named(spec: &dyn Settings, starter: &Instance, cgroup: Option<&Cgroup>) -> Option<Instance> {
    let found = watched::named(spec).filter(|found| found.is_sure)?;
    let is_member = cgroup.is_none_or(|cgroup| {
        let members = fs::read_to_string(cgroup.path().join("cgroup.procs"));
        let pid = found.instance.pid;
        members.is_ok_and(|members| members.lines().any(|line| line.parse() == Ok(pid)))
    });
    let is_ours = is_member && found.instance.began_after(starter);
    is_ours.then_some(found.instance)
}
