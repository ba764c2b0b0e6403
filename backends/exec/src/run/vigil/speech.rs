//! What a program says of itself, in one line; and that another process of it is the main one.

use super::{Stage, Vigil};
use crate::ear::Family;
use crate::instance::Instance;
use crate::launch::Launch;
use crate::process;
use crate::run::record::{self, SAYS};
use crate::run::report;
use crate::sd_notify::{Message, Phase};
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
    /// As these words leave it, at this stage.
    fn after(&self, words: &Message, stage: Stage) -> Speech {
        let mut speech = self.clone();
        speech.errno = words.errno.or(self.errno);
        if let (Some(line), Stage::Starting { .. } | Stage::Up) = (&words.status, stage) {
            speech.status.clone_from(line);
        }
        match (words.phase, stage) {
            (Some(Phase::Ready), Stage::Starting { .. } | Stage::Lost { .. }) => {
                speech.errno = None;
            }
            (Some(Phase::Ready), Stage::Up) => speech.reloading = false,
            (Some(Phase::Reloading), Stage::Up) => speech.reloading = true,
            _ => {}
        }
        speech
    }

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
    /// Takes in what it said of itself.
    pub(super) fn speaks(&mut self, words: &Message) {
        let speech = self.speech.after(words, self.stage);
        if speech == self.speech {
            return;
        }
        self.speech = speech;
        self.tell_state();
    }

    /// Tells of what it does, or of a check that cannot be made; of one that is unhealthy that is
    /// told.
    pub(super) fn tell_state(&mut self) {
        let ends = matches!(self.stage, Stage::Reacting { .. } | Stage::Told);
        if !ends && self.looks.are_healthy() != Some(false) {
            let line = self.state_line();
            self.note(|record| record.say(&line));
        }
    }

    pub(super) fn state_line(&self) -> String {
        match (self.looks.blind_line(), self.speech.errno) {
            (Some(line), None) => line.into(),
            _ => self.speech.line(),
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

#[cfg(test)]
mod tests {
    use super::{Message, Phase, Speech, Stage};

    #[test]
    fn words_that_come_together_hold_together() {
        let words = |phase, status: &str| Message {
            phase: Some(phase),
            status: Some(status.into()),
            ..Message::default()
        };
        let speech = Speech::default().after(&words(Phase::Reloading, "reads"), Stage::Up);
        assert_eq!(speech.line(), "reloading: reads");
        let speech = speech.after(&words(Phase::Ready, "goes on"), Stage::Up);
        assert_eq!(speech.line(), "goes on");
    }
}
