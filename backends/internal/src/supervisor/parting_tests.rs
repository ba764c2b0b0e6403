#[path = "../../tests/scene/lingering.rs"]
mod lingering;

use super::*;
use lingering::lingering;
use nix::sys::socket::{sendmsg, socketpair};
use nix::sys::socket::{AddressFamily, ControlMessage, SockFlag, SockType};
use std::io::IoSlice;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

const LINGER: Duration = Duration::from_secs(60);

#[test]
fn what_lingers_is_seen_and_closed_without_waiting() {
    let flags = SockFlag::SOCK_CLOEXEC;
    let (ours, theirs) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags).unwrap();
    assert!(!brings_descriptors(ours.as_fd()), "there is no packet");
    let (near, _far) = lingering(LINGER);
    let send = |fds: &[ControlMessage<'_>]| {
        let part = [IoSlice::new(b"x")];
        sendmsg::<()>(theirs.as_raw_fd(), &part, fds, MsgFlags::empty(), None).unwrap();
    };
    send(&[]);
    send(&[ControlMessage::ScmRights(&[near.as_raw_fd()])]);
    drop((near, theirs));
    assert!(!brings_descriptors(ours.as_fd()));
    read(&ours, &mut [0]).unwrap();
    assert!(brings_descriptors(ours.as_fd()));
    let begun = Instant::now();
    close_elsewhere(ours);
    assert!(begun.elapsed() < LINGER / 2, "{:?}", begun.elapsed());
}
