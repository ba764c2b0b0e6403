//! What follows the end of a run: clear up, run the finish command, decide.

use super::alarm::{self, Alarm, Matter};
use super::command::{self, Ran};
use super::lock::{Byte, Locks};
use super::record::{self, Phase, Record};
use super::signals::Signals;
use super::{cgroup, dependents, report, Call, NEVER_AGAIN};
use crate::clock;
use crate::instance::Instance;
use crate::launch::Ending;
use crate::pid_file::PidFile;
use crate::stop::{KillMode, Stop, KILL_WAIT};
use crate::{process, spec_file};
use rc_sv_api::exit::Exit;
use rc_sv_api::policy::{self, Policy, Run, Verdict};
use rc_sv_api::{signal, Error, Result, Settings, Spec};
use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// How the run ended by the arguments of a `finish`: of s6-supervise the exit code, or 256 and the
/// signal; of runsv the exit code, or -1 and the low byte of the wait status.
pub(super) fn exit_of(arguments: &[String]) -> Exit {
    let number = |index: usize| arguments.get(index)?.parse::<i32>().ok();
    match (number(0), number(1)) {
        (Some(256), Some(signal @ 1..=64)) => Exit::Signal(signal as u8),
        (Some(-1), Some(status @ 1..=0xff)) => Exit::from_wait_status(status),
        (Some(code @ 0..=255), _) => Exit::Code(code as u8),
        _ => Exit::Unknown,
    }
}

/// How long what follows an end may take.
pub(super) fn patience(spec: &Spec) -> Duration {
    let command = spec.settings().duration("rc_supervise_finish_timeout");
    command.unwrap_or_default() + 2 * KILL_WAIT
}

/// After the end of a run, called by the supervisor.
pub(super) fn finish(call: &Call, told: Exit, signals: &Signals) -> Result<u8> {
    let locks = Locks::open(&call.dir)?;
    let spec = spec_file::read(&call.dir)?;
    if !locks.take(Byte::Finish, patience(&spec), signals)? {
        return Ok(0);
    }
    let mut record = record::read(&call.dir)?.unwrap_or_default();
    let exit = match record.phase {
        Phase::Running => Some(settle(call, told, &spec)?),
        Phase::Ended | Phase::Finishing => Some(record.last_exit.unwrap_or(told)),
        Phase::Waiting | Phase::Down | Phase::Failed => None,
    };
    if let Some(exit) = exit {
        follow(call, &locks, &mut record, exit, signals)?;
    }
    let is_wanted = !record::is_wanted_down(&call.dir)?;
    if is_wanted && !record.is_final() {
        return Ok(0);
    }
    call.warn_of(call.take_down());
    // For s6 this is a failure; a stop is none.
    Ok(if is_wanted { NEVER_AGAIN } else { 0 })
}

/// Where the program still runs, what ended is a process that looked after it.
fn settle(call: &Call, told: Exit, spec: &Spec) -> Result<Exit> {
    let Some(instance) = Instance::living(&call.dir) else {
        return Ok(told);
    };
    let failed = |cause| Error::io(format_args!("end process {}", instance.pid), &cause);
    let pidfd = instance.open().map_err(failed)?;
    if let (Some(pidfd), Some(9)) = (&pidfd, told.signal()) {
        // Passed on like the others, as far as that goes.
        let _ = process::send_signal(pidfd.as_fd(), signal::KILL);
    }
    Stop::from_settings(spec.settings())
        .end(&instance)
        .map_err(failed)?;
    let exit = pidfd.and_then(|pidfd| process::ending_of_stranger(pidfd.as_fd()));
    Ok(exit.unwrap_or(Exit::Unknown))
}

/// Deals with the end of a run, and decides: afterwards the record is at `Waiting`, `Down` or
/// `Failed`.
pub(super) fn follow(
    call: &Call,
    locks: &Locks,
    record: &mut Record,
    exit: Exit,
    signals: &Signals,
) -> Result<()> {
    locks.take(Byte::Finish, KILL_WAIT, signals)?;
    let was_cleared = record.phase == Phase::Finishing;
    let ended_ms = match record.phase {
        Phase::Running => clock::boot_ms(),
        _ => record.since_ms,
    };
    record.last_exit = Some(exit);
    record.enter(Phase::Finishing);
    record.since_ms = ended_ms;
    call.warn_of(record.write(&call.dir));
    call.warn_of(report::gone(call));
    let spec = spec_file::read(&call.dir)?;
    if !record.is_failed_start() && !record::is_wanted_down(&call.dir)? {
        call.warn_of(dependents::fall(call, spec.settings()).map(drop));
    }
    let mut is_permanent = false;
    if !was_cleared {
        record.starved = cgroup::was_starved(call, record, spec.settings());
        sweep(call, record, spec.settings());
        is_permanent = run_finish(call, record, spec.settings());
    }
    decide(call, record, spec.settings(), ended_ms, is_permanent)?;
    if record.phase == Phase::Failed && !record.probation {
        let alarm = Alarm {
            of: Matter::Failed,
            exit: record.last_exit,
        };
        call.warn_of(alarm::raise(call, spec.settings(), alarm));
    }
    call.warn_of(record.write(&call.dir));
    locks.release(Byte::Finish);
    if matches!(record.phase, Phase::Down | Phase::Failed) && !record::is_wanted_down(&call.dir)? {
        call.warn_of(report::over(call, record));
    }
    Ok(())
}

/// Kills what the main process has left, and removes what tells of it.
fn sweep(call: &Call, record: &Record, spec: &dyn Settings) {
    let pid = record.pid.unwrap_or_default();
    // While somebody else has the number, it is no group of ours.
    if process::open_process(pid).is_err() {
        sweep_group(call, pid);
    }
    if let Some(leftovers) = Stop::from_settings(spec).leftovers(spec) {
        let killed = leftovers.end();
        call.warn_of(killed.map_err(|cause| {
            let path = leftovers.path().display();
            Error::io(format_args!("kill what is left in {path}"), &cause)
        }));
    }
    let pid_file = spec
        .text("pidfile")
        .filter(|_| spec.flag("command_background"));
    let path = pid_file.map(|path| Path::new(OsStr::from_bytes(path)));
    if let Some(Ok(file)) = path.map(PidFile::find) {
        file.remove(pid);
    }
}

/// Kills what is left of the process group of a main process that ended.
pub(super) fn sweep_group(call: &Call, pid: i32) {
    let may_stay = spec_file::read(&call.dir)
        .map(|spec| Stop::from_settings(spec.settings()).kill_mode == KillMode::Process);
    if !may_stay.unwrap_or(true) {
        // Mostly there is nothing left.
        let _ = process::kill_group(pid, signal::KILL);
    }
}

/// Runs the finish command. Answers whether it forbids another run. What was never executed
/// leaves nothing for it to clear up.
fn run_finish(call: &Call, record: &Record, spec: &dyn Settings) -> bool {
    const KEY: &str = "rc_supervise_finish";
    let exit = record.last_exit.unwrap_or(Exit::Unknown);
    if spec.list(KEY).is_none() || matches!(exit, Exit::NotRun(_)) {
        return false;
    }
    let ending = Ending {
        exit,
        result: record.cause.result(),
        restarts: record.restarts,
    };
    let limit = spec.duration("rc_supervise_finish_timeout");
    // A supervisor without finish of its own, told that it is to be down, tells this process so.
    match command::run_out(call, spec, KEY, ending, limit.unwrap_or_default()) {
        Ok(Ran::Ended(exit)) => exit == Exit::Code(NEVER_AGAIN),
        Ok(Ran::Late | Ran::Told) => false,
        Err(error) => {
            call.warn_of(Err(error));
            false
        }
    }
}

/// What comes next.
fn decide(
    call: &Call,
    record: &mut Record,
    spec: &dyn Settings,
    ended_ms: u64,
    is_permanent: bool,
) -> Result<()> {
    let end = record.end_line();
    let exit = record.last_exit.unwrap_or(Exit::Unknown);
    let was_executed = !matches!(exit, Exit::NotRun(_));
    if !was_executed {
        (call.warn)(&format!("{}: {end}", call.service));
    }
    record.next_ms = None;
    let is_start = record.is_failed_start();
    if record::is_wanted_down(&call.dir)? || is_start {
        // Nobody wants another one, or the start that a person asked for has failed.
        record.say(if is_start { &end } else { "" });
        record.enter(Phase::Down);
        return Ok(());
    }
    let policy = Policy::from_settings(spec);
    let lasted = match was_executed {
        true => ended_ms.saturating_sub(record.began_ms),
        false => 0,
    };
    let run = Run {
        exit,
        cause: record.cause,
        lasted: Duration::from_millis(lasted),
        permanent: is_permanent,
    };
    if record.probation && run.lasted >= policy.reset_after {
        record.probation = false;
        record.history.clear();
    }
    let chance = process::random() as u32;
    match policy::judge(&policy, &mut record.history, &run, ended_ms, chance) {
        Verdict::Respawn(_) | Verdict::GiveUp if record.probation => {
            record.say(&format!("gave up again: {end}"));
            give_up(record, spec, ended_ms);
        }
        Verdict::Respawn(pause) => {
            let pause = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
            record.next_ms = Some(ended_ms.saturating_add(pause));
            record.say(&end);
            record.enter(Phase::Waiting);
        }
        Verdict::Down => {
            record.say(&format!("ended by itself: {end}"));
            record.enter(Phase::Down);
        }
        Verdict::GiveUp => {
            record.say(&record.history.gave_up_line(&policy, ended_ms, &end));
            give_up(record, spec, ended_ms);
        }
        Verdict::Permanent => {
            record.say(&if is_permanent {
                format!("failed for good: {end}, and the finish command exited 125")
            } else {
                format!("failed for good: {end}")
            });
            record.enter(Phase::Failed);
        }
    }
    record.counted(&policy, ended_ms);
    Ok(())
}

/// It failed too often. It may be tried once more after a while.
fn give_up(record: &mut Record, spec: &dyn Settings, ended_ms: u64) {
    record.enter(Phase::Failed);
    let wait = spec.duration("rc_supervise_retry_after");
    let wait = wait.filter(|wait| !wait.is_zero());
    record.next_ms = wait.map(|wait| {
        let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        ended_ms.saturating_add(wait)
    });
}
