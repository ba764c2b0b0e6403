//! Which `rc-sv-exec` is at work on a service.
//!
//! These are record locks of fcntl(2) on bytes of one file. They belong to one process, are not
//! inherited by its children, end with it or with its execve, and the kernel tells who holds one:
//! a daemon has no descriptor too many, and who is in the way can be dealt with.

use super::signals::{is_ending, Signals, Woken};
use crate::clock;
use crate::place::Dir;
use crate::process;
use crate::stat::{self, Stat};
use crate::stop::KILL_WAIT;
use nix::errno::Errno;
use nix::fcntl::{fcntl, FcntlArg};
use nix::poll::PollFlags;
use rc_sv_api::{signal, Code, Error, Result};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

const NAME: &str = "lock";

/// What a byte of the file stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Byte {
    /// Held by the process that begins the next run, waits for its time, or looks after a run.
    Run = 0,
    /// Held while what follows the end of a run is done.
    Finish = 1,
    /// Held from before a run is recorded until its program is executed.
    Execute = 2,
    /// Held by who tells those that need the service.
    Tell = 3,
    /// Held by who tells a person that a watched service works again, when it does.
    Recovery = 4,
    /// Held by who waits for the runscript before a run.
    Script = 5,
}

/// How often somebody else may be quicker.
const ROUNDS: usize = 1000;

/// Who goes on without its lock gives it back without an event.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// The file.
pub(super) struct Locks {
    file: File,
}

impl Locks {
    /// Opens the file of a service's directory. A process must do it once only: whichever
    /// descriptor of a file is closed, all locks of the process on it end.
    pub(super) fn open(dir: &Dir) -> Result<Locks> {
        let file = dir.open_shared(NAME)?;
        Ok(Locks { file })
    }

    /// Takes a byte. Who holds it has `patience` to end or to give it back, and is killed then.
    /// `false`: a signal that ends this process came first; or who holds it began later, so that the
    /// supervisor of this process is gone and another one is at work.
    ///
    /// # Errors
    /// Who holds it cannot be killed.
    pub(super) fn take(&self, byte: Byte, patience: Duration, signals: &Signals) -> Result<bool> {
        let end = clock::boot_ms().saturating_add(patience.as_millis() as u64);
        let mut rounds = 0;
        while rounds < ROUNDS {
            if self.try_take(byte).map_err(failed)? {
                return Ok(true);
            }
            let Some((pid, pidfd)) = self.holder_of(byte)? else {
                rounds += 1;
                continue;
            };
            let ended = (pidfd.as_fd(), PollFlags::POLLIN);
            let left = Duration::from_millis(end.saturating_sub(clock::boot_ms()));
            let woken = signals.wait(Some(ended), Some(left.min(LOOK_AGAIN)));
            match woken.map_err(failed)? {
                Woken::Signal(number) if is_ending(number) => return Ok(false),
                Woken::Late if left.is_zero() && began_later(pid).map_err(failed)? => {
                    return Ok(false);
                }
                Woken::Late if left.is_zero() => {
                    rounds += 1;
                    kill(pid, &pidfd, signals)?;
                }
                Woken::Signal(_) | Woken::Ready | Woken::Late => {}
            }
        }
        let message = "others of its kind are always quicker";
        Err(Error::new(Code::Conflict, message))
    }

    /// Gives a byte back.
    pub(super) fn release(&self, byte: Byte) {
        // Unlocking what is ours does not fail.
        let _ = fcntl(&self.file, FcntlArg::F_SETLK(&range(byte, libc::F_UNLCK)));
    }

    /// Who holds a byte, and a descriptor of it. `None`: nobody does by now.
    fn holder_of(&self, byte: Byte) -> Result<Option<(i32, OwnedFd)>> {
        let Some(pid) = self.holder(byte).map_err(failed)? else {
            return Ok(None);
        };
        let pidfd = match process::open_process(pid) {
            Err(cause) if cause.raw_os_error() == Some(libc::ESRCH) => return Ok(None),
            pidfd => pidfd.map_err(failed)?,
        };
        // The descriptor is that of the holder if the number is still the holder's.
        let is_same = self.holder(byte).map_err(failed)? == Some(pid);
        Ok(is_same.then_some((pid, pidfd)))
    }

    /// Whether somebody else has a byte.
    pub(super) fn is_held(&self, byte: Byte) -> Result<bool> {
        Ok(self.holder(byte).map_err(failed)?.is_some())
    }

    /// Takes a byte, if nobody else has it.
    pub(super) fn try_take(&self, byte: Byte) -> io::Result<bool> {
        match fcntl(&self.file, FcntlArg::F_SETLK(&range(byte, libc::F_WRLCK))) {
            Err(Errno::EAGAIN | Errno::EACCES) => Ok(false),
            taken => Ok(taken.map(|_| true)?),
        }
    }

    /// Who holds a byte, if it is somebody else.
    fn holder(&self, byte: Byte) -> io::Result<Option<i32>> {
        let mut lock = range(byte, libc::F_WRLCK);
        fcntl(&self.file, FcntlArg::F_GETLK(&mut lock))?;
        Ok((i32::from(lock.l_type) != libc::F_UNLCK).then_some(lock.l_pid))
    }
}

/// Whether a process began after this one. Within one tick of the kernel's clock the numbers tell,
/// which are given out in turn.
fn began_later(pid: i32) -> io::Result<bool> {
    let own = std::process::id() as i32;
    let other = match Stat::of(pid) {
        Err(cause) if stat::is_gone(&cause) => return Ok(false),
        other => other?,
    };
    Ok((other.began, pid) > (Stat::of(own)?.began, own))
}

/// Kills a process, and waits for its end.
fn kill(pid: i32, pidfd: &OwnedFd, signals: &Signals) -> Result<()> {
    // One that has ended meanwhile is what was wanted.
    let _ = process::send_signal(pidfd.as_fd(), signal::KILL);
    let ended = Some((pidfd.as_fd(), PollFlags::POLLIN));
    loop {
        match signals.wait(ended, Some(KILL_WAIT)).map_err(failed)? {
            Woken::Ready => return Ok(()),
            Woken::Signal(_) => {}
            Woken::Late => {
                let message = format!("process {pid} of an earlier supervisor does not die");
                return Err(Error::new(Code::Conflict, message));
            }
        }
    }
}

/// Whether somebody else holds a byte of the file in this directory. The file is only read, so
/// that who watches it sees no change.
pub(super) fn is_held(dir: &Dir, byte: Byte) -> Result<bool> {
    let file = match dir.open_private(NAME) {
        Err(error) if error.code == Code::NotFound => return Ok(false),
        file => file?,
    };
    Locks { file }.is_held(byte)
}

/// Whether somebody begins a run of the service with this directory, waits for its time, or looks
/// after it.
///
/// # Errors
/// The directory cannot be used.
pub fn is_at_work(dir: &Dir) -> Result<bool> {
    is_held(dir, Byte::Run)
}

/// Has who waits for the time of a run look whether that is still wanted. To a program that was
/// executed meanwhile the signal means nothing.
///
/// # Errors
/// The directory cannot be used.
pub fn rouse(dir: &Dir) -> Result<()> {
    let file = match dir.open_private(NAME) {
        Err(error) if error.code == Code::NotFound => return Ok(()),
        file => file?,
    };
    if let Some((_, pidfd)) = (Locks { file }).holder_of(Byte::Run)? {
        // One that has ended meanwhile is what is wanted.
        let _ = process::send_signal(pidfd.as_fd(), signal::CONT);
    }
    Ok(())
}

fn range(byte: Byte, kind: i32) -> libc::flock {
    libc::flock {
        l_type: kind as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: byte as libc::off_t,
        l_len: 1,
        l_pid: 0,
    }
}

fn failed(cause: impl Into<io::Error>) -> Error {
    Error::io("lock the service", &cause.into())
}
