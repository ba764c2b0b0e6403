//! Running a command of the spec to its end.

use super::signals::{is_ending, Signals, Woken};
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
    let named = |error: Error| {
        let message = format!("{key}: {}", error.message);
        Error { message, ..error }
    };
    let mut launch = Launch::for_hook(spec, key, ending).map_err(named)?;
    launch.set_variable(OUTPUT, &output::last_lines(call, spec))?;
    run_launch(launch, limit, signals).map_err(named)
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
