//! What is kept of a service while it is watched: its spec, as it is run again, and by which kind of
//! control file it is.

use rc_sv_api::{Code, Error, Result, ServiceName, Settings, Spec, Value};
use rc_sv_exec::place::Dir;
use rc_sv_exec::resolve::resolve;
use rc_sv_exec::run::record::{self, Phase};
use rc_sv_exec::spec_file;
use std::path::Path;

/// Where the control file comes from: `rc_monit_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// From the settings of the service.
    Simple,
    /// From the administrator, for this service.
    File,
    /// From monit's own configuration.
    Native,
}

/// Settings of this module, which a resolved spec has no more.
const OURS: [&str; 2] = ["rc_monit_type", "rc_monit_service"];

/// The kind of a service.
pub fn kind(spec: &dyn Settings) -> Kind {
    match spec.word("rc_monit_type").as_str() {
        "native" => Kind::Native,
        "file" => Kind::File,
        _ => Kind::Simple,
    }
}

/// What is to be kept of a service with these settings.
///
/// # Errors
/// It cannot be run again, and monit is to do so by what we give it; or a setting does not fit.
pub fn of(spec: &dyn Settings) -> Result<(Kind, Spec)> {
    let kind = kind(spec);
    let is_runnable = spec.list("argv").is_some_and(|argv| !argv.is_empty());
    if kind == Kind::Simple && !is_runnable {
        return Err(Error::invalid(
            "it has a start() of its own, which cannot be run again without OpenRC: set command and \
             leave start() out, or use rc_monit_type=file or native",
        ));
    }
    let mut kept = match is_runnable && kind != Kind::Native {
        true => resolve(started_with(spec).settings())?,
        false => bare(spec)?,
    };
    for key in OURS {
        if let Some(text) = spec.text(key) {
            kept.put(key, Value::Text(text.to_vec()));
        }
    }
    Ok((kind, kept))
}

/// What the service was attached with; only its name where it was not.
///
/// # Errors
/// It cannot be read, or is not safe.
pub fn read(svcdir: &Path, service: &ServiceName) -> Result<Spec> {
    let Some(directory) = directory(svcdir, service)? else {
        return Ok(Spec::of_service(service));
    };
    match spec_file::read(&directory) {
        Err(error) if error.code == Code::NotFound => Ok(Spec::of_service(service)),
        read => read,
    }
}

/// The directory of a service, where it has one.
///
/// # Errors
/// It is not safe, or not for the caller.
pub fn directory(svcdir: &Path, service: &ServiceName) -> Result<Option<Dir>> {
    match Dir::open_service(svcdir, service) {
        Err(error) if error.code == Code::NotFound => Ok(None),
        directory => directory.map(Some),
    }
}

/// Whether it is not to be run again, as its policy says.
///
/// # Errors
/// The record cannot be read.
pub fn is_over(directory: &Dir) -> Result<bool> {
    let record = record::read(directory)?;
    Ok(record.is_some_and(|record| matches!(record.phase, Phase::Down | Phase::Failed)))
}

/// What of the settings OpenRC has started it with: options of its other tool mean nothing then.
pub fn started_with(spec: &dyn Settings) -> Spec {
    let mut spec = spec.to_spec();
    spec.remove("supervise_daemon_args");
    spec
}

/// Of a service that is never run from here: how its process is known.
fn bare(spec: &dyn Settings) -> Result<Spec> {
    let mut kept = Spec::of_service(&spec.service()?);
    for key in ["svcdir", "pidfile"] {
        if let Some(text) = spec.text(key) {
            kept.put(key, Value::Text(text.to_vec()));
        }
    }
    Ok(kept)
}
