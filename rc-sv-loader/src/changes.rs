//! What tells that services may have changed: OpenRC's state directory.
//!
//! Whoever supervises a service writes there what OpenRC has to know, at each spawn, end and
//! give-up, openrc-run marks it started and stopped, and the loader records its module. So a change
//! there is the moment to ask a module that has no events of its own. What is written is not read.

use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};
use rc_sv_api::{Code, Error, Result, ServiceName};
use std::collections::HashMap;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Directories with an entry for each service: OpenRC's marks.
const MARKS: [&str; 5] = ["started", "stopping", "starting", "inactive", "failed"];
/// Directories with a directory for each service: OpenRC's values, and our records.
const VALUES: [&str; 2] = ["options", "rc-sv"];

/// The usual reason, which EMFILE does not tell from a lack of descriptors.
const USED_UP: &str = "no more inotify instance can be had: raise fs.inotify.max_user_instances, \
                       or the limit of open files";

/// A watch on the state of one service, or of all.
pub struct Changes {
    inotify: Inotify,
    svcdir: PathBuf,
    service: Option<ServiceName>,
    directories: HashMap<WatchDescriptor, Directory>,
}

/// What a watched directory is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Directory {
    /// The state directory.
    State,
    /// One of [`MARKS`].
    Marks,
    /// One of [`VALUES`].
    Values(&'static str),
    /// That of one service in there.
    Service,
}

impl Changes {
    /// Begins to watch `service`, or all services, below the state directory `svcdir`.
    ///
    /// # Errors
    /// `svcdir` cannot be watched.
    pub fn open(svcdir: &Path, service: Option<&ServiceName>) -> Result<Changes> {
        let inotify =
            Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC).map_err(|errno| {
                match errno {
                    Errno::EMFILE => Error::new(Code::Io, USED_UP),
                    _ => failed(svcdir, errno),
                }
            })?;
        let mut changes = Changes {
            inotify,
            svcdir: svcdir.to_path_buf(),
            service: service.cloned(),
            directories: HashMap::new(),
        };
        changes
            .add(svcdir, Directory::State)
            .map_err(|errno| failed(svcdir, errno))?;
        for name in MARKS.into_iter().chain(VALUES) {
            changes.enter(&Directory::State, name.as_bytes());
        }
        Ok(changes)
    }

    /// Becomes readable when there is something to take.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }

    /// Takes what has happened, without blocking; whether a service may have changed.
    ///
    /// # Errors
    /// The watch cannot be read.
    pub fn take(&mut self) -> Result<bool> {
        let mut changed = false;
        loop {
            let events = match self.inotify.read_events() {
                Err(Errno::EAGAIN) => return Ok(changed),
                Err(Errno::EINTR) => continue,
                events => events.map_err(|errno| failed(&self.svcdir, errno))?,
            };
            for event in events {
                if event.mask.contains(AddWatchFlags::IN_IGNORED) {
                    self.directories.remove(&event.wd);
                    continue;
                }
                let name = event.name.unwrap_or_default();
                let Some(directory) = self.directories.get(&event.wd).cloned() else {
                    // Events were lost: anything may have changed.
                    changed |= event.mask.contains(AddWatchFlags::IN_Q_OVERFLOW);
                    continue;
                };
                if event.mask.contains(AddWatchFlags::IN_ISDIR) {
                    self.enter(&directory, name.as_bytes());
                }
                changed |= match directory {
                    Directory::State => false,
                    Directory::Service => true,
                    Directory::Marks | Directory::Values(_) => self.is_meant(name.as_bytes()),
                };
            }
        }
    }

    fn is_meant(&self, name: &[u8]) -> bool {
        match &self.service {
            Some(service) => service.as_str().as_bytes() == name,
            None => true,
        }
    }

    /// Watches the directory `name` in `parent` too, if it matters. It may be gone again.
    fn enter(&mut self, parent: &Directory, name: &[u8]) {
        let added = match parent {
            Directory::State if MARKS.iter().any(|it| it.as_bytes() == name) => {
                self.add(&self.svcdir.join(os(name)), Directory::Marks)
            }
            Directory::State => match VALUES.iter().find(|it| it.as_bytes() == name) {
                Some(values) => self.enter_values(values),
                None => Ok(()),
            },
            Directory::Values(values) if self.is_meant(name) => {
                let path = self.svcdir.join(values).join(os(name));
                self.add(&path, Directory::Service)
            }
            _ => Ok(()),
        };
        // One that cannot be watched tells nothing; the others still do.
        let _ = added;
    }

    fn enter_values(&mut self, values: &'static str) -> nix::Result<()> {
        let path = self.svcdir.join(values);
        self.add(&path, Directory::Values(values))?;
        for entry in std::fs::read_dir(&path).into_iter().flatten().flatten() {
            self.enter(&Directory::Values(values), entry.file_name().as_bytes());
        }
        Ok(())
    }

    fn add(&mut self, path: &Path, directory: Directory) -> nix::Result<()> {
        let flags = AddWatchFlags::IN_ONLYDIR
            | AddWatchFlags::IN_CREATE
            | AddWatchFlags::IN_DELETE
            | AddWatchFlags::IN_MOVED_FROM
            | AddWatchFlags::IN_MOVED_TO
            | AddWatchFlags::IN_CLOSE_WRITE;
        let watch = self.inotify.add_watch(path, flags)?;
        self.directories.insert(watch, directory);
        Ok(())
    }
}

fn os(name: &[u8]) -> &std::ffi::OsStr {
    std::ffi::OsStr::from_bytes(name)
}

fn failed(path: &Path, errno: Errno) -> Error {
    Error::io(format_args!("watch {}", path.display()), &errno.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_is_written_for_a_service_is_seen_and_nothing_else() {
        let svcdir = std::env::temp_dir().join(format!("rc-sv-changes-{}", std::process::id()));
        fs::create_dir_all(svcdir.join("options/foo")).unwrap();
        let foo = ServiceName::new(b"foo").unwrap();
        let mut one = Changes::open(&svcdir, Some(&foo)).unwrap();
        let mut all = Changes::open(&svcdir, None).unwrap();
        let mut seen = || (one.take().unwrap(), all.take().unwrap());
        assert_eq!(seen(), (false, false));
        fs::write(svcdir.join("options/foo/child_pid"), "1").unwrap();
        assert_eq!(seen(), (true, true));
        // Directories that come later are watched from then on.
        fs::create_dir_all(svcdir.join("options/bar")).unwrap();
        fs::create_dir_all(svcdir.join("started")).unwrap();
        assert_eq!(seen(), (false, true));
        fs::write(svcdir.join("options/bar/child_pid"), "1").unwrap();
        assert_eq!(seen(), (false, true));
        fs::write(svcdir.join("started/foo"), "").unwrap();
        assert_eq!(seen(), (true, true));
        // The module of a service is recorded, and forgotten.
        fs::create_dir_all(svcdir.join("rc-sv/foo")).unwrap();
        assert_eq!(seen(), (false, false), "rc-sv itself is nobody's");
        fs::write(svcdir.join("rc-sv/foo/module"), "s6").unwrap();
        assert_eq!(seen(), (true, true));
        fs::remove_file(svcdir.join("rc-sv/foo/module")).unwrap();
        assert_eq!(seen(), (true, true));
        fs::write(svcdir.join("softlevel"), "").unwrap();
        assert_eq!(seen(), (false, false));
        fs::remove_dir_all(&svcdir).unwrap();
    }
}
