//! What a service wrote and what is not delivered yet, and before it the last of what is: a file in
//! memory that both the supervisor and the logger have open.
//!
//! The kernel does what has to be done at once: it moves bytes from the pipe to the end of the
//! file (splice(2)), and the *offset of the open file*, which both share, is where the undelivered
//! bytes begin. Whoever is killed leaves both as they were or as they were to become. The file
//! grows for ever, but of what is behind that offset the memory is given back, but for the last.
//!
//! At its beginning stands where the offset is, for a supervisor that has to open the file anew,
//! and the journal ([`Entry`]): what is being written to a log file.

use crate::place::Dir;
use nix::fcntl::{fallocate, splice, tee, FallocateFlags, SpliceFFlags};
use rc_sv_api::{last_lines as last, Error, Result};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Deref;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;

/// Where the output begins; before it lies the journal.
const BASE: u64 = 128 << 10;

/// Where the journal is: its head, and the bytes that are written.
const HEAD: u64 = 64;
const BODY: u64 = 4096;

/// Most bytes of an entry of the journal.
pub(super) const MOST: usize = (BASE - BODY) as usize / 2;

/// So much more than has to be kept is kept, so that memory is not given back page by page.
const SLACK: u64 = 64 << 10;

/// The file.
#[derive(Debug)]
pub struct Spool<F: Deref<Target = File> = nix::fcntl::Flock<File>> {
    file: F,
    keep: u64,
    /// Up to here the memory was given back.
    cleared: u64,
}

/// What is about to be written to a log file, so that somebody else can finish it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    /// How much of the spool is delivered when it is written.
    pub taken: u64,
    /// The log file, and how large it was before.
    pub device: u64,
    pub inode: u64,
    pub size: u64,
    pub bytes: Vec<u8>,
}

/// Opens the spool of this name in the directory of a service; made where it is missing.
///
/// # Errors
/// It cannot be made, or is not safe.
pub fn open(dir: &Dir, name: &str) -> Result<File> {
    let file = dir.open_shared(name)?;
    let failed = |cause| Error::io(format_args!("open {}/{name}", dir.path().display()), &cause);
    let length = file.metadata().map_err(failed)?.len();
    if length < BASE {
        // Whoever reads the end of the file sees where a line begins.
        file.write_all_at(b"\n", BASE - 1).map_err(failed)?;
    }
    let mut known = [0; 8];
    file.read_exact_at(&mut known, 0).map_err(failed)?;
    let at = u64::from_le_bytes(known).clamp(BASE, length.max(BASE));
    (&file).seek(SeekFrom::Start(at)).map_err(failed)?;
    Ok(file)
}

/// The last lines of the output that a spool has, and of what is still in the pipe before it, for
/// people.
pub fn last_lines(file: &File, pipe: impl AsFd) -> String {
    // Whoever moves something from one to the other meanwhile makes it be looked for again.
    for _ in 0..3 {
        let (length, coming) = (end(file), in_pipe(&pipe).unwrap_or_default());
        if end(file) != length {
            continue;
        }
        let start = length.saturating_sub(last::MOST as u64).max(BASE);
        let mut bytes = vec![0; (length - start) as usize];
        if file.read_exact_at(&mut bytes, start).is_ok() {
            bytes.extend(coming);
            return last::lines(&bytes, start == BASE);
        }
    }
    String::new()
}

/// What is in a pipe, without taking it.
fn in_pipe(pipe: impl AsFd) -> io::Result<Vec<u8>> {
    let (copy, write) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)?;
    let length = tee(pipe, &write, 64 << 10, SpliceFFlags::SPLICE_F_NONBLOCK)?;
    let mut bytes = vec![0; length];
    File::from(copy).read_exact(&mut bytes)?;
    Ok(bytes)
}

fn end(file: &File) -> u64 {
    file.metadata().map_or(BASE, |known| known.len())
}

impl<F: Deref<Target = File>> Spool<F> {
    pub(super) fn of(file: F, keep: u64) -> Spool<F> {
        Spool {
            file,
            keep,
            cleared: BASE,
        }
    }

    /// Goes to where somebody else has come who had the file open by themselves.
    pub(super) fn catch_up(&mut self) {
        let mut known = [0; 8];
        if self.file.read_exact_at(&mut known, 0).is_ok() {
            let at = u64::from_le_bytes(known).min(self.end());
            self.advance(at.saturating_sub(self.position()));
        }
    }

    /// How many bytes are not delivered.
    pub(super) fn waiting(&self) -> u64 {
        self.end().saturating_sub(self.position())
    }

    /// The first of them.
    pub(super) fn peek(&self, most: usize) -> Vec<u8> {
        let mut bytes = vec![0; most.min(self.waiting() as usize)];
        let length = self.file.read_at(&mut bytes, self.position());
        bytes.truncate(length.unwrap_or(0));
        bytes
    }

    /// They are delivered.
    pub(super) fn advance(&mut self, bytes: u64) {
        // Seeking in memory does not fail.
        let _ = (&*self.file).seek(SeekFrom::Current(bytes as i64));
        self.advanced();
    }

    /// The kernel has advanced by itself.
    pub(super) fn advanced(&mut self) {
        let at = self.position();
        let _ = self.file.write_all_at(&at.to_le_bytes(), 0);
        let until = at.saturating_sub(self.keep) & !4095;
        if until >= self.cleared + SLACK {
            let how = FallocateFlags::FALLOC_FL_PUNCH_HOLE | FallocateFlags::FALLOC_FL_KEEP_SIZE;
            let length = (until - self.cleared) as i64;
            // Where a file system cannot, the memory is not given back.
            let _ = fallocate(&*self.file, how, self.cleared as i64, length);
            self.cleared = until;
        }
    }

    /// Takes what is in the pipe, without waiting; 0 is its end.
    pub(super) fn take(&mut self, pipe: &OwnedFd, most: usize) -> io::Result<usize> {
        let mut end = self.end() as i64;
        let flags = SpliceFFlags::SPLICE_F_NONBLOCK | SpliceFFlags::SPLICE_F_MOVE;
        Ok(splice(
            pipe,
            None,
            &*self.file,
            Some(&mut end),
            most,
            flags,
        )?)
    }

    /// Moves what waits to a pipe; `SPLICE_F_NONBLOCK` does not wait until something has been moved.
    pub(super) fn give(&mut self, pipe: &OwnedFd, flags: SpliceFFlags) -> io::Result<usize> {
        let most = self.waiting() as usize;
        let given = splice(self.file.as_fd(), None, pipe, None, most, flags);
        self.advanced();
        Ok(given?)
    }

    /// Notes what is about to be written.
    pub(super) fn note(&self, entry: &Entry) -> io::Result<()> {
        self.file.write_all_at(&entry.bytes, BODY)?;
        let numbers = [
            self.position(),
            entry.taken,
            entry.device,
            entry.inode,
            entry.size,
            entry.bytes.len() as u64,
        ];
        let head: Vec<u8> = numbers.iter().flat_map(|it| it.to_le_bytes()).collect();
        self.file.write_all_at(&head, HEAD)
    }

    /// What somebody was about to write and may not have finished.
    pub(super) fn noted(&self) -> Option<Entry> {
        let mut head = [0; 48];
        self.file.read_exact_at(&mut head, HEAD).ok()?;
        let mut numbers = head
            .chunks_exact(8)
            .map(|bytes| u64::from_le_bytes(bytes.try_into().unwrap_or_default()));
        let mut next = || numbers.next();
        let is_current = next()? == self.position();
        let (taken, device, inode, size) = (next()?, next()?, next()?, next()?);
        let mut bytes = vec![0; usize::try_from(next()?).ok().filter(|it| *it <= MOST)?];
        self.file.read_exact_at(&mut bytes, BODY).ok()?;
        let entry = Entry {
            taken,
            device,
            inode,
            size,
            bytes,
        };
        (is_current && taken <= self.waiting()).then_some(entry)
    }

    fn position(&self) -> u64 {
        (&*self.file).stream_position().unwrap_or(BASE)
    }

    fn end(&self) -> u64 {
        end(&self.file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::poll::{poll, PollFd, PollFlags};
    use std::io::Write;

    fn file() -> File {
        let file = tempfile::tempfile().unwrap();
        file.set_len(BASE).unwrap();
        (&file).seek(SeekFrom::Start(BASE)).unwrap();
        file
    }

    #[test]
    fn bytes_go_through_once_and_the_last_stay() {
        let file = Box::new(file());
        let mut spool = Spool::of(file, 4096);
        let (read, write) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).unwrap();
        let mut write = File::from(write);
        let mut expected = Vec::new();
        for round in 0..100 {
            let line = format!("{round:09}\n").repeat(1_000);
            write.write_all(line.as_bytes()).unwrap();
            expected.extend_from_slice(line.as_bytes());
            assert_eq!(spool.take(&read, 1 << 20).unwrap(), line.len());
            assert_eq!(spool.peek(1 << 20), line.as_bytes());
            spool.advance(line.len() as u64);
            assert_eq!(spool.waiting(), 0);
        }
        assert!(spool.cleared > BASE + 800_000, "{}", spool.cleared);
        write.write_all(b"coming").unwrap();
        let shown = last_lines(&spool.file, &read);
        assert!(shown.ends_with("\n000000099\ncoming"), "{shown}");
        assert_eq!(spool.take(&read, 100).unwrap(), 6);
        drop(write);
        // A child of another test may have a copy until it executes its program.
        let mut fds = [PollFd::new(read.as_fd(), PollFlags::POLLIN)];
        assert_eq!(poll(&mut fds, 30_000u16), Ok(1), "it does not end");
        assert_eq!(spool.take(&read, 1).unwrap(), 0);
    }

    #[test]
    fn an_entry_holds_until_it_is_delivered() {
        let mut spool = Spool::of(Box::new(file()), 4096);
        assert_eq!(spool.noted(), None);
        let (read, write) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).unwrap();
        nix::unistd::write(&write, b"line\n").unwrap();
        spool.take(&read, 100).unwrap();
        let entry = Entry {
            taken: 5,
            device: 1,
            inode: 2,
            size: 3,
            bytes: b"stamp line\n".to_vec(),
        };
        spool.note(&entry).unwrap();
        assert_eq!(spool.noted(), Some(entry));
        spool.advance(5);
        assert_eq!(spool.noted(), None);
    }
}
