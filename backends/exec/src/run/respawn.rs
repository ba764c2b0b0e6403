//! The next run of a service that OpenRC starts and stops, and that somebody else watches: monit, or
//! whoever else executes a program when it misses one.
//!
//! Who watches may be late, may remember what is no longer true, and asks again while the answer
//! is under way. So nothing is done here because it was asked for, but because it is so: OpenRC
//! wants the service, nobody is at work on it, and its process is dead.

use super::alarm::{self, Alarm, Matter};
use super::lock::{self, Byte, Locks};
use super::record::{self, Phase, Record};
use super::signals::{is_ending, Signals, Woken};
use super::{begin, cgroup, command, finish, recovery, sickness, Call};
use crate::alert::Topic;
use crate::clock;
use crate::launch::{Ending, Launch};
use crate::spec_file;
use crate::stop::{Stop, KILL_WAIT};
use crate::watched;
use rc_sv_api::exit::Exit;
use rc_sv_api::policy::Policy;
use rc_sv_api::{Code, Error, Result, Settings};
use std::time::Duration;

/// Why somebody asks for the next run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Its process is gone.
    Exited,
    /// It runs, and does not do its work: it is stopped, and run again.
    Unhealthy,
    /// The same, but it is left alone: only the command for it is run.
    Exec,
    /// The same, but only a person is told.
    Sick,
    /// It does its work again.
    Well,
}

/// The exit code of a process that has done what was to be done, if anything was.
const DONE: u8 = 0;

/// How long a program may take to go into the background, where nothing else is said.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a command about an unhealthy service may take, where nothing else is said.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(10);

impl Reason {
    /// By its word.
    pub fn parse(word: &str) -> Option<Reason> {
        match word {
            "exited" => Some(Reason::Exited),
            "unhealthy" => Some(Reason::Unhealthy),
            "exec" => Some(Reason::Exec),
            "sick" => Some(Reason::Sick),
            "well" => Some(Reason::Well),
            _ => None,
        }
    }
}

/// Runs the service again, if that is called for. Comes back when it is not, when it was given up,
/// or when its program went into the background by itself.
pub(super) fn respawn(call: &Call, reason: Reason, signals: &Signals) -> Result<u8> {
    let locks = Locks::open(&call.dir)?;
    let is_mine = locks.try_take(Byte::Run);
    // Else it is in hand: who watches asks again.
    if !is_mine.map_err(|cause| Error::io("lock the service", &cause))? || !is_wanted(call)? {
        return Ok(DONE);
    }
    let spec = spec_file::read(&call.dir)?;
    let mut record = record::read(&call.dir)?.unwrap_or_default();
    if matches!(record.phase, Phase::Down | Phase::Failed) {
        return Ok(DONE);
    }
    if let Some(found) = watched::running(&call.dir, spec.settings()) {
        match reason {
            Reason::Exited => return Ok(DONE),
            Reason::Sick => return tell_sick(call, &record, spec.settings()).map(|()| DONE),
            Reason::Well => return tell_well(call, spec.settings()).map(|()| DONE),
            Reason::Unhealthy | Reason::Exec => {}
        }
        call.warn_of(tell_unhealthy(call, &record, spec.settings(), signals));
        if reason == Reason::Exec {
            return Ok(DONE);
        }
        let pid = found.instance.pid;
        if !found.is_sure {
            let what =
                format!("process {pid} is not stopped: others than root can write its pid file");
            return Err(Error::new(Code::Permission, what));
        }
        let ended = Stop::from_settings(spec.settings()).end(&found.instance);
        ended.map_err(|cause| Error::io(format_args!("end process {pid}"), &cause))?;
    }
    let why = (reason == Reason::Unhealthy).then_some("unhealthy");
    let mut exit = record.forgotten_end();
    loop {
        if let Some(exit) = exit {
            finish::follow(call, &locks, &mut record, exit, signals)?;
            if let (Some(why), Phase::Waiting) = (why, record.phase) {
                record.say(why);
                record.write(&call.dir)?;
            }
        }
        if record.phase != Phase::Waiting {
            return Ok(DONE);
        }
        if !wait_until_due(call, &record, signals)? {
            return Ok(DONE);
        }
        call.warn_of(recovery::begin(call, spec.settings()));
        if spec.settings().flag("command_background") {
            return begin::become_program(call, &locks, record, None, signals);
        }
        match run_to_background(call, &locks, &mut record, signals)? {
            None => return Ok(DONE),
            ended => exit = ended,
        }
    }
}

/// Whether OpenRC wants the service to run, and is not about to change its mind. What it has
/// marked is all that counts.
fn is_wanted(call: &Call) -> Result<bool> {
    let marked = |state: &str| {
        let path = call.svcdir.join(state).join(call.service.as_str());
        path.symlink_metadata().is_ok()
    };
    let is_changing = ["starting", "stopping", "inactive"].into_iter().any(marked);
    Ok(marked("started") && !is_changing && !record::is_wanted_down(&call.dir)?)
}

/// Waits for the time of the next run. `false`: there is to be none. Whoever does not want it any
/// more says so by a signal, see [`super::rouse`].
fn wait_until_due(call: &Call, record: &Record, signals: &Signals) -> Result<bool> {
    loop {
        if !is_wanted(call)? {
            return Ok(false);
        }
        let next = record.next_ms.unwrap_or(0);
        let left = Duration::from_millis(next.saturating_sub(clock::boot_ms()));
        let woken = signals.wait(None, Some(left));
        match woken.map_err(|cause| Error::io("wait", &cause))? {
            Woken::Signal(number) if is_ending(number) => return Ok(false),
            Woken::Signal(_) => {}
            Woken::Ready | Woken::Late => return is_wanted(call),
        }
    }
}

/// Runs the command for a service that is unhealthy.
fn tell_unhealthy(
    call: &Call,
    record: &Record,
    spec: &dyn Settings,
    signals: &Signals,
) -> Result<()> {
    const KEY: &str = "rc_supervise_unhealthy";
    if spec.list(KEY).is_none() || !is_wanted(call)? {
        return Ok(());
    }
    let ending = Ending {
        exit: Exit::Unknown,
        result: Some("unhealthy"),
        restarts: record.restarts,
    };
    let limit = spec.duration("rc_supervise_health_timeout");
    let limit = limit.unwrap_or(COMMAND_TIMEOUT);
    command::run(call, spec, KEY, ending, limit, signals).map(drop)
}

/// Tells a person, once, that it is unhealthy, and has somebody wait for the end of it.
fn tell_sick(call: &Call, record: &Record, spec: &dyn Settings) -> Result<()> {
    sickness::note(&call.dir)?;
    if alarm::raised(&call.dir, spec)?.is_none() {
        let alarm = Alarm {
            of: Matter::Sick,
            exit: record.last_exit,
        };
        alarm::raise(call, spec, alarm)?;
        alarm::begin(call, spec, Topic::Unhealthy, &description(), alarm.exit)?;
    }
    match lock::is_held(&call.dir, Byte::Recovery)? {
        true => Ok(()),
        false => recovery::begin(call, spec),
    }
}

/// Tells a person that it is healthy, if he was told that it is not.
pub(super) fn tell_well(call: &Call, spec: &dyn Settings) -> Result<()> {
    let raised = alarm::raised(&call.dir, spec)?;
    let Some(alarm) = raised.filter(|alarm| alarm.of == Matter::Sick) else {
        return Ok(());
    };
    alarm::clear(call)?;
    alarm::begin(call, spec, Topic::Recovered, "healthy again", alarm.exit).map(drop)
}

/// What monit says of it, in one line.
fn description() -> String {
    let said = std::env::var_os("MONIT_DESCRIPTION").unwrap_or_default();
    match record::shortened(&said.to_string_lossy()) {
        line if line.is_empty() => "unhealthy".to_string(),
        line => line,
    }
}

/// Runs a program that goes into the background by itself, as OpenRC has done: it ends when the
/// daemon is there. Answers how it ended, if that was no success.
fn run_to_background(
    call: &Call,
    locks: &Locks,
    record: &mut Record,
    signals: &Signals,
) -> Result<Option<Exit>> {
    if !locks.take(Byte::Execute, KILL_WAIT, signals)? {
        return Ok(None);
    }
    let spec = spec_file::read(&call.dir)?;
    let settings = spec.settings();
    record.begin(&Policy::from_settings(settings), false);
    record.pid = None;
    record.write(&call.dir)?;
    let limit = settings.duration("timeout_ready").unwrap_or(START_TIMEOUT);
    let ran = cgroup::join(call, settings)
        .and_then(|()| Launch::from_settings(settings))
        .and_then(|launch| command::run_launch(launch, limit, signals));
    let exit = match ran {
        Ok(command::Ran::Ended(Exit::Code(0))) => None,
        Ok(command::Ran::Ended(exit)) => Some(exit),
        Ok(command::Ran::Late | command::Ran::Told) => {
            record.say("its program did not go into the background in time");
            Some(Exit::Unknown)
        }
        Err(error) => {
            record.say(&error.message);
            Some(Exit::NotRun(error.os_errno))
        }
    };
    if exit.is_none() {
        // Who is late is missed again, and then it is clear that he has ended.
        record.pid = watched::await_running(&call.dir, settings, KILL_WAIT)?;
        record.write(&call.dir)?;
        call.warn_of(super::report::respawned(call, record));
    }
    locks.release(Byte::Execute);
    Ok(exit)
}
