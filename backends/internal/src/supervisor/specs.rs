//! The specs that were read last, with what was made from them: a respawn does not read again what
//! is as it was.
//!
//! The file stays the store. It is looked at before each spawn, and what is known of it counts only
//! while the same file is there, unchanged since it was checked and read.

use super::Supervisor;
use crate::core::Id;
use rc_sv_api::{Result, Spec};
use rc_sv_exec::launch::Launch;
use rc_sv_exec::place::Dir;
use rc_sv_exec::spec_file::{self, Edition};
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
    spec: Rc<Spec>,
    launch: Launch,
}

impl Supervisor {
    /// The spec of a service, as it is now, and what its main process is made from.
    pub(super) fn known_spec(&mut self, id: Id) -> Result<(Rc<Spec>, Launch)> {
        let service = self.core.name(id);
        let path = service.map(|service| Dir::path_of_service(&self.svcdir, service));
        // Where it cannot be looked at, reading it says why.
        let now = path.and_then(|path| Edition::at(&path.join(spec_file::NAME)).ok());
        if let Some(known) = self
            .specs
            .take(id)
            .filter(|known| now == Some(known.edition))
        {
            let answer = (Rc::clone(&known.spec), known.launch.clone());
            self.specs.0.push_back(known);
            return Ok(answer);
        }
        let (spec, edition) = spec_file::read_edition(&self.directory(id)?)?;
        let spec = Rc::new(spec);
        let launch = Launch::from_settings(spec.settings())?;
        self.specs.put(Known {
            id,
            edition,
            spec: Rc::clone(&spec),
            launch: launch.clone(),
        });
        Ok((spec, launch))
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
