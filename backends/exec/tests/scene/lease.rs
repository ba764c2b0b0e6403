//! A file that cannot be opened for a while, as on a server that does not answer.

#![allow(unsafe_code)]

use nix::poll::{poll, PollFd};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::Path;

/// How often is looked.
const ROUNDS: usize = 10_000;

/// Who opens the file, also to execute it, waits until this is dropped; for
/// /proc/sys/fs/lease-break-time (45 s) at the longest.
pub struct Lease(File);

impl Lease {
    /// Nobody else may have it open. A child of another test may for a moment.
    pub fn of(path: &Path) -> Lease {
        // What whoever opens it sends is to do nothing.
        const F_SETSIG: i32 = 10;
        let file = File::open(path).unwrap();
        for _ in 0..ROUNDS {
            // SAFETY: numbers only.
            let taken = unsafe {
                let fd = file.as_raw_fd();
                assert_eq!(libc::fcntl(fd, F_SETSIG, libc::SIGURG), 0);
                libc::fcntl(fd, libc::F_SETLEASE, libc::F_WRLCK) == 0
            };
            if taken {
                return Lease(file);
            }
            pause();
        }
        panic!("{}: {}", path.display(), std::io::Error::last_os_error());
    }

    /// Waits until somebody wants to open it.
    pub fn until_wanted(&self) {
        for _ in 0..ROUNDS {
            // SAFETY: two numbers.
            let lease = unsafe { libc::fcntl(self.0.as_raw_fd(), libc::F_GETLEASE) };
            if lease != libc::F_WRLCK {
                return;
            }
            pause();
        }
        panic!("nobody opens it");
    }
}

/// Only a signal would tell, and signals are for the whole process.
fn pause() {
    let nothing: &mut [PollFd<'_>] = &mut [];
    poll(nothing, 2u8).unwrap();
}
