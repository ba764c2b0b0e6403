//! Noting for people, in the log and in OpenRC's state, what became of services.

use super::log::Level;
use super::reactor::{Interest, Kind, Token};
use super::recorder::Note;
use super::Supervisor;
use crate::core::{Id, Record};
use std::time::SystemTime;

impl Supervisor {
    /// Notes for OpenRC and for the log what became of a service.
    pub(super) fn record(&mut self, id: Id, what: Record) {
        let Some(service) = self.core.name(id).cloned() else {
            return;
        };
        if matches!(what, Record::Down | Record::GaveUp(_)) {
            self.discard(id, None);
        }
        let status = self.core.status(id, self.clock.now());
        let exit = status
            .last_exit
            .map_or_else(String::new, |exit| format!("{exit}; "));
        let (level, line, note) = match what {
            Record::Spawned { pid, restarts } => {
                let program = self.slots.program_of(id, pid);
                let note = Note::Runs {
                    revived: self.core.is_on_probation(id),
                    program: program.unwrap_or_default(),
                    at: SystemTime::now(),
                    respawns: restarts,
                    pid,
                };
                let word = if restarts == 0 {
                    "started"
                } else {
                    "respawned"
                };
                (Level::Info, format!("{word} as process {pid}"), note)
            }
            Record::Backoff => {
                let pause = status.next_restart_ms.unwrap_or(0);
                let line = format!("{exit}respawn in {pause} ms");
                (Level::Notice, line, Note::Waits)
            }
            Record::Down => {
                let detail = if status.detail.is_empty() {
                    "down"
                } else {
                    &status.detail
                };
                (Level::Info, detail.to_string(), Note::Stopped)
            }
            Record::GaveUp(reason) => (Level::Error, reason, Note::Failed),
            Record::Retried => {
                let line = "it was given up; one more try".to_string();
                (Level::Notice, line, Note::Retried)
            }
            Record::Sick(reason) => {
                return self
                    .log
                    .line(Level::Warning, &format!("{service}: {reason}"));
            }
            Record::Well => {
                return self
                    .log
                    .line(Level::Notice, &format!("{service}: healthy again"));
            }
        };
        self.log.line(level, &format!("{service}: {line}"));
        if let Note::Stopped | Note::Failed = note {
            if let (Note::Failed, Some(last)) = (&note, self.last_lines(id).lines().last()) {
                self.log
                    .line(level, &format!("{service}: its last line: {last}"));
            }
            self.let_go_of_output(id);
        }
        self.recorder.note(&service, note);
    }

    /// Waits for OpenRC's locks exactly while a mark is held back by one.
    pub(super) fn watch_locks(&mut self) {
        if let Some(watch) = self.recorder.finished_watch() {
            self.reactor.remove(&watch);
            self.watches_locks = false;
        }
        if let (Some(watch), false) = (self.recorder.locks(), self.watches_locks) {
            let added = self
                .reactor
                .add(watch, Interest::Read, Token::of(Kind::Locks));
            self.watches_locks = added.is_ok();
        }
    }
}
