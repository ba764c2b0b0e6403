//! Hearing what a program says of itself: that it is ready, that it is alive.

use super::Call;
use crate::place::Dir;
use crate::process;
use crate::readiness::Readiness;
use crate::resolve;
use crate::sd_notify::{self, Message, Phase, Watchdog};
use nix::fcntl::{fcntl, FcntlArg, FdFlag, OFlag};
use nix::sys::socket::{
    bind, recvmsg, setsockopt, socket, sockopt, AddressFamily, ControlMessageOwned, MsgFlags,
    SockFlag, SockType, UnixAddr,
};
use nix::unistd::{chown, getsid, pipe2, read, write, Pid, Uid};
use rc_sv_api::{Error, Result, Settings};
use std::fs::{self, Permissions};
use std::io::{self, ErrorKind, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

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
    Socket {
        socket: OwnedFd,
        /// In the file system, unless the program has a root of its own.
        path: Option<PathBuf>,
    },
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
    /// It is ready.
    Ready,
    /// It will not say anything any more.
    Silence,
    /// It is about to end.
    Stopping,
    /// What it does, in a line.
    Status(String),
    /// It is alive.
    Alive,
    /// It wants to be treated as if it had said nothing for too long.
    Trigger,
    /// It needs this long from now on, to become ready or to end.
    Extend(Duration),
    /// How often it will say that it is alive from now on; zero for not at all.
    Watchdog(Duration),
}

impl Ear {
    /// Begins to listen, as the spec wants it.
    pub(super) fn open(call: &Call, spec: &dyn Settings) -> Result<Option<(Ear, Mouth)>> {
        let failed = |cause| Error::io("listen to the program", &cause);
        let opened = match Readiness::of(spec)? {
            Readiness::Descriptor(number) => line(call, number).map_err(failed)?,
            Readiness::Socket if spec.text("chroot").is_some() => nameless().map_err(failed)?,
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

    /// Takes in what was said by the program with this pid, or by what it has made in its session.
    pub(super) fn hear(&self, pid: i32) -> Vec<Heard> {
        match self {
            Ear::Line { line, onward } => {
                let heard = hear_line(line);
                if let (true, Some(onward)) = (heard.contains(&Heard::Ready), onward) {
                    // It does not listen any more, or has been told.
                    let _ = write(onward, b"\n");
                }
                heard
            }
            Ear::Socket { socket, .. } => hear_socket(socket, pid),
        }
    }
}

impl AsFd for Ear {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Ear::Line { line: fd, .. } | Ear::Socket { socket: fd, .. } => fd.as_fd(),
        }
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        if let Ear::Socket {
            path: Some(path), ..
        } = self
        {
            // It is gone already where somebody removed the state directory.
            let _ = fs::remove_file(path);
        }
    }
}

fn line(call: &Call, number: RawFd) -> io::Result<(Ear, Mouth)> {
    let onward = match call.s6_listens() {
        Some(number) => Some(process::given(number)?),
        None => None,
    };
    let (ours, theirs) = pipe2(OFlag::O_CLOEXEC)?;
    fcntl(&ours, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    // It goes through an execve to the process that becomes the program.
    fcntl(&theirs, FcntlArg::F_SETFD(FdFlag::empty()))?;
    let ear = Ear::Line { line: ours, onward };
    Ok((ear, Mouth::Line(theirs, number)))
}

/// A socket that the service's user can write to; for root's services everybody, who may have
/// become somebody else. Its name is that of the service in short: an address has 107 bytes.
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
    // What one that was killed has left.
    dir.remove(&name)?;
    let path = dir.path().join(name);
    let user = resolve::uid(spec);
    let user = user.filter(|user| *user != 0);
    let open = || {
        let socket = unbound()?;
        bind(socket.as_raw_fd(), &UnixAddr::new(&path)?)?;
        let mode = if user.is_some() { 0o600 } else { 0o666 };
        fs::set_permissions(&path, Permissions::from_mode(mode))?;
        if let Some(user) = user {
            chown(&path, Some(Uid::from_raw(user)), None)?;
        }
        Ok(socket)
    };
    let socket = open().map_err(|cause: io::Error| {
        Error::io(format_args!("make the socket {}", path.display()), &cause)
    })?;
    let address = path.display().to_string();
    let path = Some(path);
    Ok((Ear::Socket { socket, path }, Mouth::Socket(address)))
}

/// One that is found without a path.
fn nameless() -> io::Result<(Ear, Mouth)> {
    let name = format!("rc-sv/{:016x}", crate::process::random());
    let socket = unbound()?;
    bind(
        socket.as_raw_fd(),
        &UnixAddr::new_abstract(name.as_bytes())?,
    )?;
    let mouth = Mouth::Socket(format!("@{name}"));
    Ok((Ear::Socket { socket, path: None }, mouth))
}

fn unbound() -> io::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(AddressFamily::Unix, SockType::Datagram, flags, None)?;
    setsockopt(&socket, sockopt::PassCred, &true)?;
    Ok(socket)
}

fn hear_line(line: &OwnedFd) -> Vec<Heard> {
    let mut heard = Vec::new();
    loop {
        let mut part = [0u8; 256];
        match read(line, &mut part) {
            Ok(got) if part[..got].contains(&b'\n') => heard.push(Heard::Ready),
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
fn hear_socket(socket: &OwnedFd, pid: i32) -> Vec<Heard> {
    let mut heard = Vec::new();
    for _ in 0..TURN {
        let mut buffer = [0u8; sd_notify::LONGEST + 1];
        let mut space = nix::cmsg_space!(nix::sys::socket::UnixCredentials);
        let (length, sender) = {
            let mut parts = [IoSliceMut::new(&mut buffer)];
            let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_CMSG_CLOEXEC;
            let fd = socket.as_raw_fd();
            match recvmsg::<()>(fd, &mut parts, Some(&mut space), flags).map_err(io::Error::from) {
                Err(cause) if cause.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return heard,
                Ok(message) => (message.bytes, sender(&message)),
            }
        };
        if sender.is_some_and(|sender| is_of(pid, sender)) {
            heard.extend(
                sd_notify::parse(&buffer[..length])
                    .into_iter()
                    .flat_map(words),
            );
        }
    }
    heard
}

/// What is of interest in a message.
fn words(message: Message) -> impl Iterator<Item = Heard> {
    let words = [
        message.status.map(Heard::Status),
        message.watchdog_interval.map(Heard::Watchdog),
        message.extend.map(Heard::Extend),
        message.phase.and_then(|phase| match phase {
            Phase::Ready => Some(Heard::Ready),
            Phase::Stopping => Some(Heard::Stopping),
            Phase::Reloading => None,
        }),
        message.watchdog.map(|watchdog| match watchdog {
            Watchdog::Alive => Heard::Alive,
            Watchdog::Trigger => Heard::Trigger,
        }),
    ];
    words.into_iter().flatten()
}

fn sender(message: &nix::sys::socket::RecvMsg<'_, '_, ()>) -> Option<i32> {
    message.cmsgs().ok()?.find_map(|control| match control {
        ControlMessageOwned::ScmCredentials(who) => Some(who.pid()),
        _ => None,
    })
}

/// Whether `sender` is the program, or in the session that it leads.
fn is_of(pid: i32, sender: i32) -> bool {
    sender == pid || getsid(Some(Pid::from_raw(sender))) == Ok(Pid::from_raw(pid))
}
