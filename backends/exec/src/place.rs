//! The directories below `SVCDIR/rc-sv`.
//!
//! What lies there decides what root executes, so each step of a path is opened by the kernel
//! without following symbolic links, and what was opened is checked, not what was named.

mod files;

use crate::scarcity::is_scarcity;
use nix::dir::Dir as Listing;
use nix::errno::Errno;
use nix::fcntl::{openat2, OFlag, OpenHow, ResolveFlag};
use nix::sys::stat::{fchmod, fstat, mkdirat, FileStat, Mode, SFlag};
use nix::unistd::{geteuid, unlinkat, UnlinkatFlags};
use rc_sv_api::{Code, Error, Result, ServiceName};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// A directory that was checked: it belongs to root or to the caller, nobody else may write to
/// it, and below `SVCDIR` no symbolic link leads to it. Whoever sets `RC_SVCDIR` answers for the
/// path of `SVCDIR` itself, but not for its owner and mode: they are checked too.
#[derive(Debug)]
pub struct Dir {
    fd: OwnedFd,
    path: PathBuf,
}

const TREE: &str = "rc-sv";
const INTERNAL: &str = ".internal";
const SUPERVISORS: &str = ".supervisors";
const SERVICEDIR: &str = ".servicedir";

/// Modes of the tree and of the supervisor's directory: which services there are is no
/// secret. A service's own is closed: its environment can hold secrets.
const OPEN: u32 = 0o755;
const CLOSED: u32 = 0o700;

impl Dir {
    /// The directory of `service`, `SVCDIR/rc-sv/<service>` (0700); made where it is missing.
    ///
    /// # Errors
    /// It cannot be made, or what is there is not safe.
    pub fn make_service(svcdir: &Path, service: &ServiceName) -> Result<Dir> {
        Dir::state(svcdir)?
            .make(TREE, OPEN)?
            .make(service.as_str(), CLOSED)
    }

    /// The directory of `service`.
    ///
    /// # Errors
    /// [`Code::NotFound`] when there is none; else it is not safe.
    pub fn open_service(svcdir: &Path, service: &ServiceName) -> Result<Dir> {
        Dir::tree(svcdir)?.enter(service.as_str(), CLOSED)
    }

    /// Where the directory of `service` is, if there is one.
    pub fn path_of_service(svcdir: &Path, service: &ServiceName) -> PathBuf {
        svcdir.join(TREE).join(service.as_str())
    }

    /// The directory of the supervisor, `SVCDIR/rc-sv/.internal` (0755); made where it is missing.
    ///
    /// # Errors
    /// It cannot be made, or what is there is not safe.
    pub fn make_internal(svcdir: &Path) -> Result<Dir> {
        Dir::state(svcdir)?.make(TREE, OPEN)?.make(INTERNAL, OPEN)
    }

    /// The directory of pid files, `SVCDIR/rc-sv/.supervisors` (0711), with a file for each service
    /// that somebody else's supervisor runs; made where it is missing.
    ///
    /// # Errors
    /// It cannot be made, or what is there is not safe.
    pub fn make_supervisors(svcdir: &Path) -> Result<Dir> {
        Dir::state(svcdir)?
            .make(TREE, OPEN)?
            .make(SUPERVISORS, OPEN)
    }

    /// The directory for the service directories of `suite`, `SVCDIR/rc-sv/.servicedir/<suite>`
    /// (0700); made where it is missing.
    ///
    /// # Errors
    /// It cannot be made, or what is there is not safe.
    pub fn make_suite(svcdir: &Path, suite: &str) -> Result<Dir> {
        let tree = Dir::state(svcdir)?.make(TREE, OPEN)?;
        tree.make(SERVICEDIR, CLOSED)?.make(suite, CLOSED)
    }

    /// The directory for the service directories of `suite`.
    ///
    /// # Errors
    /// [`Code::NotFound`] when there is none; else it is not safe, or not for the caller.
    pub fn open_suite(svcdir: &Path, suite: &str) -> Result<Dir> {
        Dir::tree(svcdir)?
            .enter(SERVICEDIR, CLOSED)?
            .enter(suite, CLOSED)
    }

    /// The directory `path`, which is not below `SVCDIR`; made where it is missing, in a directory
    /// that is safe and exists.
    ///
    /// # Errors
    /// It cannot be made, or what is there is not safe.
    pub fn make_path(path: &Path, mode: u32) -> Result<Dir> {
        let (parent, name) = parts(path)?;
        Dir::state(parent)?.make(name, mode)
    }

    /// The same, as it is.
    ///
    /// # Errors
    /// [`Code::NotFound`] when there is none; else it is not safe.
    pub fn open_path(path: &Path, mode: u32) -> Result<Dir> {
        let (parent, name) = parts(path)?;
        Dir::state(parent)?.enter(name, mode)
    }

    /// The names of the services that have a directory, sorted.
    ///
    /// # Errors
    /// `SVCDIR/rc-sv` is not safe or cannot be read. It may be missing: then there are none.
    pub fn services(svcdir: &Path) -> Result<Vec<ServiceName>> {
        let tree = match Dir::tree(svcdir) {
            Err(error) if error.code == Code::NotFound => return Ok(Vec::new()),
            tree => tree?,
        };
        let mut names = Vec::new();
        for name in tree.entries()? {
            let Ok(name) = ServiceName::new(&name) else {
                continue;
            };
            match tree.enter(name.as_str(), CLOSED) {
                Ok(_) => names.push(name),
                Err(error) if is_scarcity(&error) => return Err(error),
                Err(_) => {}
            }
        }
        names.sort();
        Ok(names)
    }

    /// Removes the directory of `service` with its files. A missing one is no error.
    ///
    /// # Errors
    /// It is not safe, or cannot be removed.
    pub fn remove_service(svcdir: &Path, service: &ServiceName) -> Result<()> {
        let tree = match Dir::tree(svcdir) {
            Err(error) if error.code == Code::NotFound => return Ok(()),
            tree => tree?,
        };
        let dir = match tree.enter(service.as_str(), CLOSED) {
            Err(error) if error.code == Code::NotFound => return Ok(()),
            dir => dir?,
        };
        let failed = |cause| Error::io(format_args!("remove {}", dir.path.display()), &cause);
        for name in dir.entries()? {
            let name = Path::new(std::ffi::OsStr::from_bytes(&name));
            unlinkat(&dir.fd, name, UnlinkatFlags::NoRemoveDir)
                .map_err(|errno| failed(errno.into()))?;
        }
        unlinkat(&tree.fd, service.as_str(), UnlinkatFlags::RemoveDir)
            .map_err(|errno| failed(errno.into()))
    }

    /// Its path, for messages and for what needs a name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn tree(svcdir: &Path) -> Result<Dir> {
        Dir::state(svcdir)?.enter(TREE, OPEN)
    }

    /// `SVCDIR` itself, which OpenRC makes at boot with mode 0775 and root's group.
    fn state(svcdir: &Path) -> Result<Dir> {
        let how = OpenHow::new().flags(OFlag::O_DIRECTORY | OFlag::O_CLOEXEC);
        let fd = openat2(nix::fcntl::AT_FDCWD, svcdir, how);
        Dir::checked(fd, svcdir.to_path_buf(), 0o775)
    }

    /// A directory in this one.
    fn enter(&self, name: &str, mode: u32) -> Result<Dir> {
        let fd = self.openat(name, OFlag::O_DIRECTORY, 0);
        let fd = fd.map_err(|cause| Errno::from_raw(cause.raw_os_error().unwrap_or(0)));
        Dir::checked(fd, self.path.join(name), mode)
    }

    /// A directory in this one, made where it is missing.
    fn make(&self, name: &str, mode: u32) -> Result<Dir> {
        let wanted = Mode::from_bits_truncate(mode);
        match mkdirat(&self.fd, name, wanted) {
            Err(Errno::EEXIST) => self.enter(name, mode),
            made => {
                let path = self.path.join(name);
                let failed = |errno: Errno| {
                    Error::io(format_args!("make {}", path.display()), &errno.into())
                };
                made.map_err(failed)?;
                let dir = self.enter(name, mode)?;
                // Whatever the caller's umask took away.
                fchmod(&dir.fd, wanted).map_err(failed)?;
                Ok(dir)
            }
        }
    }

    fn checked(fd: nix::Result<OwnedFd>, path: PathBuf, mode: u32) -> Result<Dir> {
        let shown = path.display();
        let fd = fd.map_err(|errno| {
            let error = Error::io(&shown, &errno.into());
            match errno {
                Errno::ENOENT => Error {
                    code: Code::NotFound,
                    ..error
                },
                Errno::ELOOP | Errno::ENOTDIR => Error::new(
                    Code::Permission,
                    format!("{shown}: must be a directory, no link"),
                ),
                _ => error,
            }
        })?;
        let status = fstat(&fd).map_err(|errno| Error::io(&shown, &errno.into()))?;
        check(&status, SFlag::S_IFDIR, mode).map_err(|error| {
            let message = format!("{shown}: {}", error.message);
            Error { message, ..error }
        })?;
        Ok(Dir { fd, path })
    }

    fn openat(&self, name: &str, flags: OFlag, mode: u32) -> io::Result<OwnedFd> {
        let how = OpenHow::new()
            .flags(flags | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW)
            .mode(Mode::from_bits_truncate(mode))
            .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS);
        Ok(openat2(&self.fd, name, how)?)
    }

    /// The names in it, without `.` and `..`.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn entries(&self) -> Result<Vec<Vec<u8>>> {
        let failed =
            |errno: Errno| Error::io(format_args!("read {}", self.path.display()), &errno.into());
        let again = self.openat(".", OFlag::O_DIRECTORY, 0);
        let again = again.map_err(|cause| Error::io(self.path.display(), &cause))?;
        let mut listing = Listing::from_fd(again).map_err(failed)?;
        let mut names = Vec::new();
        for entry in listing.iter() {
            let name = entry.map_err(failed)?.file_name().to_bytes().to_vec();
            if name != b"." && name != b".." {
                names.push(name);
            }
        }
        Ok(names)
    }
}

impl AsFd for Dir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn parts(path: &Path) -> Result<(&Path, &str)> {
    let name = path.file_name().and_then(std::ffi::OsStr::to_str);
    match (path.parent(), name) {
        (Some(parent), Some(name)) if path.is_absolute() => Ok((parent, name)),
        _ => Err(Error::invalid(format!(
            "{}: must be an absolute path",
            path.display()
        ))),
    }
}

/// Refuses what is of another type, belongs to somebody else, or allows others more than `mode`.
/// Who is in root's group is root's choice; what `mode` lets a group write, only that one may.
fn check(status: &FileStat, kind: SFlag, mode: u32) -> Result<()> {
    let refuse = |why: String| Err(Error::new(Code::Permission, why));
    if SFlag::from_bits_truncate(status.st_mode) & SFlag::S_IFMT != kind {
        let wanted = if kind == SFlag::S_IFDIR {
            "directory"
        } else {
            "regular file"
        };
        return refuse(format!("must be a {wanted}"));
    }
    if status.st_uid != 0 && status.st_uid != geteuid().as_raw() {
        return refuse(format!(
            "belongs to user {}; must belong to root or the caller",
            status.st_uid
        ));
    }
    let mode = match status.st_gid {
        0 => mode,
        _ => mode & !0o020,
    };
    let is = status.st_mode & 0o777;
    if is & !mode != 0 {
        return refuse(format!("has mode {is:04o}; must be {mode:04o} or stricter"));
    }
    Ok(())
}

#[cfg(test)]
#[path = "place_tests.rs"]
mod tests;
