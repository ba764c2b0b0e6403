//! Looking after a program from beside it, where this process is not the program itself.

use super::call::Seat;
use super::ear::{Ear, Heard, Mouth};
use super::signals::{Signals, Woken};
use super::vigil::{self, Vigil};
use super::{background, Call};
use crate::clock;
use crate::instance::Instance;
use crate::process;
use crate::stop::KILL_WAIT;
use nix::poll::PollFlags;
use rc_sv_api::exit::Exit;
use rc_sv_api::{Error, Result, Settings};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

/// Makes a child that becomes the program, and looks after it to its end. The child is made by
/// execve, not by fork alone: this program allocates.
pub(super) fn child(call: &Call, spec: &dyn Settings, signals: &Signals) -> Result<Exit> {
    let failed = |cause| Error::io("make a process", &cause);
    vigil::is_needed(spec)?;
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
    let (starter, begun_ms) = (Instance::of(pid).map_err(failed)?, clock::boot_ms());
    let vigil = Vigil::begin(call, spec, pid)?;
    if let Some(moved) = attend(pidfd.as_fd(), ear, vigil, signals)? {
        let exit = end_of_stranger(&moved, signals);
        // What it was begun as may have gone before, or is still there.
        super::finish::sweep_group(call, pid);
        child.try_wait().map_err(failed)?;
        return exit;
    }
    let exit = process::ending(pidfd.as_fd(), false).map_err(failed)?;
    let daemon = background::await_daemon(call, spec, &starter, begun_ms, exit, signals)?;
    if let Some(daemon) = daemon {
        background::take_over(call, spec, &daemon)?;
        child.wait().map_err(failed)?;
        return stay(call, &daemon, None, spec, signals);
    }
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
    (call.warn)(&format!(
        "{}: process {} still runs, though its supervisor is gone; it is looked after",
        call.service, instance.pid
    ));
    stay(call, instance, Ear::reopen(call, spec)?, spec, signals)
}

/// Looks after a process to its end that is no child of this one.
fn stay(
    call: &Call,
    instance: &Instance,
    ear: Option<Ear>,
    spec: &dyn Settings,
    signals: &Signals,
) -> Result<Exit> {
    let failed = |cause| Error::io(format_args!("look after process {}", instance.pid), &cause);
    let Some(pidfd) = instance.open().map_err(failed)? else {
        return Ok(Exit::Unknown);
    };
    let vigil = Vigil::resume(call, spec, instance.pid, ear.is_some())?;
    let moved = attend(pidfd.as_fd(), ear, vigil, signals)?;
    end_of_stranger(&moved.unwrap_or(pidfd), signals)
}

/// How a process ended that is no child of this one. That is told when its parent has reaped it.
fn end_of_stranger(pidfd: &OwnedFd, signals: &Signals) -> Result<Exit> {
    let reaped = (pidfd.as_fd(), PollFlags::POLLHUP);
    let wait = signals.wait(Some(reaped), Some(KILL_WAIT));
    wait.map_err(|cause| Error::io("wait for the program", &cause))?;
    Ok(process::ending_of_stranger(pidfd.as_fd()).unwrap_or(Exit::Unknown))
}

/// Waits for an end, passes on what signals come, and looks after it meanwhile. Answers the main
/// process, where it has named another one.
fn attend(
    begun: BorrowedFd<'_>,
    mut ear: Option<Ear>,
    mut vigil: Vigil<'_>,
    signals: &Signals,
) -> Result<Option<OwnedFd>> {
    let failed = |cause| Error::io("wait for the program", &cause);
    let mut moved: Option<OwnedFd> = None;
    loop {
        let main = moved.as_ref().map_or(begun, AsFd::as_fd);
        let ended = (main, PollFlags::POLLIN);
        // It has ended already where this fails, and the descriptor tells so next.
        let pass_on = |number| drop(process::send_signal(main, number));
        let said = ear.as_ref().map(|ear| (ear.as_fd(), PollFlags::POLLIN));
        let all = [Some(ended), said].into_iter().flatten();
        let all: Vec<_> = all.chain(vigil.descriptors()).collect();
        let left = vigil
            .deadline()
            .map(|end| Duration::from_millis(end.saturating_sub(clock::boot_ms())));
        if let Woken::Signal(number) = signals.wait_any(&all, left).map_err(failed)? {
            pass_on(number);
            continue;
        }
        drop(all);
        // What it said goes before its end. It is heard as long as the program runs: more on a
        // closed pipe would kill it.
        let heard = ear.as_mut().map(|ear| ear.hear(vigil.family()));
        let heard = heard.unwrap_or_default();
        let mut next = None;
        for heard in heard {
            match heard {
                Heard::Words(words) => {
                    let named = words.main_pid.and_then(|pid| vigil.moves_to(pid));
                    next = named.or(next);
                    vigil.hear(&words);
                }
                Heard::Silence => {
                    vigil.hears_no_more();
                    ear = None;
                }
            }
        }
        if next.is_some() {
            moved = next;
            continue;
        }
        let over = signals.wait(Some(ended), Some(Duration::ZERO));
        match over.map_err(failed)? {
            Woken::Ready => return Ok(moved),
            Woken::Signal(number) => pass_on(number),
            Woken::Late => vigil.go_on(),
        }
    }
}
