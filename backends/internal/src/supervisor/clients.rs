//! Who is connected, what they ask, and what they are still owed.
//!
//! Nothing here ever waits for a client. One that breaks the protocol, or does not take its
//! answers, is dropped; one that asks too much at once is not listened to until it has answers.

mod client;
mod following;

use super::parting::brings_descriptors;
use super::reactor::{Interest, Reactor, Token};
use super::sys;
use crate::core::Waiter;
use crate::protocol::{Reply, Request, MAX_REQUEST};
use client::Client;
use nix::errno::Errno;
use nix::sys::socket::sockopt::{PeerCredentials, SndBuf};
use nix::sys::socket::{getsockopt, recv, setsockopt, MsgFlags};
use nix::unistd::geteuid;
use rc_sv_api::{Code, Error, ServiceName};
use std::collections::BTreeMap;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// Most connections at once: all, those of ordinary users, and those of one of them.
const MAX_ALL: usize = 4096;
const MAX_ORDINARY: usize = 256;
const MAX_OF_USER: usize = 16;

/// Bytes of answers that an ordinary user may leave unread; the kernel makes it a handful of
/// packets. Each may hold a whole list, which is memory of the system.
const UNREAD: usize = 4096;

/// An answer that is owed.
struct Owed {
    client: Token,
    id: u64,
    service: ServiceName,
}

/// What a client said.
pub(super) enum Heard {
    /// It asks this, and wants this id in the answer.
    Request(Request, u64),
    /// It asks for a restart of this, with this id, which it may do as an operator only.
    Wish(ServiceName, u64),
    /// Something that was refused already.
    Refused,
    /// Nothing for now, or it is gone.
    Nothing,
}

/// All connections.
#[derive(Default)]
pub(super) struct Clients {
    list: Vec<Option<Client>>,
    last_generation: u32,
    owed: BTreeMap<Waiter, Owed>,
    last_waiter: u64,
}

impl Clients {
    /// Takes in a new connection, if there may be one more of its user.
    pub(super) fn admit(&mut self, socket: OwnedFd, reactor: &Reactor) {
        let Ok(peer) = getsockopt(&socket, PeerCredentials) else {
            return;
        };
        self.last_generation = self.last_generation.wrapping_add(1);
        let may_everything = peer.uid() == 0 || peer.uid() == geteuid().as_raw();
        let client = Client {
            may_bring: !may_everything && !sys::take_no_descriptors(socket.as_fd()),
            socket,
            generation: self.last_generation,
            uid: peer.uid(),
            may_everything,
            owed: 0,
            is_deaf: false,
            following: None,
            interest: Interest::Read,
        };
        if self.is_full_for(&client) {
            let error = Error::new(Code::Failed, "the supervisor has too many connections");
            // One packet always fits into a new connection.
            client.send(&Reply::Refused(error), 0, None);
            client.close();
            return;
        }
        if !client.may_everything {
            // It fails for no socket of this kind.
            let _ = setsockopt(&client.socket, SndBuf, &UNREAD);
        }
        let free = self.list.iter().position(Option::is_none);
        let index = free.unwrap_or(self.list.len());
        let token = client.token(index);
        // Without memory for one more the client is dropped, and sees it.
        if reactor.add(&client.socket, Interest::Read, token).is_ok() {
            if free.is_none() {
                self.list.push(None);
            }
            self.list[index] = Some(client);
        } else {
            client.close();
        }
    }

    fn is_full_for(&self, new: &Client) -> bool {
        let (mut all, mut ordinary, mut of_user) = (0, 0, 0);
        for client in self.list.iter().flatten() {
            all += 1;
            ordinary += usize::from(!client.may_everything);
            of_user += usize::from(client.uid == new.uid);
        }
        let is_too_ordinary = ordinary >= MAX_ORDINARY || of_user >= MAX_OF_USER;
        all >= MAX_ALL || (!new.may_everything && is_too_ordinary)
    }

    /// Hears a client.
    pub(super) fn hear(&mut self, token: Token, reactor: &Reactor) -> Heard {
        let Some(client) = self.at(token) else {
            return Heard::Nothing;
        };
        if client.is_deaf {
            // Nothing but its end is waited for.
            self.forget(token, reactor);
            return Heard::Nothing;
        }
        if client.may_bring && brings_descriptors(client.socket.as_fd()) {
            self.forget(token, reactor);
            return Heard::Nothing;
        }
        let mut packet = [0u8; MAX_REQUEST + 1];
        let flags = MsgFlags::MSG_DONTWAIT;
        let length = match recv(client.socket.as_raw_fd(), &mut packet, flags) {
            Err(Errno::EAGAIN | Errno::EINTR) => return Heard::Nothing,
            Err(_) | Ok(0) => {
                self.forget(token, reactor);
                return Heard::Nothing;
            }
            Ok(length) => length,
        };
        let error = match Request::decode(&packet[..length]) {
            Ok((request, id)) if client.may_everything || request.is_harmless() => {
                return Heard::Request(request, id);
            }
            Ok((Request::Restart(service), id)) => return Heard::Wish(service, id),
            Ok((_, id)) => {
                let message = "only root may do this; status and list are for everybody, restart \
                               is for operators of the service";
                (Error::new(Code::Permission, message), id)
            }
            Err(refused) => refused,
        };
        let (error, id) = error;
        let is_broken = error.code == Code::Protocol;
        self.reply(token, id, &Reply::Refused(error), None, reactor);
        if is_broken {
            self.forget(token, reactor);
        }
        Heard::Refused
    }

    /// Answers at once.
    pub(super) fn reply(
        &mut self,
        token: Token,
        id: u64,
        reply: &Reply,
        file: Option<BorrowedFd<'_>>,
        reactor: &Reactor,
    ) {
        let taken = self
            .at(token)
            .is_none_or(|client| client.send(reply, id, file));
        if !taken {
            self.forget(token, reactor);
        }
    }

    /// Whether a client is owed so much that it is not to be heard now.
    pub(super) fn is_deaf(&mut self, token: Token) -> bool {
        self.at(token).is_some_and(|client| client.is_deaf)
    }

    /// Whether a client had this group when it connected; and its user.
    pub(super) fn is_member(&mut self, token: Token, group: u32) -> Option<u32> {
        let client = self.at(token)?;
        let primary = getsockopt(&client.socket, PeerCredentials).ok()?.gid();
        let is_member =
            primary == group || sys::peer_groups(client.socket.as_fd()).contains(&group);
        is_member.then_some(client.uid)
    }

    /// Promises an answer for later.
    pub(super) fn promise(
        &mut self,
        token: Token,
        id: u64,
        service: &ServiceName,
        reactor: &Reactor,
    ) -> Waiter {
        self.last_waiter += 1;
        let waiter = Waiter(self.last_waiter);
        if let Some(client) = self.at(token) {
            client.owed += 1;
            client.listen(token, reactor);
            let owed = Owed {
                client: token,
                id,
                service: service.clone(),
            };
            self.owed.insert(waiter, owed);
        }
        waiter
    }

    /// About which service an answer is owed.
    pub(super) fn service_of(&self, waiter: Waiter) -> Option<&ServiceName> {
        Some(&self.owed.get(&waiter)?.service)
    }

    /// Gives an answer that is owed. One who has left is owed nothing.
    pub(super) fn answer(&mut self, waiter: Waiter, reply: &Reply, reactor: &Reactor) {
        let Some(owed) = self.owed.remove(&waiter) else {
            return;
        };
        self.reply(owed.client, owed.id, reply, None, reactor);
        if let Some(client) = self.at(owed.client) {
            client.owed -= 1;
            client.listen(owed.client, reactor);
        }
    }

    /// Ends a connection. What was asked is done all the same.
    fn forget(&mut self, token: Token, reactor: &Reactor) {
        let Some(slot) = self.list.get_mut(token.index as usize) else {
            return;
        };
        if let Some(client) = slot.take() {
            reactor.remove(&client.socket);
            if client.owed > 0 {
                self.owed.retain(|_, owed| owed.client != token);
            }
            client.close();
        }
    }

    fn at(&mut self, token: Token) -> Option<&mut Client> {
        let client = self.list.get_mut(token.index as usize)?.as_mut()?;
        (client.token(token.index as usize) == token).then_some(client)
    }
}
