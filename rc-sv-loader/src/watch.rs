//! Events of services, whatever their modules offer: what a snapshot has that the last one had not.

use crate::changes::Changes;
use crate::services::{Failure, Report};
use rc_sv_api::event::{Event, Kind};
use rc_sv_api::{Result, ServiceName, State, Status};
use std::collections::{BTreeMap, VecDeque};
use std::os::fd::BorrowedFd;
use std::path::Path;

/// A stream of events of one service, or of all.
pub struct Watch {
    changes: Changes,
    known: BTreeMap<String, Status>,
    queue: VecDeque<Event>,
    seq: u64,
}

impl Watch {
    /// Begins to watch `service`, or all services, below the state directory `svcdir`. `look`
    /// takes a snapshot of what is watched; services that cannot be asked are left out of it.
    ///
    /// # Errors
    /// `svcdir` cannot be watched, or those of `look`.
    pub fn open(
        svcdir: &Path,
        service: Option<&ServiceName>,
        look: impl FnOnce() -> std::result::Result<Vec<Report>, Failure>,
    ) -> std::result::Result<Watch, Failure> {
        // Before the first look, so that no change is missed.
        let changes = Changes::open(svcdir, service)?;
        Ok(Watch {
            changes,
            known: statuses(look()?),
            queue: VecDeque::new(),
            seq: 0,
        })
    }

    /// Becomes readable when something may have happened; to be read by [`Watch::next`] until that
    /// answers `None`.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.changes.fd()
    }

    /// The next event without blocking, or `None`. `look` is as in [`Watch::open`].
    ///
    /// # Errors
    /// The watch is broken, or those of `look`.
    pub fn next(
        &mut self,
        look: impl FnOnce() -> std::result::Result<Vec<Report>, Failure>,
    ) -> std::result::Result<Option<Event>, Failure> {
        if self.queue.is_empty() && self.take()? {
            let now = statuses(look()?);
            for (kind, service, mut status) in differences(&self.known, &now) {
                if kind == Kind::Health || status.state == State::Unmanaged {
                    // When the state changed is not when this happened: that was just now.
                    (status.since_real_ns, status.since_boot_ns) = (None, None);
                }
                self.seq += 1;
                self.queue.push_back(Event {
                    kind,
                    seq: self.seq,
                    service,
                    status,
                });
            }
            self.known = now;
        }
        Ok(self.queue.pop_front())
    }

    fn take(&mut self) -> Result<bool> {
        self.changes.take()
    }
}

fn statuses(reports: Vec<Report>) -> BTreeMap<String, Status> {
    reports
        .into_iter()
        .map(|report| (report.service.to_string(), report.status))
        .collect()
}

/// What happened from one snapshot to the next.
fn differences(
    before: &BTreeMap<String, Status>,
    now: &BTreeMap<String, Status>,
) -> Vec<(Kind, String, Status)> {
    let mut events = Vec::new();
    for (service, status) in now {
        let was = before.get(service);
        let same = |was: &&Status| {
            (was.state, was.pid, was.restarts) == (status.state, status.pid, status.restarts)
        };
        let kind = match was.filter(same) {
            Some(was) if was.healthy == status.healthy => continue,
            Some(_) => Kind::Health,
            None if status.state == State::GaveUp => Kind::GaveUp,
            None => Kind::State,
        };
        events.push((kind, service.clone(), status.clone()));
    }
    for (service, _) in before.iter().filter(|(it, _)| !now.contains_key(*it)) {
        let gone = Status::of_state(State::Unmanaged);
        events.push((Kind::State, service.clone(), gone));
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_what_differs() {
        let up = |pid| Status {
            pid: Some(pid),
            healthy: Some(true),
            ..Status::of_state(State::Up)
        };
        let ill = Status {
            healthy: Some(false),
            ..up(3)
        };
        let snapshot = |all: &[(&str, Status)]| -> BTreeMap<String, Status> {
            all.iter()
                .map(|(name, status)| (name.to_string(), status.clone()))
                .collect()
        };
        let gave_up = Status::of_state(State::GaveUp);
        let before = snapshot(&[
            ("gone", up(1)),
            ("given", up(2)),
            ("ill", up(3)),
            ("respawned", up(4)),
            ("same", up(5)),
        ]);
        let now = snapshot(&[
            ("given", gave_up.clone()),
            ("ill", ill.clone()),
            ("new", up(6)),
            ("respawned", up(7)),
            ("same", up(5)),
        ]);
        let expected = [
            (Kind::GaveUp, "given", gave_up),
            (Kind::Health, "ill", ill),
            (Kind::State, "new", up(6)),
            (Kind::State, "respawned", up(7)),
            (Kind::State, "gone", Status::of_state(State::Unmanaged)),
        ];
        let expected = expected.map(|(kind, name, status)| (kind, name.to_string(), status));
        assert_eq!(differences(&before, &now), expected);
    }
}
