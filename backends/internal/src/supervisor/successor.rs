//! Main processes that are not those that were made: a daemon that goes into the background tells
//! of itself by its pid file, and one that replaces itself by `MAINPID=`.
//!
//! Such a process is nobody's child here, so its end is seen at its descriptor, and how it ended is
//! read from what is left of it.

use super::process::Process;
use super::reactor::{Interest, Kind, Token};
use super::state_file::Who;
use super::{sys, Supervisor};
use crate::core::{Event, Id, Word};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use rc_sv_api::exit::Exit;
use rc_sv_api::{Error, Result};
use rc_sv_exec::cgroup::Cgroup;
use rc_sv_exec::ear::Family;
use rc_sv_exec::instance::AsOf;
use rc_sv_exec::launch::Left;
use rc_sv_exec::pid_file::PidFile;
use rc_sv_exec::process::{open_process, signal_group};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// A main process that was not made here.
pub(super) struct Successor {
    pub who: AsOf,
    pub pidfd: OwnedFd,
}

/// A pid file that is to tell of the main process.
pub(super) struct Awaited {
    path: Box<Path>,
    changes: Inotify,
    /// How the process ended that was made: well, so that another one goes on.
    left: Option<Exit>,
}

impl Awaited {
    /// Begins to watch for the pid file `path`.
    ///
    /// # Errors
    /// Its directory cannot be watched.
    pub(super) fn new(path: &Path) -> Result<Awaited> {
        let failed =
            |cause| Error::io(format_args!("watch for pidfile {}", path.display()), &cause);
        let watch = || -> io::Result<Inotify> {
            let changes = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
            let flags = AddWatchFlags::IN_CLOSE_WRITE | AddWatchFlags::IN_MOVED_TO;
            changes.add_watch(path.parent().unwrap_or(Path::new("/")), flags)?;
            Ok(changes)
        };
        Ok(Awaited {
            path: path.into(),
            changes: watch().map_err(failed)?,
            left: None,
        })
    }
}

impl Awaited {
    /// The process that was made has ended in this way, and another one goes on.
    pub(super) fn made_left(&mut self, exit: Exit) {
        self.left = Some(exit);
    }
}

impl AsFd for Awaited {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.changes.as_fd()
    }
}

impl Successor {
    /// Sends a signal to it, or to the group that it leads.
    pub(super) fn send(&self, signal: i32, to_group: bool) -> io::Result<()> {
        if to_group && signal_group(self.pidfd.as_fd(), signal).is_ok() {
            return Ok(());
        }
        sys::send_signal(self.pidfd.as_fd(), signal)
    }
}

impl AsFd for Successor {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

impl Process {
    /// The pid of the main process.
    pub(super) fn main_pid(&self) -> i32 {
        let successor = self.successor.as_ref();
        successor.map_or(self.pid, |main| main.who.pid)
    }

    /// Who belongs to the instance.
    pub(super) fn family(&self) -> Family<'_> {
        Family {
            leader: self.pid,
            main: self.main_pid(),
            cgroup: self.cgroup.as_ref(),
        }
    }

    /// Takes away the zombie of the process that was made, because another one goes on; its number
    /// may be somebody else's from now on.
    fn forget_made(&mut self) {
        if self.ended && self.successor.is_some() {
            if let Some(pidfd) = &self.pidfd {
                // It ended, so this neither waits nor fails.
                let _ = sys::ending(pidfd.as_fd(), true);
            }
            self.pid = 0;
        }
    }

    /// How the process ended that was made, if another one is awaited in its place; that end holds
    /// from now on.
    pub(super) fn give_up_waiting(&mut self) -> Option<Exit> {
        self.awaited.as_mut()?.left.take()
    }
}

impl Supervisor {
    /// Takes in that there is something new beside a pid file.
    pub(super) fn pid_file_changed(&mut self, token: Token) {
        let Some((id, run)) = self.slots.instance_at(token) else {
            return;
        };
        if let Some(awaited) = self
            .slots
            .process(id, run)
            .and_then(|it| it.awaited.as_ref())
        {
            // What it was does not matter.
            while awaited
                .changes
                .read_events()
                .is_ok_and(|events| !events.is_empty())
            {}
        }
        self.read_pid_file(id, run);
    }

    /// The process that was made has ended. Answers whether another one goes on in its place.
    pub(super) fn goes_on(&mut self, id: Id, run: u32, exit: Exit) -> bool {
        let Some(process) = self.slots.process(id, run) else {
            return false;
        };
        if process.successor.is_some() {
            process.forget_made();
            return true;
        }
        let is_empty = process.cgroup.as_ref().map(Cgroup::is_populated);
        let Some(awaited) = process.awaited.as_mut() else {
            return false;
        };
        if exit != Exit::Code(0) || matches!(is_empty, Some(Ok(false))) {
            return false;
        }
        awaited.left = Some(exit);
        self.read_pid_file(id, run);
        true
    }

    /// Looks whether the pid file tells of a main process by now. It does so at the latest when
    /// the process that was made has ended.
    pub(super) fn read_pid_file(&mut self, id: Id, run: u32) {
        let Some(process) = self.slots.process(id, run) else {
            return;
        };
        let Some(awaited) = process.awaited.as_ref() else {
            return;
        };
        let found = PidFile::find(&awaited.path)
            .ok()
            .and_then(|file| file.read());
        let Some((pid, is_roots)) = found else {
            return;
        };
        let is_made = process.successor.is_none() && !process.ended;
        let stays = pid == process.main_pid() && (is_made || process.pidfd.is_none());
        // Without a cgroup the word of root has to do, as for start-stop-daemon.
        let is_ours = process.family().has(pid) || (is_roots && process.cgroup.is_none());
        if stays || (awaited.left.is_some() && is_ours && self.take_over(id, run, pid)) {
            self.stop_waiting(id, run);
            let word = Word::Ready;
            self.feed(Event::Said { id, run, word });
        }
    }

    /// A process says that another one is the main process now.
    pub(super) fn told_main(&mut self, id: Id, run: u32, pid: i32) {
        let Some(process) = self.slots.process(id, run) else {
            return;
        };
        if pid == process.main_pid() {
            return;
        }
        if !process.family().has(pid) || !self.take_over(id, run, pid) {
            let line = format!("MAINPID={pid}: is no process of this service");
            self.warn(id, &line);
        }
    }

    /// Makes `pid` the main process of an instance, unless it is another's, or gone.
    fn take_over(&mut self, id: Id, run: u32, pid: i32) -> bool {
        if pid <= 1 || pid == std::process::id() as i32 || self.slots.has_main(pid) {
            return false;
        }
        let Ok(pidfd) = open_process(pid) else {
            return false;
        };
        let token = Token::new(Kind::Successor, id.index(), run);
        let Some(process) = self.slots.process(id, run) else {
            return false;
        };
        // The descriptor holds the pid: who has it now had it before.
        if process.cgroup.is_some() && !process.family().has(pid) {
            return false;
        }
        if self.reactor.add(&pidfd, Interest::Read, token).is_err() {
            return false;
        }
        let boot_ms = self.clock.now().boot_ms;
        let who = AsOf::now(pid, boot_ms, pidfd.as_fd());
        let before = process
            .successor
            .replace(Box::new(Successor { who, pidfd }));
        process.forget_made();
        if let Some(before) = before {
            self.reactor.remove(&*before);
        }
        let left = Left { number: run, who };
        let state = self.slots.of(id).state.as_ref();
        if let Some(Err(cause)) = state.map(|state| state.leave(Who::Main, left)) {
            self.warn(id, &Error::io("note its process", &cause).message);
        }
        self.feed(Event::Main { id, run, pid });
        true
    }

    /// Takes in that a main process ended that was not made here.
    pub(super) fn successor_ended(&mut self, token: Token) {
        let Some((id, run)) = self.slots.instance_at(token) else {
            return;
        };
        self.hear_last_words(id, run);
        let Some(process) = self.slots.process(id, run) else {
            return;
        };
        let Some(main) = process.successor.as_ref() else {
            return;
        };
        let exit = self.afterlife.exit_of(main.who, Some(main.as_fd()));
        self.reactor.remove(main.as_fd());
        let alone = process.cgroup.as_ref().map(Cgroup::is_populated);
        let alone = process.ended && matches!(alone, Some(Ok(false)));
        self.feed(Event::Exited {
            id,
            run,
            exit,
            alone,
        });
    }

    fn stop_waiting(&mut self, id: Id, run: u32) {
        if let Some(awaited) = self.slots.process(id, run).and_then(|it| it.awaited.take()) {
            self.reactor.remove(&*awaited);
        }
    }
}
