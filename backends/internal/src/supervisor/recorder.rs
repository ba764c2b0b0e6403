//! Telling OpenRC what became of services, when nothing else is to be done.

use super::log::{Level, Log};
use nix::sys::inotify::Inotify;
use rc_sv_api::{Error, Result, ServiceName};
use rc_sv_exec::openrc::{is_locked, watch_locks, Spawn, State};
use std::collections::BTreeMap;
use std::ffi::CString;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What OpenRC is to know of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Note {
    /// This program runs as this process, after so many respawns. `revived`: OpenRC takes it for
    /// failed, which is over.
    Runs {
        revived: bool,
        program: CString,
        at: SystemTime,
        respawns: u32,
        pid: i32,
    },
    /// Nothing runs at the moment.
    Waits,
    /// It is marked as failed, and is tried again.
    Retried,
    /// It is stopped.
    Stopped,
    /// It is stopped and failed.
    Failed,
}

impl Note {
    /// Whether openrc-run would overwrite it at the end of what it is doing.
    fn is_mark(&self) -> bool {
        matches!(
            self,
            Note::Stopped | Note::Failed | Note::Runs { revived: true, .. }
        )
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
    /// Writes down what it is told.
    #[cfg(test)]
    Noted(Vec<(ServiceName, Note)>),
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
        let openrc = match &mut self.openrc {
            Library::Loaded(openrc) => openrc,
            Library::NotYet | Library::Absent => return Ok(()),
            #[cfg(test)]
            Library::Noted(notes) => {
                notes.push((service.clone(), note.clone()));
                return Ok(());
            }
        };
        match note {
            Note::Runs {
                revived,
                program,
                at,
                respawns,
                pid,
            } => {
                let spawn = Spawn {
                    exec: program,
                    pidfile: &self.pid_file,
                    at: *at,
                    respawns: *respawns,
                    pid: *pid,
                };
                if *revived {
                    openrc.mark_started(service)?;
                }
                openrc.record_spawn(service, &spawn)
            }
            Note::Waits | Note::Retried => openrc.clear_child(service),
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
            self.locks =
                Some(watch_locks(&self.svcdir).map_err(|cause| Error::io("watch locks", &cause))?);
        }
        is_locked(&self.svcdir, service)
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

#[cfg(test)]
mod tests {
    use super::*;
    use nix::fcntl::{Flock, FlockArg};
    use nix::poll::{poll, PollFd, PollFlags};
    use std::fs::{self, File};
    use std::os::fd::AsFd;

    /// A recorder for a state directory in memory, as OpenRC's is.
    fn recorder(name: &str) -> (Recorder, PathBuf) {
        let dir = format!("/dev/shm/rc-sv-recorder-{}-{name}", std::process::id());
        fs::create_dir_all(format!("{dir}/exclusive")).unwrap();
        let mut recorder = Recorder::new(Path::new(&dir), CString::default());
        recorder.openrc = Library::Noted(Vec::new());
        (recorder, dir.into())
    }

    fn service(name: &str) -> ServiceName {
        ServiceName::new(name.as_bytes()).unwrap()
    }

    fn write_all(recorder: &mut Recorder) {
        while recorder.is_due() {
            recorder.write(None, &mut Log::new());
        }
    }

    fn noted(recorder: &Recorder) -> &[(ServiceName, Note)] {
        match &recorder.openrc {
            Library::Noted(notes) => notes,
            _ => panic!("another library"),
        }
    }

    fn lock(dir: &Path, name: &str) -> Flock<File> {
        let file = File::create(dir.join("exclusive").join(name)).unwrap();
        Flock::lock(file, FlockArg::LockExclusiveNonblock).unwrap()
    }

    #[test]
    fn the_last_note_of_a_service_counts() {
        let (mut recorder, dir) = recorder("last");
        for note in [Note::Failed, Note::Waits, Note::Stopped] {
            recorder.note(&service("foo"), note);
        }
        recorder.note(&service("bar"), Note::Waits);
        recorder.write(Some(&service("foo")), &mut Log::new());
        assert_eq!(noted(&recorder), [(service("foo"), Note::Stopped)]);
        write_all(&mut recorder);
        assert_eq!(noted(&recorder)[1..], [(service("bar"), Note::Waits)]);
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_mark_waits_for_openrc_run_and_nothing_else_does() {
        let (mut recorder, dir) = recorder("lock");
        let held = lock(&dir, "foo");
        recorder.note(&service("foo"), Note::Failed);
        recorder.note(&service("bar"), Note::Failed);
        write_all(&mut recorder);
        assert_eq!(noted(&recorder), [(service("bar"), Note::Failed)]);
        assert!(
            recorder.finished_watch().is_none(),
            "nobody would tell of the end"
        );

        drop(held);
        let locks = recorder.locks().unwrap();
        let mut fds = [PollFd::new(locks.as_fd(), PollFlags::POLLIN)];
        assert_eq!(poll(&mut fds, 30_000u16), Ok(1), "the end was missed");
        recorder.locks_changed(&mut Log::new());
        write_all(&mut recorder);
        assert_eq!(noted(&recorder)[1..], [(service("foo"), Note::Failed)]);
        assert!(recorder.finished_watch().is_some());
        assert!(recorder.locks().is_none());
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_start_meanwhile_makes_a_held_mark_void() {
        let (mut recorder, dir) = recorder("void");
        let held = lock(&dir, "foo");
        recorder.note(&service("foo"), Note::Stopped);
        write_all(&mut recorder);
        recorder.note(&service("foo"), Note::Waits);
        write_all(&mut recorder);
        drop(held);
        recorder.locks_changed(&mut Log::new());
        assert!(!recorder.is_due());
        assert_eq!(noted(&recorder), [(service("foo"), Note::Waits)]);
        fs::remove_dir_all(dir).unwrap();
    }
}
