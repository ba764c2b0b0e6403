//! What harness and pid 1 of a lab say to each other: one message per request
//! on a SOCK_SEQPACKET socket, fields separated by NUL, descriptors beside it.
//! The last descriptor of a request is a socket for its answers.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::sys::socket::{sendmsg, socketpair, AddressFamily, ControlMessage, MsgFlags};
use nix::sys::socket::{SockFlag, SockType};

use crate::sys;

/// Largest message. The kernel's default socket buffer takes a little more.
const LIMIT: usize = 192 * 1024;

/// One message as it came in.
pub(crate) struct Message {
    pub(crate) fields: Vec<Vec<u8>>,
    pub(crate) fds: Vec<OwnedFd>,
}

impl Message {
    /// Field `index` as text, empty when it is not there.
    pub(crate) fn text(&self, index: usize) -> &str {
        let field = self.fields.get(index).map_or(&b""[..], Vec::as_slice);
        std::str::from_utf8(field).unwrap_or("")
    }

    /// Field `index` as a number.
    pub(crate) fn number(&self, index: usize) -> io::Result<i32> {
        let text = self.text(index);
        text.parse()
            .map_err(|_| io::Error::other(format!("not a number: '{text}'")))
    }
}

/// A connected pair of message sockets, close-on-exec.
pub(crate) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let flags = SockFlag::SOCK_CLOEXEC;
    Ok(socketpair(
        AddressFamily::Unix,
        SockType::SeqPacket,
        None,
        flags,
    )?)
}

/// Sends one message.
pub(crate) fn send(socket: impl AsFd, fields: &[&[u8]], fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    if fields.iter().any(|field| field.contains(&0)) {
        return Err(io::Error::other("NUL in an argument"));
    }
    let bytes = fields.join(&0);
    if bytes.len() > LIMIT {
        return Err(io::Error::other(format!(
            "request of {} bytes, at most {LIMIT}: write a file and run that",
            bytes.len()
        )));
    }
    let raw: Vec<i32> = fds.iter().map(AsRawFd::as_raw_fd).collect();
    let rights = [ControlMessage::ScmRights(&raw)];
    let control = if raw.is_empty() { &[][..] } else { &rights[..] };
    let socket = socket.as_fd().as_raw_fd();
    sendmsg::<()>(
        socket,
        &[IoSlice::new(&bytes)],
        control,
        MsgFlags::MSG_NOSIGNAL,
        None,
    )?;
    Ok(())
}

/// Receives one message; `None` when the other side is gone.
pub(crate) fn receive(socket: impl AsFd) -> io::Result<Option<Message>> {
    let mut buffer = vec![0; LIMIT];
    let (length, fds) = match sys::recv_with_fds(socket.as_fd(), &mut buffer) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(None),
        other => other?,
    };
    if length == 0 && fds.is_empty() {
        return Ok(None);
    }
    let fields = buffer[..length]
        .split(|&byte| byte == 0)
        .map(<[u8]>::to_vec)
        .collect();
    Ok(Some(Message { fields, fds }))
}
