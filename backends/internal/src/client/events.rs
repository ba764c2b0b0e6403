//! The stream of events that the module offers.

use super::connection::{unexpected, Connection};
use crate::protocol::{Reply, Request};
use rc_sv_api::abi::Watch;
use rc_sv_api::event::{Event, Kind};
use rc_sv_api::{Result, ServiceName, Settings, State, Status};
use std::collections::VecDeque;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::time::Instant;

/// From which event on somebody wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beginning {
    /// The oldest that is remembered.
    Remembered,
    /// The next that happens.
    Next,
}

impl Beginning {
    /// What the module's own settings say; [`Beginning::Next`] unless `remembered` is set.
    pub fn of(settings: impl Settings) -> Beginning {
        match settings.int("remembered") {
            Some(1) => Beginning::Remembered,
            _ => Beginning::Next,
        }
    }
}

/// Events of one service, or of all. It ends with the supervisor.
pub struct Events {
    connection: Connection,
    numbers: Numbers,
    /// What is there already.
    queue: VecDeque<Event>,
    is_told_of_end: bool,
}

/// Which events are meant, and their numbers: of all services those of the supervisor; of one its
/// own, which grow by one, and by more where something was lost.
struct Numbers {
    service: Option<ServiceName>,
    last: u64,
}

impl Events {
    /// Begins a stream on `connection`, which must be asked within `deadline`.
    ///
    /// # Errors
    /// As [`Connection::ask`].
    pub fn begin(
        mut connection: Connection,
        service: Option<ServiceName>,
        beginning: Beginning,
        deadline: Instant,
    ) -> Result<Events> {
        let first = match beginning {
            Beginning::Remembered => 0,
            Beginning::Next => u64::MAX,
        };
        let Reply::Follows(next) = connection.ask(&Request::Follow(first), deadline)? else {
            return Err(unexpected());
        };
        let mut events = Events {
            connection,
            numbers: Numbers { service, last: 0 },
            queue: VecDeque::new(),
            is_told_of_end: false,
        };
        if beginning == Beginning::Remembered {
            events.remember(next, deadline)?;
        } else if events.numbers.service.is_none() {
            events.numbers.last = next - 1;
        }
        Ok(events)
    }

    /// Takes what happened before `next`: whoever reads until nothing is there has all of it.
    fn remember(&mut self, next: u64, deadline: Instant) -> Result<()> {
        let mut seen = 0;
        while seen + 1 < next {
            let (reply, ..) = self.connection.receive(deadline)?;
            seen = match &reply {
                Reply::Event(event) => event.seq,
                Reply::Lost(count) => seen.saturating_add(*count),
                _ => return Err(unexpected()),
            };
            self.queue.extend(self.numbers.event(reply));
        }
        // The descriptor is readable when something is there: an answer that nobody takes before
        // the queue is empty.
        self.connection.send(&Request::Ping, deadline).map(drop)
    }

    /// The last event of this stream.
    fn lost(&mut self) -> Event {
        let service = self.numbers.service.as_ref();
        Event {
            kind: Kind::SupervisorLost,
            seq: self.numbers.last + 1,
            service: service.map_or_else(String::new, ServiceName::to_string),
            status: Status::of_state(State::Unknown),
        }
    }
}

impl AsFd for Events {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.connection.as_fd()
    }
}

impl Watch for Events {
    fn pollfd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }

    fn next(&mut self) -> Result<Option<Event>> {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return Ok(Some(event));
            }
            match self.connection.take() {
                Ok(Some((Reply::Refused(error), ..))) => return Err(error),
                Ok(Some((reply, ..))) => self.queue.extend(self.numbers.event(reply)),
                Ok(None) => return Ok(None),
                Err(_) if !std::mem::replace(&mut self.is_told_of_end, true) => {
                    return Ok(Some(self.lost()));
                }
                Err(error) => return Err(error),
            }
        }
    }
}

impl Numbers {
    /// The event in an answer, if it is meant, with its number.
    fn event(&mut self, reply: Reply) -> Option<Event> {
        match (reply, &self.service) {
            (Reply::Event(event), None) => {
                self.last = event.seq;
                Some(event)
            }
            (Reply::Event(event), Some(service)) if event.service == service.as_str() => {
                self.last += 1;
                let seq = self.last;
                Some(Event { seq, ..event })
            }
            (Reply::Lost(count), Some(_)) => {
                self.last = self.last.saturating_add(count);
                None
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(seq: u64, service: &str) -> Reply {
        Reply::Event(Event {
            kind: Kind::State,
            seq,
            service: service.into(),
            status: Status::default(),
        })
    }

    fn numbers(service: Option<&str>, replies: Vec<Reply>) -> Vec<u64> {
        let service = service.map(|name| ServiceName::new(name.as_bytes()).unwrap());
        let mut numbers = Numbers { service, last: 0 };
        let events = replies.into_iter().filter_map(|it| numbers.event(it));
        events.map(|event| event.seq).collect()
    }

    #[test]
    fn a_gap_is_what_was_lost() {
        let replies = || {
            vec![
                event(5, "foo"),
                event(6, "bar"),
                event(7, "foo"),
                Reply::Here(1, String::new()),
                Reply::Lost(3),
                event(11, "foo"),
            ]
        };
        assert_eq!(numbers(None, replies()), [5, 6, 7, 11]);
        assert_eq!(numbers(Some("foo"), replies()), [1, 2, 6]);
    }
}
