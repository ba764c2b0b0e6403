//! The service directories of a suite: `SVCDIR/rc-sv/.servicedir/<suite>/<service>`.
//!
//! What is there is live: a directory that was generated, or a link to one that was written by
//! hand. State directories are on tmpfs, so nothing wears a disk out and nothing needs to be
//! synced: it does not outlive a boot, and must not.

use crate::directory::Files;
use crate::known::Known;
use crate::observed::Observed;
use crate::suite::Suite;
use crate::supervise::Supervise;
use nix::errno::Errno;
use nix::fcntl::{openat, AtFlags, OFlag};
use nix::sys::stat::{fstat, fstatat, FileStat, Mode};
use nix::unistd::read;
use rc_sv_api::{Code, Error, Result, ServiceName};
use rc_sv_exec::place::Dir;
use rc_sv_exec::run;
use rc_sv_exec::run::record::{self, Record};
use std::cell::RefCell;
use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// The service directories of a suite.
#[derive(Debug)]
pub struct Tree {
    suite: &'static Suite,
    dir: Dir,
    known: RefCell<Known>,
}

impl Tree {
    /// Those of `suite`, made where they are missing.
    ///
    /// # Errors
    /// They cannot be made, or are not safe.
    pub fn make(svcdir: &Path, suite: &'static Suite) -> Result<Tree> {
        let dir = Dir::make_suite(svcdir, suite.name)?;
        Ok(Tree::new(suite, dir))
    }

    /// Those of `suite`; `None` when it has none.
    ///
    /// # Errors
    /// They are not safe, or not for the caller.
    pub fn open(svcdir: &Path, suite: &'static Suite) -> Result<Option<Tree>> {
        match Dir::open_suite(svcdir, suite.name) {
            Err(error) if error.code == Code::NotFound => Ok(None),
            dir => Ok(Some(Tree::new(suite, dir?))),
        }
    }

    /// Whether it was not removed since it was opened.
    pub fn is_there(&self) -> bool {
        fstat(&self.dir).is_ok_and(|found| found.st_nlink > 0)
    }

    fn new(suite: &'static Suite, dir: Dir) -> Tree {
        Tree {
            suite,
            dir,
            known: RefCell::default(),
        }
    }

    /// The supervisor of `service`, or of `service/log`.
    pub fn supervise<'a>(&'a self, service: &'a str) -> Supervise<'a> {
        Supervise::new(self.suite, self.dir.as_fd(), service)
    }

    /// Whose they are.
    pub fn suite(&self) -> &'static Suite {
        self.suite
    }

    /// The directory that was written by hand and is linked as `service`, if it is.
    pub fn native(&self, service: &ServiceName) -> Option<PathBuf> {
        fs::read_link(self.path(service)).ok()
    }

    /// The path of the directory of `service`, or of the link to it.
    pub fn path(&self, service: &ServiceName) -> PathBuf {
        self.dir.path().join(service.as_str())
    }

    /// Whether `service` has a directory.
    pub fn has(&self, service: &ServiceName) -> bool {
        let has = fs::symlink_metadata(self.path(service)).is_ok();
        if !has {
            self.known.borrow_mut().forget(service);
        }
        has
    }

    /// Whether the directory of `service` has this file.
    pub fn has_file(&self, service: &ServiceName, name: &str) -> bool {
        let path = format!("{service}/{name}");
        fstatat(&self.dir, path.as_str(), AtFlags::empty()).is_ok()
    }

    /// Takes in what has changed since the last look.
    pub fn refresh(&self) {
        self.known.borrow_mut().refresh(self.suite.alive);
    }

    /// What the supervisor of `service` and `rc-sv-exec` have written, where the supervisor is there
    /// and both are known to be the same as before.
    pub fn settled(&self, service: &ServiceName) -> Option<(Observed, Record)> {
        self.known.borrow().settled(service)
    }

    /// Watches what `service` has, if it was looked at before; `false`: it is not.
    pub fn watch(&self, service: &ServiceName) -> bool {
        let path = self.path(service);
        let (supervise, own) = (path.join("supervise"), path.join(run::LINK));
        self.known.borrow_mut().watch(service, &supervise, &own)
    }

    /// What was seen of `service`, which has a supervisor, since it is watched holds until something
    /// changes.
    pub fn settle(&self, service: &ServiceName) {
        self.known.borrow_mut().settle(service);
    }

    /// Whether `service` has a supervisor.
    ///
    /// # Errors
    /// Its FIFO cannot be opened.
    pub fn supervised(&self, service: &ServiceName) -> Result<bool> {
        let open = || self.supervise(service.as_str()).supervisor();
        self.known.borrow_mut().supervised(service, open)
    }

    /// What the supervisor of `service` has written; `None` where there was none.
    ///
    /// # Errors
    /// The file cannot be read, or was not understood.
    pub fn observed(&self, service: &ServiceName) -> Result<Option<Observed>> {
        let path = format!("{service}/supervise/status");
        let Some(file) = self.stat(&path)? else {
            return Ok(None);
        };
        let read = || self.supervise(service.as_str()).observe();
        let mut known = self.known.borrow_mut();
        known.content(service, &file, |it| &mut it.observed, read)
    }

    /// What `rc-sv-exec` knows of `service`; `None` where it has not run since a person asked for
    /// it, and for a directory that was written by hand.
    ///
    /// # Errors
    /// The record cannot be read, or is none.
    pub fn record(&self, service: &ServiceName) -> Result<Option<Record>> {
        // By the link in the service directory: one step from here, and nobody else can write
        // anywhere on the way.
        let path = format!("{service}/{}/{}", run::LINK, record::NAME);
        let Some(file) = self.stat(&path)? else {
            return Ok(None);
        };
        let read = || {
            let bytes = self.read(&path);
            let bytes = bytes.map_err(|errno| Error::io(&path, &errno.into()))?;
            let parsed = bytes.map(|bytes| record::parse(&bytes).ok_or(()));
            parsed.transpose().map_err(|()| {
                let message = format!("{path}: is no record of rc-sv");
                Error::new(Code::Protocol, message)
            })
        };
        let mut known = self.known.borrow_mut();
        known.content(service, &file, |it| &mut it.record, read)
    }

    /// Whether the process of `service` with this pid lives; a zombie does not.
    ///
    /// # Errors
    /// The kernel does not say.
    pub fn lives(&self, service: &ServiceName, pid: i32) -> Result<bool> {
        self.known.borrow_mut().lives(service, pid)
    }

    /// A file, if it is there.
    fn stat(&self, path: &str) -> Result<Option<FileStat>> {
        match fstatat(&self.dir, path, AtFlags::empty()) {
            Err(Errno::ENOENT | Errno::ENOTDIR) => Ok(None),
            Err(errno) => Err(Error::io(path, &errno.into())),
            Ok(file) => Ok(Some(file)),
        }
    }

    fn read(&self, path: &str) -> nix::Result<Option<Vec<u8>>> {
        let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC;
        let file = match openat(&self.dir, path, flags, Mode::empty()) {
            Err(Errno::ENOENT | Errno::ENOTDIR) => return Ok(None),
            file => file?,
        };
        let mut bytes = Vec::new();
        let mut chunk = [0; 1024];
        loop {
            let length = read(&file, &mut chunk)?;
            bytes.extend_from_slice(&chunk[..length]);
            // A file has ended where it gives less than was asked for.
            if length < chunk.len() {
                return Ok(Some(bytes));
            }
        }
    }

    /// The services that have one, in no order.
    ///
    /// # Errors
    /// They cannot be listed.
    pub fn services(&self) -> Result<Vec<ServiceName>> {
        let names = self.dir.entries()?;
        Ok(names
            .iter()
            .filter_map(|name| ServiceName::new(name).ok())
            .collect())
    }

    /// Makes the directory of `service`: aside, then renamed, so that it is whole or not there.
    /// No supervisor may live in an older one, which is removed.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn build(&self, service: &ServiceName, files: &Files) -> Result<()> {
        self.put(service, |aside| files.write(aside))
    }

    /// Makes `service` a link to a directory that was written by hand, in the same way.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn link(&self, service: &ServiceName, native: &Path) -> Result<()> {
        self.put(service, |aside| symlink(native, aside))
    }

    fn put(&self, service: &ServiceName, make: impl FnOnce(&Path) -> io::Result<()>) -> Result<()> {
        let path = self.path(service);
        // Names of services do not begin with a dot. A call that was killed may have left it.
        let aside = self.dir.path().join(format!(".{service}.new"));
        let failed = |cause| Error::io(format_args!("make {}", path.display()), &cause);
        remove(&aside)
            .and_then(|()| remove(&path))
            .map_err(failed)?;
        let made = make(&aside).and_then(|()| fs::rename(&aside, &path));
        made.map_err(|cause| {
            // Whatever is left of it was ours; its loss is no further failure.
            let _ = remove(&aside);
            failed(cause)
        })
    }

    /// Removes the directory of `service`, or the link to it. No supervisor may live in it.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn remove(&self, service: &ServiceName) -> Result<()> {
        let path = self.path(service);
        remove(&path).map_err(|cause| Error::io(format_args!("remove {}", path.display()), &cause))
    }
}

/// Removes a directory with everything in it, or a link itself. Nothing there is no error.
fn remove(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(cause) => Err(cause),
    }
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
