//! The cgroup of an instance: `rc-sv` in the service's own cgroup (version 2).
//!
//! The service's cgroup itself will not do: openrc-run puts the runscript's shell into it, so to
//! kill everything in there during a start would be to kill the start. What the service's cgroup
//! limits holds for the cgroups in it.

pub mod limits;

use nix::errno::Errno;
use nix::fcntl::{open, OFlag};
use nix::sys::signal::{kill, Signal};
use nix::sys::stat::Mode;
use nix::sys::statfs::{statfs, CGROUP2_SUPER_MAGIC};
use nix::unistd::Pid;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// The name of the instance's cgroup in that of its service.
const NAME: &str = "rc-sv";

/// How often the members are killed one by one where the kernel cannot kill all at once (before
/// 5.14): new ones may appear meanwhile.
const ROUNDS: usize = 16;

/// The cgroup of an instance.
pub struct Cgroup {
    path: Box<Path>,
}

impl Cgroup {
    /// The instance's cgroup in `service`, the cgroup of its service.
    pub fn in_service(service: &Path) -> Cgroup {
        Cgroup {
            path: service.join(NAME).into(),
        }
    }

    /// The cgroup of `service` itself: where OpenRC has started the service, and removes it.
    pub fn of_service(service: &Path) -> Cgroup {
        Cgroup {
            path: service.into(),
        }
    }

    /// Opens it, made where it is missing, for a process to be made in it. With `afresh` it is
    /// replaced, if it is empty: since 6.14 the kernel kills whatever is made in a cgroup that was
    /// ever killed at once (kernel/cgroup/cgroup.c, `kill_seq`; seen with 6.18).
    pub fn make(&self, afresh: bool) -> io::Result<OwnedFd> {
        if afresh {
            self.remove();
        }
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW;
        match open(&*self.path, flags, Mode::empty()) {
            Err(Errno::ENOENT) => {}
            opened => return Ok(opened?),
        }
        // Both may have been removed since the service was started.
        let service = self.path.parent().unwrap_or(Path::new("/"));
        for path in [service, &self.path] {
            if !is_cgroup(path.parent().unwrap_or(path)) {
                return Err(Errno::ENOENT.into());
            }
            match fs::create_dir(path) {
                Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => return Err(cause),
                _ => {}
            }
        }
        Ok(open(&*self.path, flags, Mode::empty())?)
    }

    /// Opens that of its service, in which it is.
    ///
    /// # Errors
    /// It is not there.
    pub fn open_service(&self) -> io::Result<OwnedFd> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW;
        let service = self.path.parent().unwrap_or(Path::new("/"));
        Ok(open(service, flags, Mode::empty())?)
    }

    /// Moves this process into it.
    ///
    /// # Errors
    /// It is not there, or the kernel says no.
    pub fn join(&self) -> io::Result<()> {
        // `0` is whoever writes it.
        fs::write(self.path.join("cgroup.procs"), "0")
    }

    /// Whether a process is in it; zombies do not count. One that is gone is empty.
    pub fn is_populated(&self) -> io::Result<bool> {
        match self.watch() {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(false),
            watch => watch?.is_populated(),
        }
    }

    /// Opens what tells when it becomes empty.
    pub fn watch(&self) -> io::Result<Watch> {
        Ok(Watch(File::open(self.path.join("cgroup.events"))?))
    }

    /// Kills every process in it.
    pub fn kill(&self) -> io::Result<()> {
        match fs::write(self.path.join("cgroup.kill"), "1") {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => self.kill_each(),
            done => done,
        }
    }

    fn kill_each(&self) -> io::Result<()> {
        for _ in 0..ROUNDS {
            let mut members = String::new();
            match File::open(self.path.join("cgroup.procs")) {
                Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
                file => file?.read_to_string(&mut members)?,
            };
            let pids: Vec<i32> = members
                .lines()
                .filter_map(|line| line.parse().ok())
                .collect();
            if pids.is_empty() {
                return Ok(());
            }
            for pid in pids.into_iter().filter(|pid| *pid > 1) {
                // One that ended meanwhile is what was wanted.
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
        }
        Ok(())
    }

    /// Removes it, with the cgroups that its processes made in it. While one runs, all stay.
    pub fn remove(&self) {
        if fs::remove_dir(&self.path).is_err() && matches!(self.is_populated(), Ok(false)) {
            remove_tree(&self.path);
        }
    }

    /// Its path, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Removes a cgroup, the innermost ones first. There are no links in this file system.
fn remove_tree(path: &Path) {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let inner: Vec<PathBuf> = entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect();
    inner.iter().for_each(|path| remove_tree(path));
    // Something was begun in it meanwhile: then it stays.
    let _ = fs::remove_dir(path);
}

/// Tells when a cgroup becomes empty: its descriptor has a change to tell of then.
pub struct Watch(File);

impl Watch {
    /// Whether a process is in it. Asking makes the descriptor silent until the next change.
    pub fn is_populated(&self) -> io::Result<bool> {
        let mut text = [0u8; 256];
        match self.0.read_at(&mut text, 0) {
            Err(cause) if cause.raw_os_error() == Some(libc::ENODEV) => Ok(false),
            length => Ok(has_line(&text[..length?], b"populated 1")),
        }
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Whether `path` is a cgroup of version 2.
fn is_cgroup(path: &Path) -> bool {
    statfs(path).is_ok_and(|status| status.filesystem_type() == CGROUP2_SUPER_MAGIC)
}

fn has_line(text: &[u8], wanted: &[u8]) -> bool {
    text.split(|byte| *byte == b'\n').any(|line| line == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cgroup_that_is_gone_is_empty() {
        let gone = Cgroup::in_service(Path::new("/nonexistent"));
        assert!(!gone.is_populated().unwrap());
        gone.kill_each().unwrap();
        assert!(gone.make(true).is_err());
    }

    #[test]
    fn events_are_told_apart() {
        assert!(has_line(b"populated 1\nfrozen 0\n", b"populated 1"));
        assert!(!has_line(b"populated 0\nfrozen 1\n", b"populated 1"));
    }
}
