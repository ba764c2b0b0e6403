//! The specs that were read last: a respawn does not read again what is as it was.
//!
//! The file stays the store. It is looked at before each spawn, and what is known of it counts only
//! while the same file is there, unchanged since it was checked and read.

use super::Supervisor;
use crate::core::Id;
use rc_sv_api::Result;
use rc_sv_exec::place::Dir;
use rc_sv_exec::spec_file::{self, Edition, Encoded};
use std::collections::VecDeque;
use std::rc::Rc;

/// Of so many services, those that were spawned last. It bounds the memory of a supervisor of many.
const MOST: usize = 32;

/// Larger ones are read each time, in bytes.
const LARGEST: u64 = 8 << 10;

/// What is known, newest last.
#[derive(Default)]
pub(super) struct Specs(VecDeque<Known>);

struct Known {
    id: Id,
    edition: Edition,
    spec: Rc<Encoded>,
}

impl Supervisor {
    /// The spec of a service, as it is now.
    pub(super) fn known_spec(&mut self, id: Id) -> Result<Rc<Encoded>> {
        let service = self.core.name(id);
        let path = service.map(|service| Dir::path_of_service(&self.svcdir, service));
        // Where it cannot be looked at, reading it says why.
        let now = path.and_then(|path| Edition::at(&path.join(spec_file::NAME)).ok());
        let known = self.specs.take(id);
        let known = match known.filter(|known| now == Some(known.edition)) {
            Some(known) => known,
            None => {
                let (spec, edition) = spec_file::read_edition(&self.directory(id)?)?;
                let spec = Rc::new(spec);
                Known { id, edition, spec }
            }
        };
        let spec = Rc::clone(&known.spec);
        self.specs.put(known);
        Ok(spec)
    }
}

impl Specs {
    /// Forgets those of all other services.
    pub(super) fn keep(&mut self, is_kept: impl Fn(Id) -> bool) {
        self.0.retain(|known| is_kept(known.id));
    }

    fn take(&mut self, id: Id) -> Option<Known> {
        let place = self.0.iter().position(|known| known.id == id)?;
        self.0.remove(place)
    }

    fn put(&mut self, known: Known) {
        if known.edition.size() > LARGEST {
            return;
        }
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back(known);
    }
}
