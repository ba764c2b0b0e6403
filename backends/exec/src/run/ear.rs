//! Hearing what a program says of itself: that it is ready, that it is alive.

use super::Call;
use crate::ear::{self, Ear as Socket, Family};
use crate::place::Dir;
use crate::process;
use crate::readiness::Readiness;
use crate::resolve;
use crate::sd_notify::{self, Message, Phase};
use nix::fcntl::{fcntl, FcntlArg, FdFlag};
use nix::sys::socket::{recvmsg, ControlMessageOwned, MsgFlags};
use nix::unistd::{read, write};
use rc_sv_api::{Error, Result, Settings};
use std::io::{self, ErrorKind, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

/// How many messages are heard before something else gets its turn.
const TURN: usize = 64;

/// Where a program says something.
pub(super) enum Ear {
    /// By a newline in a pipe.
    Line {
        line: OwnedFd,
        /// Where s6-supervise listens for the same.
        onward: Option<OwnedFd>,
    },
    /// By datagrams to a socket.
    Socket(Socket),
}

/// What the program is given to say it with.
pub(super) enum Mouth {
    /// This end of the pipe, as this descriptor.
    Line(OwnedFd, RawFd),
    /// The address of the socket.
    Socket(String),
}

/// What was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Words that belong together: nobody is to see the half of them.
    Words(Message),
    /// It will not say anything any more.
    Silence,
}

impl Ear {
    /// Begins to listen, as the spec wants it.
    pub(super) fn open(call: &Call, spec: &dyn Settings) -> Result<Option<(Ear, Mouth)>> {
        let failed = |cause| Error::io("listen to the program", &cause);
        let opened = match Readiness::of(spec)? {
            Readiness::Descriptor(number) => line(call, number).map_err(failed)?,
            Readiness::Socket if spec.text("chroot").is_some() => {
                of_socket(Socket::nameless().map_err(failed)?)
            }
            Readiness::Socket => named(call, spec)?,
            Readiness::Executed | Readiness::PidFile | Readiness::Answers(_) => return Ok(None),
        };
        Ok(Some(opened))
    }

    /// Listens again to a program that an earlier process listened to. A pipe is gone with that.
    pub(super) fn reopen(call: &Call, spec: &dyn Settings) -> Result<Option<Ear>> {
        match Readiness::of(spec)? {
            Readiness::Socket if spec.text("chroot").is_none() => Ok(Some(named(call, spec)?.0)),
            _ => Ok(None),
        }
    }

    /// Takes in what was said by the program, or by what belongs to it.
    pub(super) fn hear(&mut self, family: Family<'_>) -> Vec<Heard> {
        match self {
            Ear::Line { line, onward } => {
                let heard = hear_line(line);
                if let (true, Some(onward)) = (heard.contains(&Heard::Words(ready())), onward) {
                    // It does not listen any more, or has been told.
                    let _ = write(onward, b"\n");
                }
                heard
            }
            Ear::Socket(socket) => hear_socket(socket, family),
        }
    }
}

impl AsFd for Ear {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Ear::Line { line, .. } => line.as_fd(),
            Ear::Socket(socket) => socket.as_fd(),
        }
    }
}

fn line(call: &Call, number: RawFd) -> io::Result<(Ear, Mouth)> {
    let onward = match call.s6_listens() {
        Some(number) => Some(process::given(number)?),
        None => None,
    };
    let (ours, theirs) = ear::line()?;
    // It goes through an execve to the process that becomes the program.
    fcntl(&theirs, FcntlArg::F_SETFD(FdFlag::empty()))?;
    let ear = Ear::Line { line: ours, onward };
    Ok((ear, Mouth::Line(theirs, number)))
}

/// Its name is that of the service in short: an address has 107 bytes.
fn named(call: &Call, spec: &dyn Settings) -> Result<(Ear, Mouth)> {
    let short = call
        .service
        .as_str()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    let dir = Dir::make_supervisors(&call.svcdir)?;
    let name = format!(".notify.{short:016x}");
    let path = dir.path().join(name);
    let what = format!("make the socket {}", path.display());
    let socket = Socket::at(path, resolve::uid(spec)).map_err(|cause| Error::io(what, &cause))?;
    Ok(of_socket(socket))
}

fn of_socket(socket: Socket) -> (Ear, Mouth) {
    let address = socket.address.clone();
    (Ear::Socket(socket), Mouth::Socket(address))
}

fn hear_line(line: &OwnedFd) -> Vec<Heard> {
    let mut heard = Vec::new();
    loop {
        let mut part = [0u8; 256];
        match read(line, &mut part) {
            Ok(got) if part[..got].contains(&b'\n') => heard.push(Heard::Words(ready())),
            Err(nix::errno::Errno::EAGAIN) => return heard,
            Ok(1..) => {}
            Ok(0) | Err(_) => {
                heard.push(Heard::Silence);
                return heard;
            }
        }
    }
}

/// Empties the socket: a full one would hold the program up. Descriptors that come along are
/// closed by the kernel, which is the answer to a barrier.
fn hear_socket(socket: &mut Socket, family: Family<'_>) -> Vec<Heard> {
    let mut heard = Vec::new();
    for _ in 0..TURN {
        let mut buffer = [0u8; sd_notify::LONGEST + 1];
        let mut space = nix::cmsg_space!(nix::sys::socket::UnixCredentials);
        let (length, sender) = {
            let mut parts = [IoSliceMut::new(&mut buffer)];
            let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_CMSG_CLOEXEC;
            let fd = socket.socket.as_raw_fd();
            match recvmsg::<()>(fd, &mut parts, Some(&mut space), flags).map_err(io::Error::from) {
                Err(cause) if cause.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return heard,
                Ok(message) => (message.bytes, sender(&message)),
            }
        };
        if !sender.is_some_and(|sender| family.is_heard(socket.access, sender)) {
            continue;
        }
        if let Some(message) = sd_notify::parse(&buffer[..length]) {
            socket.access = message.access.unwrap_or(socket.access);
            let moves = message.main_pid.is_some();
            heard.push(Heard::Words(message));
            if moves {
                // What comes next may be that one's.
                return heard;
            }
        }
    }
    heard
}

/// What a newline says.
fn ready() -> Message {
    Message {
        phase: Some(Phase::Ready),
        ..Message::default()
    }
}

fn sender(message: &nix::sys::socket::RecvMsg<'_, '_, ()>) -> Option<i32> {
    message.cmsgs().ok()?.find_map(|control| match control {
        ControlMessageOwned::ScmCredentials(who) => Some(who.pid()),
        _ => None,
    })
}
