//! Looking after a program from beside it, where this process is not the program itself.

use super::signals::{Signals, Woken};
use super::Call;
use crate::instance::Instance;
use crate::process;
use crate::stop::KILL_WAIT;
use nix::poll::PollFlags;
use rc_sv_api::exit::Exit;
use rc_sv_api::{Error, Result};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Makes a child that becomes the program, and looks after it to its end. Where no supervisor
/// runs `finish`, only its parent knows how it ended. The child is made by execve, not by fork
/// alone: this program allocates.
pub(super) fn child(call: &Call, signals: &Signals) -> Result<Exit> {
    let failed = |cause| Error::io("make a process", &cause);
    let mut command = Command::new("/proc/self/exe");
    let mut child = command.arg0("child").spawn().map_err(failed)?;
    let pid = i32::try_from(child.id()).unwrap_or_default();
    let pidfd = process::open_process(pid).map_err(failed)?;
    attend(pidfd.as_fd(), signals)?;
    let exit = process::ending(pidfd.as_fd(), false).map_err(failed)?;
    // Its zombie still holds the number of its group.
    super::finish::sweep_group(call, pid);
    child.wait().map_err(failed)?;
    Ok(exit.unwrap_or(Exit::Unknown))
}

/// Looks after a program to its end that an earlier supervisor has left.
pub(super) fn stranger(call: &Call, instance: &Instance, signals: &Signals) -> Result<Exit> {
    let failed = |cause| Error::io(format_args!("look after process {}", instance.pid), &cause);
    (call.warn)(&format!(
        "{}: process {} still runs, though its supervisor is gone; it is looked after",
        call.service, instance.pid
    ));
    let Some(pidfd) = instance.open().map_err(failed)? else {
        return Ok(Exit::Unknown);
    };
    attend(pidfd.as_fd(), signals)?;
    // How it ended is told when its new parent has reaped it.
    let reaped = (pidfd.as_fd(), PollFlags::POLLHUP);
    let wait = signals.wait(Some(reaped), Some(KILL_WAIT));
    wait.map_err(failed)?;
    Ok(process::ending_of_stranger(pidfd.as_fd()).unwrap_or(Exit::Unknown))
}

/// Waits for an end, and passes on what signals come.
fn attend(pidfd: BorrowedFd<'_>, signals: &Signals) -> Result<()> {
    let ended = Some((pidfd, PollFlags::POLLIN));
    loop {
        match signals.wait(ended, None) {
            Err(cause) => return Err(Error::io("wait for the program", &cause)),
            // It has ended already, and the descriptor tells so next.
            Ok(Woken::Signal(number)) => drop(process::send_signal(pidfd, number)),
            Ok(Woken::Ready) => return Ok(()),
            Ok(Woken::Late) => {}
        }
    }
}
