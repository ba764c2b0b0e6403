//! Looking after a program from beside it, where this process is not the program itself.

use super::call::Seat;
use super::ear::{Ear, Heard, Mouth};
use super::record::{self, Phase, Record};
use super::signals::{Signals, Woken};
use super::{clock, Call};
use crate::instance::Instance;
use crate::stop::{Stop, KILL_WAIT};
use crate::{process, readiness};
use nix::poll::PollFlags;
use rc_sv_api::exit::Exit;
use rc_sv_api::{duration, Error, Result, Settings};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

/// Makes a child that becomes the program, and looks after it to its end. The child is made by
/// execve, not by fork alone: this program allocates.
pub(super) fn child(call: &Call, spec: &dyn Settings, signals: &Signals) -> Result<Exit> {
    let failed = |cause| Error::io("make a process", &cause);
    let mut command = Command::new("/proc/self/exe");
    match call.seat {
        Seat::Directory { .. } => command.arg0("child"),
        Seat::Path | Seat::Watched => command.arg("child").arg(call.dir.path()),
    };
    let (ear, mouth) = Ear::open(call, spec)?.unzip();
    match &mouth {
        None => {}
        Some(Mouth::Line(fd, number)) => {
            let fd = fd.as_raw_fd();
            command.args(["line".into(), fd.to_string(), number.to_string()]);
        }
        Some(Mouth::Socket(address)) => {
            command.args(["socket", address]);
        }
    }
    let mut child = command.spawn().map_err(failed)?;
    drop(mouth);
    let pid = i32::try_from(child.id()).unwrap_or_default();
    let pidfd = process::open_process(pid).map_err(failed)?;
    attend(call, pidfd.as_fd(), pid, ear, spec, signals)?;
    let exit = process::ending(pidfd.as_fd(), false).map_err(failed)?;
    // Its zombie still holds the number of its group.
    super::finish::sweep_group(call, pid);
    child.wait().map_err(failed)?;
    Ok(exit.unwrap_or(Exit::Unknown))
}

/// Looks after a program to its end that an earlier supervisor has left.
pub(super) fn stranger(
    call: &Call,
    instance: &Instance,
    spec: &dyn Settings,
    signals: &Signals,
) -> Result<Exit> {
    let failed = |cause| Error::io(format_args!("look after process {}", instance.pid), &cause);
    (call.warn)(&format!(
        "{}: process {} still runs, though its supervisor is gone; it is looked after",
        call.service, instance.pid
    ));
    let Some(pidfd) = instance.open().map_err(failed)? else {
        return Ok(Exit::Unknown);
    };
    let ear = Ear::reopen(call, spec)?;
    attend(call, pidfd.as_fd(), instance.pid, ear, spec, signals)?;
    // How it ended is told when its new parent has reaped it.
    let reaped = (pidfd.as_fd(), PollFlags::POLLHUP);
    let wait = signals.wait(Some(reaped), Some(KILL_WAIT));
    wait.map_err(failed)?;
    Ok(process::ending_of_stranger(pidfd.as_fd()).unwrap_or(Exit::Unknown))
}

/// Waits for an end, passes on what signals come, and listens. A program that does not say in time
/// that it is ready is ended.
fn attend(
    call: &Call,
    pidfd: BorrowedFd<'_>,
    pid: i32,
    mut ear: Option<Ear>,
    spec: &dyn Settings,
    signals: &Signals,
) -> Result<()> {
    let limit = readiness::timeout(spec);
    let end = clock::boot_ms().saturating_add(limit.as_millis() as u64);
    let mut end = ear.is_some().then_some(end);
    let failed = |cause| Error::io("wait for the program", &cause);
    let ended = (pidfd, PollFlags::POLLIN);
    // It has ended already where this fails, and the descriptor tells so next.
    let pass_on = |number| drop(process::send_signal(pidfd, number));
    loop {
        let said = ear.as_ref().map(|ear| (ear.as_fd(), PollFlags::POLLIN));
        let both: Vec<_> = [Some(ended), said].into_iter().flatten().collect();
        let left = end.map(|end| Duration::from_millis(end.saturating_sub(clock::boot_ms())));
        match signals.wait_any(&both, left).map_err(failed)? {
            Woken::Signal(number) => pass_on(number),
            Woken::Late => {
                end = None;
                call.warn_of(overdue(call, pid, limit, spec));
            }
            Woken::Ready => {
                // What it said goes before its end.
                if let Some(open) = ear.take() {
                    let heard = open.hear(pid);
                    if heard == Heard::Ready {
                        end = None;
                        note_ready(call)?;
                    }
                    // Both are emptied as long as the program runs: more on a closed pipe would
                    // kill it.
                    ear = Some(open).filter(|_| heard != Heard::Silence);
                }
                match signals
                    .wait(Some(ended), Some(Duration::ZERO))
                    .map_err(failed)?
                {
                    Woken::Ready => return Ok(()),
                    Woken::Signal(number) => pass_on(number),
                    Woken::Late => {}
                }
            }
        }
    }
}

/// Records that the program is ready.
fn note_ready(call: &Call) -> Result<()> {
    let is_new = |record: &Record| record.phase == Phase::Running && record.ready == Some(false);
    match record::read(&call.dir)?.filter(is_new) {
        None => Ok(()),
        Some(mut record) => {
            record.ready = Some(true);
            record.write(&call.dir)
        }
    }
}

/// Ends a program that is not ready in time, unless an earlier process has heard that it is.
fn overdue(call: &Call, pid: i32, limit: Duration, spec: &dyn Settings) -> Result<()> {
    let is_unready =
        |record: &Record| record.phase == Phase::Running && record.ready == Some(false);
    let Some(mut record) = record::read(&call.dir)?.filter(is_unready) else {
        return Ok(());
    };
    let limit = duration::show(limit);
    record.say(&format!("it did not say within {limit} that it is ready"));
    record.late = true;
    record.write(&call.dir)?;
    let ended = Instance::of(pid).and_then(|instance| Stop::from_settings(spec).end(&instance));
    ended.map_err(|cause| Error::io(format_args!("end process {pid}"), &cause))
}
