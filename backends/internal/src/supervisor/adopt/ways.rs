//! Going on with the ways between a service and its supervisor, and with what the guardian held of
//! them.

use super::super::held::{self, Held};
use super::super::outlet::{Outlet, Role};
use super::super::reactor::{Interest, Kind, Token};
use super::super::state_file::Who;
use super::super::Supervisor;
use super::process::Fate;
use crate::core::Id;
use rc_sv_api::{Error, Result, Settings, State};
use rc_sv_exec::ear::Ear;
use rc_sv_exec::log::Stream;
use rc_sv_exec::readiness::Readiness;
use rc_sv_exec::resolve;
use std::os::fd::{AsFd, OwnedFd};

impl Supervisor {
    /// Goes on with the ways of its output, as far as something is on them.
    pub(super) fn adopt_output(
        &mut self,
        id: Id,
        settings: &dyn Settings,
        held: &mut Vec<Held>,
    ) -> Result<()> {
        let user = resolve::uid(settings);
        let state = self.core.status(id, self.clock.now()).state;
        let is_over = matches!(state, State::Down | State::GaveUp);
        let dir = self.directory(id)?;
        for stream in Stream::all(settings)? {
            let which = stream.which;
            let mut on_it = Vec::new();
            for role in [Role::Logger, Role::Program] {
                let who = Who::Attendant(which, role);
                let word = self.slots.of(id).state.as_ref();
                let Some(word) = word.and_then(|state| state.left(who)) else {
                    continue;
                };
                if let Fate::Lives(who, pidfd) = self.fate_of(id, who, word)? {
                    on_it.push((role, who, pidfd));
                }
            }
            if is_over && on_it.is_empty() {
                continue;
            }
            let name = which.name();
            let take = |kind: &str| self.take(kind, id, name, held);
            let mut outlet = Outlet::find(id, stream, &dir, user, take)?;
            if is_over {
                outlet.writer = None;
            }
            self.adopt_outlet(outlet, on_it);
        }
        match is_over {
            true => Ok(()),
            false => self.man_outlets(id),
        }
    }

    /// Goes on listening to it.
    pub(super) fn adopt_ears(
        &mut self,
        id: Id,
        settings: &dyn Settings,
        held: &mut Vec<Held>,
    ) -> Result<()> {
        if Readiness::of(settings)? != Readiness::Socket {
            return Ok(());
        }
        let failed = |cause| Error::io("go on listening to it", &cause);
        let user = resolve::uid(settings);
        let in_chroot = settings.text("chroot").is_some();
        let ear = match self.take(held::EAR, id, "", held) {
            Some(socket) => Ear::of(socket),
            // In a chroot nobody knows its name any more.
            None if in_chroot => return Ok(()),
            None => Ear::at(self.path_of_ear(id), user),
        };
        let ear = ear.map_err(failed)?;
        let token = Token::new(Kind::Ear, id.index(), 0);
        self.reactor
            .add(&ear.socket, Interest::Read, token)
            .map_err(failed)?;
        self.hold(held::EAR, id, "", ear.socket.as_fd());
        self.slots.of(id).ear = Some(Box::new(ear));
        Ok(())
    }

    /// What was held of a service, of this kind and with this detail.
    pub(super) fn take(
        &self,
        kind: &str,
        id: Id,
        detail: &str,
        held: &mut Vec<Held>,
    ) -> Option<OwnedFd> {
        let service = self.core.name(id)?.as_str();
        let is_it = |held: &Held| held.key.detail(kind, service) == Some(detail);
        let found = held.iter().position(is_it)?;
        Some(held.swap_remove(found).fd)
    }

    /// All of this kind, with their details.
    pub(in super::super) fn take_all(
        &self,
        kind: &str,
        id: Id,
        held: &mut Vec<Held>,
    ) -> Vec<(String, OwnedFd)> {
        let Some(service) = self.core.name(id) else {
            return Vec::new();
        };
        let of = |held: &Held| held.key.detail(kind, service.as_str()).map(str::to_string);
        let (taken, left): (Vec<Held>, Vec<Held>) = std::mem::take(held)
            .into_iter()
            .partition(|held| of(held).is_some());
        *held = left;
        let detailed = taken
            .into_iter()
            .filter_map(|held| Some((of(&held)?, held.fd)));
        detailed.collect()
    }
}
