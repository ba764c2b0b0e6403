//! How far a run has come: by what `rc-sv-exec` keeps of it, or, for a directory that was written
//! by hand, by what its supervisor says.

use crate::call::Call;
use crate::observed::Wants;
use crate::supervise::Snapshot;
use crate::watch::Watch;
use rc_sv_api::Result;
use rc_sv_exec::instance::Instance;
use rc_sv_exec::run::executed;
use rc_sv_exec::run::record::{self, Phase};
use std::time::Duration;

/// How long a program may take to be executed.
pub(crate) const EXECUTE: Duration = Duration::from_secs(20);

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

/// Waits until the run that was asked for has begun. One whose program was executed and has ended
/// again has begun. `watch` is older than what was asked.
///
/// # Errors
/// Its program could not be executed, and why; or nothing came of it in time.
pub(crate) fn await_begun(call: &Call, watch: &mut Watch) -> Result<()> {
    let is_native = call.is_native();
    let begun = |snapshot: &Snapshot| match is_native {
        true => Ok(snapshot.runs().then_some(())),
        false => Ok(executed(&call.dir)?.map(drop)),
    };
    let begun = watch.until(call.supervise(), call.within(EXECUTE), begun)?;
    begun.ok_or_else(|| call.late("did not run the service in time; is it stopped by a signal?"))
}
