//! The cgroup of the program, and what limits it.

use super::record::Record;
use super::Call;
use crate::cgroup::limits::{killed_for_memory, Limits};
use crate::cgroup::Cgroup;
use rc_sv_api::exit::Exit;
use rc_sv_api::{signal, Error, Result, Settings};
use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Sets the limits of the service for a run that is about to begin, and takes down which have no
/// effect: that is no reason not to run.
pub(super) fn limit(call: &Call, record: &mut Record, spec: &dyn Settings) {
    if call.is_watched() {
        // What OpenRC has made carries its limits.
        return;
    }
    let (limits, cgroup) = (Limits::of(spec), of(call, spec));
    if let (false, Some(cgroup)) = (limits.is_empty(), &cgroup) {
        // That of the service may have been removed. Where this fails, so does what follows.
        let _ = cgroup.make(false);
    }
    let (note, killed) = limits.hold(cgroup.as_ref());
    record.memory_kills = killed;
    let note = note.unwrap_or_default();
    if record.limit(&note) && !note.is_empty() {
        (call.warn)(&format!("{}: {note}", call.service));
    }
}

/// Whether the kernel has killed the run of this record for want of memory.
pub(super) fn was_starved(call: &Call, record: &Record, spec: &dyn Settings) -> bool {
    let is_killed = record.last_exit == Some(Exit::Signal(signal::KILL as u8));
    let Some(before) = record.memory_kills.filter(|_| is_killed) else {
        return false;
    };
    let opened = of(call, spec).and_then(|cgroup| cgroup.open_service().ok());
    opened.and_then(|opened| killed_for_memory(opened.as_fd())) > Some(before)
}

/// Joins the cgroup of the service, where it has one.
pub(super) fn join(call: &Call, spec: &dyn Settings) -> Result<()> {
    let Some(cgroup) = of(call, spec) else {
        return Ok(());
    };
    // What OpenRC has made is not made anew.
    let joined = cgroup.make(!call.is_watched()).and_then(|_| cgroup.join());
    joined.map_err(|cause| Error::io(format_args!("join {}", cgroup.path().display()), &cause))
}

/// That of an instance, where its service has one.
fn of(call: &Call, spec: &dyn Settings) -> Option<Cgroup> {
    let service = Path::new(OsStr::from_bytes(spec.text("cgroup")?));
    Some(match call.is_watched() {
        true => Cgroup::of_service(service),
        false => Cgroup::in_service(service),
    })
}
