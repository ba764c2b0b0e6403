//! Making sure that nothing of an instance is left.

use super::process::Process;
use super::reactor::{Interest, Kind, Reactor, Token};
use super::{held, sys, Supervisor};
use crate::core::{Event, Id};
use rc_sv_api::{signal, Error};
use rc_sv_exec::pid_file::PidFile;
use rc_sv_exec::process::signal_group;
use std::io;
use std::os::fd::AsFd;

impl Supervisor {
    /// Kills everything of an instance. That nothing is left becomes an event.
    pub(super) fn sweep(&mut self, id: Id, run: u32) {
        self.slots.of(id).cgroup_was_killed = true;
        if let Some(exit) = self
            .slots
            .process(id, run)
            .and_then(Process::give_up_waiting)
        {
            let alone = false;
            self.events.push_back(Event::Exited {
                id,
                run,
                exit,
                alone,
            });
        }
        let is_empty = match self.slots.process(id, run) {
            None => Ok(true),
            Some(process) => process.kill(&self.reactor, Token::new(Kind::Cgroup, id.index(), run)),
        };
        if let Err(cause) = &is_empty {
            self.warn(
                id,
                &Error::io("kill what is left in the cgroup", cause).message,
            );
        }
        if is_empty.unwrap_or(true) {
            self.events.push_back(Event::Emptied { id, run });
        }
    }

    /// Takes in that the cgroup of an instance changed.
    pub(super) fn cgroup_changed(&mut self, token: Token) {
        let Some((id, run)) = self.slots.instance_at(token) else {
            return;
        };
        let Some(process) = self.slots.process(id, run) else {
            return;
        };
        let Some(watch) = &process.watch else {
            return;
        };
        if matches!(watch.is_populated(), Ok(true)) {
            return;
        }
        self.reactor.remove(watch);
        process.watch = None;
        self.feed(Event::Emptied { id, run });
    }

    /// Takes away the zombie of an instance, and what tells of it.
    pub(super) fn reap(&mut self, id: Id, run: u32) {
        let Some(process) = self.slots.take(id, run) else {
            return;
        };
        let own_pid = match process.pid {
            0 => process.main_pid(),
            made => made,
        };
        let Process {
            pidfd,
            report,
            cgroup,
            watch,
            line,
            awaited,
            successor,
            pid_file,
            ..
        } = process;
        if let Some(pidfd) = &pidfd {
            self.reactor.remove(pidfd);
        }
        if let Some(report) = report {
            self.reactor.remove(report);
        }
        if let Some(watch) = watch {
            self.reactor.remove(watch);
        }
        if let Some(awaited) = awaited {
            self.reactor.remove(&*awaited);
        }
        if let Some(successor) = successor {
            self.reactor.remove(&*successor);
        }
        if let Some(line) = line {
            self.reactor.remove(line);
            self.release(held::LINE, id, run);
        }
        if self.slots.of(id).processes.is_empty() && self.slots.of(id).making.is_none() {
            self.close_ear(id);
        }
        if let Some(pidfd) = pidfd {
            if matches!(sys::ending(pidfd.as_fd(), true), Ok(None)) {
                self.strays.push(pidfd);
            }
        }
        if let Some(Ok(file)) = pid_file.map(|path| PidFile::find(&path)) {
            file.remove(own_pid);
        }
        if let Some(cgroup) = cgroup.filter(|_| self.slots.of(id).is_empty()) {
            cgroup.remove();
        }
    }
}

impl Process {
    /// Kills it, its group and its cgroup. Answers whether nothing is left; if something is, the
    /// reactor tells when it has gone.
    fn kill(&mut self, reactor: &Reactor, token: Token) -> io::Result<bool> {
        // What is gone already is what was wanted.
        let _ = sys::kill_group(self.pid, signal::KILL);
        if let Some(remains) = &self.remains {
            let _ = signal_group(remains.as_fd(), signal::KILL);
        }
        if let Some(successor) = &self.successor {
            let _ = successor.send(signal::KILL, true);
            let _ = successor.send(signal::KILL, false);
        }
        if let Some(pidfd) = self.pidfd.as_ref().filter(|_| !self.ended) {
            let _ = sys::send_signal(pidfd.as_fd(), signal::KILL);
        }
        let Some(cgroup) = &self.cgroup else {
            return Ok(true);
        };
        if !cgroup.is_populated()? {
            return Ok(true);
        }
        cgroup.kill()?;
        if self.watch.is_none() {
            let watch = cgroup.watch()?;
            reactor.add(&watch, Interest::Change, token)?;
            self.watch = Some(watch);
        }
        match &self.watch {
            Some(watch) => Ok(!watch.is_populated()?),
            None => Ok(true),
        }
    }
}
