//! What becomes of the main processes that were ordered.

use super::making::Progress;
use super::reactor::{Interest, Kind, Token};
use super::Supervisor;
use crate::core::Id;
use rc_sv_exec::launch::{Failure, News};
use std::os::fd::OwnedFd;
use std::sync::Arc;

/// What comes back with the news of an order.
pub(super) fn ticket(id: Id, run: u32) -> u64 {
    (id.index() as u64) << 32 | u64::from(run)
}

impl Supervisor {
    /// Takes in what became of orders.
    pub(super) fn hear_spawner(&mut self) {
        let now_ms = self.clock.now().boot_ms;
        while let Some(news) = self
            .spawner
            .as_mut()
            .and_then(|spawner| spawner.news(now_ms))
        {
            self.take_in(news);
            self.catch_up();
        }
    }

    fn take_in(&mut self, news: News) {
        match news {
            News::Done {
                ticket,
                made,
                failure,
            } => {
                let Some((id, run)) = self.ordered_by(ticket) else {
                    return;
                };
                match made {
                    Some((pid, pidfd)) => self.made_now(id, run, pid, pidfd, Progress::Done),
                    None => self.watch_ends(id, run),
                }
                self.done(id, run, failure);
            }
            News::Slow { ticket, pid, pidfd } => {
                if let Some((id, run)) = self.ordered_by(ticket) {
                    self.made_now(id, run, pid, pidfd, Progress::Slow);
                }
            }
            News::Untaken { ticket, cgroup } => {
                let Some((id, run)) = self.ordered_by(ticket) else {
                    return;
                };
                let Some(making) = &self.slots.of(id).making else {
                    return;
                };
                let launch = Arc::clone(&making.launch);
                if let Err(error) = self.fork(id, run, &launch, cgroup) {
                    self.not_made(id, run, error);
                }
            }
            News::NotMade { ticket, error } => {
                if let Some((id, run)) = self.ordered_by(ticket) {
                    self.not_made(id, run, error);
                }
            }
        }
    }

    /// The program was executed, or not.
    fn done(&mut self, id: Id, run: u32, failure: Option<Failure>) {
        let Some(process) = self.slots.process(id, run) else {
            return;
        };
        let event = process.executed(id, failure);
        self.feed(event);
        // Whatever had to be told of it was told by now.
        if let Some(process) = self.slots.process(id, run) {
            process.launch = None;
        }
    }

    fn ordered_by(&self, ticket: u64) -> Option<(Id, u32)> {
        Some((self.slots.id_of((ticket >> 32) as usize)?, ticket as u32))
    }

    fn made_now(&mut self, id: Id, run: u32, pid: i32, pidfd: OwnedFd, progress: Progress) {
        if let Err(error) = self.made(id, run, pid, pidfd, progress) {
            self.not_made(id, run, error);
        }
    }

    /// The end of a process that was slow is waited for from now on.
    fn watch_ends(&mut self, id: Id, run: u32) {
        let Some(process) = self.slots.process(id, run) else {
            return;
        };
        let token = Token::new(Kind::Process, id.index(), run);
        if let Some(pidfd) = &process.pidfd {
            // It was added, so this does not fail.
            let _ = self.reactor.change(pidfd, Interest::Read, token);
        }
    }
}
