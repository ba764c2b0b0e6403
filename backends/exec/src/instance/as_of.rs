//! Which process had a pid at a moment.

use super::{handle_of, open};
use crate::handle::Handle;
use crate::process;
use crate::stat::Stat;
use nix::unistd::{sysconf, SysconfVar};
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

/// The process that had a pid at a moment. The kernel gives a pid to nobody else before that
/// process has ended; so whoever has it now and began no later is still the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AsOf {
    /// Its pid.
    pub pid: i32,
    /// The moment, in milliseconds of CLOCK_BOOTTIME.
    pub boot_ms: u64,
    /// Which process it was, where that is known.
    pub handle: Option<Handle>,
}

impl AsOf {
    /// The process behind `pidfd`, which has this pid now.
    pub fn now(pid: i32, boot_ms: u64, pidfd: BorrowedFd<'_>) -> AsOf {
        AsOf {
            pid,
            boot_ms,
            handle: Handle::of(pidfd),
        }
    }

    /// A descriptor of the process; `None` when it has ended.
    ///
    /// # Errors
    /// It may be there, but no descriptor can be had.
    pub fn open(&self) -> io::Result<Option<OwnedFd>> {
        open(self.pid, self.handle, |stat| self.is_it(stat))
    }

    /// A descriptor of it when it has ended, by which the group is reached that it led: as long as
    /// anybody is in that, the kernel gives its pid to nobody else. `None`: nobody is, or the kernel
    /// cannot tell: before Linux 6.14, when its zombie is gone.
    ///
    /// # Errors
    /// There may be something left, but no descriptor can be had.
    pub fn open_remains(&self) -> io::Result<Option<OwnedFd>> {
        let by_handle = self
            .handle
            .map(|handle| process::open_left(handle.number()));
        match by_handle {
            Some(Err(cause)) if is_wanting(&cause) => return Err(cause),
            Some(Ok(pidfd)) => return Ok(Some(pidfd)),
            _ => {}
        }
        match process::open_process(self.pid) {
            Err(cause) if is_wanting(&cause) => Err(cause),
            // Who is a zombie now was no other one when that was opened.
            Ok(pidfd) if self.is_zombie() => Ok(Some(pidfd)),
            _ => Ok(None),
        }
    }

    /// Whether it has ended, and its parent has not taken that in.
    pub fn is_zombie(&self) -> bool {
        let found = self.handle.and_then(|_| handle_of(self.pid));
        let is_another = found.is_some() && found != self.handle;
        Stat::of(self.pid).is_ok_and(|stat| stat.is_zombie() && !is_another && self.is_it(&stat))
    }

    fn is_it(&self, stat: &Stat) -> bool {
        let latest = self.boot_ms.saturating_mul(ticks_per_second()) / 1_000;
        stat.began <= latest
    }
}

/// Whether there may be a descriptor later.
fn is_wanting(cause: &io::Error) -> bool {
    let errno = cause.raw_os_error();
    matches!(errno, Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM))
}

/// What times in `/proc/pid/stat` are counted in.
fn ticks_per_second() -> u64 {
    let ticks = sysconf(SysconfVar::CLK_TCK).ok().flatten();
    ticks.and_then(|ticks| ticks.try_into().ok()).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{open_process, send_signal, signal_group};
    use nix::poll::{poll, PollFd, PollFlags};
    use std::io::{BufRead, BufReader};
    use std::os::fd::AsFd;
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};

    #[test]
    fn who_has_a_pid_later_is_not_who_had_it() {
        let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
        let pid = child.id() as i32;
        let began = Stat::of(pid).unwrap().began;
        let began_ms = began * 1_000 / ticks_per_second();
        let of = |boot_ms, handle| {
            let who = AsOf {
                pid,
                boot_ms,
                handle,
            };
            who.open().unwrap()
        };
        let as_of = |boot_ms| of(boot_ms, None);
        assert!(as_of(began_ms + 10).is_some());
        assert!(as_of(u64::MAX).is_some());
        assert!(as_of(began_ms - 20).is_none(), "it was not there yet");
        let handle = handle_of(pid);
        if let Some(known) = handle {
            assert!(of(began_ms + 10, handle).is_some());
            let another = Handle::of_number(known.number() - 1);
            assert!(of(began_ms + 10, another).is_none(), "within a tick");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(as_of(u64::MAX).is_none());
        assert!(of(u64::MAX, handle).is_none());
    }

    #[test]
    fn the_group_of_one_that_ended_is_reached_as_long_as_there_is_one() {
        let leave = "sleep 1000 & echo $!; exec >&-; read line";
        let mut command = Command::new("/bin/sh");
        command.args(["-c", leave]).process_group(0);
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        let mut told = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut told).unwrap();
        let pid = child.id() as i32;
        let pidfd = open_process(pid).unwrap();
        let who = AsOf::now(pid, u64::MAX, pidfd.as_fd());
        let left = open_process(told.trim().parse().unwrap()).unwrap();
        drop(child.stdin.take());
        let is_over = |pidfd: &OwnedFd| {
            let mut fds = [PollFd::new(pidfd.as_fd(), PollFlags::POLLIN)];
            poll(&mut fds, 30_000u16) == Ok(1)
        };
        assert!(is_over(&pidfd), "it does not end");
        let by_time = AsOf {
            handle: None,
            ..who
        };
        // Its zombie has the pid.
        assert!(who.open_remains().unwrap().is_some());
        assert!(by_time.open_remains().unwrap().is_some());
        child.wait().unwrap();
        assert!(by_time.open_remains().unwrap().is_none());
        drop(pidfd);
        // An older kernel cannot tell any more.
        match who.open_remains().unwrap() {
            Some(remains) => signal_group(remains.as_fd(), 9).unwrap(),
            None => send_signal(left.as_fd(), 9).unwrap(),
        }
        assert!(is_over(&left), "what it has left was not reached");
    }
}
