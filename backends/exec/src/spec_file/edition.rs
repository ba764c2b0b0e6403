//! Which file it was that was read, so that one that is unchanged need not be read again.

use std::fs::{symlink_metadata, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A file as it was at some time. No two specs that were written one after the other have the same:
/// each is a file of its own, and its name is given to it last, which counts as a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edition {
    device: u64,
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

impl Edition {
    /// That of the file which has this name now. Only for comparing: nothing of it is checked.
    ///
    /// # Errors
    /// There is none, or it cannot be looked at.
    pub fn at(path: &Path) -> io::Result<Edition> {
        symlink_metadata(path).map(|known| Edition::of_known(&known))
    }

    /// How many bytes it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    pub(super) fn of(file: &File) -> io::Result<Edition> {
        file.metadata().map(|known| Edition::of_known(&known))
    }

    fn of_known(known: &Metadata) -> Edition {
        Edition {
            device: known.dev(),
            inode: known.ino(),
            size: known.size(),
            changed: (known.ctime(), known.ctime_nsec()),
        }
    }
}
