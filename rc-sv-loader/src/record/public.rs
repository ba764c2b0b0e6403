//! The records for everybody: `SVCDIR/rc-sv/.modules/<service>`.
//!
//! They are symbolic links that are never followed: their text is the record. So each is read by one
//! system call, all of them by as many as there are services.

use super::{aside, enter, entry, failed, make, TREE};
use nix::errno::Errno;
use nix::fcntl::{readlinkat, renameat};
use nix::unistd::{symlinkat, unlinkat, UnlinkatFlags};
use rc_sv_api::{Error, Result, ServiceName};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

const DIRECTORY: &str = ".modules";

/// The directory of these records.
pub(super) struct Public {
    directory: OwnedFd,
    path: PathBuf,
}

impl Public {
    /// Opens it in the directory `tree` of all services, if it is there.
    ///
    /// # Errors
    /// It cannot be opened or trusted.
    pub(super) fn open(tree: &OwnedFd, tree_path: &Path) -> Result<Option<Public>> {
        let path = tree_path.join(DIRECTORY);
        let opened = enter(tree, tree_path, DIRECTORY)?;
        Ok(opened.map(|directory| Public { directory, path }))
    }

    /// The same, made if need be.
    ///
    /// # Errors
    /// It cannot be made or trusted.
    pub(super) fn make(tree: &OwnedFd, tree_path: &Path) -> Result<Public> {
        let path = tree_path.join(DIRECTORY);
        let directory = make(tree, tree_path, DIRECTORY, TREE.1)?;
        Ok(Public { directory, path })
    }

    /// The module of `service` and whether it only watches, if that is recorded.
    ///
    /// # Errors
    /// The record cannot be read, or is none.
    pub(super) fn read(&self, service: &ServiceName) -> Result<Option<(String, bool)>> {
        match readlinkat(&self.directory, service.as_str()) {
            Err(Errno::ENOENT) => Ok(None),
            Err(Errno::EINVAL) => Err(entry::refuse(&self.path.join(service.as_str()))),
            text => {
                let text =
                    text.map_err(|errno| failed(&self.path.join(service.as_str()), errno))?;
                let record = entry::parse(text.as_encoded_bytes());
                let refuse = || entry::refuse(&self.path.join(service.as_str()));
                record.ok_or_else(refuse).map(Some)
            }
        }
    }

    /// Records `text`, in one step.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn write(&self, service: &ServiceName, text: &str) -> Result<()> {
        let failed = |errno| failed(&self.path.join(service.as_str()), errno);
        let aside = aside();
        // Left over from a process of that number that was killed.
        let _ = unlinkat(&self.directory, aside.as_str(), UnlinkatFlags::NoRemoveDir);
        symlinkat(text, &self.directory, aside.as_str()).map_err(failed)?;
        let (from, to) = (aside.as_str(), service.as_str());
        renameat(&self.directory, from, &self.directory, to).map_err(|errno| {
            let _ = unlinkat(&self.directory, from, UnlinkatFlags::NoRemoveDir);
            failed(errno)
        })
    }

    /// Removes the record of `service`.
    ///
    /// # Errors
    /// It is still there.
    pub(super) fn remove(&self, service: &ServiceName) -> Result<()> {
        match unlinkat(
            &self.directory,
            service.as_str(),
            UnlinkatFlags::NoRemoveDir,
        ) {
            Ok(()) | Err(Errno::ENOENT) => Ok(()),
            Err(errno) => Err(failed(&self.path.join(service.as_str()), errno)),
        }
    }

    /// The services that are recorded.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub(super) fn services(&self) -> Result<Vec<ServiceName>> {
        let failed = |error: &std::io::Error| Error::io(self.path.display(), error);
        let mut services = Vec::new();
        for entry in std::fs::read_dir(&self.path).map_err(|error| failed(&error))? {
            let name = entry.map_err(|error| failed(&error))?.file_name();
            services.extend(ServiceName::new(name.as_encoded_bytes()));
        }
        services.sort();
        Ok(services)
    }
}
