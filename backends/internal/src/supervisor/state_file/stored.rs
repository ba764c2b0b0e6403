//! How many descriptors a service has stored, so that it is known when some are lost.

use super::{StateFile, PLACES, WORDS};
use rc_sv_exec::launch::Word;
use std::os::unix::fs::FileExt;

/// In the place of a word that nobody leaves.
const STORED: usize = WORDS + (PLACES - 1) * Word::SIZE;

/// The descriptors that a service has given into keeping. They are no part of any file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Stored {
    /// How many there are.
    pub kept: u32,
    /// How many there were when all who had them were killed.
    pub lost: u32,
}

impl StateFile {
    /// Notes how many descriptors the service has stored.
    pub(in super::super) fn note_stored(&self, stored: Stored) {
        let mut entry = [0; 8];
        entry[..4].copy_from_slice(&stored.kept.to_le_bytes());
        entry[4..].copy_from_slice(&stored.lost.to_le_bytes());
        // The page is there, so this does not fail.
        let _ = self.file.write_all_at(&entry, STORED as u64);
    }

    /// How many it has stored. A version before did not note that: none.
    pub(in super::super) fn stored(&self) -> Stored {
        let entry = self.entry(STORED).unwrap_or_default();
        let [a, b, c, d, e, f, g, h, ..] = entry;
        Stored {
            kept: u32::from_le_bytes([a, b, c, d]),
            lost: u32::from_le_bytes([e, f, g, h]),
        }
    }
}
