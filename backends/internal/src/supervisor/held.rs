//! Descriptors that have to outlive the supervisor: the guardian holds a copy of each, and whoever
//! supervises next has them from the beginning.

use super::sys;
use nix::sys::socket::{
    sendmsg, setsockopt, socketpair, sockopt, AddressFamily, ControlMessage, MsgFlags, SockFlag,
    SockType,
};
use std::ffi::CString;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// The longest message: a key, and what precedes it.
const LONGEST: usize = 1024;

/// So much may be on its way to the guardian, in bytes. It is never waited for.
const ON_ITS_WAY: usize = 1 << 20;

/// One descriptor.
#[derive(Debug)]
pub(super) struct Held {
    pub key: Key,
    pub fd: OwnedFd,
}

/// What a descriptor is: of which kind, of which service, and what else there is to say. None of
/// them contains a line break. The guardian only compares them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key(String);

/// The kinds.
pub(super) const EAR: &str = "ear";
pub(super) const LINE: &str = "line";
pub(super) const STORED: &str = "stored";
pub(super) const PIPE: &str = "pipe";
pub(super) const SPOOL: &str = "spool";
pub(super) const ONWARD_READ: &str = "onward-read";
pub(super) const ONWARD_WRITE: &str = "onward-write";

impl Key {
    pub(super) fn new(kind: &str, service: &str, detail: impl std::fmt::Display) -> Key {
        Key(format!("{kind}\n{service}\n{detail}"))
    }

    /// The key of this text.
    pub(super) fn of_text(text: &str) -> Key {
        Key(text.to_string())
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// Whether it is of this kind.
    pub(super) fn is_of(&self, kind: &str) -> bool {
        self.0.split('\n').next() == Some(kind)
    }

    /// What else it says, where it is of this kind and service.
    pub(super) fn detail(&self, kind: &str, service: &str) -> Option<&str> {
        let rest = self.0.strip_prefix(kind)?.strip_prefix('\n')?;
        rest.strip_prefix(service)?.strip_prefix('\n')
    }
}

/// What the supervisor tells its guardian.
pub(super) enum Order {
    /// To hold this instead of what has the same key.
    Hold(Held),
    /// To close it.
    Drop(Key),
    /// To become this program.
    Upgrade(CString),
}

/// The supervisor's end of the way to its guardian.
pub(super) struct Keeper(OwnedFd);

/// Both ends of the way: that of the guardian, and that of the supervisor.
pub(super) fn way() -> io::Result<(OwnedFd, Keeper)> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let (ours, theirs) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags)?;
    setsockopt(&theirs, sockopt::SndBuf, &ON_ITS_WAY)?;
    Ok((ours, Keeper(theirs)))
}

impl Keeper {
    /// Has a copy held. What the guardian cannot take is lost if this process is killed, and not
    /// before.
    pub(super) fn hold(&self, key: &Key, fd: BorrowedFd<'_>) {
        self.tell(b"+", key, &[fd.as_raw_fd()]);
    }

    /// It is needed no more.
    pub(super) fn drop(&self, key: &Key) {
        self.tell(b"-", key, &[]);
    }

    /// The guardian is to become this program.
    pub(super) fn ask_to_upgrade(&self, program: &str) {
        self.tell(b"!", &Key::of_text(program), &[]);
    }

    fn tell(&self, what: &[u8], key: &Key, fds: &[i32]) {
        let parts = [IoSlice::new(what), IoSlice::new(key.0.as_bytes())];
        let control = [ControlMessage::ScmRights(fds)];
        let control = if fds.is_empty() { &[][..] } else { &control };
        let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
        let _ = sendmsg::<()>(self.0.as_raw_fd(), &parts, control, flags, None);
    }
}

impl AsFd for Keeper {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// The next order on the guardian's end of the way; `None` when there is none.
pub(super) fn next_order(end: BorrowedFd<'_>) -> Option<Order> {
    loop {
        let mut packet = [0; LONGEST];
        let (length, fd) = sys::receive(end, &mut packet).ok()?;
        if length == 0 {
            return None;
        }
        let text = std::str::from_utf8(packet.get(..length)?).ok();
        match (text.and_then(|text| text.split_at_checked(1)), fd) {
            (Some(("+", key)), Some(fd)) => {
                let key = Key::of_text(key);
                return Some(Order::Hold(Held { key, fd }));
            }
            (Some(("-", key)), _) => return Some(Order::Drop(Key::of_text(key))),
            (Some(("!", path)), _) => return CString::new(path).ok().map(Order::Upgrade),
            // It could not be taken, for want of descriptors.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_say_what_they_are_of() {
        let key = Key::new(STORED, "foo", "3 name");
        assert_eq!(key.detail(STORED, "foo"), Some("3 name"));
        assert_eq!(key.detail(STORED, "fo"), None);
        assert_eq!(key.detail(LINE, "foo"), None);
        assert_eq!(Key::of_text(key.text()), key);
    }

    #[test]
    fn orders_arrive_with_their_descriptors() {
        let (end, keeper) = way().unwrap();
        let (read, write) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).unwrap();
        let key = Key::new(LINE, "foo", 7);
        keeper.hold(&key, write.as_fd());
        keeper.drop(&key);
        drop(write);
        let Some(Order::Hold(held)) = next_order(end.as_fd()) else {
            panic!("no descriptor");
        };
        assert_eq!(held.key, key);
        assert!(matches!(next_order(end.as_fd()), Some(Order::Drop(dropped)) if dropped == key));
        assert!(next_order(end.as_fd()).is_none());
        nix::unistd::write(&held.fd, b"x").unwrap();
        assert_eq!(nix::unistd::read(&read, &mut [0; 2]), Ok(1));
        drop(keeper);
        assert!(next_order(end.as_fd()).is_none());
    }
}
