//! Stopping the services that need one which does not do its work, and starting them again, for
//! `rc_supervise_propagate`: by a process of its own, for which nobody waits.
//!
//! How often that has turned stands in a file, odd while they are to be down; and how much of it was
//! told to them in another. So whoever tells them next, and whenever, knows what is left to be
//! told, and the last word is that of the last turn.

use super::command::{self, Ran};
use super::executed::await_change;
use super::lock::{Byte, Locks};
use super::record::{self, Phase};
use super::signals::Signals;
use super::Call;
use crate::launch::dependents::{LIMIT, LIST};
use crate::launch::Launch;
use crate::place::Dir;
use rc_sv_api::exit::Exit;
use rc_sv_api::{Error, Result, Settings};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const SETTING: &str = "rc_supervise_propagate";

/// How often it has fallen and risen, and how much of it was told.
const TURNS: &str = "turns";
const TOLD: &str = "turns.told";

/// How long a program may take to be executed, and to be known to OpenRC.
const EXECUTE: Duration = Duration::from_secs(20);

/// It does not do its work, and nobody has asked for that: those that need it are stopped.
pub(super) fn fall(call: &Call, spec: &dyn Settings) -> Result<Option<Child>> {
    match is_meant(call, spec) && is_risen(read(call, TURNS)?) {
        true => turn(call).map(Some),
        false => Ok(None),
    }
}

/// It does its work: those that were stopped are started.
pub(super) fn rise(call: &Call, spec: &dyn Settings) -> Result<Option<Child>> {
    match is_awaited(call, spec)? {
        true if is_risen(read(call, TURNS)?) => begin(call).map(Some),
        true => turn(call).map(Some),
        false => Ok(None),
    }
}

/// Whether there may be some that wait for it, so that somebody has to see it rise.
pub(super) fn is_awaited(call: &Call, spec: &dyn Settings) -> Result<bool> {
    if !is_meant(call, spec) {
        return Ok(false);
    }
    let turns = read(call, TURNS)?;
    Ok(!is_risen(turns) || read(call, TOLD)? < turns)
}

/// Tells them what is left to be told. Another one that does waits for its end.
pub(super) fn tell(call: &Call, signals: &Signals) -> Result<u8> {
    let locks = Locks::open(&call.dir)?;
    if !locks.take(Byte::Tell, 2 * LIMIT, signals)? {
        return Ok(0);
    }
    loop {
        let (turns, told) = (read(call, TURNS)?, read(call, TOLD)?);
        if told >= turns {
            return Ok(0);
        }
        // Of what was not begun, only the last two turns are of interest.
        let next = turns.saturating_sub(1).max(told + 1);
        let is_true = match is_risen(next) {
            true => has_risen(call, &locks, next),
            false => Ok(true),
        };
        match is_true.map_err(named) {
            Ok(false) => {}
            Ok(true) => call.warn_of(tell_turn(call, is_risen(next), signals).map_err(named)),
            Err(error) => call.warn_of(Err(error)),
        }
        let is_left = is_risen(next) && call.dir.path().join(LIST).exists();
        if is_left && read(call, TURNS)? == next {
            // It was stopped meanwhile. They are started when it comes back.
            return Ok(0);
        }
        call.dir.replace(TOLD, 0o600, next.to_string().as_bytes())?;
    }
}

/// Waits until the program is executed, and OpenRC knows that. `false`: it has fallen again.
fn has_risen(call: &Call, locks: &Locks, turn: u64) -> Result<bool> {
    let look = |dir: &Dir| {
        if read(call, TURNS)? != turn {
            return Ok(Some(false));
        }
        let record = record::read(dir)?.unwrap_or_default();
        let is_executed = record.phase == Phase::Running && !locks.is_held(Byte::Execute)?;
        Ok(is_executed.then_some(true))
    };
    let late = "the program was not executed within";
    await_change(&call.dir, EXECUTE, look, late)
}

fn tell_turn(call: &Call, up: bool, signals: &Signals) -> Result<()> {
    let failed = |cause| Error::io("find the own program", &cause);
    let program = std::env::current_exe().map_err(failed)?;
    let dir = call.dir.path();
    let ran = Launch::for_dependents(&program, dir, &call.service, up)
        .and_then(|launch| command::run_launch(launch, LIMIT, signals));
    match ran? {
        Ran::Ended(Exit::Code(0)) => Ok(()),
        Ran::Ended(exit) => Err(Error::invalid(format!("services that need it: {exit}"))),
        Ran::Late | Ran::Told => Err(Error::invalid("services that need it: not in time")),
    }
}

fn named(error: Error) -> Error {
    let message = format!("{SETTING}: {}", error.message);
    Error { message, ..error }
}

fn is_meant(call: &Call, spec: &dyn Settings) -> bool {
    spec.flag(SETTING) && !call.is_watched()
}

fn is_risen(turns: u64) -> bool {
    turns % 2 == 0
}

/// It has turned.
fn turn(call: &Call) -> Result<Child> {
    let turns = read(call, TURNS)? + 1;
    call.dir
        .replace(TURNS, 0o600, turns.to_string().as_bytes())?;
    begin(call)
}

fn begin(call: &Call) -> Result<Child> {
    let mut command = Command::new("/proc/self/exe");
    command.args(["dependents".as_ref(), call.dir.path().as_os_str()]);
    command.current_dir("/").process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let made = command.spawn();
    made.map_err(|cause| Error::io("make a process that tells dependents", &cause))
}

/// A number; none was written yet where there is none.
fn read(call: &Call, name: &str) -> Result<u64> {
    let bytes = call.dir.read(name)?.unwrap_or_default();
    let number = std::str::from_utf8(&bytes).ok();
    Ok(number.and_then(|text| text.parse().ok()).unwrap_or(0))
}
