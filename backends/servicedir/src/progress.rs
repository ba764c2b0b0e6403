//! How far a run has come: by what `rc-sv-exec` keeps of it, or, for a directory that was written
//! by hand, by what its supervisor says.

use crate::call::Call;
use crate::directory;
use crate::observed::Wants;
use crate::stop;
use crate::supervise::Snapshot;
use crate::watch::Watch;
use rc_sv_api::{duration, Code, Error, Result};
use rc_sv_exec::clock;
use rc_sv_exec::instance::Instance;
use rc_sv_exec::readiness::{self, Readiness};
use rc_sv_exec::run::record::{self, Phase};
use rc_sv_exec::run::{executed, ready};
use std::time::Duration;

/// How long a program may take to be executed.
pub(crate) const EXECUTE: Duration = Duration::from_secs(20);

/// How much longer than it may take to become ready is waited for being told so.
pub(crate) const GRACE: Duration = Duration::from_secs(10);

/// Whether the service runs and is to go on.
///
/// # Errors
/// What is kept of it cannot be read.
pub(crate) fn runs(call: &Call, snapshot: &Snapshot) -> Result<bool> {
    let wanted = snapshot.observed.is_some_and(|it| it.wants == Wants::Up);
    if snapshot.supervisor.is_none() || !wanted {
        return Ok(false);
    }
    if call.is_native() {
        return Ok(snapshot.runs());
    }
    let record = record::read(&call.dir)?;
    let is_running = record.is_some_and(|record| record.phase == Phase::Running);
    Ok(is_running && Instance::living(&call.dir).is_some())
}

/// Waits until the run that was asked for has begun, and the program is ready where the spec says
/// how it tells. One whose program was executed and has ended again has begun. `watch` is older than
/// what was asked.
///
/// # Errors
/// Its program could not be executed, or ended before it was ready, and why; or nothing came of it
/// in time.
pub(crate) fn await_begun(call: &Call, watch: &mut Watch) -> Result<()> {
    let late = || call.late("did not run the service in time; is it stopped by a signal?");
    if call.is_native() {
        let runs = |snapshot: &Snapshot| Ok(snapshot.running());
        let begun = watch.until(call.supervise(), call.within(EXECUTE), runs)?;
        return await_native(call, watch, begun.ok_or_else(late)?);
    }
    let is_executed = |_: &Snapshot| executed(&call.dir);
    let spec = stop::recorded(call)?;
    let before = match call.by_script {
        true => readiness::timeout(spec.settings()),
        false => Duration::ZERO,
    };
    let begun = watch.until(call.supervise(), call.within(EXECUTE + before), is_executed)?;
    begun.ok_or_else(late)?;
    let readiness = Readiness::of(spec.settings())?;
    if readiness == Readiness::Executed {
        return Ok(());
    }
    let is_ready = |_: &Snapshot| ready(&call.dir);
    // Whoever looks after it ends it then, and tells more.
    let limit = readiness::timeout(spec.settings()) + GRACE;
    let mut deadline = call.within(limit);
    loop {
        if watch.until(call.supervise(), deadline, is_ready)?.is_some() {
            return Ok(());
        }
        let extended = call.extended(asked_for(call)? + GRACE);
        if extended <= deadline {
            let limit = duration::show(limit);
            let message = format!("the program was not ready within {limit}");
            return Err(Error::new(Code::Timeout, message));
        }
        deadline = extended;
    }
}

/// Waits until the supervisor of a directory written by hand knows that its program, which is `pid`, is
/// ready, where it listens.
fn await_native(call: &Call, watch: &mut Watch, pid: i32) -> Result<()> {
    if !call.suite.listens || !call.tree.has_file(&call.service, directory::LISTENS) {
        return Ok(());
    }
    let ready = |snapshot: &Snapshot| match (snapshot.running(), snapshot.observed) {
        (Some(running), Some(observed)) if running == pid => Ok(observed.ready.then_some(())),
        _ => Err(Error::new(
            Code::Failed,
            "the program ended before it was ready",
        )),
    };
    let spec = stop::recorded(call)?;
    let limit = readiness::timeout(spec.settings());
    let found = watch.until(call.supervise(), call.within(limit), ready)?;
    found.ok_or_else(|| {
        let limit = duration::show(limit);
        Error::new(Code::Timeout, format!("not ready within {limit}"))
    })
}

/// How much longer a program may take that has asked for it.
fn asked_for(call: &Call) -> Result<Duration> {
    let record = record::read(&call.dir)?.unwrap_or_default();
    let until = record.ready_until_ms.unwrap_or(0);
    Ok(Duration::from_millis(
        until.saturating_sub(clock::boot_ms()),
    ))
}
