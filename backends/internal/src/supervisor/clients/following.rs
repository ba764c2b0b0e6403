//! Those who follow what happens. A slow one is never waited for: he is left behind where he is, and
//! told later how much he has lost.

use super::super::reactor::{Reactor, Token};
use super::super::stream::Stream;
use super::{Client, Clients};
use crate::protocol::Reply;
use rc_sv_api::Error;

/// Where a client is who follows.
pub(super) struct Following {
    /// The id of his request.
    id: u64,
    /// The number of the event that he is to be told next.
    next: u64,
    /// He takes nothing for now; he is told when he does again.
    pub is_behind: bool,
}

impl Clients {
    /// From now on a client is told everything from event `first` on.
    pub(in super::super) fn follow(
        &mut self,
        token: Token,
        id: u64,
        first: u64,
        stream: &Stream,
        reactor: &Reactor,
    ) {
        let Some(client) = self.at(token) else {
            return;
        };
        let reply = match client.following {
            Some(_) => Reply::Refused(Error::invalid("this connection follows already")),
            None => {
                client.following = Some(Following {
                    id,
                    next: first.clamp(stream.first(), stream.next()),
                    is_behind: false,
                });
                Reply::Follows(stream.next())
            }
        };
        self.reply(token, id, &reply, None, reactor);
        self.go_on(token, stream, reactor);
    }

    /// Tells all who follow what is new.
    pub(in super::super) fn tell(&mut self, stream: &Stream, reactor: &Reactor) {
        for index in 0..self.list.len() {
            let client = self.list[index].as_ref();
            let is_waiting = |client: &Client| {
                let following = client.following.as_ref();
                following.is_some_and(|it| !it.is_behind && it.next < stream.next())
            };
            if let Some(token) = client.filter(|it| is_waiting(it)).map(|it| it.token(index)) {
                self.go_on(token, stream, reactor);
            }
        }
    }

    /// Tells one who follows what he has not been told, as far as he takes it.
    pub(in super::super) fn go_on(&mut self, token: Token, stream: &Stream, reactor: &Reactor) {
        let Some(client) = self.at(token) else {
            return;
        };
        let Some(following) = &client.following else {
            return;
        };
        let (id, mut next) = (following.id, following.next);
        let mut is_behind = false;
        while let Some((packet, after)) = stream.packet(next, id) {
            is_behind = !client.send_packet(&packet, None);
            if is_behind {
                break;
            }
            next = after;
        }
        client.following = Some(Following {
            id,
            next,
            is_behind,
        });
        client.listen(token, reactor);
    }
}
