//! How processes ended that are not the supervisor's children: the daemons that an earlier one has
//! made. They are the guardian's, which puts down how each of its children ended, in a pipe that
//! all its supervisors read, before it takes the zombie away.

use super::sys;
use nix::fcntl::OFlag;
use nix::unistd::{pipe2, read, write};
use rc_sv_api::exit::Exit;
use rc_sv_exec::instance::AsOf;
use rc_sv_exec::process::ending_of_stranger;
use rc_sv_exec::stat::Stat;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Most ends that are remembered; those of others than daemons are among them.
const MOST: usize = 256;

/// Both ends of the pipe.
pub(super) struct Afterlife {
    pub to_read: OwnedFd,
    pub to_write: OwnedFd,
    /// What was read and not asked for yet.
    read: Vec<End>,
}

/// How a process ended, and when that was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct End {
    pid: i32,
    /// A wait status.
    status: i32,
    boot_ms: u64,
}

impl Afterlife {
    pub(super) fn new() -> io::Result<Afterlife> {
        let (to_read, to_write) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?;
        Ok(Afterlife::of(to_read, to_write))
    }

    /// Of a pipe that was made so.
    pub(super) fn of(to_read: OwnedFd, to_write: OwnedFd) -> Afterlife {
        Afterlife {
            to_read,
            to_write,
            read: Vec::new(),
        }
    }

    /// Puts down how a process ended. Where nobody reads, the oldest ends are forgotten.
    pub(super) fn put(&self, pid: i32, exit: Exit, boot_ms: u64) {
        let status = match exit {
            Exit::Code(code) => i32::from(code) << 8,
            Exit::Signal(number) => i32::from(number),
            Exit::Dumped(number) => i32::from(number) | 0x80,
            Exit::NotRun(_) | Exit::Unknown => return,
        };
        let end = End {
            pid,
            status,
            boot_ms,
        };
        while write(&self.to_write, &end.encode()) == Err(nix::errno::Errno::EAGAIN) {
            if !matches!(read(&self.to_read, &mut [0; End::SIZE]), Ok(1..)) {
                return;
            }
        }
    }

    /// How a process has ended that is nobody's child here. `pidfd` is one that was open when it
    /// lived, where there is one.
    pub(super) fn exit_of(&mut self, who: AsOf, pidfd: Option<BorrowedFd<'_>>) -> Exit {
        // While it is a zombie, proc(5) tells; then a new kernel does. Who takes the zombie away
        // has put it down before, so that is looked at last.
        let of_zombie = || {
            let exit = Stat::of(who.pid).ok()?.exit?;
            let is_it = match pidfd {
                // As long as it can be sent a signal, the pid was not anybody else's.
                Some(pidfd) => sys::send_signal(pidfd, 0).is_ok(),
                None => who.is_zombie(),
            };
            is_it.then_some(exit)
        };
        of_zombie()
            .or_else(|| ending_of_stranger(pidfd?))
            .or_else(|| self.put_down(who))
            .unwrap_or(Exit::Unknown)
    }

    /// Nobody asks for what was read.
    pub(super) fn forget(&mut self) {
        self.read = Vec::new();
    }

    fn put_down(&mut self, who: AsOf) -> Option<Exit> {
        let mut bytes = [0; 64 * End::SIZE];
        while let Ok(length @ 1..) = read(&self.to_read, &mut bytes) {
            let ends = bytes[..length].chunks_exact(End::SIZE);
            self.read.extend(ends.filter_map(End::decode));
        }
        // The first end of one with this pid after that moment.
        let is_it = |end: &End| end.pid == who.pid && end.boot_ms >= who.boot_ms;
        let found = self.read.iter().position(is_it);
        let exit = found.map(|at| Exit::from_wait_status(self.read.remove(at).status));
        let surplus = self.read.len().saturating_sub(MOST);
        self.read.drain(..surplus);
        exit
    }
}

impl AsFd for Afterlife {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.to_read.as_fd()
    }
}

impl End {
    /// Pipes take so much in one piece, and give it back so.
    const SIZE: usize = 16;

    fn encode(&self) -> [u8; End::SIZE] {
        let mut bytes = [0; End::SIZE];
        bytes[..4].copy_from_slice(&self.pid.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.status.to_le_bytes());
        bytes[8..].copy_from_slice(&self.boot_ms.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<End> {
        let [a, b, c, d, e, f, g, h, time @ ..]: [u8; End::SIZE] = bytes.try_into().ok()?;
        Some(End {
            pid: i32::from_le_bytes([a, b, c, d]),
            status: i32::from_le_bytes([e, f, g, h]),
            boot_ms: u64::from_le_bytes(time),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::poll::{poll, PollFd, PollFlags};
    use rc_sv_exec::process::open_process;
    use std::process::Command;

    #[test]
    fn a_zombie_tells_how_it_ended() {
        for (script, exit) in [("exit 3", Exit::Code(3)), ("kill -9 $$", Exit::Signal(9))] {
            let mut child = Command::new("/bin/sh")
                .args(["-c", script])
                .spawn()
                .unwrap();
            let pid = child.id() as i32;
            let pidfd = open_process(pid).unwrap();
            let mut fds = [PollFd::new(pidfd.as_fd(), PollFlags::POLLIN)];
            assert_eq!(poll(&mut fds, 30_000u16), Ok(1), "it does not end");
            let mut afterlife = Afterlife::new().unwrap();
            let boot_ms = u64::MAX;
            let who = AsOf {
                pid,
                boot_ms,
                handle: None,
            };
            assert_eq!(afterlife.exit_of(who, Some(pidfd.as_fd())), exit);
            assert_eq!(afterlife.exit_of(who, None), exit);
            child.wait().unwrap();
        }
    }

    #[test]
    fn the_first_end_after_the_moment_is_the_one() {
        let mut afterlife = Afterlife::new().unwrap();
        // No process has such a pid.
        let pid = i32::MAX - 1;
        for (exit, boot_ms) in [
            (Exit::Code(1), 10),
            (Exit::Code(3), 20),
            (Exit::Dumped(6), 30),
        ] {
            afterlife.put(pid, exit, boot_ms);
            afterlife.put(pid - 1, Exit::Signal(9), boot_ms);
        }
        let mut of = |pid, boot_ms| {
            afterlife.exit_of(
                AsOf {
                    pid,
                    boot_ms,
                    handle: None,
                },
                None,
            )
        };
        assert_eq!(of(pid, 15), Exit::Code(3));
        assert_eq!(of(pid, 15), Exit::Dumped(6));
        assert_eq!(of(pid, 15), Exit::Unknown);
        assert_eq!(of(pid - 1, 0), Exit::Signal(9));
        assert_eq!(of(pid - 2, 0), Exit::Unknown);
    }

    #[test]
    fn when_nobody_reads_the_oldest_are_forgotten() {
        let mut afterlife = Afterlife::new().unwrap();
        for pid in 0..10_000 {
            afterlife.put(i32::MAX - 10_000 + pid, Exit::Code(7), 5);
        }
        let mut of = |pid| {
            afterlife.exit_of(
                AsOf {
                    pid,
                    boot_ms: 0,
                    handle: None,
                },
                None,
            )
        };
        assert_eq!(of(i32::MAX - 1), Exit::Code(7));
        assert_eq!(of(i32::MAX - 10_000), Exit::Unknown);
        assert!(afterlife.read.len() <= MOST);
    }
}
