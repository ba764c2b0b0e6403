//! Running a command of the spec to its end.

use super::signals::{is_ending, Signals, Woken};
use crate::launch::{self, Child, Ending, Failure, Launch};
use crate::process;
use crate::stop::KILL_WAIT;
use nix::poll::PollFlags;
use rc_sv_api::exit::Exit;
use rc_sv_api::{signal, Code, Error, Result, Settings};
use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;
use std::time::Duration;

/// What became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ran {
    /// It ended by itself.
    Ended(Exit),
    /// It took too long, or this process was told to end.
    Killed,
}

/// Runs the command `key` of a spec.
///
/// # Errors
/// It cannot be run, or does not die.
pub(super) fn run(
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
    let launch = Launch::for_hook(spec, key, ending).map_err(named)?;
    run_launch(&launch, limit, signals).map_err(named)
}

/// Runs a program.
///
/// # Errors
/// As [`run`].
pub(super) fn run_launch(launch: &Launch, limit: Duration, signals: &Signals) -> Result<Ran> {
    let child = launch::spawn(launch, None)?;
    let ran = wait(&child, limit, signals)?;
    let mut record = [0u8; Failure::SIZE];
    let length = File::from(child.report).read(&mut record).unwrap_or(0);
    match Failure::decode(&record[..length]) {
        Some(failure) => Err(Error {
            os_errno: failure.errno,
            ..Error::new(Code::Failed, failure.message(launch))
        }),
        None => Ok(ran),
    }
}

fn wait(child: &Child, limit: Duration, signals: &Signals) -> Result<Ran> {
    let failed = |cause| Error::io("wait for it", &cause);
    let ended = Some((child.pidfd.as_fd(), PollFlags::POLLIN));
    let mut woken = Woken::Signal(0);
    while matches!(woken, Woken::Signal(number) if !is_ending(number)) {
        woken = signals.wait(ended, Some(limit)).map_err(failed)?;
    }
    if woken != Woken::Ready {
        // It may not have made its group yet, so it is killed by itself too. What ended already
        // is as good as killed.
        let _ = process::kill_group(child.pid, signal::KILL);
        let _ = process::send_signal(child.pidfd.as_fd(), signal::KILL);
        let mut last = Woken::Signal(0);
        while matches!(last, Woken::Signal(_)) {
            last = signals.wait(ended, Some(KILL_WAIT)).map_err(failed)?;
        }
    }
    let exit = process::ending(child.pidfd.as_fd(), true).map_err(failed)?;
    match (woken, exit) {
        (Woken::Ready, Some(exit)) => Ok(Ran::Ended(exit)),
        (_, Some(_)) => Ok(Ran::Killed),
        (_, None) => Err(Error::new(Code::Timeout, "does not die")),
    }
}
