//! What OpenRC is told while a service runs.

use super::record::Record;
use super::Call;
use crate::launch::Launch;
use crate::openrc::{is_locked, Spawn, State};
use crate::place::Dir;
use nix::unistd::getppid;
use rc_sv_api::{Error, Result};
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::SystemTime;

/// Writes the pid of the supervisor, which called, where everybody can read it: OpenRC takes the
/// service for crashed when that one is gone.
pub(super) fn supervisor(call: &Call) -> Result<()> {
    let pid = format!("{}\n", getppid());
    let dir = Dir::make_supervisors(&call.svcdir)?;
    dir.replace(call.service.as_str(), 0o644, pid.as_bytes())
}

/// The program runs as this process from now on.
pub(super) fn spawned(call: &Call, launch: &Launch, record: &Record) -> Result<()> {
    let Some(openrc) = State::open(&call.svcdir) else {
        return Ok(());
    };
    let named = |path: &std::path::Path| {
        CString::new(path.as_os_str().as_bytes()).map_err(|_| Error::invalid("a path has a NUL"))
    };
    let dir = Dir::make_supervisors(&call.svcdir)?;
    let spawn = Spawn {
        exec: &named(launch.program())?,
        pidfile: &named(&dir.path().join(call.service.as_str()))?,
        at: SystemTime::now(),
        respawns: record.restarts,
        pid: record.pid.unwrap_or_default(),
    };
    // Whoever is at work on the service marks it himself.
    if record.probation && !is_locked(&call.svcdir, &call.service)? {
        openrc.mark_started(&call.service)?;
    }
    openrc.record_spawn(&call.service, &spawn)
}

/// The same of a service whose process OpenRC knows by its own means.
pub(super) fn respawned(call: &Call, record: &Record) -> Result<()> {
    match State::open(&call.svcdir) {
        Some(openrc) => openrc.record_time(&call.service, SystemTime::now(), record.restarts),
        None => Ok(()),
    }
}

/// Nothing runs at the moment.
pub(super) fn gone(call: &Call) -> Result<()> {
    match State::open(&call.svcdir) {
        Some(openrc) => openrc.clear_child(&call.service),
        None => Ok(()),
    }
}

/// The service is down for good, as `record` says. That can take its time, so another process tells
/// it: as it is now, as by then it may run again.
pub(super) fn over(call: &Call, record: &Record) -> Result<()> {
    let mut command = Command::new("/proc/self/exe");
    command.args(["tell".as_ref(), call.dir.path().as_os_str()]);
    command.arg(record.text());
    command.args(call.is_watched().then_some(super::tell::WATCHED));
    command.current_dir("/").process_group(0);
    command.stdin(Stdio::null());
    if !call.has_log() {
        // Else it looks into the pipe to the logger.
        command.stdout(Stdio::null());
    }
    let made = command.spawn().map(drop);
    made.map_err(|cause| Error::io("make a process that tells OpenRC", &cause))
}
