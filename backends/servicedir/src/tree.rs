//! The service directories of a suite: `SVCDIR/rc-sv/.servicedir/<suite>/<service>`.
//!
//! What is there is live: a directory that was generated, or a link to one that was written by
//! hand. State directories are on tmpfs, so nothing wears a disk out and nothing needs to be
//! synced: it does not outlive a boot, and must not.

use crate::suite::Suite;
use crate::supervise::Supervise;
use rc_sv_api::{Code, Error, Result, ServiceName};
use rc_sv_exec::place::Dir;
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
}

/// What a service directory is to contain. The order is that of the files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files(Vec<(&'static str, Content)>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Content {
    Link(PathBuf),
    Text(Vec<u8>),
}

impl Files {
    /// Adds a link to a program.
    pub fn link(&mut self, name: &'static str, to: &Path) {
        self.0.push((name, Content::Link(to.to_path_buf())));
    }

    /// Adds a file.
    pub fn text(&mut self, name: &'static str, bytes: impl Into<Vec<u8>>) {
        self.0.push((name, Content::Text(bytes.into())));
    }

    fn write(&self, directory: &Path) -> io::Result<()> {
        fs::create_dir(directory)?;
        self.0.iter().try_for_each(|(name, content)| {
            let path = directory.join(name);
            match content {
                Content::Link(to) => symlink(to, path),
                Content::Text(bytes) => fs::write(path, bytes),
            }
        })
    }
}

impl Tree {
    /// Those of `suite`, made where they are missing.
    ///
    /// # Errors
    /// They cannot be made, or are not safe.
    pub fn make(svcdir: &Path, suite: &'static Suite) -> Result<Tree> {
        let dir = Dir::make_suite(svcdir, suite.name)?;
        Ok(Tree { suite, dir })
    }

    /// Those of `suite`; `None` when it has none.
    ///
    /// # Errors
    /// They are not safe, or not for the caller.
    pub fn open(svcdir: &Path, suite: &'static Suite) -> Result<Option<Tree>> {
        match Dir::open_suite(svcdir, suite.name) {
            Err(error) if error.code == Code::NotFound => Ok(None),
            dir => Ok(Some(Tree { suite, dir: dir? })),
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
        fs::symlink_metadata(self.path(service)).is_ok()
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
mod tests {
    use super::*;
    use crate::suite::S6;
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};

    fn scene() -> (tempfile::TempDir, Tree, ServiceName) {
        let temporary = tempfile::tempdir().unwrap();
        let svcdir = temporary.path().join("svcdir");
        fs::DirBuilder::new().mode(0o755).create(&svcdir).unwrap();
        assert!(Tree::open(&svcdir, &S6).unwrap().is_none());
        let tree = Tree::make(&svcdir, &S6).unwrap();
        assert!(Tree::open(&svcdir, &S6).unwrap().is_some());
        (temporary, tree, ServiceName::new(b"foo").unwrap())
    }

    #[test]
    fn a_directory_is_there_as_a_whole() {
        let (_temporary, tree, foo) = scene();
        let mut files = Files::default();
        files.link("run", Path::new("/bin/true"));
        files.text("rc-sv", "/run/x");
        tree.build(&foo, &files).unwrap();
        let path = tree.path(&foo);
        assert_eq!(
            fs::read_link(path.join("run")).unwrap(),
            Path::new("/bin/true")
        );
        assert_eq!(fs::read(path.join("rc-sv")).unwrap(), b"/run/x");
        assert_eq!(tree.services().unwrap(), std::slice::from_ref(&foo));
        // What an earlier one has left is gone.
        fs::create_dir(path.join("supervise")).unwrap();
        tree.build(&foo, &files).unwrap();
        assert!(!path.join("supervise").exists());
        assert_eq!(
            fs::metadata(path.parent().unwrap())
                .unwrap()
                .permissions()
                .mode()
                & 0o777,
            0o700
        );
        tree.remove(&foo).unwrap();
        assert!(!tree.has(&foo));
        tree.remove(&foo).unwrap();
    }

    #[test]
    fn a_build_that_fails_leaves_nothing() {
        let (_temporary, tree, foo) = scene();
        let mut files = Files::default();
        files.text("no/such/place", "");
        assert!(tree.build(&foo, &files).is_err());
        assert_eq!(
            fs::read_dir(tree.path(&foo).parent().unwrap())
                .unwrap()
                .count(),
            0
        );
    }

    #[test]
    fn a_directory_written_by_hand_is_never_touched() {
        let (temporary, tree, foo) = scene();
        let native = temporary.path().join("native");
        fs::create_dir(&native).unwrap();
        fs::write(native.join("run"), "x").unwrap();
        tree.link(&foo, &native).unwrap();
        assert_eq!(fs::read(tree.path(&foo).join("run")).unwrap(), b"x");
        tree.link(&foo, &native).unwrap();
        tree.remove(&foo).unwrap();
        assert!(!tree.has(&foo));
        assert_eq!(fs::read(native.join("run")).unwrap(), b"x");
    }
}
