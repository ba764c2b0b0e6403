//! Opening a log file as the user of a service, in the root directory of the service.

use crate::log::stream::Owner;
use nix::fcntl::{openat, openat2, AtFlags, OFlag, OpenHow, ResolveFlag, AT_FDCWD};
use nix::sys::stat::{fstatat, FileStat, Mode};
use nix::unistd::{setegid, seteuid, setgroups, Gid, Uid};
use rc_sv_api::{Error, Result};
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// Where a log file is.
pub(super) struct Place {
    root: Option<OwnedFd>,
    parent: PathBuf,
    name: OsString,
    /// The directory, while it is known.
    directory: Option<OwnedFd>,
}

impl Place {
    /// The place of `path`. From now on this process opens everything as the owner. It keeps its
    /// real user, so that the owner can neither signal it nor look into it.
    ///
    /// # Errors
    /// The root directory cannot be opened, or the user not be changed.
    pub(super) fn new(path: &Path, root: Option<&Path>, owner: &Owner) -> Result<Place> {
        let wrong = || Error::invalid(format!("{}: must name a file", path.display()));
        let (parent, name) = path.parent().zip(path.file_name()).ok_or_else(wrong)?;
        let root = root.map(|root| {
            let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
            openat(AT_FDCWD, root, flags, Mode::empty())
                .map_err(|errno| Error::io(root.display(), &errno.into()))
        });
        let place = Place {
            root: root.transpose()?,
            parent: parent.to_path_buf(),
            name: name.to_os_string(),
            directory: None,
        };
        become_owner(owner)
            .map_err(|errno| Error::io("become the service's user", &errno.into()))?;
        Ok(place)
    }

    /// Opens the file for appending; made where it is missing. A link is not followed: whoever may
    /// write to the directory could lead us anywhere.
    pub(super) fn open(&mut self) -> io::Result<File> {
        // The directory may be another one by now.
        self.directory = None;
        let flags = OFlag::O_RDWR
            | OFlag::O_APPEND
            | OFlag::O_CREAT
            | OFlag::O_NOFOLLOW
            | OFlag::O_NONBLOCK
            | OFlag::O_NOCTTY
            | OFlag::O_CLOEXEC;
        let mode = Mode::S_IRUSR | Mode::S_IWUSR;
        let name = self.name.clone();
        let file = File::from(openat(self.directory()?, name.as_os_str(), flags, mode)?);
        match file.metadata()?.is_file() {
            true => Ok(file),
            false => Err(io::Error::other("must be a regular file")),
        }
    }

    /// What is there under the file's name with `suffix`, if anything is.
    pub(super) fn look(&mut self, suffix: &str) -> io::Result<Option<FileStat>> {
        let name = self.called(suffix);
        match fstatat(
            self.directory()?,
            name.as_os_str(),
            AtFlags::AT_SYMLINK_NOFOLLOW,
        ) {
            Ok(status) => Ok(Some(status)),
            Err(nix::errno::Errno::ENOENT) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }

    pub(super) fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let (from, to) = (self.called(from), self.called(to));
        let directory = self.directory()?;
        Ok(nix::fcntl::renameat(
            directory,
            from.as_os_str(),
            directory,
            to.as_os_str(),
        )?)
    }

    pub(super) fn remove(&mut self) -> io::Result<()> {
        let name = self.name.clone();
        let flags = nix::unistd::UnlinkatFlags::NoRemoveDir;
        Ok(nix::unistd::unlinkat(
            self.directory()?,
            name.as_os_str(),
            flags,
        )?)
    }

    /// For messages.
    pub(super) fn path(&self) -> PathBuf {
        self.parent.join(&self.name)
    }

    fn called(&self, suffix: &str) -> OsString {
        let mut name = self.name.clone();
        name.push(suffix);
        name
    }

    fn directory(&mut self) -> io::Result<&OwnedFd> {
        let directory = match self.directory.take() {
            Some(directory) => directory,
            None => {
                let how =
                    OpenHow::new().flags(OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC);
                match &self.root {
                    Some(root) => openat2(
                        root,
                        &self.parent,
                        how.resolve(ResolveFlag::RESOLVE_IN_ROOT),
                    )?,
                    None => openat2(AT_FDCWD, &self.parent, how)?,
                }
            }
        };
        Ok(self.directory.insert(directory))
    }
}

fn become_owner(owner: &Owner) -> nix::Result<()> {
    if let Some(mask) = owner.umask {
        nix::sys::stat::umask(Mode::from_bits_truncate(mask));
    }
    if let Some(groups) = &owner.groups {
        let groups: Vec<Gid> = groups.iter().map(|group| Gid::from_raw(*group)).collect();
        setgroups(&groups)?;
    }
    if let Some(gid) = owner.gid {
        setegid(Gid::from_raw(gid))?;
    }
    if let Some(uid) = owner.uid {
        seteuid(Uid::from_raw(uid))?;
    }
    Ok(())
}
