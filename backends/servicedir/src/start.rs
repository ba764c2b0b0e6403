//! Starting a service.

use crate::call::Call;
use crate::origin::Origin;
use crate::scanner::Scanner;
use crate::{directory, progress, registration, stop};
use rc_sv_api::{Result, Settings};
use rc_sv_exec::run::record;
use rc_sv_exec::spec_file;
use std::fs;
use std::path::Path;

/// Starts the service with a resolved spec, and returns when its program was executed. One that
/// runs is left alone, and has the new spec from its next run on.
///
/// # Errors
/// It does not run, and is not tried again.
pub(crate) fn start(
    call: &mut Call,
    origin: &Origin,
    spec: &dyn Settings,
    scanner: &Scanner,
    program: &Path,
) -> Result<()> {
    spec_file::write(&call.dir, spec)?;
    let begun = supervised(call, origin, scanner, program).and_then(|is_new| match is_new {
        true => ordered(call),
        false => up(call),
    });
    if begun.is_err() {
        call.patient(stop::patience(&spec.to_spec()));
        // What failed is what matters, and not what this says.
        let _ = stop::stop(call);
    }
    begun
}

/// Runs a service that has a supervisor, unless it runs.
///
/// # Errors
/// Its program cannot be executed, or is not in time.
pub(crate) fn up(call: &Call) -> Result<()> {
    let snapshot = call.supervise().snapshot()?;
    if progress::runs(call, &snapshot)? {
        return Ok(());
    }
    if !snapshot.is_down() {
        // It waits for its next run, or clears up: a person wants it now.
        stop::down(call)?;
    }
    record::forget(&call.dir)?;
    ordered(call)
}

/// Tells the supervisor, which runs a new service by itself unless its directory has a `down`.
fn ordered(call: &Call) -> Result<()> {
    let mut watch = call.watch()?;
    call.supervise().control(b"u")?;
    progress::await_begun(call, &mut watch)
}

/// Has the service supervised, where it is not. Answers whether it was not, so that its supervisor
/// begins to run it.
fn supervised(call: &Call, origin: &Origin, scanner: &Scanner, program: &Path) -> Result<bool> {
    let link = registration::link(call)?;
    let is_linked = link.is_some_and(|link| fs::symlink_metadata(link).is_ok());
    if call.supervise().snapshot()?.supervisor.is_some() {
        if is_linked {
            return Ok(false);
        }
        // Its scanner does not know it any more: nobody would begin it again.
        stop::stop(call)?;
    } else if is_linked && call.tree.has(&call.service) {
        // It was killed, and its scanner is about to begin it again.
        return registration::await_supervisor(call, scanner).map(|()| false);
    }
    record::forget(&call.dir)?;
    match origin {
        Origin::Generated => {
            let files = directory::files(call, program);
            call.tree.build(&call.service, &files)?;
        }
        Origin::Native(path) => call.tree.link(&call.service, path)?,
    }
    registration::register(call, scanner).map(|()| true)
}
