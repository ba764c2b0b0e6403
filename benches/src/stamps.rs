//! The FIFO into which the measured daemons write when they run.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;

use nix::errno::Errno;
use nix::fcntl::{fcntl, FcntlArg, OFlag};
use nix::poll::{ppoll, PollFd, PollFlags};
use nix::sys::stat::Mode;
use nix::sys::time::TimeSpec;
use nix::unistd::mkfifo;

use crate::{clock, Result};

/// Where all that the measurements write is; a tmpfs.
pub const PLACE: &str = "/run/bench";
const FIFO: &str = "/run/bench/fifo";

/// Length of a record of stamp.c.
const RECORD: usize = 16;
/// Room for the records of all services of a storm, in bytes.
const ROOM: i32 = 1 << 20;

/// What a daemon told by its first instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// CLOCK_MONOTONIC at its first instruction.
    pub ns: u64,
    /// Its pid.
    pub pid: i32,
    /// The number of its service.
    pub number: u32,
}

/// The reading end of the FIFO, and what came out of it.
#[derive(Debug)]
pub struct Stamps {
    fifo: File,
    unread: VecDeque<Stamp>,
    latest: BTreeMap<u32, Stamp>,
}

impl Stamps {
    /// Makes the FIFO.
    pub fn new() -> io::Result<Stamps> {
        fs::create_dir_all(PLACE)?;
        mkfifo(FIFO, Mode::from_bits_truncate(0o622))?;
        let fifo = OpenOptions::new()
            .read(true)
            // As a writer too, so that it never ends.
            .write(true)
            .custom_flags(OFlag::O_NONBLOCK.bits())
            .open(FIFO)?;
        fcntl(&fifo, FcntlArg::F_SETPIPE_SZ(ROOM))?;
        Ok(Stamps {
            fifo,
            unread: VecDeque::new(),
            latest: BTreeMap::new(),
        })
    }

    /// The next stamp; `None` at `deadline`, in nanoseconds of the clock.
    pub fn next(&mut self, deadline: u64) -> Result<Option<Stamp>> {
        self.take(deadline)
            .map_err(|error| format!("{FIFO}: {error}"))
    }

    fn take(&mut self, deadline: u64) -> io::Result<Option<Stamp>> {
        loop {
            if let Some(stamp) = self.unread.pop_front() {
                self.latest.insert(stamp.number, stamp);
                return Ok(Some(stamp));
            }
            if !self.wait(deadline)? {
                return Ok(None);
            }
            self.read()?;
        }
    }

    /// The next stamp of service `number`; what others send meanwhile is kept as their latest.
    pub fn of(&mut self, number: u32, deadline: u64) -> Result<Stamp> {
        loop {
            match self.next(deadline)? {
                Some(stamp) if stamp.number == number => return Ok(stamp),
                Some(_) => {}
                None => return Err(format!("service {number} did not come up in time")),
            }
        }
    }

    /// Takes what comes until `deadline`, and counts it.
    pub fn pass(&mut self, deadline: u64) -> Result<u64> {
        let mut count = 0;
        while self.next(deadline)?.is_some() {
            count += 1;
        }
        Ok(count)
    }

    /// The latest stamp of a service, of those that [`Stamps::next`] returned.
    pub fn latest(&self, number: u32) -> Option<Stamp> {
        self.latest.get(&number).copied()
    }

    /// The latest stamp of each service.
    pub fn all(&self) -> impl Iterator<Item = Stamp> + '_ {
        self.latest.values().copied()
    }

    /// These services are gone for good.
    pub fn forget(&mut self, numbers: std::ops::Range<u32>) {
        self.latest.retain(|number, _| !numbers.contains(number));
    }

    /// False at the deadline. A deadline in the past only looks.
    fn wait(&self, deadline: u64) -> io::Result<bool> {
        loop {
            let left = deadline.saturating_sub(clock::now());
            let mut events = [PollFd::new(self.fifo.as_fd(), PollFlags::POLLIN)];
            let left_time = TimeSpec::from_duration(std::time::Duration::from_nanos(left));
            match ppoll(&mut events, Some(left_time), None) {
                Ok(0) if left == 0 => return Ok(false),
                Ok(0) | Err(Errno::EINTR) => {}
                Ok(_) => return Ok(true),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn read(&mut self) -> io::Result<()> {
        let mut bytes = [0; RECORD * 512];
        let length = self.fifo.read(&mut bytes)?;
        self.unread
            .extend(bytes[..length].chunks_exact(RECORD).map(decode));
        Ok(())
    }
}

/// A record as it is in memory: nanoseconds, pid, number.
fn decode(record: &[u8]) -> Stamp {
    let part = |from: usize| -> [u8; 4] { [0, 1, 2, 3].map(|i| record[from + i]) };
    let mut ns = [0; 8];
    ns.copy_from_slice(&record[..8]);
    Stamp {
        ns: u64::from_ne_bytes(ns),
        pid: i32::from_ne_bytes(part(8)),
        number: u32::from_ne_bytes(part(12)),
    }
}
