//! What has happened lately, ready to be sent.

use crate::protocol::{Header, Reply};
use rc_sv_api::event::Event;
use std::collections::VecDeque;

/// How many events are remembered, for those who are slow and for those who come late.
const MOST: usize = 1024;

/// The last events, as packets. Nobody who follows has a queue of his own: he is at a number, and
/// may be left behind.
#[derive(Default)]
pub(super) struct Stream {
    packets: VecDeque<Box<[u8]>>,
    /// The number of the newest event.
    last: u64,
    /// Nobody was told of the newest event yet.
    has_news: bool,
}

impl Stream {
    /// The numbers of events go on after this one.
    pub(super) fn go_on(&mut self, last: u64) {
        self.last = self.last.max(last);
    }

    /// Takes in an event; their numbers grow by one.
    pub(super) fn push(&mut self, event: Event) {
        if self.packets.len() == MOST {
            self.packets.pop_front();
        }
        self.last = event.seq;
        self.has_news = true;
        let packet = Reply::Event(event).encode(0);
        self.packets.push_back(packet.into());
    }

    /// Whether something is new since this was asked last.
    pub(super) fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.has_news)
    }

    /// The number that the next event will have.
    pub(super) fn next(&self) -> u64 {
        self.last + 1
    }

    /// The number of the oldest event that is remembered.
    pub(super) fn first(&self) -> u64 {
        self.next() - self.packets.len() as u64
    }

    /// Event `number` for the request `id`, and the number after it; where it is forgotten, how many
    /// are. `None` where it has not happened.
    pub(super) fn packet(&self, number: u64, id: u64) -> Option<(Vec<u8>, u64)> {
        let first = self.first();
        let Some(index) = number.checked_sub(first) else {
            return Some((Reply::Lost(first - number).encode(id), first));
        };
        let packet = self.packets.get(usize::try_from(index).ok()?)?;
        let mut packet = packet.to_vec();
        Header::address(&mut packet, id);
        Some((packet, number + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rc_sv_api::event::Kind;
    use rc_sv_api::{State, Status};

    fn event(seq: u64) -> Event {
        Event {
            kind: Kind::State,
            seq,
            service: "foo".into(),
            status: Status::of_state(State::Up),
        }
    }

    /// What somebody gets who asks for everything from `number` on.
    fn told(stream: &Stream, mut number: u64) -> Vec<Reply> {
        let mut replies = Vec::new();
        while let Some((packet, next)) = stream.packet(number, 9) {
            let (reply, id) = Reply::decode(&packet).unwrap();
            assert_eq!(id, 9);
            replies.push(reply);
            number = next;
        }
        replies
    }

    #[test]
    fn events_are_told_in_order_from_any_number_on() {
        let mut stream = Stream::default();
        assert_eq!(told(&stream, 1), []);
        (1..=3).for_each(|seq| stream.push(event(seq)));
        let expected = [2, 3].map(|seq| Reply::Event(event(seq)));
        assert_eq!(told(&stream, 2), expected);
        assert_eq!((stream.first(), stream.next()), (1, 4));
        assert_eq!(told(&stream, 4), []);
        assert_eq!(told(&stream, u64::MAX), []);
    }

    #[test]
    fn what_is_forgotten_is_counted() {
        let mut stream = Stream::default();
        let last = MOST as u64 + 10;
        (1..=last).for_each(|seq| stream.push(event(seq)));
        let replies = told(&stream, 3);
        assert_eq!(replies.len(), MOST + 1);
        assert_eq!(replies[0], Reply::Lost(8));
        assert_eq!(replies[1], Reply::Event(event(11)));
        assert_eq!(replies.last(), Some(&Reply::Event(event(last))));
    }
}
