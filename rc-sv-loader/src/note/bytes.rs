//! The bytes of a file with few system calls: its first page at once, the rest where it is asked for.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result, Seek, SeekFrom};
use std::os::unix::fs::FileExt;

/// In which the headers and the note of most modules are.
const PAGE: usize = 4096;

/// Headers, names of sections and the note of a module take less than this; where they claim more,
/// the file is not read on.
const MOST: usize = 1 << 20;

/// A file to be read here and there. Its own position is left alone.
pub(super) struct Bytes<'a> {
    file: &'a File,
    length: u64,
    at: u64,
    left: usize,
    first: [u8; PAGE],
    filled: usize,
}

impl<'a> Bytes<'a> {
    pub fn of(file: &'a File) -> Result<Bytes<'a>> {
        let mut first = [0; PAGE];
        let filled = file.read_at(&mut first, 0)?;
        Ok(Bytes {
            file,
            length: file.metadata()?.len(),
            at: 0,
            left: MOST,
            first,
            filled,
        })
    }
}

impl Read for Bytes<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let begin = usize::try_from(self.at).unwrap_or(PAGE);
        let known = self.first[..self.filled].get(begin..).unwrap_or_default();
        let count = match known.len().min(buffer.len()) {
            0 => {
                let wanted = buffer.len().min(self.left);
                self.file.read_at(&mut buffer[..wanted], self.at)?
            }
            count => {
                buffer[..count].copy_from_slice(&known[..count]);
                count
            }
        };
        self.at += count as u64;
        self.left -= count.min(self.left);
        Ok(count)
    }
}

impl Seek for Bytes<'_> {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| Error::from(ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn everything_is_where_it_is_in_the_file() {
        let content: Vec<u8> = (0..10_000_u32).map(|number| (number % 251) as u8).collect();
        let path = std::env::temp_dir().join(format!("rc-sv-bytes-{}", std::process::id()));
        File::create(&path).unwrap().write_all(&content).unwrap();
        let file = File::open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let mut bytes = Bytes::of(&file).unwrap();
        for (begin, length) in [(0, 20), (4090, 20), (4096, 5), (9_990, 10), (0, 10_000)] {
            let mut part = vec![0; length];
            bytes.seek(SeekFrom::Start(begin as u64)).unwrap();
            bytes.read_exact(&mut part).unwrap();
            assert_eq!(part, content[begin..begin + length], "{begin}");
        }
        assert_eq!(bytes.read(&mut [0; 4]).unwrap(), 0, "the end");
        assert_eq!(bytes.seek(SeekFrom::End(-4)).unwrap(), 9_996);
        assert_eq!(bytes.seek(SeekFrom::Current(1)).unwrap(), 9_997);
        assert!(bytes.seek(SeekFrom::End(-10_001)).is_err());
    }
    #[test]
    fn a_file_that_claims_much_is_not_read_on() {
        let path = std::env::temp_dir().join(format!("rc-sv-huge-{}", std::process::id()));
        let made = File::create(&path).unwrap();
        made.set_len(1 << 30).unwrap();
        let file = File::open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let mut bytes = Bytes::of(&file).unwrap();
        let read = std::io::copy(&mut bytes, &mut std::io::sink()).unwrap();
        assert_eq!(read, MOST as u64);
        let mut all = vec![0; MOST + 1];
        let mut bytes = Bytes::of(&file).unwrap();
        assert!(bytes.read_exact(&mut all).is_err());
    }
}
