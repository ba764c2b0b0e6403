//! The runscript before a run, where that makes the spec anew: before a respawn, and for a restart
//! through the module.

use super::command::{self, Ran};
use super::lock::{self, Byte, Locks};
use super::record::{self, Record};
use super::signals::Signals;
use super::{output, Call};
use crate::instance::Instance;
use crate::launch::{Ending, Launch, Running};
use crate::place::Dir;
use crate::stop::KILL_WAIT;
use crate::{process, readiness, renewal};
use rc_sv_api::exit::Exit;
use rc_sv_api::{duration, signal, Error, Result, Settings};
use std::os::fd::AsFd;

/// Which process the runscript is, for whoever comes when this one was killed.
const NAME: &str = "script";

/// Whether a runscript is waited for by the run of the service with this directory.
///
/// # Errors
/// The directory cannot be used.
pub fn awaits_script(dir: &Dir) -> Result<bool> {
    lock::is_held(dir, Byte::Script)
}

/// Kills a runscript for which nobody waits any more.
pub fn end_script(dir: &Dir) {
    if let Some(Ok(Some(pidfd))) = Instance::living_as(dir, NAME).map(|it| it.open()) {
        // An older kernel cannot reach its group safely.
        let _ = process::signal_group(pidfd.as_fd(), signal::KILL);
        let _ = process::send_signal(pidfd.as_fd(), signal::KILL);
    }
}

/// Runs the runscript where the next run is to have what that says. `false`: a signal ends this
/// process.
///
/// # Errors
/// It failed, as the run would have.
pub(super) fn renew(
    call: &Call,
    locks: &Locks,
    record: &Record,
    spec: &dyn Settings,
    signals: &Signals,
) -> Result<bool> {
    let is_called_for = record.next_ms.is_some() || record::wants_script(&call.dir)?;
    if !is_called_for || !renewal::is_by_script(spec) {
        return Ok(true);
    }
    end_script(&call.dir);
    if !locks.take(Byte::Script, KILL_WAIT, signals)? {
        return Ok(false);
    }
    let mut shown = record.clone();
    shown.say("running the runscript");
    call.warn_of(shown.write(&call.dir));
    let ran = run(call, record, spec, signals);
    locks.release(Byte::Script);
    if !matches!(ran, Ok(Ran::Told)) {
        record::script_ended(&call.dir)?;
    }
    let why = match ran? {
        Ran::Ended(Exit::Code(0)) => return Ok(true),
        Ran::Told => {
            call.warn_of(record.write(&call.dir));
            return Ok(false);
        }
        Ran::Ended(exit) => exit.to_string(),
        Ran::Late => format!("no end within {}", duration::show(readiness::timeout(spec))),
    };
    Err(Error::invalid(format!("the runscript: {why}")))
}

fn run(call: &Call, record: &Record, spec: &dyn Settings, signals: &Signals) -> Result<Ran> {
    let ending = Ending {
        exit: record.last_exit.unwrap_or(Exit::Unknown),
        result: record.cause.result(),
        restarts: record.restarts,
    };
    let mut launch = Launch::for_respawn(spec, ending)?;
    launch.set_variable(command::OUTPUT, &output::last_lines(call, spec))?;
    let running = Running::begin(launch)?;
    let failed = |cause| Error::io("examine the runscript", &cause);
    let noted = Instance::of(running.pid()).map_err(failed);
    call.warn_of(noted.and_then(|instance| instance.write_as(&call.dir, NAME)));
    command::attend(&running, readiness::timeout(spec), signals)
}
