//! The ways that the output of services takes through loggers, and the processes on them.

use super::companion::Companion;
use super::held;
use super::reactor::{Kind, Reactor, Token};
use crate::core::Id;
use rc_sv_api::exit::Exit;
use rc_sv_api::{Error, Result, Settings};
use rc_sv_exec::launch::Launch;
use rc_sv_exec::log::{Sink, Stream};
use rc_sv_exec::logger::{self, pipe, spool};
use rc_sv_exec::place::Dir;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

/// What a process on the way does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// `rc-sv-logger`: takes the output from the pipe.
    Logger,
    /// `output_logger` or `error_logger`: gets it from the logger.
    Program,
}

/// A process on the way, which is begun again when it ends too early.
pub(super) struct Attendant {
    pub role: Role,
    /// Its number in the life of this supervisor.
    pub serial: u32,
    pub process: Option<Attending>,
    /// How often it has failed in a row.
    pub failures: u32,
    /// When it is begun.
    pub due_ms: Option<u64>,
}

/// A process that runs.
pub(super) struct Attending {
    pub command: Companion,
    pub since_ms: u64,
    /// It was killed, so that it begins again with other settings.
    pub is_old: bool,
}

/// One way. Everything that lies on it is held here, so that nothing is lost when a process ends.
pub(super) struct Outlet {
    pub id: Id,
    pub stream: Stream,
    /// Where the logger reads.
    pipe: Arc<OwnedFd>,
    /// As long as the service is to be up, so that the logger does not end in between.
    pub writer: Option<OwnedFd>,
    spool: Arc<OwnedFd>,
    /// The pipe from the logger to the program: where the program reads, and the logger writes.
    onward: Option<(Arc<OwnedFd>, Arc<OwnedFd>)>,
    /// The guardian was told of all that.
    pub is_held: bool,
    pub attendants: Vec<Attendant>,
}

/// Where things are, for making loggers.
pub(super) struct Programs<'a> {
    pub logger: &'a Path,
    pub svcdir: &'a Path,
}

impl Outlet {
    /// The way of `stream`, with what is still on it from before.
    pub(super) fn open(id: Id, stream: Stream, dir: &Dir, user: Option<u32>) -> Result<Outlet> {
        let pipe = pipe::make(dir, stream.which, user)?;
        let writer = pipe::writer(dir, stream.which)?;
        let spool = spool::open(dir, stream.which.name())?;
        let mut outlet = Outlet {
            id,
            stream,
            pipe: Arc::new(pipe),
            writer: Some(writer),
            spool: Arc::new(spool.into()),
            onward: None,
            is_held: false,
            attendants: Vec::new(),
        };
        outlet.man()?;
        Ok(outlet)
    }

    /// The way that an earlier supervisor has laid, of which `take` gives what was held of it. Where
    /// that is gone too, everything but the pipe to a program is found again.
    pub(super) fn find(
        id: Id,
        stream: Stream,
        dir: &Dir,
        user: Option<u32>,
        mut take: impl FnMut(&str) -> Option<OwnedFd>,
    ) -> Result<Outlet> {
        let pipe = match take(held::PIPE) {
            Some(pipe) => pipe,
            None => pipe::make(dir, stream.which, user)?,
        };
        let spool = match take(held::SPOOL) {
            Some(spool) => spool,
            None => spool::open(dir, stream.which.name())?.into(),
        };
        let onward = take(held::ONWARD_READ).zip(take(held::ONWARD_WRITE));
        let writer = pipe::writer(dir, stream.which)?;
        Ok(Outlet {
            id,
            stream,
            pipe: Arc::new(pipe),
            writer: Some(writer),
            spool: Arc::new(spool),
            onward: onward.map(|(read, write)| (Arc::new(read), Arc::new(write))),
            is_held: false,
            attendants: Vec::new(),
        })
    }

    /// What has to outlive a supervisor, by kind.
    pub(super) fn to_hold(&self) -> Vec<(&'static str, BorrowedFd<'_>)> {
        let mut all = vec![
            (held::PIPE, self.pipe.as_fd()),
            (held::SPOOL, self.spool.as_fd()),
        ];
        if let Some((read, write)) = &self.onward {
            all.push((held::ONWARD_READ, read.as_fd()));
            all.push((held::ONWARD_WRITE, write.as_fd()));
        }
        all
    }

    /// Sees to it that there is who is needed.
    pub(super) fn man(&mut self) -> Result<()> {
        self.need(Role::Logger);
        if matches!(self.stream.sink, Sink::Program(_)) {
            if self.onward.is_none() {
                let (read, write) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)
                    .map_err(|errno| Error::io("make a pipe for a logger", &errno.into()))?;
                self.onward = Some((Arc::new(read), Arc::new(write)));
                self.is_held = false;
            }
            self.need(Role::Program);
        }
        Ok(())
    }

    /// A process of an earlier supervisor does this.
    pub(super) fn go_on(&mut self, role: Role, serial: u32, process: Attending) {
        self.attendants.push(Attendant {
            role,
            serial,
            process: Some(process),
            failures: 0,
            due_ms: None,
        });
    }

    fn need(&mut self, role: Role) {
        if self.attendants.iter().all(|known| known.role != role) {
            self.attendants.push(Attendant {
                role,
                serial: 0,
                process: None,
                failures: 0,
                due_ms: Some(0),
            });
        }
    }

    /// Ends the logger, so that it begins again with other settings. Nothing is lost: whoever comes
    /// next goes on where it was.
    pub(super) fn restart_logger(&mut self) {
        for attendant in &mut self.attendants {
            if let (Role::Logger, Some(process)) = (attendant.role, &mut attendant.process) {
                process.command.kill();
                process.is_old = true;
            }
        }
    }

    /// Changes where it ends. A program that it has ended in reads what it was given, and ends; it is
    /// given back, to be reaped.
    pub(super) fn change(&mut self, stream: Stream, reactor: &Reactor) -> Vec<OwnedFd> {
        let mut left = Vec::new();
        if self.stream.sink != stream.sink {
            self.onward = None;
        }
        if self.onward.is_none() {
            self.attendants.retain_mut(|known| {
                if known.role == Role::Program {
                    left.extend(
                        known
                            .process
                            .take()
                            .map(|process| process.command.into_process()),
                    );
                }
                known.role != Role::Program
            });
        }
        left.iter().for_each(|pidfd| reactor.remove(pidfd));
        self.stream = stream;
        left
    }

    /// Whether a process that ended in this way, if it was executed, has done what it was for.
    pub(super) fn is_done(&self, role: Role, exit: Option<Exit>) -> bool {
        let has_logger = self.attendants.iter().any(|it| it.role == Role::Logger);
        self.writer.is_none()
            && match role {
                Role::Logger => exit == Some(Exit::Code(0)),
                Role::Program => !has_logger,
            }
    }

    /// Whether there is a pipe to a program.
    pub(super) fn has_onward(&self) -> bool {
        self.onward.is_some()
    }

    /// Ends the program's pipe: nothing more will come.
    pub(super) fn end_onward(&mut self) {
        self.onward = None;
    }

    /// What a process of this role is made from.
    pub(super) fn launch(
        &self,
        role: Role,
        programs: &Programs<'_>,
        spec: &dyn Settings,
    ) -> Result<Launch> {
        let mut launch = match (&self.stream.sink, role) {
            (Sink::Program(command), Role::Program) => Launch::for_log_program(spec, command)?,
            _ => {
                let which = self.stream.which.name();
                Launch::for_logger(programs.logger, programs.svcdir, &spec.service()?, which)?
            }
        };
        match (role, &self.onward) {
            (Role::Logger, onward) => {
                launch.share(Arc::clone(&self.pipe), 0);
                launch.share(Arc::clone(&self.spool), logger::SPOOL);
                if let Some((_, write)) = onward {
                    launch.share(Arc::clone(write), 1);
                }
            }
            (Role::Program, Some((read, _))) => launch.share(Arc::clone(read), 0),
            (Role::Program, None) => {}
        }
        Ok(launch)
    }

    /// The last lines that went this way.
    pub(super) fn last_lines(&self) -> String {
        match self.spool.try_clone() {
            Ok(spool) => spool::last_lines(&File::from(spool), self.pipe.as_fd()),
            Err(_) => String::new(),
        }
    }
}

impl Attendant {
    pub(super) fn token(&self) -> Token {
        Token::new(Kind::Attendant, self.serial as usize, 0)
    }
}
