//! Waiting for whatever happens first.

use super::sys;
use nix::poll::{PollFd, PollFlags};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use std::io;
use std::os::fd::AsFd;

/// What a descriptor belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// Signals to the supervisor.
    Signals,
    /// The control socket.
    Listener,
    /// A connection.
    Client,
    /// The main process of a service.
    Process,
    /// What a main process reports until it executes its program.
    Report,
    /// The cgroup of a service, which is to become empty.
    Cgroup,
    /// The finish command of a service.
    Finish,
    /// The give-up command of a service.
    GiveUp,
    /// OpenRC's locks.
    Locks,
    /// News of main processes that were ordered.
    Spawner,
    /// The start of the service that takes the place of another.
    Alternate,
    /// The command for a service that is unhealthy.
    Unhealthy,
    /// The runscript that runs before a respawn.
    Script,
    /// A look at a service from the outside.
    Look,
    /// Where a service says what it has to say.
    Ear,
    /// Where an instance says that it is ready.
    Line,
    /// What a service has given into keeping.
    Stored,
    /// The directory of a pid file that is to tell of a main process.
    Awaited,
    /// A main process that was not made here.
    Successor,
    /// A process on the way of a service's output.
    Attendant,
    /// A command that alerts a person.
    Alert,
    /// The script that stops or starts the services that need one.
    Dependents,
    /// The guardian.
    Guardian,
    /// The way to it.
    Keeper,
}

const KINDS: [Kind; 24] = [
    Kind::Signals,
    Kind::Listener,
    Kind::Client,
    Kind::Process,
    Kind::Report,
    Kind::Cgroup,
    Kind::Finish,
    Kind::GiveUp,
    Kind::Locks,
    Kind::Spawner,
    Kind::Alternate,
    Kind::Unhealthy,
    Kind::Script,
    Kind::Look,
    Kind::Ear,
    Kind::Line,
    Kind::Stored,
    Kind::Awaited,
    Kind::Successor,
    Kind::Attendant,
    Kind::Alert,
    Kind::Dependents,
    Kind::Guardian,
    Kind::Keeper,
];

/// What an event is about. `generation` tells a new owner of an index from an old one, whose
/// events may still be in the same batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub kind: Kind,
    pub index: u32,
    pub generation: u32,
}

impl Token {
    /// How many bits of a generation are kept.
    const GENERATION: u32 = 0x00ff_ffff;

    /// The token of something of which there is one only.
    pub(super) fn of(kind: Kind) -> Token {
        Token::new(kind, 0, 0)
    }

    pub(super) fn new(kind: Kind, index: usize, generation: u32) -> Token {
        Token {
            kind,
            index: index as u32,
            generation: generation & Token::GENERATION,
        }
    }

    fn pack(self) -> u64 {
        u64::from(self.kind as u8) << 56 | u64::from(self.generation) << 32 | u64::from(self.index)
    }

    fn unpack(data: u64) -> Option<Token> {
        Some(Token {
            kind: *KINDS.get((data >> 56) as usize)?,
            index: data as u32,
            generation: (data >> 32) as u32 & Token::GENERATION,
        })
    }
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interest {
    /// It becomes readable.
    Read,
    /// It becomes writable.
    Write,
    /// Something special about it changes.
    Change,
    /// Nothing for now but its loss.
    Nothing,
}

impl Interest {
    fn flags(self) -> EpollFlags {
        match self {
            Interest::Read => EpollFlags::EPOLLIN,
            Interest::Write => EpollFlags::EPOLLOUT,
            Interest::Change => EpollFlags::EPOLLPRI,
            Interest::Nothing => EpollFlags::empty(),
        }
    }
}

/// The one place where the supervisor waits.
pub(super) struct Reactor {
    epoll: Epoll,
    batch: [EpollEvent; Reactor::BATCH],
    got: usize,
}

impl Reactor {
    /// How many events are fetched at once.
    const BATCH: usize = 64;

    pub(super) fn new() -> io::Result<Reactor> {
        Ok(Reactor {
            epoll: Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?,
            batch: [EpollEvent::empty(); Reactor::BATCH],
            got: 0,
        })
    }

    /// Begins to wait for `fd`.
    pub(super) fn add(&self, fd: impl AsFd, interest: Interest, token: Token) -> io::Result<()> {
        Ok(self
            .epoll
            .add(fd, EpollEvent::new(interest.flags(), token.pack()))?)
    }

    /// Changes what is waited for.
    pub(super) fn change(&self, fd: impl AsFd, interest: Interest, token: Token) -> io::Result<()> {
        let mut event = EpollEvent::new(interest.flags(), token.pack());
        Ok(self.epoll.modify(fd, &mut event)?)
    }

    /// Ends waiting for `fd`. Closing it is not enough: a child that has not executed its program
    /// yet holds a copy. One that is not waited for is left alone.
    pub(super) fn remove(&self, fd: impl AsFd) {
        // It fails for what was not added only.
        let _ = self.epoll.delete(fd);
    }

    /// Waits until something happens, or for `millis`, or for ever; with `rests` after memory was
    /// given back. A signal handler's visit and the end of the time count as nothing.
    pub(super) fn wait(&mut self, millis: Option<u64>, rests: bool) -> io::Result<()> {
        let mut timeout = match millis {
            None => EpollTimeout::NONE,
            Some(millis) => i32::try_from(millis)
                .ok()
                .and_then(|millis| EpollTimeout::try_from(millis).ok())
                .unwrap_or(EpollTimeout::MAX),
        };
        if rests {
            let mut fds = [PollFd::new(self.epoll.0.as_fd(), PollFlags::POLLIN)];
            sys::rest(&mut fds, timeout.into());
            timeout = EpollTimeout::ZERO;
        }
        self.got = match self.epoll.wait(&mut self.batch, timeout) {
            Err(nix::errno::Errno::EINTR) => 0,
            got => got?,
        };
        Ok(())
    }

    /// What happened during the last [`Reactor::wait`].
    pub(super) fn happened(&self, index: usize) -> Option<Token> {
        self.batch[..self.got]
            .get(index)
            .and_then(|event| Token::unpack(event.data()))
    }

    /// How much happened.
    pub(super) fn count(&self) -> usize {
        self.got
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_back_as_they_were() {
        for kind in KINDS {
            for generation in [0, 1, 0x00ff_ffff] {
                let token = Token::new(kind, u32::MAX as usize, generation);
                assert_eq!(Token::unpack(token.pack()), Some(token));
            }
        }
        assert_eq!(Token::unpack(u64::MAX), None);
    }

    #[test]
    fn what_is_removed_is_silent_though_a_copy_is_open() {
        let (read, write) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).unwrap();
        let copy = read.try_clone().unwrap();
        let mut reactor = Reactor::new().unwrap();
        let token = Token::of(Kind::Report);
        reactor.add(&read, Interest::Read, token).unwrap();
        drop(write);
        // A child of another test may have a copy until it executes its program.
        reactor.wait(Some(30_000), false).unwrap();
        assert_eq!(reactor.happened(0), Some(token));
        reactor.remove(&read);
        drop(read);
        reactor.wait(Some(0), true).unwrap();
        assert_eq!(reactor.count(), 0);
        drop(copy);
    }
}
