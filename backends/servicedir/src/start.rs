//! Starting a service.

use crate::call::Call;
use crate::origin::Origin;
use crate::scanner::Scanner;
use crate::{directory, progress, registration, stop};
use rc_sv_api::{Code, Error, Result, Settings, Spec};
use rc_sv_exec::log::Stream;
use rc_sv_exec::readiness::Readiness;
use rc_sv_exec::renewal;
use rc_sv_exec::run::awaits_script;
use rc_sv_exec::spec_file;
use std::fs;
use std::path::Path;

/// Starts the service with a resolved spec, and returns when its program was executed. One that
/// runs is left alone, and has the new spec from its next run on. `scan_dir` is the one that is
/// configured, `program` is `rc-sv-exec`.
///
/// # Errors
/// It does not run, and is not tried again.
pub(crate) fn start(
    call: &mut Call,
    origin: &Origin,
    spec: &dyn Settings,
    scan_dir: Option<&Path>,
    program: &Path,
) -> Result<()> {
    let snapshot = call.supervise().snapshot()?;
    let is_supervised = snapshot.supervisor.is_some() && is_linked(call)?;
    let is_same = call.is_native() || is_same(call, spec)?;
    if is_supervised && !is_same && !progress::runs(call, &snapshot)? {
        // It was given up or has ended; what it is now is told in another way.
        stop::stop(call)?;
        return start(call, origin, spec, scan_dir, program);
    }
    // Nothing is touched when there is no scanner for what needs one.
    let scanner = match is_supervised {
        true => None,
        false => Some(call.scanner(scan_dir)?),
    };
    let before = stop::recorded(call)?;
    spec_file::write(&call.dir, spec)?;
    let begun = match &scanner {
        None if call.is_native() => up(call),
        None => renew_logger(call, &before, spec).and_then(|()| up(call)),
        Some(scanner) => supervise(call, origin, spec, scanner, program),
    };
    if begun.is_err() {
        call.patient(stop::patience(&spec.to_spec()));
        // What failed is what matters, and not what this says.
        let _ = stop::stop(call);
    }
    begun
}

/// The runscript runs before a respawn: what it says is for that. Whoever waits for it has no lock
/// but that of the run.
///
/// # Errors
/// Nobody waits for it, or the service directory would have to be another one.
pub(crate) fn renew(call: &Call, resolved: &Spec) -> Result<()> {
    if !awaits_script(&call.dir)? {
        let message = "no runscript was run for a respawn; start it as ever";
        return Err(Error::new(Code::Conflict, message));
    }
    let before = stop::recorded(call)?;
    let spec = renewal::renewed(&before, resolved);
    if !is_same(call, spec.settings())? {
        let message = "the runscript has set or unset notify or a logger: restart the service";
        return Err(Error::invalid(message));
    }
    spec_file::write(&call.dir, spec.settings())?;
    renew_logger(call, &before, spec.settings())
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
    call.forget()?;
    ordered(call)
}

/// Tells the supervisor, which runs a new service by itself unless its directory has a `down`.
fn ordered(call: &Call) -> Result<()> {
    let mut watch = call.watch()?;
    call.supervise().control(b"u")?;
    progress::await_begun(call, &mut watch)
}

/// Has the service supervised, and run.
fn supervise(
    call: &Call,
    origin: &Origin,
    spec: &dyn Settings,
    scanner: &Scanner,
    program: &Path,
) -> Result<()> {
    if call.supervise().snapshot()?.supervisor.is_some() {
        // Its scanner does not know it any more: nobody would begin it again.
        stop::stop(call)?;
    } else if call.tree.has(&call.service) && is_linked(call)? {
        // It was killed, and its scanner is about to begin it again.
        return registration::await_supervisor(call, scanner).and_then(|()| up(call));
    }
    call.forget()?;
    match origin {
        Origin::Generated => {
            let files = directory::files(call, spec, program)?;
            call.tree.build(&call.service, &files)?;
        }
        Origin::Native(path) => {
            registration::check_free(call, scanner, path)?;
            call.tree.link(&call.service, path)?;
        }
    }
    registration::register(call, scanner)?;
    ordered(call)
}

/// Whether the directory has what the spec needs: a way to tell the supervisor that the program is
/// ready, a logger.
fn is_same(call: &Call, spec: &dyn Settings) -> Result<bool> {
    let listens = directory::listens(call.suite, &Readiness::of(spec)?).is_some();
    let logs = Stream::only(spec)?.is_some();
    let has = |name| call.tree.has_file(&call.service, name);
    Ok(has(directory::LISTENS) == listens && has(directory::LOG) == logs)
}

/// Has a logger that was begun with another spec begin again. What it has read it delivers first.
fn renew_logger(call: &Call, before: &Spec, spec: &dyn Settings) -> Result<()> {
    if Stream::only(before.settings()).ok() != Some(Stream::only(spec)?) {
        let logger = format!("{}/{}", call.service, directory::LOG);
        call.tree.supervise(&logger).control(b"t")?;
    }
    Ok(())
}

/// Whether a scanner has the service, as far as its directory tells.
fn is_linked(call: &Call) -> Result<bool> {
    let link = registration::link(call)?;
    Ok(link.is_some_and(|link| fs::symlink_metadata(link).is_ok()))
}
