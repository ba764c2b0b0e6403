//! Telling OpenRC what became of services, when nothing else is to be done.

use super::log::{Level, Log};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use rc_sv_api::{Error, Result, ServiceName};
use rc_sv_exec::openrc::{is_locked, Spawn, State};
use std::collections::BTreeMap;
use std::ffi::CString;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What OpenRC is to know of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Note {
    /// This program runs as this process, after so many respawns.
    Runs {
        program: CString,
        at: SystemTime,
        respawns: u32,
        pid: i32,
    },
    /// Nothing runs at the moment.
    Waits,
    /// It is stopped.
    Stopped,
    /// It is stopped and failed.
    Failed,
}

impl Note {
    /// Whether openrc-run would overwrite it at the end of what it is doing.
    fn is_mark(&self) -> bool {
        matches!(self, Note::Stopped | Note::Failed)
    }
}

/// OpenRC's state, and what is yet to be written to it. Of a service only the last note counts.
pub(super) struct Recorder {
    svcdir: PathBuf,
    /// The file with our pid: OpenRC takes a service for crashed when we are gone.
    pid_file: CString,
    openrc: Library,
    due: BTreeMap<ServiceName, Note>,
    /// Marks of services on which an openrc-run is working.
    held: BTreeMap<ServiceName, Note>,
    /// Tells of changes of OpenRC's locks; there while a mark is held.
    locks: Option<Inotify>,
}

/// librc is loaded when there is something to tell.
enum Library {
    NotYet,
    Absent,
    Loaded(State),
}

impl Recorder {
    pub(super) fn new(svcdir: &Path, pid_file: CString) -> Recorder {
        Recorder {
            svcdir: svcdir.to_path_buf(),
            pid_file,
            openrc: Library::NotYet,
            due: BTreeMap::new(),
            held: BTreeMap::new(),
            locks: None,
        }
    }

    /// Takes in a note.
    pub(super) fn note(&mut self, service: &ServiceName, note: Note) {
        if matches!(self.openrc, Library::NotYet) {
            self.openrc = State::open(&self.svcdir).map_or(Library::Absent, Library::Loaded);
        }
        if matches!(self.openrc, Library::Absent) {
            return;
        }
        self.held.remove(service);
        self.due.insert(service.clone(), note);
    }

    /// Whether something is to be written.
    pub(super) fn is_due(&self) -> bool {
        !self.due.is_empty()
    }

    /// Writes what is due for one service: this one, or any.
    pub(super) fn write(&mut self, service: Option<&ServiceName>, log: &mut Log) {
        let entry = match service {
            Some(service) => self.due.remove_entry(service),
            None => self.due.pop_first(),
        };
        let Some((service, note)) = entry else {
            return;
        };
        if let Err(error) = self.write_note(&service, &note) {
            log.line(Level::Warning, &format!("{service}: OpenRC: {error}"));
        }
    }

    fn write_note(&mut self, service: &ServiceName, note: &Note) -> Result<()> {
        if note.is_mark() && self.hold_back(service)? {
            self.held.insert(service.clone(), note.clone());
            return Ok(());
        }
        let Library::Loaded(openrc) = &self.openrc else {
            return Ok(());
        };
        match note {
            Note::Runs {
                program,
                at,
                respawns,
                pid,
            } => openrc.record_spawn(
                service,
                &Spawn {
                    exec: program,
                    pidfile: &self.pid_file,
                    at: *at,
                    respawns: *respawns,
                    pid: *pid,
                },
            ),
            Note::Waits => openrc.clear_child(service),
            Note::Stopped => openrc.mark_stopped(service),
            Note::Failed => openrc.mark_failed(service),
        }
    }

    /// Whether a mark has to wait for an openrc-run. The watch is there before the second look,
    /// so no end of an openrc-run is missed.
    fn hold_back(&mut self, service: &ServiceName) -> Result<bool> {
        if !is_locked(&self.svcdir, service)? {
            return Ok(false);
        }
        if self.locks.is_none() {
            self.locks = Some(
                self.watch()
                    .map_err(|cause| Error::io("watch locks", &cause))?,
            );
        }
        is_locked(&self.svcdir, service)
    }

    fn watch(&self) -> std::io::Result<Inotify> {
        let watch = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
        let ends = AddWatchFlags::IN_CLOSE | AddWatchFlags::IN_DELETE;
        watch.add_watch(&self.svcdir.join("exclusive"), ends)?;
        Ok(watch)
    }

    /// What becomes readable when a lock changes, while one matters.
    pub(super) fn locks(&self) -> Option<&Inotify> {
        self.locks.as_ref()
    }

    /// Takes in changes of locks: marks of services that are free now become due.
    pub(super) fn locks_changed(&mut self, log: &mut Log) {
        if let Some(locks) = &self.locks {
            // Which lock it was does not matter; all that are held are looked at.
            while locks.read_events().is_ok_and(|events| !events.is_empty()) {}
        }
        let names: Vec<ServiceName> = self.held.keys().cloned().collect();
        for service in names {
            match is_locked(&self.svcdir, &service) {
                Ok(true) => {}
                Ok(false) => self.due.extend(self.held.remove_entry(&service)),
                Err(error) => {
                    log.line(Level::Warning, &format!("{service}: OpenRC: {error}"));
                    self.held.remove(&service);
                }
            }
        }
    }

    /// The watch that is needed no more, to be taken out of the reactor and dropped.
    pub(super) fn finished_watch(&mut self) -> Option<Inotify> {
        let idle = self.held.is_empty() && !self.due.values().any(Note::is_mark);
        if idle {
            self.locks.take()
        } else {
            None
        }
    }
}
