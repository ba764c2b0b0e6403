//! The word that a child leaves of itself before it executes its program, in a file that outlives
//! whoever made it: there is no moment at which a process runs and nobody can know of it.
//!
//! First the child writes, then it looks whether its maker is still there, and ends if not. So who
//! reads the file after the end of the maker finds the word, or the program is never executed.

use super::syscall::{self, Errno};
use crate::instance::AsOf;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::sync::Arc;

/// Where a child leaves word, and what besides its pid and the time.
#[derive(Clone, Debug)]
pub struct Word {
    file: Arc<File>,
    place: usize,
    number: u32,
    maker: i32,
}

/// What was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// What its maker told it to write.
    pub number: u32,
    /// The process.
    pub who: AsOf,
}

impl Word {
    /// Its length, in bytes. It is written in one piece.
    pub const SIZE: usize = 16;

    /// A word at `place` of `file`, whose memory must be there already. The child must be made by
    /// the calling process.
    pub fn new(file: Arc<File>, place: usize, number: u32) -> Word {
        Word {
            file,
            place,
            number,
            maker: std::process::id() as i32,
        }
    }

    /// Leaves word of the process that calls it. The caller may only make system calls.
    pub(super) fn leave(&self) -> Result<(), Errno> {
        let left = Left {
            number: self.number,
            who: AsOf {
                pid: syscall::own_pid() as i32,
                boot_ms: syscall::boot_ms()?,
                // It has no descriptor of itself.
                handle: None,
            },
        };
        syscall::write_at(self.file.as_raw_fd(), &left.encode(), self.place)?;
        match syscall::parent() as i32 == self.maker {
            true => Ok(()),
            false => Err(libc::ESRCH),
        }
    }
}

impl Left {
    /// What was left in these bytes; `None`: nothing.
    pub fn decode(bytes: &[u8; Word::SIZE]) -> Option<Left> {
        let [a, b, c, d, e, f, g, h, time @ ..] = *bytes;
        let pid = i32::from_le_bytes([e, f, g, h]);
        let left = Left {
            number: u32::from_le_bytes([a, b, c, d]),
            who: AsOf {
                pid,
                boot_ms: u64::from_le_bytes(time),
                handle: None,
            },
        };
        (pid > 1).then_some(left)
    }

    /// The bytes, without the handle; made in the child, so without allocation.
    pub fn encode(&self) -> [u8; Word::SIZE] {
        let [a, b, c, d] = self.number.to_le_bytes();
        let [e, f, g, h] = self.who.pid.to_le_bytes();
        let [i, j, k, l, m, n, o, p] = self.who.boot_ms.to_le_bytes();
        [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
    }
}
