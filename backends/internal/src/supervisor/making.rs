//! Making main processes.
//!
//! The spawner's threads do it, so that the event loop waits for no execve. What they cannot do
//! the event loop does by a fork, which does not wait either, but takes longer.

use super::births::ticket;
use super::process::Process;
use super::reactor::{Interest, Kind, Token};
use super::state_file::{StateFile, Who};
use super::successor::Awaited;
use super::{held, Supervisor};
use crate::core::{Event, Id, KillMode, Plan};
use rc_sv_api::{Code, Error, Result, Settings, Spec};
use rc_sv_exec::cgroup::Cgroup;
use rc_sv_exec::instance::AsOf;
use rc_sv_exec::launch::{self, Launch, Left};
use rc_sv_exec::pid_file::PidFile;
use rc_sv_exec::place::Dir;
use rc_sv_exec::readiness::Readiness;
use rc_sv_exec::spec_file;
use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

/// A main process that was ordered, and is not known to exist yet.
pub(super) struct Making {
    /// The number of its instance.
    run: u32,
    pub launch: Arc<Launch>,
    cgroup: Option<Cgroup>,
    /// Opened before there is a process: what cannot be written later fails the start.
    pid_file: Option<(Box<Path>, PidFile)>,
    /// On which it says that it is ready.
    line: Option<OwnedFd>,
    /// By which it is known to be ready.
    awaited: Option<Box<Awaited>>,
}

impl Making {
    /// One of a program without any way to say that it is ready.
    pub(super) fn new(run: u32, launch: Launch) -> Making {
        Making {
            run,
            launch: Arc::new(launch),
            cgroup: None,
            pid_file: None,
            line: None,
            awaited: None,
        }
    }
}

/// How far a process has come that was just made.
pub(super) enum Progress {
    /// It was executed, or not; that was told with it.
    Done,
    /// That will be told by the spawner.
    Slow,
    /// That will be told by this descriptor.
    Reports(OwnedFd),
}

impl Supervisor {
    /// Has a main process made; that it exists, or why not, becomes an event, now or later.
    pub(super) fn spawn(&mut self, id: Id, run: u32) {
        let ordered = self.prepare(id, run).and_then(|(making, membership)| {
            let launch = Arc::clone(&making.launch);
            self.slots.of(id).making = Some(Box::new(making));
            let left = match &mut self.spawner {
                Some(spawner) => {
                    let now_ms = self.clock.now().boot_ms;
                    spawner.order(ticket(id, run), &launch, membership, now_ms)
                }
                None => Err(membership),
            };
            left.or_else(|membership| self.fork(id, run, &launch, membership))
        });
        if let Err(error) = ordered {
            self.not_made(id, run, error);
        }
    }

    /// The spec of a service, as it is now.
    pub(super) fn read_spec(&self, id: Id) -> Result<Spec> {
        spec_file::read(&self.directory(id)?)
    }

    pub(super) fn not_made(&mut self, id: Id, run: u32, error: Error) {
        self.slots.of(id).making = None;
        self.events.push_back(Event::SpawnFailed {
            id,
            run,
            message: error.message,
            errno: error.os_errno,
        });
    }

    pub(super) fn fork(
        &mut self,
        id: Id,
        run: u32,
        launch: &Launch,
        membership: Option<OwnedFd>,
    ) -> Result<()> {
        let child = launch::spawn(launch, membership.as_ref().map(AsFd::as_fd))?;
        let progress = Progress::Reports(child.report);
        self.made(id, run, child.pid, child.pidfd, progress)
    }

    /// There is a process now.
    pub(super) fn made(
        &mut self,
        id: Id,
        run: u32,
        pid: i32,
        pidfd: OwnedFd,
        progress: Progress,
    ) -> Result<()> {
        let making = self.slots.of(id).making.take();
        let Some(making) = making.filter(|making| making.run == run) else {
            self.abandon(pidfd);
            return Ok(());
        };
        // While the spawner has something to tell, the end has to wait for it.
        let interest = match progress {
            Progress::Slow => Interest::Nothing,
            Progress::Done | Progress::Reports(_) => Interest::Read,
        };
        let report = match progress {
            Progress::Reports(report) => Some(report),
            Progress::Done | Progress::Slow => None,
        };
        let token = |kind| Token::new(kind, id.index(), run);
        let watched = self
            .reactor
            .add(&pidfd, interest, token(Kind::Process))
            .and_then(|()| match &report {
                Some(report) => self
                    .reactor
                    .add(report, Interest::Read, token(Kind::Report)),
                None => Ok(()),
            })
            .and_then(|()| match &making.line {
                Some(line) => self.reactor.add(line, Interest::Read, token(Kind::Line)),
                None => Ok(()),
            })
            .and_then(|()| match &making.awaited {
                Some(awaited) => {
                    let token = token(Kind::Awaited);
                    self.reactor.add(&**awaited, Interest::Read, token)
                }
                None => Ok(()),
            });
        if let Err(cause) = watched {
            self.reactor.remove(&pidfd);
            self.abandon(pidfd);
            return Err(Error::io("watch the process", &cause));
        }
        if let Some(line) = &making.line {
            self.hold(held::LINE, id, run, line.as_fd());
        }
        if let Some((_, Err(cause))) = making
            .pid_file
            .as_ref()
            .map(|(path, file)| (path, file.write(pid)))
        {
            let error = Error::io("write the pid file", &cause);
            self.warn(id, &error.message);
        }
        let now_ms = self.clock.now().boot_ms;
        let left = Left {
            number: run,
            who: AsOf::now(pid, now_ms, pidfd.as_fd()),
        };
        self.identify(id, Who::Main, left);
        let slot = self.slots.of(id);
        slot.is_familiar = true;
        slot.processes.reserve_exact(1);
        slot.processes.push(Process {
            report,
            launch: Some(making.launch),
            cgroup: making.cgroup,
            line: making.line,
            awaited: making.awaited,
            pid_file: making.pid_file.map(|(path, _)| path),
            ..Process::made(run, pid, pidfd)
        });
        self.events.push_back(Event::Spawned { id, run, pid });
        Ok(())
    }

    /// Everything that can be done and can fail before there is a process; with a descriptor of
    /// the cgroup.
    fn prepare(&mut self, id: Id, run: u32) -> Result<(Making, Option<OwnedFd>)> {
        let spec = self.known_spec(id)?;
        let settings: &dyn Settings = &*spec;
        let mut launch = Launch::from_settings(settings)?;
        if !self.slots.of(id).is_familiar {
            refuse_second_copy(&self.directory(id)?)?;
        }
        launch.leave_word(self.state_of(id)?.word(Who::Main, run));
        let pid_path = path_of(settings, "pidfile").filter(|_| settings.flag("command_background"));
        let pid_file = match pid_path {
            Some(path) => Some((path.into(), PidFile::find(path)?)),
            None => None,
        };
        let cgroup = path_of(settings, "cgroup").map(Cgroup::in_service);
        let membership = match &cgroup {
            Some(cgroup) => Some(self.open_cgroup(id, cgroup, settings)?),
            None => None,
        };
        self.limit(id, settings, cgroup.as_ref());
        let line = self.open_ears(id, settings, &mut launch)?;
        let awaited = match (Readiness::of(settings)?, path_of(settings, "pidfile")) {
            (Readiness::PidFile, Some(path)) => Some(Box::new(Awaited::new(path)?)),
            _ => None,
        };
        self.lead_output(id, settings, &mut launch)?;
        let making = Making {
            cgroup,
            pid_file,
            line,
            awaited,
            ..Making::new(run, launch)
        };
        Ok((making, membership))
    }

    pub(super) fn directory(&self, id: Id) -> Result<Dir> {
        let service = self
            .core
            .name(id)
            .ok_or_else(|| Error::new(Code::NotFound, "the service was forgotten"))?;
        Dir::open_service(&self.svcdir, service)
    }

    /// Opens the cgroup for a new instance. What a supervisor that died left in it would make the
    /// new instance a second copy.
    fn open_cgroup(&mut self, id: Id, cgroup: &Cgroup, spec: &dyn Settings) -> Result<OwnedFd> {
        let failed = |cause| Error::io(format_args!("cgroup {}", cgroup.path().display()), &cause);
        let slot = self.slots.of(id);
        let afresh = !slot.is_familiar || std::mem::take(&mut slot.cgroup_was_killed);
        let opened = cgroup.make(afresh).map_err(failed)?;
        let may_stay = Plan::from_settings(spec).kill_mode == KillMode::Process;
        if !slot.is_familiar && !may_stay && cgroup.is_populated().map_err(failed)? {
            let message = format!(
                "processes of an earlier supervisor still run in {}: stop the service first",
                cgroup.path().display()
            );
            return Err(Error::new(Code::Conflict, message));
        }
        Ok(opened)
    }
}

pub(super) fn path_of<'a>(settings: &'a dyn Settings, key: &str) -> Option<&'a Path> {
    let text = settings.text(key)?;
    Some(Path::new(OsStr::from_bytes(text)))
}

/// A daemon of an earlier supervisor of which nothing else is known, because what was kept of it is
/// damaged: there must not be another one beside it.
fn refuse_second_copy(dir: &Dir) -> Result<()> {
    let left = StateFile::find(dir)?.and_then(|state| state.left(Who::Main));
    let Some(left) = left else {
        return Ok(());
    };
    match left.who.open() {
        Ok(None) => Ok(()),
        Ok(Some(_)) | Err(_) => Err(Error::new(
            Code::Conflict,
            format!(
                "process {} of an earlier supervisor still runs: end it first",
                left.who.pid
            ),
        )),
    }
}
