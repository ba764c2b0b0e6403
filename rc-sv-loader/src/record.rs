//! Which module started a service, or watches it: `SVCDIR/rc-sv/<service>/module`. The list of all
//! services, and those who may not read that, have the same in `SVCDIR/rc-sv/.modules`.
//!
//! What is recorded decides which code root runs at stop, so no symbolic link is followed, and
//! what was opened is checked, not what was named.

mod entry;
mod output;
mod public;

use crate::trust::distrust;
use nix::errno::Errno;
use nix::fcntl::{open, openat, OFlag};
use nix::sys::stat::{fchmod, fstat, mkdirat, Mode};
use nix::unistd::{geteuid, unlinkat, UnlinkatFlags};
use public::Public;
use rc_sv_api::{Code, Error, Result, ServiceName};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// The directory of all services: which there are is no secret.
const TREE: (&str, u32) = ("rc-sv", 0o755);
/// A service's directory also holds its environment, which may be secret.
const SERVICE_MODE: u32 = 0o700;
const FILE: &str = "module";
/// After the name of a module that only watches.
const ATTACHED: &str = " attached";

/// The records of one OpenRC.
#[derive(Clone, Debug)]
pub struct Records {
    svcdir: PathBuf,
}

impl Records {
    /// Those below the state directory `svcdir`.
    pub fn new(svcdir: impl Into<PathBuf>) -> Records {
        Records {
            svcdir: svcdir.into(),
        }
    }

    /// The state directory.
    pub fn svcdir(&self) -> &Path {
        &self.svcdir
    }

    /// The module that started `service`, if one did.
    ///
    /// # Errors
    /// The record cannot be read or trusted.
    pub fn read(&self, service: &ServiceName) -> Result<Option<String>> {
        Ok(self.entry(service)?.map(|(module, _)| module))
    }

    /// Whether the module that is recorded watches `service` and has not started it.
    ///
    /// # Errors
    /// As [`Records::read`].
    pub fn is_attached(&self, service: &ServiceName) -> Result<bool> {
        Ok(self.entry(service)?.is_some_and(|(_, attached)| attached))
    }

    fn entry(&self, service: &ServiceName) -> Result<Option<(String, bool)>> {
        let Some(tree) = self.tree()? else {
            return Ok(None);
        };
        let path = self.svcdir.join(TREE.0);
        match entry::read(&tree, &path, service) {
            // It is not for everybody.
            Err(error) if error.os_errno == Errno::EACCES as i32 => {
                match Public::open(&tree, &path)? {
                    Some(public) => public.read(service),
                    None => Err(error),
                }
            }
            read => read,
        }
    }

    /// Records that `module` starts `service`.
    ///
    /// # Errors
    /// A directory or the file cannot be made, or what is there cannot be trusted.
    pub fn write(&self, service: &ServiceName, module: &str) -> Result<()> {
        self.put(service, module)
    }

    /// Records that `module` watches `service`, which has started itself.
    ///
    /// # Errors
    /// As [`Records::write`].
    pub fn write_attached(&self, service: &ServiceName, module: &str) -> Result<()> {
        self.put(service, &format!("{module}{ATTACHED}"))
    }

    fn put(&self, service: &ServiceName, text: &str) -> Result<()> {
        let svcdir = self
            .open_svcdir()?
            .ok_or_else(|| failed(&self.svcdir, Errno::ENOENT))?;
        let tree = make(&svcdir, &self.svcdir, TREE.0, TREE.1)?;
        let tree_path = self.svcdir.join(TREE.0);
        let directory = make(&tree, &tree_path, service.as_str(), SERVICE_MODE)?;
        entry::write(&directory, &self.path(service), text)?;
        Public::make(&tree, &tree_path)?.write(service, text)
    }

    /// Forgets `service`; its directory goes too when nothing else is in it.
    ///
    /// # Errors
    /// The record cannot be removed.
    pub fn remove(&self, service: &ServiceName) -> Result<()> {
        let Some(tree) = self.tree()? else {
            return Ok(());
        };
        let path = self.svcdir.join(TREE.0);
        if let Some(public) = Public::open(&tree, &path)? {
            public.remove(service)?;
        }
        let Some(directory) = enter(&tree, &path, service.as_str())? else {
            return Ok(());
        };
        match unlinkat(&directory, FILE, UnlinkatFlags::NoRemoveDir) {
            Ok(()) | Err(Errno::ENOENT) => {}
            Err(errno) => return Err(failed(&self.path(service).join(FILE), errno)),
        }
        match unlinkat(&tree, service.as_str(), UnlinkatFlags::RemoveDir) {
            Ok(()) | Err(Errno::ENOENT | Errno::ENOTEMPTY | Errno::EEXIST) => Ok(()),
            Err(errno) => Err(failed(&self.path(service), errno)),
        }
    }

    /// All services that are recorded, with their modules, sorted; and records that cannot be read.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn all(&self) -> Result<Vec<(ServiceName, Result<String>)>> {
        let path = self.svcdir.join(TREE.0);
        let Some(tree) = self.tree()? else {
            return Ok(Vec::new());
        };
        let Some(public) = Public::open(&tree, &path)? else {
            return Ok(Vec::new());
        };
        let mut all = Vec::new();
        for service in public.services()? {
            if let Some(found) = public.read(&service).transpose() {
                all.push((service, found.map(|(module, _)| module)));
            }
        }
        Ok(all)
    }

    /// `SVCDIR/rc-sv/<service>`.
    pub fn path(&self, service: &ServiceName) -> PathBuf {
        self.svcdir.join(TREE.0).join(service.as_str())
    }

    /// The directory of `service`, if there is one.
    fn open(&self, service: &ServiceName) -> Result<Option<OwnedFd>> {
        match self.tree()? {
            Some(tree) => enter(&tree, &self.svcdir.join(TREE.0), service.as_str()),
            None => Ok(None),
        }
    }

    /// The directory of all services, if there is one.
    fn tree(&self) -> Result<Option<OwnedFd>> {
        match self.open_svcdir()? {
            Some(svcdir) => enter(&svcdir, &self.svcdir, TREE.0),
            None => Ok(None),
        }
    }

    /// Whoever sets `RC_SVCDIR` answers for its path, but not for its owner and mode.
    fn open_svcdir(&self) -> Result<Option<OwnedFd>> {
        match open(&self.svcdir, DIRECTORY, Mode::empty()) {
            Err(Errno::ENOENT) => Ok(None),
            opened => {
                let opened = opened.map_err(|errno| failed(&self.svcdir, errno))?;
                check(|| self.svcdir.clone(), &opened)?;
                Ok(Some(opened))
            }
        }
    }
}

const BASE: OFlag = OFlag::O_CLOEXEC.union(OFlag::O_NOFOLLOW);
/// A FIFO must not make us wait.
const READ: OFlag = BASE.union(OFlag::O_RDONLY).union(OFlag::O_NONBLOCK);
const DIRECTORY: OFlag = OFlag::O_PATH
    .union(OFlag::O_DIRECTORY)
    .union(OFlag::O_CLOEXEC);

/// The name under which this process writes a record before it has its place.
fn aside() -> String {
    format!(".{FILE}.{}", std::process::id())
}

/// The directory `name` in `parent`, if there is one.
fn enter(parent: &OwnedFd, parent_path: &Path, name: &str) -> Result<Option<OwnedFd>> {
    let path = || parent_path.join(name);
    let flags = BASE | OFlag::O_RDONLY | OFlag::O_DIRECTORY;
    match openat(parent, name, flags, Mode::empty()) {
        Err(Errno::ENOENT) => Ok(None),
        Err(Errno::EACCES) => {
            // Not to be read, but perhaps to be entered.
            let entered = openat(parent, name, DIRECTORY | OFlag::O_NOFOLLOW, Mode::empty());
            let entered = entered.map_err(|errno| failed(&path(), errno))?;
            check(path, &entered)?;
            Ok(Some(entered))
        }
        opened => {
            let opened = opened.map_err(|errno| failed(&path(), errno))?;
            check(path, &opened)?;
            Ok(Some(opened))
        }
    }
}

/// The same, made if need be.
fn make(parent: &OwnedFd, parent_path: &Path, name: &str, mode: u32) -> Result<OwnedFd> {
    let path = parent_path.join(name);
    let mode = Mode::from_bits_truncate(mode);
    let made = match mkdirat(parent, name, mode) {
        Err(Errno::EEXIST) => false,
        made => made.map(|()| true).map_err(|errno| failed(&path, errno))?,
    };
    let directory =
        enter(parent, parent_path, name)?.ok_or_else(|| failed(&path, Errno::ENOENT))?;
    if made {
        // Whatever the caller's mask took away.
        fchmod(&directory, mode).map_err(|errno| failed(&path, errno))?;
    }
    Ok(directory)
}

fn check(path: impl Fn() -> PathBuf, file: &impl AsFd) -> Result<()> {
    let fd: BorrowedFd<'_> = file.as_fd();
    let facts = fstat(fd).map_err(|errno| failed(&path(), errno))?;
    // OpenRC makes its directory with mode 0775: who is in root's group is root's choice.
    let mode = match (facts.st_gid, facts.st_mode & 0o022) {
        (0, 0o020) => facts.st_mode & !0o020,
        _ => facts.st_mode,
    };
    match distrust(facts.st_uid, mode, geteuid().as_raw()) {
        None => Ok(()),
        Some(why) => Err(Error::new(
            Code::Permission,
            format!("{}: {why}", path().display()),
        )),
    }
}

fn failed(path: &Path, errno: Errno) -> Error {
    match errno {
        Errno::ELOOP | Errno::ENOTDIR => {
            let what = format!("{}: must be a directory or file, no link", path.display());
            Error::new(Code::Permission, what)
        }
        _ => Error::io(path.display(), &errno.into()),
    }
}

#[cfg(test)]
mod tests;
