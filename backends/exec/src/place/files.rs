//! The files in a directory that was checked.

use super::{check, Dir};
use nix::fcntl::{renameat, OFlag};
use nix::sys::stat::{fchmod, fstat, Mode, SFlag};
use nix::unistd::{unlinkat, UnlinkatFlags};
use rc_sv_api::{Code, Error, Result};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU32, Ordering};

/// No file that is read whole is larger.
const READ_MAX: u64 = 1024 * 1024;

impl Dir {
    /// Writes the file `name` of this directory: aside, then renamed, so that a reader sees the old
    /// or the new one.
    ///
    /// # Errors
    /// It cannot be written; then the old one is left.
    pub fn replace(&self, name: &str, mode: u32, bytes: &[u8]) -> Result<()> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let aside = format!(".{name}.{}.{count}", std::process::id());
        let written = self
            .create(&aside, mode)
            .and_then(|mut file| file.write_all(bytes))
            .and_then(|()| self.rename(&aside, name));
        written.map_err(|cause| {
            // Whatever is left of it was ours; its loss is no further failure.
            let _ = self.unlink(&aside);
            Error::io(
                format_args!("write {}", self.path.join(name).display()),
                &cause,
            )
        })
    }

    /// Writes the file `name` of this directory in place, at its beginning. For a few bytes of a
    /// length that never changes: a reader sees the old or the new ones, and no file is made anew.
    ///
    /// # Errors
    /// It cannot be written, or is not safe.
    pub fn overwrite(&self, name: &str, mode: u32, bytes: &[u8]) -> Result<()> {
        let failed = |cause| {
            Error::io(
                format_args!("write {}", self.path.join(name).display()),
                &cause,
            )
        };
        let fd = self.openat(name, OFlag::O_WRONLY | OFlag::O_CREAT, mode);
        let fd = fd.map_err(failed)?;
        let status = fstat(&fd).map_err(|errno| failed(errno.into()))?;
        check(&status, SFlag::S_IFREG, mode)?;
        File::from(fd).write_all_at(bytes, 0).map_err(failed)
    }

    /// Opens a file of this directory for reading and writing; made (0600) where it is missing.
    ///
    /// # Errors
    /// It cannot be opened, or is not safe.
    pub fn open_shared(&self, name: &str) -> Result<File> {
        let failed = |cause| {
            Error::io(
                format_args!("open {}", self.path.join(name).display()),
                &cause,
            )
        };
        let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_NONBLOCK;
        let fd = self.openat(name, flags, 0o600).map_err(failed)?;
        let status = fstat(&fd).map_err(|errno| failed(errno.into()))?;
        check(&status, SFlag::S_IFREG, 0o600)?;
        Ok(File::from(fd))
    }

    /// Removes a file of this directory. A missing one is no error.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn remove(&self, name: &str) -> Result<()> {
        match self.unlink(name) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                let path = self.path.join(name);
                Err(Error::io(format_args!("remove {}", path.display()), &cause))
            }
            _ => Ok(()),
        }
    }

    /// Makes a file of this directory, which must not be there yet, and opens it for writing.
    fn create(&self, name: &str, mode: u32) -> io::Result<File> {
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL;
        let file = File::from(self.openat(name, flags, mode)?);
        fchmod(&file, Mode::from_bits_truncate(mode))?;
        Ok(file)
    }

    /// Opens a file of this directory for reading. It must belong to root or to the caller, and
    /// nobody else may read or write it.
    ///
    /// # Errors
    /// [`Code::NotFound`] when there is none, [`Code::Permission`] when it is not safe.
    pub fn open_private(&self, name: &str) -> Result<File> {
        // A FIFO in its place must not hold the caller up.
        let fd = self
            .openat(name, OFlag::O_RDONLY | OFlag::O_NONBLOCK, 0)
            .map_err(|cause| {
                let code = match cause.raw_os_error() {
                    Some(libc::ENOENT) => Code::NotFound,
                    Some(libc::ELOOP) => Code::Permission,
                    _ => Code::Io,
                };
                Error {
                    code,
                    ..Error::io("open", &cause)
                }
            })?;
        let status = fstat(&fd).map_err(|errno| Error::io("examine", &errno.into()))?;
        check(&status, SFlag::S_IFREG, 0o600)?;
        Ok(File::from(fd))
    }

    /// All of a private file of this directory; `None` when there is none.
    ///
    /// # Errors
    /// It is not safe, or cannot be read.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        match self.open_private(name) {
            Err(error) if error.code == Code::NotFound => return Ok(None),
            file => file?.take(READ_MAX).read_to_end(&mut bytes),
        }
        .map_err(|cause| {
            Error::io(
                format_args!("read {}", self.path.join(name).display()),
                &cause,
            )
        })?;
        Ok(Some(bytes))
    }

    /// All of a file of this directory that anybody may read, at most `limit` bytes; `None` when
    /// there is none.
    ///
    /// # Errors
    /// Others than root or the caller may write to it, it is too large, or cannot be read.
    pub fn read_public(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>> {
        let path = self.path.join(name);
        let failed = |cause| Error::io(format_args!("read {}", path.display()), &cause);
        let fd = match self.openat(name, OFlag::O_RDONLY | OFlag::O_NONBLOCK, 0) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            fd => fd.map_err(failed)?,
        };
        let status = fstat(&fd).map_err(|errno| failed(errno.into()))?;
        check(&status, SFlag::S_IFREG, 0o755).map_err(|error| Error {
            message: format!("{}: {}", path.display(), error.message),
            ..error
        })?;
        let mut bytes = Vec::new();
        let read = File::from(fd).take(limit + 1).read_to_end(&mut bytes);
        read.map_err(failed)?;
        if bytes.len() as u64 > limit {
            let what = format!("{} is larger than {limit} bytes", path.display());
            return Err(Error::invalid(what));
        }
        Ok(Some(bytes))
    }

    /// Renames a file of this directory over another.
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(renameat(&self.fd, from, &self.fd, to)?)
    }

    /// Removes a file of this directory.
    fn unlink(&self, name: &str) -> io::Result<()> {
        Ok(unlinkat(&self.fd, name, UnlinkatFlags::NoRemoveDir)?)
    }
}
