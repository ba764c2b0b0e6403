//! What has happened lately, ready to be sent.

use crate::protocol::{Header, Reply};
use rc_sv_api::event::Event;
use std::collections::VecDeque;

/// So many bytes of events are remembered, for those who are slow and for those who come late: some
/// 500 events, and never less than 100.
const ROOM: usize = 48 * 1024;

/// The last events, as packets. Nobody who follows has a queue of his own: he is at a number, and
/// may be left behind.
#[derive(Default)]
pub(super) struct Stream {
    /// The packets, one after the other.
    bytes: VecDeque<u8>,
    /// Where each of them ends, counted from the first byte ever.
    ends: VecDeque<u64>,
    /// Where the first of them begins.
    begin: u64,
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
        self.last = event.seq;
        self.has_news = true;
        let packet = Reply::Event(event).encode(0);
        while self.bytes.len() + packet.len() > ROOM {
            self.forget();
        }
        // All at once: memory that is not used yet costs nothing, and copies would.
        self.bytes.reserve_exact(ROOM - self.bytes.len());
        self.bytes.extend(packet);
        self.ends.push_back(self.begin + self.bytes.len() as u64);
    }

    fn forget(&mut self) {
        let end = self.ends.pop_front().unwrap_or(self.begin);
        self.bytes.drain(..(end - self.begin) as usize);
        self.begin = end;
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
        self.next() - self.ends.len() as u64
    }

    /// Event `number` for the request `id`, and the number after it; where it is forgotten, how many
    /// are. `None` where it has not happened.
    pub(super) fn packet(&self, number: u64, id: u64) -> Option<(Vec<u8>, u64)> {
        let first = self.first();
        let Some(index) = number.checked_sub(first) else {
            return Some((Reply::Lost(first - number).encode(id), first));
        };
        let index = usize::try_from(index).ok()?;
        let end = *self.ends.get(index)?;
        let begin = index.checked_sub(1).map_or(self.begin, |it| self.ends[it]);
        let places = (begin - self.begin) as usize..(end - self.begin) as usize;
        let mut packet: Vec<u8> = self.bytes.range(places).copied().collect();
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
        let size = Reply::Event(event(1)).encode(0).len();
        let last = 10_000;
        (1..=last).for_each(|seq| stream.push(event(seq)));
        let kept = (ROOM / size) as u64;
        let replies = told(&stream, 3);
        assert_eq!(replies.len() as u64, kept + 1);
        assert_eq!(replies[0], Reply::Lost(last - kept - 2));
        assert_eq!(replies[1], Reply::Event(event(last - kept + 1)));
        assert_eq!(replies.last(), Some(&Reply::Event(event(last))));
    }

    #[test]
    fn a_hundred_of_the_longest_are_remembered() {
        let mut stream = Stream::default();
        for seq in 1..=1_000 {
            let mut long = event(seq);
            long.service = "s".repeat(200);
            long.status.detail = "d".repeat(1_000);
            stream.push(long);
        }
        assert!(stream.next() - stream.first() >= 100);
    }
}
