//! The services by id and by name.

use super::service::Service;
use super::Id;
use rc_sv_api::ServiceName;

/// The services that the core knows.
#[derive(Debug, Default)]
pub(super) struct Directory {
    /// By id; `None` where one was removed.
    slots: Vec<Option<Box<Service>>>,
    /// The ids, sorted by the names of their services.
    by_name: Vec<Id>,
}

impl Directory {
    /// The service with this id.
    pub(super) fn get(&self, id: Id) -> Option<&Service> {
        self.slots.get(id.index())?.as_deref()
    }

    /// The service with this id, to change it.
    pub(super) fn get_mut(&mut self, id: Id) -> Option<&mut Service> {
        self.slots.get_mut(id.index())?.as_deref_mut()
    }

    /// The id of the service with this name.
    pub(super) fn find(&self, name: &ServiceName) -> Option<Id> {
        let index = self.position(name).ok()?;
        Some(self.by_name[index])
    }

    /// Takes in a service whose name is not known yet.
    pub(super) fn insert(&mut self, service: Service) -> Id {
        let place = self.position(&service.name).unwrap_or_else(|free| free);
        let free = self.slots.iter().position(Option::is_none);
        let index = free.unwrap_or(self.slots.len());
        if free.is_none() {
            self.slots.push(None);
        }
        self.slots[index] = Some(Box::new(service));
        let id = Id(index as u32);
        self.by_name.insert(place, id);
        id
    }

    /// The same, with this index, where that is free and one that services come to have.
    pub(super) fn insert_at(&mut self, index: usize, service: Service) -> Id {
        const MOST: usize = 1 << 16;
        if index >= MOST || self.slots.get(index).is_some_and(Option::is_some) {
            return self.insert(service);
        }
        if self.slots.len() <= index {
            self.slots.resize_with(index + 1, || None);
        }
        let place = self.position(&service.name).unwrap_or_else(|free| free);
        self.slots[index] = Some(Box::new(service));
        let id = Id(index as u32);
        self.by_name.insert(place, id);
        id
    }

    /// Drops a service; its id becomes free.
    pub(super) fn remove(&mut self, id: Id) {
        self.by_name.retain(|known| *known != id);
        if let Some(slot) = self.slots.get_mut(id.index()) {
            *slot = None;
        }
    }

    /// All services, sorted by name.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Id, &Service)> {
        self.by_name
            .iter()
            .filter_map(|id| Some((*id, self.get(*id)?)))
    }

    /// All ids, sorted by name.
    pub(super) fn ids(&self) -> Vec<Id> {
        self.by_name.clone()
    }

    /// Where `name` is in the sorted list, or where it belongs.
    fn position(&self, name: &ServiceName) -> Result<usize, usize> {
        self.by_name
            .binary_search_by(|id| self.get(*id).map(|service| &service.name).cmp(&Some(name)))
    }
}
