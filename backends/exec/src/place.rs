//! The directories below `SVCDIR/rc-sv`.

use rc_sv_api::{Code, Error, Result, ServiceName};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// A directory that was checked: it belongs to root or to the caller, nobody else may write to
/// it, and no symbolic link leads to it.
#[derive(Debug)]
pub struct Dir {
    fd: OwnedFd,
    path: PathBuf,
}

impl Dir {
    /// The directory of `service`, `SVCDIR/rc-sv/<service>` (0700); made where it is missing.
    ///
    /// # Errors
    /// It cannot be made, or what is there is not safe.
    pub fn make_service(_svcdir: &Path, _service: &ServiceName) -> Result<Dir> {
        Err(Error::new(Code::Unsupported, "not there yet"))
    }

    /// The directory of `service`.
    ///
    /// # Errors
    /// [`Code::NotFound`] when there is none; else it is not safe.
    pub fn open_service(_svcdir: &Path, _service: &ServiceName) -> Result<Dir> {
        Err(Error::new(Code::Unsupported, "not there yet"))
    }

    /// The directory of the supervisor, `SVCDIR/rc-sv/.internal` (0711); made where it is missing.
    ///
    /// # Errors
    /// It cannot be made, or what is there is not safe.
    pub fn make_internal(_svcdir: &Path) -> Result<Dir> {
        Err(Error::new(Code::Unsupported, "not there yet"))
    }

    /// The names of the services that have a directory, sorted.
    ///
    /// # Errors
    /// `SVCDIR/rc-sv` cannot be read. It may be missing: then there are none.
    pub fn services(_svcdir: &Path) -> Result<Vec<ServiceName>> {
        Err(Error::new(Code::Unsupported, "not there yet"))
    }

    /// Removes the directory of `service` with its files. A missing one is no error.
    ///
    /// # Errors
    /// It is not safe, or cannot be removed.
    pub fn remove_service(_svcdir: &Path, _service: &ServiceName) -> Result<()> {
        Err(Error::new(Code::Unsupported, "not there yet"))
    }

    /// Its path, for messages and for what needs a name.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl AsFd for Dir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
