//! The beginning of a run.

use super::lock::{Byte, Locks};
use super::record::{self, Phase, Record};
use super::signals::Signals;
use super::{alarm, attend, cgroup, dependents, finish, report, script, vigil, Call, Given};
use crate::clock;
use crate::instance::Instance;
use crate::launch::{self, Keep, Launch, NOT_RUN};
use crate::log::Stream;
use crate::pid_file::PidFile;
use crate::readiness::Readiness;
use crate::resolve;
use crate::spec_file;
use crate::stop::{Stop, KILL_WAIT};
use nix::unistd::{fchown, Uid};
use rc_sv_api::exit::Exit;
use rc_sv_api::policy::Policy;
use rc_sv_api::{Error, Result, Settings};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// How long the supervisor may take to say that this process is to end.
const DOWN_WAIT: Duration = Duration::from_secs(5);

/// The exit code of a process that only waited.
const WAITED: u8 = 0;

/// The next run. Comes back when it ended, or is not to begin.
pub(super) fn run(call: &Call, signals: &Signals) -> Result<u8> {
    let locks = Locks::open(&call.dir)?;
    let spec = spec_file::read(&call.dir)?;
    let stop = Stop::from_settings(spec.settings());
    // What follows the end of the run before may still be going on, where a supervisor was killed.
    // Whoever executes a program just now, does; after that nobody can. Who is left, only waits for
    // a run or looks after one, for a supervisor that is gone.
    let order = [
        (Byte::Finish, finish::patience(&spec)),
        (Byte::Execute, KILL_WAIT),
        (Byte::Run, Duration::ZERO),
    ];
    for (byte, patience) in order {
        if !locks.take(byte, patience, signals)? {
            return Ok(WAITED);
        }
    }
    locks.release(Byte::Finish);
    locks.release(Byte::Execute);
    let mut record = record::read(&call.dir)?.unwrap_or_default();
    if let Some(instance) = Instance::living(&call.dir) {
        call.warn_of(report::supervisor(call));
        if record::is_wanted_down(&call.dir)? {
            let failed = |cause| Error::io(format_args!("end process {}", instance.pid), &cause);
            stop.end(&instance).map_err(failed)?;
            return ended(call, &locks, record, Exit::Unknown, signals);
        }
        let exit = attend::stranger(call, &instance, spec.settings(), signals)?;
        return ended(call, &locks, record, exit, signals);
    }
    if let Some(exit) = record.forgotten_end() {
        finish::follow(call, &locks, &mut record, exit, signals)?;
    }
    if is_over(call, &record)? {
        return refuse(call, &stop, signals);
    }
    call.warn_of(report::supervisor(call));
    if let Some(next) = record.next_ms {
        // Without a watch on the directory: the kernel has 128 of them for all of root's.
        let left = Duration::from_millis(next.saturating_sub(clock::boot_ms()));
        let ended = signals.pause(left, &stop.ladder);
        if ended.map_err(|cause| Error::io("wait", &cause))? {
            return Ok(WAITED);
        }
    }
    // As it is now: a start may have changed it meanwhile.
    let spec = spec_file::read(&call.dir)?;
    let settings = spec.settings();
    match script::renew(call, &locks, &record, settings, signals) {
        Ok(true) if record::is_wanted_down(&call.dir)? => refuse(call, &stop, signals),
        Ok(true) => begin(call, &locks, record, signals),
        Ok(false) => Ok(WAITED),
        Err(error) => {
            let exit = not_begun(call, &mut record, settings, &error)?;
            let record = record::read(&call.dir)?.unwrap_or_default();
            ended(call, &locks, record, exit, signals)
        }
    }
}

/// Begins the run for which everything has been waited.
fn begin(call: &Call, locks: &Locks, mut record: Record, signals: &Signals) -> Result<u8> {
    // As the runscript has said it by now.
    let spec = spec_file::read(&call.dir)?;
    let is_attended = vigil::is_needed(spec.settings()).unwrap_or(false)
        || alarm::raised(&call.dir, spec.settings())?.is_some()
        || dependents::is_awaited(call, spec.settings())?;
    if call.has_finish() && !is_attended {
        return become_program(call, locks, record, None, signals);
    }
    let exit = match attend::child(call, spec.settings(), signals) {
        Ok(exit) => exit,
        Err(error) => not_begun(call, &mut record, spec.settings(), &error)?,
    };
    let record = record::read(&call.dir)?.unwrap_or_default();
    ended(call, locks, record, exit, signals)
}

/// Records a run that came to nothing, and why.
fn not_begun(call: &Call, record: &mut Record, spec: &dyn Settings, error: &Error) -> Result<Exit> {
    let mut failure = begun(call, record, &Policy::from_settings(spec), false)?;
    leave_word(&mut failure, error)?;
    Ok(Exit::NotRun(error.os_errno))
}

/// The same, in the child of one that stays and holds the lock.
pub(super) fn child(call: &Call, given: &Given, signals: &Signals) -> Result<u8> {
    let locks = Locks::open(&call.dir)?;
    let record = record::read(&call.dir)?.unwrap_or_default();
    become_program(call, &locks, record, Some(given), signals)
}

/// What follows the end of a run that this process looked after: nothing, where `finish` does it.
fn ended(
    call: &Call,
    locks: &Locks,
    mut record: Record,
    exit: Exit,
    signals: &Signals,
) -> Result<u8> {
    if call.has_finish() {
        record.last_exit = Some(exit);
        record.enter(Phase::Ended);
        record.write(&call.dir)?;
        return Ok(WAITED);
    }
    let exit = match (record.phase, record.last_exit) {
        // Why it was not executed is known better than with which code its process ended.
        (Phase::Ended, Some(known)) => known,
        (Phase::Running, _) => exit,
        // It ended before it got so far.
        _ => return Ok(WAITED),
    };
    finish::follow(call, locks, &mut record, exit, signals)?;
    if !is_over(call, &record)? {
        return Ok(WAITED);
    }
    let stop = Stop::from_settings(spec_file::read(&call.dir)?.settings());
    refuse(call, &stop, signals)
}

/// Whether there is to be no other run.
fn is_over(call: &Call, record: &Record) -> Result<bool> {
    Ok(record.is_final() || record::is_wanted_down(&call.dir)?)
}

/// Has the supervisor not start the service again, and waits for its signal: whoever only ends
/// is started once more.
fn refuse(call: &Call, stop: &Stop, signals: &Signals) -> Result<u8> {
    call.take_down()?;
    let ended = signals.pause(DOWN_WAIT, &stop.ladder);
    ended.map_err(|cause| Error::io("wait", &cause))?;
    Ok(super::NEVER_AGAIN)
}

/// Records the run and becomes the program. Comes back when that failed. `given`: by the parent of
/// this process, which looks after it; else nobody does.
///
/// Nobody executes a program without this lock, nor while the one that was recorded last runs, and
/// each is recorded before the lock is given back: that is why there is never a second copy,
/// whoever is killed, and whenever.
pub(super) fn become_program(
    call: &Call,
    locks: &Locks,
    mut record: Record,
    given: Option<&Given>,
    signals: &Signals,
) -> Result<u8> {
    let is_mine = locks.take(Byte::Execute, KILL_WAIT, signals)?;
    if !is_mine || Instance::living(&call.dir).is_some() {
        return Ok(WAITED);
    }
    let mut spec = spec_file::read(&call.dir)?;
    if let Some(given) = given {
        given.add_to(&mut spec);
    }
    let waited = record.clone();
    cgroup::limit(call, &mut record, spec.settings());
    let policy = Policy::from_settings(spec.settings());
    let is_awaited = given.is_some() && Readiness::of(spec.settings())? != Readiness::Executed;
    let mut failure = begun(call, &mut record, &policy, is_awaited)?;
    let error = match prepare(call, &record, spec.settings(), given) {
        Err(error) => error,
        Ok((launch, keep)) => {
            // The last look: a stop that came so far must not be lost in the execution.
            let stop = Stop::from_settings(spec.settings());
            let stopped = signals.pause(Duration::ZERO, &stop.ladder);
            if stopped.map_err(|cause| Error::io("wait", &cause))? {
                waited.write(&call.dir)?;
                return Ok(WAITED);
            }
            let failure = launch::replace(&launch, keep);
            Error {
                os_errno: failure.errno,
                ..Error::invalid(failure.message(&launch))
            }
        }
    };
    leave_word(&mut failure, &error)?;
    Ok(NOT_RUN)
}

/// Records that a run begins. Answers the file for why its program could not be executed.
fn begun(call: &Call, record: &mut Record, policy: &Policy, is_awaited: bool) -> Result<File> {
    let failure = call.dir.open_shared(record::FAILURE)?;
    let failed = |cause| Error::io("empty the file failure", &cause);
    failure.set_len(0).map_err(failed)?;
    record.begin(policy, is_awaited);
    // On a full file system a service without a record is better than none.
    call.warn_of(record.write(&call.dir));
    Ok(failure)
}

/// Makes everything ready that has to be there before the program is executed.
fn prepare(
    call: &Call,
    record: &Record,
    spec: &dyn Settings,
    given: Option<&Given>,
) -> Result<(Launch, Keep)> {
    let stream = match call.has_log() {
        true => Stream::only(spec)?,
        false => None,
    };
    let taken = stream.map(|stream| stream.descriptors);
    let launch = Launch::from_settings(spec)?.logged(taken.as_deref().unwrap_or_default());
    vigil::is_needed(spec)?;
    let path_of = |key| {
        spec.text(key)
            .map(|text| Path::new(OsStr::from_bytes(text)))
    };
    let pid = record.pid.unwrap_or_default();
    if let Some(path) = path_of("pidfile").filter(|_| spec.flag("command_background")) {
        let written = PidFile::find(path)?.write(pid);
        call.warn_of(written.map_err(|cause| Error::io("write the pid file", &cause)));
    }
    cgroup::join(call, spec)?;
    Instance::of(pid)
        .map_err(|cause| Error::io("examine the own process", &cause))?
        .write(&call.dir)?;
    call.warn_of(match call.is_watched() {
        true => report::respawned(call, record),
        false => report::spawned(call, &launch, record),
    });
    let takes = |place| match &taken {
        Some(taken) => taken.contains(&place),
        None => call.has_log(),
    };
    if call.has_log() {
        // So that it can open its /dev/stdout.
        let user = resolve::uid(spec);
        let owned = fchown(io::stdout(), user.map(Uid::from_raw), None);
        call.warn_of(owned.map_err(|errno| Error::io("give the pipe away", &errno.into())));
    }
    let keep = Keep {
        output: takes(1),
        error: takes(2),
        descriptor: given.and_then(Given::descriptor),
    };
    Ok((launch, keep))
}

/// Leaves why the program was not executed.
fn leave_word(file: &mut File, error: &Error) -> Result<()> {
    let text = record::failure(error.os_errno, &error.message);
    let written = file.write_all(text.as_bytes());
    written.map_err(|cause| Error::io("write the file failure", &cause))
}
