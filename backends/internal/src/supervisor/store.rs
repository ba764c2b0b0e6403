//! Descriptors that services have given into keeping: their next instance gets them back.
//!
//! They are closed when the service goes down or is given up, when it asks for that, and when the
//! other end of one is closed, unless it asked for that one to be kept all the same.
//!
//! A descriptor is nowhere but in processes: here, and with the guardian. When both are killed at
//! once, it is closed, and nobody can open it again. What is left then is to say so.

use super::held::{self, Held};
use super::process::Slot;
use super::reactor::{Interest, Kind, Token};
use super::state_file::Stored;
use super::{parting, Supervisor};
use crate::core::Id;
use nix::sys::stat::{fstat, SFlag};
use rc_sv_api::{Result, Status};
use rc_sv_exec::launch::Launch;
use rc_sv_exec::process::is_copy;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// How many descriptors one service can give into keeping.
pub(super) const MOST: usize = 64;

/// The name of one that came without a name, as under systemd.
const NAMELESS: &str = "stored";

/// The descriptors of a service.
#[derive(Default)]
pub(super) struct Store {
    kept: Vec<Kept>,
    /// How many there ever were.
    count: u32,
}

struct Kept {
    serial: u32,
    /// The other end is waited for.
    is_watched: bool,
    name: String,
    fd: OwnedFd,
}

impl Kept {
    /// As the guardian has it: everything but the descriptor.
    fn detail(&self) -> String {
        let watched = u8::from(self.is_watched);
        format!("{} {watched} {}", self.serial, self.name)
    }

    /// What was told so.
    fn of_detail(detail: &str, fd: OwnedFd) -> Option<Kept> {
        let mut words = detail.splitn(3, ' ');
        Some(Kept {
            serial: words.next()?.parse().ok()?,
            is_watched: words.next()? == "1",
            name: words.next()?.to_string(),
            fd,
        })
    }
}

impl Store {
    /// Whether it keeps that already, as of a service that gives back all it has got.
    fn has(&self, fd: &OwnedFd) -> bool {
        let mut kept = self.kept.iter();
        kept.any(|kept| is_copy(kept.fd.as_fd(), fd.as_fd()))
    }

    /// All descriptors, as the guardian has them.
    pub(super) fn to_hold(&self) -> impl Iterator<Item = (String, BorrowedFd<'_>)> {
        self.kept
            .iter()
            .map(|kept| (kept.detail(), kept.fd.as_fd()))
    }
}

impl Supervisor {
    /// Takes descriptors into keeping; those that are too many are closed.
    pub(super) fn keep(
        &mut self,
        id: Id,
        name: Option<String>,
        is_watched: bool,
        descriptors: Vec<OwnedFd>,
    ) {
        let name = name.unwrap_or_else(|| NAMELESS.to_string());
        let mut too_many = 0;
        for fd in descriptors {
            let store = self.slots.of(id).store.get_or_insert_default();
            if store.has(&fd) {
                // That ends a copy and nothing else, so it cannot wait.
                continue;
            }
            if store.kept.len() >= MOST {
                too_many += 1;
                part_with(fd);
                continue;
            }
            store.count = store.count.wrapping_add(1);
            let kept = Kept {
                serial: store.count,
                is_watched,
                name: name.clone(),
                fd,
            };
            self.hold(held::STORED, id, kept.detail(), kept.fd.as_fd());
            self.put(id, kept);
        }
        self.note_stored(id);
        if too_many > 0 {
            let line = format!("FDSTORE: {too_many} more than {MOST} descriptors were closed");
            self.warn(id, &line);
        }
    }

    /// Takes in the descriptors that an earlier supervisor kept, and notes how many are missing.
    pub(super) fn keep_on(&mut self, id: Id, held: &mut Vec<Held>) {
        for (detail, fd) in self.take_all(held::STORED, id, held) {
            if let Some(kept) = Kept::of_detail(&detail, fd) {
                let store = self.slots.of(id).store.get_or_insert_default();
                store.count = store.count.max(kept.serial);
                self.put(id, kept);
            }
        }
        let slot = self.slots.of(id);
        let known = slot.state.as_ref().map(|state| state.stored());
        let known = known.unwrap_or_default();
        let missing = known.kept.saturating_sub(slot.stored());
        slot.lost = known.lost.saturating_add(missing);
        if missing > 0 {
            self.note_stored(id);
            self.warn(id, &lost_line(missing));
        }
    }

    /// Writes down how many descriptors a service has stored.
    fn note_stored(&mut self, id: Id) {
        let slot = self.slots.of(id);
        let (kept, lost) = (slot.stored(), slot.lost);
        if let Some(state) = &slot.state {
            state.note_stored(Stored { kept, lost });
        }
    }

    /// Adds to the status of a service how many descriptors it had stored that are lost.
    pub(super) fn add_losses(&self, id: Id, status: &mut Status) {
        let lost = self.slots.get(id).map_or(0, |slot| slot.lost);
        if lost > 0 {
            let between = if status.detail.is_empty() { "" } else { "; " };
            status.detail += &format!("{between}{}", lost_line(lost));
        }
    }

    fn put(&mut self, id: Id, kept: Kept) {
        if kept.is_watched {
            // What cannot be waited for, such as a memory file, has no other end.
            let token = Token::new(Kind::Stored, id.index(), kept.serial);
            let _ = self.reactor.add(&kept.fd, Interest::Nothing, token);
        }
        let store = self.slots.of(id).store.get_or_insert_default();
        store.kept.push(kept);
        store.kept.sort_by_key(|kept| kept.serial);
    }

    /// Closes the descriptors of a service, or only those of a name.
    pub(super) fn discard(&mut self, id: Id, name: Option<&str>) {
        let slot = self.slots.of(id);
        let were_lost = name.is_none() && std::mem::take(&mut slot.lost) > 0;
        let Some(store) = slot.store.as_mut() else {
            if were_lost {
                self.note_stored(id);
            }
            return;
        };
        let is_meant = |kept: &Kept| name.is_none_or(|name| kept.name == name);
        let (gone, kept) = std::mem::take(&mut store.kept)
            .into_iter()
            .partition(is_meant);
        let gone: Vec<Kept> = gone;
        store.kept = kept;
        if store.kept.is_empty() {
            self.slots.of(id).store = None;
        }
        // First, so that what is closed is never called lost.
        self.note_stored(id);
        for kept in gone {
            self.close_kept(id, kept);
        }
    }

    /// Takes in that the other end of a descriptor is closed.
    pub(super) fn lost(&mut self, token: Token) {
        let Some(id) = self.slots.id_at(token) else {
            return;
        };
        let Some(store) = self.slots.of(id).store.as_mut() else {
            return;
        };
        let is_it = |kept: &Kept| Token::new(token.kind, id.index(), kept.serial) == token;
        if let Some(found) = store.kept.iter().position(is_it) {
            let kept = store.kept.remove(found);
            self.note_stored(id);
            self.close_kept(id, kept);
        }
    }

    fn close_kept(&self, id: Id, kept: Kept) {
        self.reactor.remove(&kept.fd);
        self.release(held::STORED, id, kept.detail());
        part_with(kept.fd);
    }

    /// Gives a new instance what the one before has left.
    pub(super) fn hand_on(&mut self, id: Id, launch: &mut Launch) -> Result<()> {
        let Some(store) = self.slots.of(id).store.as_ref() else {
            return Ok(());
        };
        // One that cannot be copied is not there for this instance; it is kept for the next.
        let copies = store.kept.iter();
        let copies = copies.filter_map(|kept| Some((kept.name.clone(), kept.fd.try_clone().ok()?)));
        launch.hand_on(copies.collect())
    }
}

impl Slot {
    /// How many descriptors the service has stored.
    fn stored(&self) -> u32 {
        self.store
            .as_ref()
            .map_or(0, |store| store.kept.len() as u32)
    }
}

/// What is told of descriptors that nobody has any more.
fn lost_line(count: u32) -> String {
    let lost = match count {
        1 => "a stored descriptor was".to_string(),
        _ => format!("{count} stored descriptors were"),
    };
    format!("{lost} lost: supervisor and guardian were killed")
}

/// Closes a descriptor that came from somebody else: how long that takes is theirs to decide,
/// unless it is a pipe, as that of a barrier is.
pub(super) fn part_with(descriptor: OwnedFd) {
    let is_pipe = |mode| SFlag::from_bits_truncate(mode) & SFlag::S_IFMT == SFlag::S_IFIFO;
    match fstat(descriptor.as_fd()) {
        Ok(status) if is_pipe(status.st_mode) => drop(descriptor),
        _ => parting::close_elsewhere(descriptor),
    }
}
