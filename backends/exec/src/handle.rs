//! What tells a process from all others of this boot: the number of its inode in pidfs. A pid is
//! given to another process soon; this never is (Linux 6.9 and later, on machines of 64 bits).

use nix::sys::stat::fstat;
use nix::sys::statfs::{fstatfs, FsType};
use std::num::NonZeroU64;
use std::os::fd::BorrowedFd;

/// `PID_FS_MAGIC` of linux/magic.h. Earlier kernels have one inode for all descriptors of processes.
const PIDFS: FsType = FsType(0x5049_4446);

/// Which process it is, for as long as the system runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handle(NonZeroU64);

impl Handle {
    /// That of the process behind `pidfd`, also when it has ended; `None` where the kernel gives
    /// none.
    pub fn of(pidfd: BorrowedFd<'_>) -> Option<Handle> {
        if fstatfs(pidfd).ok()?.filesystem_type() != PIDFS {
            return None;
        }
        Handle::of_number(fstat(pidfd).ok()?.st_ino)
    }

    /// The one of this number; 0 is none.
    pub fn of_number(number: u64) -> Option<Handle> {
        NonZeroU64::new(number).map(Handle)
    }

    /// As a number.
    pub fn number(self) -> u64 {
        self.0.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::open_process;
    use nix::sys::eventfd::EventFd;
    use std::os::fd::AsFd;
    use std::process::Command;

    #[test]
    fn a_process_has_one_and_no_other_has_it() {
        let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
        let open = |pid| open_process(pid).unwrap();
        let (one, again) = (open(child.id() as i32), open(child.id() as i32));
        let own = open(std::process::id() as i32);
        let known = Handle::of(one.as_fd());
        assert_eq!(known, Handle::of(again.as_fd()));
        if let Some(known) = known {
            assert_ne!(Some(known), Handle::of(own.as_fd()));
            assert_eq!(Handle::of_number(known.number()), Some(known));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(known, Handle::of(one.as_fd()), "it is told of the dead too");
    }

    /// As every descriptor of a process was before Linux 6.9.
    #[test]
    fn where_all_share_an_inode_there_is_none() {
        let descriptor = EventFd::new().unwrap();
        assert_eq!(Handle::of(descriptor.as_fd()), None);
    }
}
