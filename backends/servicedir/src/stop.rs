//! Stopping a service.

use crate::call::{Call, PATIENCE};
use crate::native;
use crate::observed::{Phase, Wants};
use crate::registration;
use crate::supervise::Snapshot;
use rc_sv_api::{signal, Code, Error, Result, Spec};
use rc_sv_exec::cgroup::Cgroup;
use rc_sv_exec::instance::Instance;
use rc_sv_exec::place::Dir;
use rc_sv_exec::process;
use rc_sv_exec::run::{end_script, record};
use rc_sv_exec::spec_file;
use rc_sv_exec::stop::Stop;
use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// What a stop may take besides what the service's own settings allow.
pub(crate) const SLACK: Duration = Duration::from_secs(25);

/// Stops the service, whatever it is doing, and takes it from its scanner. Nothing of it is left.
///
/// # Errors
/// Something of it still runs.
pub(crate) fn stop(call: &Call) -> Result<()> {
    let spec = recorded(call)?;
    let stop = Stop::from_settings(spec.settings());
    end(call, &stop)?;
    let is_ours = registration::unlink(call)?;
    if !is_ours || call.suite.forgets_end {
        settle(call, finish_time(&spec))?;
    }
    if is_ours {
        leave(call, finish_time(&spec))?;
    }
    sweep(call, &stop, &spec)?;
    if is_ours {
        registration::end_logger(call)?;
    }
    registration::forget(call)?;
    clear(call);
    call.tree.remove(&call.service)
}

/// Ends what runs; the supervisor stays, and keeps it down.
///
/// # Errors
/// Something still runs.
pub(crate) fn down(call: &Call) -> Result<()> {
    let spec = recorded(call)?;
    let stop = Stop::from_settings(spec.settings());
    end(call, &stop)?;
    settle(call, finish_time(&spec))?;
    sweep(call, &stop, &spec)
}

/// How long the ladder of `spec` and the end of a service may take.
pub(crate) fn patience(spec: &Spec) -> Duration {
    Stop::from_settings(spec.settings()).ladder.total() + finish_time(spec) + SLACK
}

/// What the service was started with.
pub(crate) fn recorded(call: &Call) -> Result<Spec> {
    match spec_file::read(&call.dir) {
        Err(error) if error.code == Code::NotFound => Ok(Spec::of_service(&call.service)),
        spec => spec,
    }
}

/// Ends the main process, which is not run again, whatever ends it.
fn end(call: &Call, stop: &Stop) -> Result<()> {
    native::check_reachable(call)?;
    record::want_down(&call.dir)?;
    match call.is_native() {
        true => native::end(call, stop),
        false => end_instance(call, stop),
    }
}

/// Ends what is left when all is over.
fn sweep(call: &Call, stop: &Stop, spec: &Spec) -> Result<()> {
    // Where who has waited for it was killed.
    end_script(&call.dir);
    leftovers(stop, spec)
}

/// Has the supervisor end, which it does when all is over. A `finish` that takes longer than it may
/// is killed.
fn leave(call: &Call, finish_time: Duration) -> Result<()> {
    let supervise = call.supervise();
    if !supervise.control(b"dx")?
        || supervise.await_end(call.within(PATIENCE))?
        || finishes(call)? && supervise.await_end(call.within(after_patience(finish_time)))?
        || end_finish(call)? && supervise.await_end(call.within(PATIENCE))?
    {
        return Ok(());
    }
    Err(call.late("does not end; is it stopped by a signal?"))
}

/// Waits until the supervisor, which stays, knows that all is over. A `finish` that takes longer than
/// it may is killed.
fn settle(call: &Call, finish_time: Duration) -> Result<()> {
    let late = || call.late("does not say that the service is down; is it stopped by a signal?");
    if !call.supervise().control(b"d")? {
        return Ok(());
    }
    let mut watch = call.watch()?;
    let over = |snapshot: &Snapshot| {
        // runsv and supervise sleep for a second at times: down as it is, it might run it again
        // before it reads what it was told.
        let knows = snapshot.observed.is_some_and(|it| it.wants != Wants::Up);
        Ok((snapshot.is_down() && knows || snapshot.supervisor.is_none()).then_some(()))
    };
    let deadline = call.within(PATIENCE);
    if watch.until(call.supervise(), deadline, over)?.is_some() {
        return Ok(());
    }
    let deadline = call.within(after_patience(finish_time));
    if finishes(call)? && watch.until(call.supervise(), deadline, over)?.is_some() {
        return Ok(());
    }
    if !end_finish(call)? {
        return Err(late());
    }
    watch
        .until(call.supervise(), call.within(PATIENCE), over)?
        .ok_or_else(late)
}

/// Whether `finish` runs: a supervisor that does not hear is not waited for as long.
fn finishes(call: &Call) -> Result<bool> {
    let snapshot = call.supervise().snapshot()?;
    let phase = snapshot.observed.map(|observed| observed.phase);
    Ok(matches!(phase, Some(Phase::Finish(_))) && snapshot.process.is_some())
}

fn after_patience(finish_time: Duration) -> Duration {
    finish_time.saturating_sub(PATIENCE)
}

/// Kills a `finish` that runs. False: nothing runs.
fn end_finish(call: &Call) -> Result<bool> {
    let snapshot = call.supervise().snapshot()?;
    let (Some(observed), Some(process)) = (snapshot.observed, &snapshot.process) else {
        return Ok(false);
    };
    if let Phase::Finish(_) = observed.phase {
        // It has ended, or it has not, which is seen then.
        let _ = process::send_signal(process.as_fd(), signal::KILL);
    }
    Ok(true)
}

/// Ends the main process, whoever is its parent by now.
fn end_instance(call: &Call, stop: &Stop) -> Result<()> {
    let Some(instance) = Instance::living(&call.dir) else {
        return Ok(());
    };
    if call.supervise().snapshot()?.runs() {
        // runsv and supervise may sleep for a second when it has ended; so they hear before that
        // it is not to run again.
        call.supervise().control(&[call.suite.once])?;
    }
    let ended = stop.end_by(&instance, call.deadline);
    ended.map_err(|cause| Error::io(format_args!("end process {}", instance.pid), &cause))
}

/// What left the process group is found in the cgroup.
fn leftovers(stop: &Stop, spec: &Spec) -> Result<()> {
    match stop.leftovers(spec.settings()) {
        None => Ok(()),
        Some(leftovers) => {
            let ended = leftovers.end();
            ended.map_err(|cause| {
                Error::io(
                    format_args!("end what is left in {}", leftovers.path().display()),
                    &cause,
                )
            })
        }
    }
}

/// Removes what `rc-sv-exec` made elsewhere.
fn clear(call: &Call) {
    // Each may never have been there, and does no harm if it stays.
    let _ = Dir::make_supervisors(&call.svcdir).map(|dir| dir.remove(call.service.as_str()));
    if let Ok(spec) = recorded(call) {
        if let Some(service) = spec.settings().text("cgroup") {
            Cgroup::in_service(Path::new(OsStr::from_bytes(service))).remove();
        }
    }
}

fn finish_time(spec: &Spec) -> Duration {
    spec.settings()
        .duration("rc_supervise_finish_timeout")
        .unwrap_or_default()
}
