//! Closing connections whose senders decide how long it takes.
//!
//! Descriptors that are sent to a socket are closed by whoever takes or drops the packet. For a TCP
//! connection with SO_LINGER (socket(7)) that takes as long as its sender likes, except at the end
//! of a process. Since Linux 6.16 nobody can send us any (`sys::take_no_descriptors`); before, such
//! packets are not taken, and the connection is closed by the end of another process.

use super::sys;
use nix::fcntl::OFlag;
use nix::sys::socket::{recvmsg, MsgFlags};
use nix::sys::wait::waitpid;
use nix::unistd::{pipe2, read, Pid};
use std::io::IoSliceMut;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

/// Whether descriptors came with the next packet, which is not taken.
pub(super) fn brings_descriptors(socket: BorrowedFd<'_>) -> bool {
    let mut byte = [0u8; 1];
    let mut parts = [IoSliceMut::new(&mut byte)];
    let flags = MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT;
    // The kernel tells that it had no room for them.
    let seen = recvmsg::<()>(socket.as_raw_fd(), &mut parts, None, flags);
    seen.is_ok_and(|seen| seen.flags.contains(MsgFlags::MSG_CTRUNC))
}

/// Closes `socket`, and what others sent to it, without waiting. Where no process can be made it
/// is closed here.
pub(super) fn close_elsewhere(socket: OwnedFd) {
    let Ok((end, hold)) = pipe2(OFlag::O_CLOEXEC) else {
        return;
    };
    match sys::fork() {
        Ok(Some(between)) => {
            drop(socket);
            drop(hold);
            // It ends at once. Its child is init's.
            let _ = waitpid(Pid::from_raw(between), None);
        }
        Ok(None) => {
            if matches!(sys::fork(), Ok(None)) {
                drop(hold);
                // Until all others have closed it, so that the end of this process does so.
                let _ = read(&end, &mut [0]);
            }
            sys::leave(0)
        }
        Err(_) => {}
    }
}

#[cfg(test)]
#[path = "parting_tests.rs"]
mod tests;
