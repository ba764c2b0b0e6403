//! Telling that a service is down, in a process of its own: an openrc-run may be at work on the
//! service for a while, and the give-up command may take its time.

use super::alarm;
use super::command;
use super::record::{self, Phase, Record};
use super::signals::Signals;
use super::Call;
use crate::alert::Topic;
use crate::clock;
use crate::installed;
use crate::launch::{Ending, Launch};
use crate::openrc::{is_locked, watch_locks, State};
use crate::spec_file;
use nix::poll::PollFlags;
use rc_sv_api::exit::Exit;
use rc_sv_api::{Error, Result};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

/// The word by which `tell` knows that somebody only watches the service.
pub(super) const WATCHED: &str = "watched";

/// How long the give-up command may take.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(60);

/// How long an openrc-run may be at work.
const OPENRC_TIMEOUT: Duration = Duration::from_secs(600);

/// How often it is looked where locks cannot be watched: the kernel has 128 watches for all of
/// root's processes.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Runs the give-up command, and marks the service in OpenRC's state, as it was when `record` said so.
pub(super) fn tell(call: &Call, record: &Record, signals: &Signals) -> Result<u8> {
    // The mark comes first, if it can be made at once.
    let is_marked = mark(call, record)?;
    // Who was told of it is not told again when one more try fails too.
    if record.phase == Phase::Failed && !record.probation {
        call.warn_of(give_up(call, record, signals));
    }
    if !is_marked {
        wait_and_mark(call, record, signals)?;
    }
    if call.is_watched() && is_the_same(call, record)? {
        return Err(let_go(call));
    }
    Ok(0)
}

/// Has the module that watches the service let it go. Only that knows how, so this process becomes
/// the program that calls it; it comes back when it cannot.
fn let_go(call: &Call) -> Error {
    let loader = installed::path(installed::LOADER);
    let cause = Command::new(&loader)
        .args(["detach", call.service.as_str()])
        .exec();
    Error::io(format_args!("execute {loader}"), &cause)
}

/// Alerts a person, runs the give-up command, and starts the service that takes its place.
fn give_up(call: &Call, record: &Record, signals: &Signals) -> Result<()> {
    const KEY: &str = "rc_supervise_on_give_up";
    let spec = spec_file::read(&call.dir)?;
    let spec = spec.settings();
    let ending = Ending {
        exit: record.last_exit.unwrap_or(Exit::Unknown),
        result: record.result(),
        restarts: record.restarts,
    };
    // It has its own time, beside all others.
    let begun = alarm::begin(call, spec, Topic::GaveUp, &record.note, record.last_exit);
    call.warn_of(begun.map(drop));
    if spec.text("rc_supervise_alternate").is_some() {
        let started = Launch::for_alternate(spec, ending)
            .and_then(|launch| command::run_launch(launch, COMMAND_TIMEOUT, signals));
        call.warn_of(started.map(drop).map_err(|error| {
            let message = format!("rc_supervise_alternate: {}", error.message);
            Error { message, ..error }
        }));
    }
    if spec.list(KEY).is_some() {
        command::run(call, spec, KEY, ending, COMMAND_TIMEOUT, signals)?;
    }
    Ok(())
}

/// Marks the service, unless an openrc-run would overwrite it. `false`: later.
fn mark(call: &Call, told: &Record) -> Result<bool> {
    let Some(openrc) = State::open(&call.svcdir) else {
        return Ok(true);
    };
    if is_locked(&call.svcdir, &call.service)? {
        return Ok(false);
    }
    // Whoever has started it again meanwhile, or stopped it, knows better.
    if !is_the_same(call, told)? {
        return Ok(true);
    }
    match told.phase {
        Phase::Failed => openrc.mark_failed(&call.service)?,
        Phase::Down => openrc.mark_stopped(&call.service)?,
        _ => {}
    }
    Ok(true)
}

/// Whether nobody has started or stopped the service since.
fn is_the_same(call: &Call, told: &Record) -> Result<bool> {
    let record = record::read(&call.dir)?.unwrap_or_default();
    let is_same = (record.phase, record.since_ms) == (told.phase, told.since_ms);
    Ok(is_same && !record::is_wanted_down(&call.dir)?)
}

/// The watch is there before the next look, so no end of an openrc-run is missed.
fn wait_and_mark(call: &Call, told: &Record, signals: &Signals) -> Result<()> {
    let failed = |cause| Error::io("watch OpenRC's locks", &cause);
    let watch = watch_locks(&call.svcdir);
    let end = clock::boot_ms().saturating_add(OPENRC_TIMEOUT.as_millis() as u64);
    while !mark(call, told)? {
        let left = Duration::from_millis(end.saturating_sub(clock::boot_ms()));
        if left.is_zero() {
            let message = "an openrc-run is at work on the service for too long to be told";
            return Err(Error::new(rc_sv_api::Code::Timeout, message));
        }
        let changed = watch
            .as_ref()
            .map(|watch| (watch.as_fd(), PollFlags::POLLIN));
        let pause = if watch.is_ok() {
            left
        } else {
            left.min(LOOK_AGAIN)
        };
        signals.wait(changed.ok(), Some(pause)).map_err(failed)?;
        while matches!(&watch, Ok(watch) if watch.read_events().is_ok()) {}
    }
    Ok(())
}
