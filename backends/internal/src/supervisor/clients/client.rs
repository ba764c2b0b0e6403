//! One who is connected.

use super::super::parting::close_elsewhere;
use super::super::reactor::{Interest, Kind, Reactor, Token};
use super::following::Following;
use crate::protocol::Reply;
use nix::sys::socket::{sendmsg, ControlMessage, MsgFlags};
use std::io::IoSlice;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

/// Most requests of one connection that wait for an answer.
const MAX_OWED: u16 = 64;

/// One connection.
pub(super) struct Client {
    pub socket: OwnedFd,
    pub generation: u32,
    pub uid: u32,
    /// Root, and whoever the supervisor runs as.
    pub may_everything: bool,
    /// Its packets may bring descriptors, and their sender is not trusted.
    pub may_bring: bool,
    pub owed: u16,
    /// It is owed so much that it is not listened to.
    pub is_deaf: bool,
    /// It follows what happens.
    pub following: Option<Following>,
    /// What is waited for.
    pub interest: Interest,
}

impl Client {
    pub(super) fn token(&self, index: usize) -> Token {
        Token::new(Kind::Client, index, self.generation)
    }

    /// Ends the connection, without waiting for anything.
    pub(super) fn close(self) {
        if self.may_bring {
            close_elsewhere(self.socket);
        }
    }

    /// Whether the kernel took the answer.
    pub(super) fn send(&self, reply: &Reply, id: u64, file: Option<BorrowedFd<'_>>) -> bool {
        self.send_packet(&reply.encode(id), file)
    }

    pub(super) fn send_packet(&self, packet: &[u8], file: Option<BorrowedFd<'_>>) -> bool {
        let fds = file.map(|file| [file.as_raw_fd()]);
        let control = fds.as_ref().map(|fds| [ControlMessage::ScmRights(fds)]);
        let sent = sendmsg::<()>(
            self.socket.as_raw_fd(),
            &[IoSlice::new(packet)],
            control.as_ref().map_or(&[], |control| &control[..]),
            MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL,
            None,
        );
        sent == Ok(packet.len())
    }

    /// Listens to the client, or not, as it is owed little or much; and not before it has taken what
    /// it is told.
    pub(super) fn listen(&mut self, token: Token, reactor: &Reactor) {
        let is_deaf = self.owed >= MAX_OWED;
        let is_behind = self.following.as_ref().is_some_and(|it| it.is_behind);
        let interest = match (is_behind, is_deaf) {
            (true, _) => Interest::Write,
            (false, true) => Interest::Nothing,
            (false, false) => Interest::Read,
        };
        if interest == self.interest {
            self.is_deaf = is_deaf;
        } else if reactor.change(&self.socket, interest, token).is_ok() {
            (self.interest, self.is_deaf) = (interest, is_deaf);
        }
    }
}
