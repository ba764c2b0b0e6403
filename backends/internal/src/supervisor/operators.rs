//! Operators: members of the group that a service's `rc_supervise_operators` names. They may have
//! it restarted, at a bearable pace, and nothing else.

use super::log::Level;
use super::reactor::Token;
use super::Supervisor;
use crate::protocol::{Reply, Request};
use rc_sv_api::{Code, Error, Result, ServiceName, Settings, State};
use std::collections::BTreeMap;

/// One restart of a service in so many milliseconds, in the long run.
const PACE_MS: u64 = 1_000;

/// So many may be asked for at once.
const AT_ONCE: u64 = 5;

/// How often operators have had services restarted.
#[derive(Debug, Default)]
pub(super) struct Patience {
    /// Until when, in milliseconds of the core's clock, past restarts are taken to last.
    paid: BTreeMap<ServiceName, u64>,
}

impl Patience {
    /// Counts one more restart of `service`, if there may be one now.
    fn takes(&mut self, service: &ServiceName, now_ms: u64) -> bool {
        // What is over says nothing any more.
        self.paid.retain(|_, until| *until > now_ms);
        let until = self.paid.get(service).copied().unwrap_or(now_ms) + PACE_MS;
        let may = until <= now_ms + AT_ONCE * PACE_MS;
        if may {
            self.paid.insert(service.clone(), until);
        }
        may
    }
}

impl Supervisor {
    /// Takes in that somebody who is not root wants `service` to be restarted.
    pub(super) fn wished(&mut self, token: Token, service: ServiceName, id: u64) {
        match self.may_restart(token, &service) {
            Ok(uid) => {
                let line = format!("{service}: restarted for user {uid}, an operator");
                self.log.line(Level::Notice, &line);
                self.request(token, Request::Restart(service), id);
            }
            Err(error) => {
                let refused = Reply::Refused(error);
                self.clients.reply(token, id, &refused, None, &self.reactor);
            }
        }
    }

    /// Whether this client may restart `service` now; its user.
    fn may_restart(&mut self, token: Token, service: &ServiceName) -> Result<u32> {
        let known = self.core.find(service);
        // What is not known has no operators: only root may make something known.
        let spec = known.and_then(|_| self.spec(service).ok());
        let group = spec.and_then(|spec| u32::try_from(spec.int("operators")?).ok());
        let uid = group.and_then(|group| self.clients.is_member(token, group));
        let (Some(known), Some(uid)) = (known, uid) else {
            let message = "only root may restart it, and members of the group that its \
                           rc_supervise_operators names";
            return Err(Error::new(Code::Permission, message));
        };
        let status = self.core.status(known, self.clock.now());
        if status.wanted_up == Some(false) && status.state != State::GaveUp {
            let message = "it was stopped, and operators may only restart what is started";
            return Err(Error::new(Code::Permission, message));
        }
        if !self.patience.takes(service, self.clock.now().boot_ms) {
            let message = "operators have restarted it too often just now; try again in a second";
            return Err(Error::new(Code::Conflict, message));
        }
        Ok(uid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_becomes_one_in_a_second() {
        let mut patience = Patience::default();
        let [foo, bar] = ["foo", "bar"].map(|name| ServiceName::new(name.as_bytes()).unwrap());
        let mut count =
            |service, from, to| (from..to).filter(|at| patience.takes(service, *at)).count();
        assert_eq!(count(&foo, 0, 1_000), 5);
        assert_eq!(
            count(&bar, 999, 1_000),
            1,
            "another service has a pace of its own"
        );
        assert_eq!(count(&foo, 1_000, 11_000), 10);
        // Some time later there may be some at once again, and nothing is kept meanwhile.
        assert_eq!(count(&foo, 60_000, 60_010), 5);
        assert_eq!(patience.paid.len(), 1);
    }
}
