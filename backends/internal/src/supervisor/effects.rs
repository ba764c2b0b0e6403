//! Carrying out what the core wants done to main processes.

use super::process::Process;
use super::reactor::{Interest, Kind, Token};
use super::{sys, Supervisor};
use crate::core::{Event, Id, KillMode, Plan, Whom};
use rc_sv_api::exit::Exit;
use rc_sv_api::{signal, Code, Error, Result, Spec};
use rc_sv_exec::cgroup::Cgroup;
use rc_sv_exec::instance::Instance;
use rc_sv_exec::launch::{self, Failure, Launch};
use rc_sv_exec::pid_file::PidFile;
use rc_sv_exec::place::Dir;
use rc_sv_exec::spec_file;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

impl Supervisor {
    /// Makes a main process; that it exists, or why not, becomes an event.
    pub(super) fn spawn(&mut self, id: Id, run: u32) {
        let event = match self.try_spawn(id, run) {
            Ok(pid) => Event::Spawned { id, run, pid },
            Err(error) => Event::SpawnFailed {
                id,
                run,
                message: error.message,
                errno: error.os_errno,
            },
        };
        self.events.push_back(event);
    }

    fn try_spawn(&mut self, id: Id, run: u32) -> Result<i32> {
        let dir = self.directory(id)?;
        let spec = spec_file::read(&dir)?;
        let settings = spec.settings();
        if !self.slots.of(id).is_familiar {
            refuse_second_copy(&dir)?;
        }
        let launch = Launch::from_settings(settings)?;
        let path_of = |key| {
            settings
                .text(key)
                .map(|text| Path::new(std::ffi::OsStr::from_bytes(text)))
        };
        let pid_path = path_of("pidfile").filter(|_| settings.flag("command_background"));
        let pid_file = pid_path.map(PidFile::find).transpose()?;
        let cgroup = path_of("cgroup").map(Cgroup::in_service);
        let membership = match &cgroup {
            Some(cgroup) => Some(self.open_cgroup(id, cgroup, &spec)?),
            None => None,
        };
        let child = launch::spawn(&launch, membership.as_ref().map(AsFd::as_fd))?;
        let watched = self
            .watch(&child.pidfd, Token::new(Kind::Process, id.index(), run))
            .and_then(|()| self.watch(&child.report, Token::new(Kind::Report, id.index(), run)));
        if let Err(error) = watched {
            self.reactor.remove(&child.pidfd);
            self.abandon(child.pidfd);
            return Err(error);
        }
        if let Err(error) = record(child.pid, &dir) {
            self.warn(id, &error.message);
        }
        if let Some(Err(cause)) = pid_file.map(|file| file.write(child.pid)) {
            let error = Error::io("write the pid file", &cause);
            self.warn(id, &error.message);
        }
        let slot = self.slots.of(id);
        slot.is_familiar = true;
        slot.processes.reserve_exact(1);
        slot.processes.push(Process {
            run,
            pid: child.pid,
            pidfd: child.pidfd,
            ended: false,
            report: Some(child.report),
            launch: Some(Box::new(launch)),
            cgroup,
            watch: None,
            pid_file: pid_path.map(Into::into),
        });
        Ok(child.pid)
    }

    /// The spec of a service, as it is now.
    pub(super) fn read_spec(&self, id: Id) -> Result<Spec> {
        spec_file::read(&self.directory(id)?)
    }

    fn directory(&self, id: Id) -> Result<Dir> {
        let service = self
            .core
            .name(id)
            .ok_or_else(|| Error::new(Code::NotFound, "the service was forgotten"))?;
        Dir::open_service(&self.svcdir, service)
    }

    /// Opens the cgroup for a new instance. What a supervisor that died left in it would make the
    /// new instance a second copy.
    fn open_cgroup(&mut self, id: Id, cgroup: &Cgroup, spec: &Spec) -> Result<OwnedFd> {
        let failed = |cause| Error::io(format_args!("cgroup {}", cgroup.path().display()), &cause);
        let slot = self.slots.of(id);
        let afresh = !slot.is_familiar || std::mem::take(&mut slot.cgroup_was_killed);
        let opened = cgroup.make(afresh).map_err(failed)?;
        let may_stay = Plan::from_settings(spec.settings()).kill_mode == KillMode::Process;
        if !slot.is_familiar && !may_stay && cgroup.is_populated().map_err(failed)? {
            let message = format!(
                "processes of an earlier supervisor still run in {}: stop the service first",
                cgroup.path().display()
            );
            return Err(Error::new(Code::Conflict, message));
        }
        Ok(opened)
    }

    fn watch(&self, fd: &OwnedFd, token: Token) -> Result<()> {
        let added = self.reactor.add(fd, Interest::Read, token);
        added.map_err(|cause| Error::io("watch the process", &cause))
    }

    /// Kills a child that cannot be watched. It is reaped when it has ended.
    pub(super) fn abandon(&mut self, pidfd: OwnedFd) {
        // It cannot have been reaped yet, and is ours: this does not fail.
        let _ = sys::send_signal(pidfd.as_fd(), signal::KILL);
        self.strays.push(pidfd);
        self.reap_strays();
    }

    /// Reaps abandoned children that have ended.
    pub(super) fn reap_strays(&mut self) {
        self.strays
            .retain(|pidfd| matches!(sys::ending(pidfd.as_fd(), true), Ok(None)));
    }

    /// Takes in what a main process reports.
    pub(super) fn reported(&mut self, token: Token) {
        if let Some((id, run)) = self.slots.instance_at(token) {
            self.read_report(id, run);
        }
    }

    fn read_report(&mut self, id: Id, run: u32) {
        let Some(process) = self.slots.process(id, run) else {
            return;
        };
        let Some(report) = process.report.take() else {
            return;
        };
        let mut record = [0u8; Failure::SIZE];
        let mut report = File::from(report);
        let length = match report.read(&mut record) {
            Err(cause) if cause.kind() == ErrorKind::WouldBlock => {
                process.report = Some(report.into());
                return;
            }
            length => length.unwrap_or(0),
        };
        let launch = process.launch.take();
        self.reactor.remove(&report);
        let event = match (Failure::decode(&record[..length]), launch) {
            (Some(failure), Some(launch)) => Event::ExecFailed {
                id,
                run,
                message: failure.message(&launch),
                errno: failure.errno,
            },
            _ => Event::Executed { id, run },
        };
        self.feed(event);
    }

    /// Takes in that a main process ended.
    pub(super) fn process_ended(&mut self, token: Token) {
        let Some((id, run)) = self.slots.instance_at(token) else {
            return;
        };
        self.read_report(id, run);
        let Some(process) = self.slots.process(id, run) else {
            return;
        };
        let exit = match sys::ending(process.pidfd.as_fd(), false) {
            Ok(None) => return,
            Ok(Some(exit)) => exit,
            Err(_) => Exit::Unknown,
        };
        process.ended = true;
        let alone = process.cgroup.as_ref().map(Cgroup::is_populated);
        let alone = matches!(alone, Some(Ok(false)));
        self.reactor.remove(&process.pidfd);
        self.feed(Event::Exited {
            id,
            run,
            exit,
            alone,
        });
    }

    /// Sends a signal.
    pub(super) fn signal(&mut self, id: Id, run: u32, number: i32, whom: Whom) {
        let Some(process) = self.slots.process(id, run) else {
            return;
        };
        let main = |process: &Process| sys::send_signal(process.pidfd.as_fd(), number);
        let sent = match whom {
            Whom::Main => main(process),
            // A child that has not made its group yet is alone.
            Whom::Group => match sys::kill_group(process.pid, number) {
                Err(cause) if cause.raw_os_error() == Some(libc::ESRCH) => main(process),
                sent => sent,
            },
        };
        match sent {
            Err(cause) if cause.raw_os_error() != Some(libc::ESRCH) => {
                let what = format!("send {}", signal::name(number));
                self.warn(id, &Error::io(what, &cause).message);
            }
            _ => {}
        }
    }
}

/// A daemon that a killed supervisor left is not this supervisor's child: it cannot be looked
/// after, and there must not be another one beside it.
fn refuse_second_copy(dir: &Dir) -> Result<()> {
    match Instance::living(dir) {
        None => Ok(()),
        Some(Instance { pid, .. }) => Err(Error::new(
            Code::Conflict,
            format!("process {pid} of an earlier supervisor still runs: stop the service first"),
        )),
    }
}

/// Leaves word for a later supervisor.
fn record(pid: i32, dir: &Dir) -> Result<()> {
    Instance::of(pid)
        .map_err(|cause| Error::io(format_args!("examine process {pid}"), &cause))?
        .write(dir)
}
