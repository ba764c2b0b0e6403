//! Running a command of the spec to its end.

use super::signals::{is_ending, wait_deaf, Signals, Woken};
use super::{output, Call};
use crate::launch::{Ending, Launch, Running};
use crate::stop::KILL_WAIT;
use nix::poll::PollFlags;
use rc_sv_api::exit::Exit;
use rc_sv_api::{Code, Error, Result, Settings};
use std::os::fd::AsFd;
use std::time::Duration;

/// What a command is told of the last output by.
pub(super) const OUTPUT: &str = "SERVICE_OUTPUT";

/// What became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ran {
    /// It ended by itself.
    Ended(Exit),
    /// It took too long, and was killed.
    Late,
    /// This process was told to end, so it was killed.
    Told,
}

/// Runs the command `key` of a spec, which finds the last output in `SERVICE_OUTPUT`.
///
/// # Errors
/// It cannot be run, or does not die.
pub(super) fn run(
    call: &Call,
    spec: &dyn Settings,
    key: &str,
    ending: Ending<'_>,
    limit: Duration,
    signals: &Signals,
) -> Result<Ran> {
    let launch = launch_of(call, spec, key, ending)?;
    run_launch(launch, limit, signals).map_err(|error| named(key, error))
}

/// The same, whatever this process is told meanwhile: it hears that later.
///
/// # Errors
/// As [`run`].
pub(super) fn run_out(
    call: &Call,
    spec: &dyn Settings,
    key: &str,
    ending: Ending<'_>,
    limit: Duration,
) -> Result<Ran> {
    let failed = |cause| named(key, Error::io("wait for it", &cause));
    let launch = launch_of(call, spec, key, ending)?;
    let running = Running::begin(launch).map_err(|error| named(key, error))?;
    let is_over = wait_deaf(running.as_fd(), limit).map_err(failed)?;
    if !is_over {
        running.kill();
        wait_deaf(running.as_fd(), KILL_WAIT).map_err(failed)?;
    }
    let exit = running.end().transpose();
    match (is_over, exit.map_err(|error| named(key, error))?) {
        (true, Some(exit)) => Ok(Ran::Ended(exit)),
        (false, Some(_)) => Ok(Ran::Late),
        (_, None) => Err(named(key, Error::new(Code::Timeout, "does not die"))),
    }
}

fn launch_of(call: &Call, spec: &dyn Settings, key: &str, ending: Ending<'_>) -> Result<Launch> {
    let launch = Launch::for_hook(spec, key, ending);
    let mut launch = launch.map_err(|error| named(key, error))?;
    launch.set_variable(OUTPUT, &output::last_lines(call, spec))?;
    Ok(launch)
}

fn named(key: &str, error: Error) -> Error {
    let message = format!("{key}: {}", error.message);
    Error { message, ..error }
}

/// Runs a program.
///
/// # Errors
/// As [`run`].
pub(super) fn run_launch(launch: Launch, limit: Duration, signals: &Signals) -> Result<Ran> {
    attend(&Running::begin(launch)?, limit, signals)
}

/// Waits for the end of a program.
///
/// # Errors
/// As [`run`].
pub(super) fn attend(running: &Running, limit: Duration, signals: &Signals) -> Result<Ran> {
    let failed = |cause| Error::io("wait for it", &cause);
    let ended = [(running.as_fd(), PollFlags::POLLIN)];
    let mut woken = Woken::Signal(0);
    while matches!(woken, Woken::Signal(number) if !is_ending(number)) {
        woken = signals.wait_any(&ended, Some(limit)).map_err(failed)?;
    }
    if woken != Woken::Ready {
        running.kill();
        let mut last = Woken::Signal(0);
        while matches!(last, Woken::Signal(_)) {
            last = signals.wait_any(&ended, Some(KILL_WAIT)).map_err(failed)?;
        }
    }
    match (woken, running.end().transpose()?) {
        (Woken::Ready, Some(exit)) => Ok(Ran::Ended(exit)),
        (Woken::Late, Some(_)) => Ok(Ran::Late),
        (Woken::Signal(_), Some(_)) => Ok(Ran::Told),
        (_, None) => Err(Error::new(Code::Timeout, "does not die")),
    }
}
