//! What outlives the supervisor: a file in the directory of each service, of one page.
//!
//! It has what the core wants kept, written before anything is done about it, and a word of each
//! process that was made for the service and does not end with the supervisor, left by that process
//! itself ([`Word`]); beside it the handle of that process, which its maker notes. Each part is
//! written in one piece of one page, so whoever is killed leaves the old one or the new one. The page
//! is there from the beginning: no full disk is in the way.

#[cfg(fuzzing)]
pub mod fuzzed;
mod stored;

use super::outlet::Role;
use crate::core::{Hook, SAVED_MOST};
use rc_sv_api::{Code, Error, Result};
use rc_sv_exec::check;
use rc_sv_exec::handle::Handle;
use rc_sv_exec::instance::{boot_id, AsOf};
use rc_sv_exec::launch::{Left, Word};
use rc_sv_exec::log::Which;
use rc_sv_exec::place::Dir;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

pub(super) use stored::Stored;

/// The name of the file.
const NAME: &str = "state";

const PAGE: usize = 4096;

/// The form of the file, and after it the boot that it is of.
const MARK: &[u8; 16] = b"rc-sv state 1\n\0\0";
const HEAD: usize = 64;

/// Where the words are, the handles of their processes, and what is kept. A version before knew of no
/// handles, and where it has written there are none.
const WORDS: usize = HEAD;
const HANDLES: usize = WORDS + PLACES * Word::SIZE;
const KEPT: usize = 512;

/// For so many words there is room.
const PLACES: usize = 14;

const _: () = assert!(HANDLES + PLACES * Word::SIZE <= KEPT);

/// So many commands may look at a service at once: about its readiness, and for each check.
pub(super) const LOOKS: u8 = 1 + check::MOST as u8;
const LOOKS_SIZE: usize = LOOKS as usize * 2 * Word::SIZE;

/// Before what is kept: its sum, its length, and the index of the service.
const FRONT: usize = 8 + 2 + 4;

const _: () = assert!(KEPT + FRONT + SAVED_MOST <= PAGE);

/// Who leaves word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    Main,
    Hook(Hook),
    Attendant(Which, Role),
    Alert,
    /// The script about those that need it.
    Dependents,
    /// A command that looks at it: one of so many.
    Look(u8),
}

/// The file of a service.
pub(super) struct StateFile {
    file: Arc<File>,
    /// Of what was written last.
    sum: u64,
}

/// What is kept of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    /// Its index in the core.
    pub index: u32,
    /// As the core has it.
    pub service: Vec<u8>,
}

impl Who {
    /// Where its word is, and its handle.
    fn places(self) -> (usize, usize) {
        let index = match self {
            // They come after the page, and only where there are any.
            Who::Look(index) => {
                let place = PAGE + usize::from(index) * 2 * Word::SIZE;
                return (place, place + Word::SIZE);
            }
            Who::Main => 0,
            Who::Hook(Hook::Finish) => 1,
            Who::Hook(Hook::GiveUp) => 2,
            Who::Hook(Hook::Alternate) => 3,
            Who::Hook(Hook::Unhealthy) => 4,
            Who::Attendant(Which::Output, Role::Logger) => 5,
            Who::Attendant(Which::Output, Role::Program) => 6,
            Who::Attendant(Which::Error, Role::Logger) => 7,
            Who::Attendant(Which::Error, Role::Program) => 8,
            Who::Hook(Hook::Script) => 9,
            Who::Alert => 10,
            Who::Dependents => 11,
        };
        (WORDS + index * Word::SIZE, HANDLES + index * Word::SIZE)
    }
}

impl StateFile {
    /// The file in `dir`, made where there is none of this boot.
    ///
    /// # Errors
    /// It cannot be made, or is not safe.
    pub(super) fn make(dir: &Dir) -> Result<StateFile> {
        let file = dir.open_shared(NAME)?;
        if head_of(&file) != Some(head()) {
            let mut page = [0; PAGE];
            page[..HEAD].copy_from_slice(&head());
            file.write_all_at(&page, 0).map_err(|cause| {
                let path = dir.path().join(NAME);
                Error::io(format_args!("write {}", path.display()), &cause)
            })?;
        }
        Ok(StateFile::of(file))
    }

    /// The file in `dir`, if there is one of this boot.
    ///
    /// # Errors
    /// It cannot be opened, or is not safe.
    pub(super) fn find(dir: &Dir) -> Result<Option<StateFile>> {
        // Which is checked, and not made where it is missing.
        match dir.open_private(NAME) {
            Err(error) if error.code == Code::NotFound => return Ok(None),
            found => drop(found?),
        }
        let file = dir.open_shared(NAME)?;
        Ok((head_of(&file) == Some(head())).then(|| StateFile::of(file)))
    }

    /// Removes the file of `dir`.
    pub(super) fn remove(dir: &Dir) {
        // What cannot be removed tells that nothing runs.
        let _ = dir.remove(NAME);
    }

    fn of(file: File) -> StateFile {
        StateFile {
            file: Arc::new(file),
            sum: 0,
        }
    }

    /// The word that a child is to leave.
    pub(super) fn word(&self, who: Who, number: u32) -> Word {
        Word::new(Arc::clone(&self.file), who.places().0, number)
    }

    /// What a child with this number has left.
    pub(super) fn left(&self, who: Who) -> Option<Left> {
        let (word, handle) = who.places();
        let left = Left::decode(&self.entry(word)?)?;
        let noted = self.entry(handle);
        let handle = noted.and_then(|noted| handle_in(&noted, left));
        let who = AsOf { handle, ..left.who };
        Some(Left { who, ..left })
    }

    /// Leaves word for a process that cannot do so itself.
    pub(super) fn leave(&self, who: Who, left: Left) -> io::Result<()> {
        self.identify(who, left)?;
        let (word, _) = who.places();
        self.file.write_all_at(&left.encode(), word as u64)
    }

    /// Takes back what was left.
    pub(super) fn forget(&self, who: Who) {
        // The page is there, so this does not fail.
        let (word, _) = who.places();
        let _ = self.file.write_all_at(&[0; Word::SIZE], word as u64);
    }

    /// Leaves word for a process that has not come to do so.
    pub(super) fn leave_late(&self, who: Who, left: Left) {
        if self
            .left(who)
            .is_none_or(|known| known.number != left.number)
        {
            // The page is there, so this does not fail.
            let _ = self.leave(who, left);
        }
    }

    /// Notes which process left a word, or will.
    pub(super) fn identify(&self, who: Who, left: Left) -> io::Result<()> {
        let Some(handle) = left.who.handle else {
            return Ok(());
        };
        let mut entry = left.encode();
        entry[8..].copy_from_slice(&handle.number().to_le_bytes());
        let (_, handle) = who.places();
        self.file.write_all_at(&entry, handle as u64)
    }

    /// Makes room for the words of commands that look at the service.
    pub(super) fn make_room_for_looks(&self) -> io::Result<()> {
        if self.has_looks() {
            return Ok(());
        }
        self.file.write_all_at(&[0; LOOKS_SIZE], PAGE as u64)
    }

    /// Whether there may be words of such.
    pub(super) fn has_looks(&self) -> bool {
        let length = self.file.metadata().map_or(0, |known| known.len());
        length >= (PAGE + LOOKS_SIZE) as u64
    }

    fn entry(&self, place: usize) -> Option<[u8; Word::SIZE]> {
        let mut bytes = [0; Word::SIZE];
        let read = self.file.read_exact_at(&mut bytes, place as u64);
        read.ok().map(|()| bytes)
    }

    /// Keeps this, unless it is what is kept already.
    pub(super) fn keep(&mut self, kept: &Kept) -> io::Result<()> {
        let bytes = encode(kept);
        let sum = sum_of(&bytes[8..]);
        if self.sum != sum {
            self.file.write_all_at(&bytes, KEPT as u64)?;
            self.sum = sum;
        }
        Ok(())
    }

    /// What is kept; `None`: nothing, or it is damaged.
    pub(super) fn kept(&self) -> Option<Kept> {
        let mut page = [0; PAGE - KEPT];
        self.file.read_exact_at(&mut page, KEPT as u64).ok()?;
        decode(&page)
    }
}

/// The handle in these bytes, if it is that of the process that has left this word.
fn handle_in(noted: &[u8; Word::SIZE], left: Left) -> Option<Handle> {
    let (of, number) = noted.split_last_chunk()?;
    let is_it = left.encode().starts_with(of);
    Handle::of_number(u64::from_le_bytes(*number)).filter(|_| is_it)
}

/// What a file of this boot begins with.
fn head() -> [u8; HEAD] {
    let mut head = [0; HEAD];
    let parts = MARK.iter().chain(boot_id().as_bytes());
    head.iter_mut()
        .zip(parts)
        .for_each(|(to, from)| *to = *from);
    head
}

fn head_of(file: &File) -> Option<[u8; HEAD]> {
    let mut head = [0; HEAD];
    let is_whole = file
        .metadata()
        .is_ok_and(|known| known.len() >= PAGE as u64);
    (is_whole && file.read_exact_at(&mut head, 0).is_ok()).then_some(head)
}

fn encode(kept: &Kept) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(FRONT + kept.service.len());
    bytes.extend([0; 8]);
    bytes.extend((kept.service.len() as u16).to_le_bytes());
    bytes.extend(kept.index.to_le_bytes());
    bytes.extend(&kept.service);
    let sum = sum_of(&bytes[8..]);
    bytes[..8].copy_from_slice(&sum.to_le_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Option<Kept> {
    let (sum, rest) = bytes.split_first_chunk()?;
    let (length, front) = rest.split_first_chunk()?;
    let length = usize::from(u16::from_le_bytes(*length));
    let (index, service) = front.split_first_chunk()?;
    let service = service.get(..length)?;
    let is_whole = length > 0 && sum_of(&rest[..FRONT - 8 + length]) == u64::from_le_bytes(*sum);
    is_whole.then(|| Kept {
        index: u32::from_le_bytes(*index),
        service: service.to_vec(),
    })
}

/// Fowler, Noll and Vo's: against damage, not against anybody.
fn sum_of(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests;
