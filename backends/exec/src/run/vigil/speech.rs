//! What a program says of itself, in one line; and that another process of it is the main one.

use super::{Stage, Vigil};
use crate::ear::Family;
use crate::instance::Instance;
use crate::launch::Launch;
use crate::process;
use crate::run::record::{self, SAYS};
use crate::run::report;
use rc_sv_api::{Error, Result};
use std::io;
use std::os::fd::OwnedFd;

/// What it has said last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Speech {
    /// What it does.
    pub status: String,
    /// It reads its configuration again.
    pub reloading: bool,
    /// Why it fails, which is told with its end.
    pub errno: Option<i32>,
}

impl Speech {
    /// For the record.
    pub(super) fn line(&self) -> String {
        match (self.errno, self.reloading) {
            (Some(errno), _) => Error::io(SAYS, &io::Error::from_raw_os_error(errno)).message,
            (None, false) => self.status.clone(),
            (None, true) if self.status.is_empty() => "reloading".into(),
            (None, true) => format!("reloading: {}", self.status),
        }
    }
}

impl Vigil<'_> {
    /// Takes in what it said. Of one that is unhealthy that is told.
    pub(super) fn speaks(&mut self, change: impl FnOnce(&mut Speech)) {
        change(&mut self.speech);
        let ends = matches!(self.stage, Stage::Reacting { .. } | Stage::Told);
        if !ends && self.looks.are_healthy() != Some(false) {
            let line = self.speech.line();
            self.note(|record| record.say(&line));
        }
    }

    /// The processes that are listened to.
    pub(in crate::run) fn family(&self) -> Family<'_> {
        Family {
            leader: self.leader,
            main: self.pid,
            cgroup: self.cgroup.as_ref(),
        }
    }

    /// Another process is the main one from now on, if it is one of this program.
    pub(in crate::run) fn moves_to(&mut self, pid: i32) -> Option<OwnedFd> {
        if pid == self.pid {
            return None;
        }
        // The descriptor holds the number: who has it now had it before.
        let found = process::open_process(pid).ok();
        let found = found.filter(|_| self.family().has(pid) && pid as u32 != std::process::id());
        let Some(pidfd) = found else {
            self.tell(&format!("MAINPID={pid}: is no process of this service"));
            return None;
        };
        if let Err(error) = self.move_to(pid) {
            self.tell(&format!("MAINPID={pid}: {error}"));
            return None;
        }
        Some(pidfd)
    }

    fn move_to(&mut self, pid: i32) -> Result<()> {
        let instance = Instance::of(pid);
        let instance = instance.map_err(|cause| Error::io("examine the process", &cause))?;
        instance.write(&self.call.dir)?;
        self.note(|record| record.pid = Some(pid));
        self.pid = pid;
        self.looks.follow(pid);
        let record = record::read(&self.call.dir)?.unwrap_or_default();
        let launch = Launch::from_settings(self.spec)?;
        self.call
            .warn_of(report::spawned(self.call, &launch, &record));
        Ok(())
    }
}
