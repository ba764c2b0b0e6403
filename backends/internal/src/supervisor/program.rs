//! The program `rc-sv-supervisor`: its way into the background.

mod task;

use super::afterlife::Afterlife;
use super::claim::{claim, claim_at_last, Claim, Claimed};
use super::guardian::{self, Estate, Guardian, Legacy, NOT_BEGUN};
use super::handover::Heritage;
use super::log::{Level, Log};
use super::{cgroup, surroundings, sys, Supervisor};
use crate::wire::is_left_behind;
use nix::fcntl::OFlag;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::unistd::{dup2_stderr, dup2_stdin, dup2_stdout, pipe2, setsid};
use rc_sv_api::{Code, Error, Result};
use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

pub use task::{Task, USAGE};

/// The cgroup of the supervisor, at the top of version 2.
const CGROUP: &str = "rc-sv-supervisor";

/// How long another supervisor may take to begin or to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long the background process may take to tell how it fares.
const REPORT_PATIENCE: Duration = Duration::from_secs(15);

/// Supervises in the background. Returns in the caller's process, when a supervisor of `svcdir`
/// can be reached: this one, or one that was there already.
///
/// # Errors
/// There is none, and why.
pub fn daemon(svcdir: &Path) -> Result<()> {
    sys::close_from(3);
    let failed = |cause: std::io::Error| Error::io("go into the background", &cause);
    let (told, tell) = pipe2(OFlag::O_CLOEXEC).map_err(|errno| failed(errno.into()))?;
    if sys::fork().map_err(failed)?.is_some() {
        drop(tell);
        return hear_report(told);
    }
    drop(told);
    // The child of a fork is no group's leader, so this does not fail. The second fork makes a
    // process that can never get a terminal.
    let _ = setsid();
    match sys::fork() {
        Ok(Some(_)) => sys::leave(0),
        Ok(None) => {}
        Err(cause) => {
            report(tell, &Err(failed(cause)));
            sys::leave(1);
        }
    }
    let code = match silence().and_then(|()| begin(svcdir)) {
        Ok(None) => {
            report(tell, &Ok(()));
            0
        }
        Ok(Some(guardian)) => {
            // The first supervisor tells how it fares; the guardian lets go of the pipe.
            let tell = RefCell::new(Some(tell));
            guardian.guard(
                || drop(tell.take()),
                |legacy| supervise(legacy, tell.take()),
            )
        }
        Err(error) => {
            report(tell, &Err(error));
            1
        }
    };
    sys::leave(code)
}

/// Supervises until a signal ends it.
///
/// # Errors
/// It cannot.
pub fn foreground(svcdir: &Path) -> Result<()> {
    sys::close_from(3);
    surroundings::reset(svcdir);
    let claim = claim_at_last(svcdir)?;
    match prepare(svcdir, claim)?.guard(|| (), |legacy| supervise(legacy, None)) {
        0 => Ok(()),
        _ => Err(Error::new(
            Code::Failed,
            "the supervisor could not begin; see the system log",
        )),
    }
}

/// Goes on as the guardian of what somebody else was the guardian of, in this very process.
///
/// # Errors
/// There is nothing to go on with.
pub fn succeed(number: i32) -> Result<()> {
    // Until here it is called as the link by which it was executed: `exe`.
    guardian::take_name();
    let heritage = Heritage::take(number)?;
    if let Err(error) = heritage.estate.claim.tell_pid() {
        // What nobody can be told is no reason to let go of everything.
        Log::new().line(Level::Error, &error.message);
    }
    match Guardian::of(heritage)?.guard(|| (), |legacy| supervise(legacy, None)) {
        0 => Ok(()),
        _ => Err(Error::new(Code::Failed, "the supervisor could not begin")),
    }
}

/// Gets everything ready; `None` when another supervisor is there.
fn begin(svcdir: &Path) -> Result<Option<Guardian>> {
    surroundings::reset(svcdir);
    match claim(svcdir, PATIENCE)? {
        Claimed::Ours(claim) => prepare(svcdir, claim).map(Some),
        Claimed::Others => Ok(None),
    }
}

/// The guardian of a directory that is ours. From now on clients can connect.
fn prepare(svcdir: &Path, claim: Claim) -> Result<Guardian> {
    let own_cgroup = cgroup::leave(CGROUP);
    let afterlife = Afterlife::new().map_err(|cause| Error::io("make a pipe", &cause))?;
    let is_heir = is_left_behind(svcdir);
    let estate = Estate {
        svcdir: svcdir.to_path_buf(),
        listener: claim.listen()?,
        claim,
        own_cgroup,
        afterlife,
        held: Vec::new(),
    };
    Guardian::new(estate, is_heir)
}

/// Runs the supervisor to its end, in a process of its own; answers the exit code. `tell` is told
/// whether it could begin.
fn supervise(legacy: Legacy, tell: Option<OwnedFd>) -> i32 {
    // The name of the guardian until here.
    let _ = std::fs::write("/proc/self/comm", "rc-sv-supervisor");
    std::panic::set_hook(Box::new(|panic| {
        Log::new().line(Level::Error, &format!("bug: {panic}"));
    }));
    let supervisor = Supervisor::new(legacy);
    if let Some(tell) = tell {
        report(tell, &supervisor.as_ref().map(drop).map_err(Error::clone));
    }
    let (result, code) = match supervisor {
        Ok(mut supervisor) => {
            let result = supervisor.run();
            // Connections are closed by the end of the process, which waits for nothing (see
            // `parting`).
            std::mem::forget(supervisor);
            (result, 1)
        }
        Err(error) => (Err(error), NOT_BEGUN),
    };
    match result {
        Ok(()) => 0,
        Err(error) => {
            Log::new().line(Level::Error, &error.message);
            code
        }
    }
}

/// Lets go of whatever the caller reads from or writes to.
fn silence() -> Result<()> {
    let failed = |cause: std::io::Error| Error::io("open /dev/null", &cause);
    let null = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/null")
        .map_err(failed)?;
    for done in [dup2_stdin(&null), dup2_stdout(&null), dup2_stderr(&null)] {
        done.map_err(|errno| failed(errno.into()))?;
    }
    Ok(())
}

/// What precedes the words of an error; without it all is well.
const GOOD: u8 = b'+';

fn report(tell: OwnedFd, result: &Result<()>) {
    let bytes = match result {
        Ok(()) => vec![GOOD],
        Err(error) => error.message.clone().into_bytes(),
    };
    // Nobody but the caller could be told that the caller is gone.
    let _ = File::from(tell).write_all(&bytes);
}

fn hear_report(told: OwnedFd) -> Result<()> {
    let failed = |cause: std::io::Error| Error::io("hear from the supervisor", &cause);
    let deadline = Instant::now() + REPORT_PATIENCE;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        let mut fds = [PollFd::new(told.as_fd(), PollFlags::POLLIN)];
        match poll(&mut fds, timeout) {
            Err(nix::errno::Errno::EINTR) => {}
            Err(errno) => return Err(failed(errno.into())),
            Ok(0) => {
                let message = "the background process does not tell how it fares";
                return Err(Error::new(Code::Timeout, message));
            }
            Ok(_) => break,
        }
    }
    let mut bytes = [0u8; 1024];
    let length = File::from(told).read(&mut bytes).map_err(failed)?;
    match &bytes[..length] {
        [GOOD] => Ok(()),
        [] => Err(Error::new(
            Code::Failed,
            "the background process ended at once",
        )),
        words => Err(Error::new(Code::Failed, String::from_utf8_lossy(words))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_arrive() {
        let said = |result: &Result<()>| {
            let (told, tell) = pipe2(OFlag::O_CLOEXEC).unwrap();
            report(tell, result);
            hear_report(told)
        };
        assert_eq!(said(&Ok(())), Ok(()));
        let error = Error::new(Code::Failed, "no room");
        assert_eq!(said(&Err(error.clone())), Err(error));
        let (told, tell) = pipe2(OFlag::O_CLOEXEC).unwrap();
        drop(tell);
        assert!(hear_report(told)
            .unwrap_err()
            .message
            .contains("ended at once"));
    }
}
