//! Ending what a service directory runs that was written by hand.

use crate::call::Call;
use crate::observed::Wants;
use crate::scanner;
use crate::stop;
use crate::supervise::Snapshot;
use crate::watch;
use nix::poll::{PollFd, PollFlags};
use nix::unistd::{getpgid, Pid};
use rc_sv_api::{Code, Error, Result};
use rc_sv_exec::instance::Instance;
use rc_sv_exec::stop::{KillMode, Stop};
use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

/// How long a supervisor may take to hear what it is told: runsv and supervise sleep for a second at
/// times.
const HEAR: Duration = Duration::from_secs(3);

/// Ends the main process, which is not run again, whatever ends it. What the directory says of its
/// end holds, unless the settings say with which signals.
///
/// # Errors
/// It still runs.
pub(crate) fn end(call: &Call, stop: &Stop) -> Result<()> {
    let snapshot = call.supervise().snapshot()?;
    let (Some(pid), Some(process)) = (snapshot.running(), &snapshot.process) else {
        return Ok(());
    };
    if snapshot.supervisor.is_none() {
        // The number may be another one's by now.
        let name = call.suite.supervisor;
        let message =
            format!("{name} is gone, and process {pid} may be what it ran: look, and kill {pid}");
        return Err(Error::new(Code::Conflict, message));
    }
    let rest = stop.ladder.after_first();
    if let (true, Some(rest)) = (says_how(call)?, rest) {
        if tell(call, b'd')? {
            let first = stop.ladder.rungs().first();
            let wait = call.within(first.map_or(Duration::ZERO, |rung| rung.wait));
            let mut fds = [PollFd::new(process.as_fd(), PollFlags::POLLIN)];
            if watch::wait(&mut fds, wait)? {
                return Ok(());
            }
            let kill_mode = stop.kill_mode;
            let ladder = rest;
            return climb(call, &Stop { ladder, kill_mode });
        }
    } else {
        tell(call, call.suite.once)?;
    }
    climb(call, stop)
}

/// Refuses to end what cannot be told any more: its directory was moved away or removed.
///
/// # Errors
/// [`Code::Conflict`]: its supervisor lives.
pub(crate) fn check_reachable(call: &Call) -> Result<()> {
    let native = call.tree.native(&call.service);
    let Some(directory) = native.filter(|directory| !directory.exists()) else {
        return Ok(());
    };
    match scanner::supervisor(call.suite, call.service.as_str()) {
        None => Ok(()),
        Some(pid) => {
            let message = format!(
                "{} is gone, and {} (process {pid}) still runs it: put it back, or end both",
                directory.display(),
                call.suite.supervisor
            );
            Err(Error::new(Code::Conflict, message))
        }
    }
}

/// Whether the directory says how its program is ended, and the settings do not.
fn says_how(call: &Call) -> Result<bool> {
    let files = call.suite.end_files;
    if !files
        .iter()
        .any(|name| call.tree.has_file(&call.service, name))
    {
        return Ok(false);
    }
    let spec = stop::recorded(call)?;
    Ok(!spec.has("retry") && !spec.has("stopsig"))
}

/// Tells the supervisor that the program is not to run again, and waits until it knows: one that
/// sleeps would begin another one when it wakes. False: it does not hear.
fn tell(call: &Call, byte: u8) -> Result<bool> {
    let mut watch = call.watch()?;
    if !call.supervise().control(&[byte])? {
        return Ok(false);
    }
    let knows = |snapshot: &Snapshot| {
        let wants = snapshot.observed.map(|observed| observed.wants);
        Ok((wants != Some(Wants::Up)).then_some(()))
    };
    let known = watch.until(call.supervise(), call.within(HEAR), knows)?;
    Ok(known.is_some())
}

/// Climbs the ladder, as long as the process that was seen runs.
fn climb(call: &Call, stop: &Stop) -> Result<()> {
    let snapshot = call.supervise().snapshot()?;
    let (Some(pid), Some(pidfd)) = (snapshot.running(), &snapshot.process) else {
        return Ok(());
    };
    let failed = |cause: io::Error| Error::io(format_args!("end process {pid}"), &cause);
    let Ok(instance) = Instance::of(pid) else {
        return Ok(());
    };
    // The number may be another one's by now.
    if watch::is_over(pidfd).map_err(failed)? {
        return Ok(());
    }
    // runit and daemontools leave a service written by hand in their own group.
    let leads = getpgid(Some(Pid::from_raw(pid))) == Ok(Pid::from_raw(pid));
    let kill_mode = if leads {
        stop.kill_mode
    } else {
        KillMode::Process
    };
    let stop = Stop {
        kill_mode,
        ..stop.clone()
    };
    stop.end_by(&instance, call.deadline).map_err(failed)
}
