//! Where modules are: the only file that knows directories.
//!
//! What is opened here is checked on the open file and later loaded through the same descriptor,
//! so nothing can be exchanged in between.

use crate::trust::distrust;
use nix::errno::Errno;
use nix::fcntl::{open, openat, openat2, readlinkat, OFlag, OpenHow, ResolveFlag};
use nix::sys::stat::{fstat, FileStat, Mode, SFlag};
use rc_sv_api::name::is_module_name;
use rc_sv_api::{Code, Error, Result};
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

/// The prefix under which rc-sv was built to be installed.
pub const PREFIX: &str = match option_env!("RC_SV_PREFIX") {
    Some(prefix) => prefix,
    None => "/usr/local",
};

/// Modules that an administrator installed himself.
const LOCAL: &str = "/usr/local/lib/rc-sv";

/// A module's file, open and checked for who can change it, but not for what is in it.
#[derive(Debug)]
pub struct Found {
    /// The module's name, from that of the file.
    pub name: String,
    /// Where it was found.
    pub path: PathBuf,
    /// The file.
    pub file: File,
}

/// A module's file in a list.
#[derive(Debug)]
pub struct Listed {
    /// The module's name, from that of the file.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// The file, or why it must not be used.
    pub file: Result<File>,
}

/// Directories with modules; the first one that has a module wins.
#[derive(Clone, Debug)]
pub struct Directories(Vec<PathBuf>);

impl Directories {
    /// Those of the installation, after `further` ones of the caller. A program that has more
    /// rights than its caller must not pass any (see [`is_privileged`]).
    pub fn installed(further: Vec<PathBuf>) -> Directories {
        let mut all = further;
        for path in [Path::new(PREFIX).join("lib/rc-sv"), LOCAL.into()] {
            if !all.contains(&path) {
                all.push(path);
            }
        }
        Directories(all)
    }

    /// These ones only.
    pub fn only(directories: Vec<PathBuf>) -> Directories {
        Directories(directories)
    }

    /// Finds the module `name`.
    ///
    /// # Errors
    /// The name is none, there is no such module, or the first one found must not be used.
    pub fn find(&self, name: &str) -> Result<Found> {
        if !is_module_name(name.as_bytes()) {
            let rule = "must be 1 to 32 letters, digits, dashes and underscores";
            return Err(Error::invalid(format!("module name {name:?}: {rule}")));
        }
        let file_name = format!("librc_sv_{name}.so");
        for directory in &self.0 {
            let Some(opened) = open_directory(directory)? else {
                continue;
            };
            let path = directory.join(&file_name);
            match open_beneath(&opened, &file_name) {
                Err(Errno::ENOENT) => continue,
                opened => {
                    let file = checked(&path, opened)?;
                    return Ok(Found {
                        name: name.to_string(),
                        path,
                        file,
                    });
                }
            }
        }
        Err(Error::new(Code::NotFound, self.missing()))
    }

    /// All modules, with those that must not be used, and directories that must not be used as
    /// errors.
    pub fn list(&self) -> (Vec<Listed>, Vec<Error>) {
        let (mut listed, mut errors) = (Vec::new(), Vec::new());
        for directory in &self.0 {
            match list_directory(directory) {
                Ok(found) => listed.extend(found),
                Err(error) => errors.push(error),
            }
        }
        (listed, errors)
    }

    fn missing(&self) -> String {
        let mut names: Vec<String> = self.list().0.into_iter().map(|it| it.name).collect();
        names.sort();
        names.dedup();
        let looked: Vec<String> = self
            .0
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        let looked = looked.join(" and ");
        match names.is_empty() {
            true => format!("unknown module; there is none at all in {looked}"),
            false => format!("unknown module; there are {} in {looked}", names.join(", ")),
        }
    }
}

/// Whether this process has more rights than its caller, so that the caller must not choose where
/// code comes from.
pub fn is_privileged() -> bool {
    crate::sys::is_privileged()
}

fn list_directory(directory: &Path) -> Result<Vec<Listed>> {
    let Some(opened) = open_directory(directory)? else {
        return Ok(Vec::new());
    };
    let entries = std::fs::read_dir(directory).map_err(|e| Error::io(directory.display(), &e))?;
    let mut listed = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| Error::io(directory.display(), &error))?;
        let Ok(file_name) = entry.file_name().into_string() else {
            continue;
        };
        let Some(name) = module_of(&file_name) else {
            continue;
        };
        let path = directory.join(&file_name);
        let file = checked(&path, open_beneath(&opened, &file_name));
        listed.push(Listed {
            name: name.to_string(),
            path,
            file,
        });
    }
    listed.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(listed)
}

/// `s6` of `librc_sv_s6.so`.
fn module_of(file_name: &str) -> Option<&str> {
    let name = file_name.strip_prefix("librc_sv_")?.strip_suffix(".so")?;
    is_module_name(name.as_bytes()).then_some(name)
}

/// Opens a directory of modules; `None` if there is no such directory.
fn open_directory(path: &Path) -> Result<Option<OwnedFd>> {
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let opened = match open(path, flags, Mode::empty()) {
        Err(Errno::ENOENT) => return Ok(None),
        opened => opened.map_err(|errno| Error::io(path.display(), &errno.into()))?,
    };
    check_owner(
        path,
        &fstat(&opened).map_err(|errno| Error::io(path.display(), &errno.into()))?,
    )?;
    Ok(Some(opened))
}

fn check_owner(path: &Path, facts: &FileStat) -> Result<()> {
    // The caller of a privileged program is not to be believed.
    let caller = if is_privileged() {
        0
    } else {
        nix::unistd::geteuid().as_raw()
    };
    match distrust(facts.st_uid, facts.st_mode, caller) {
        None => Ok(()),
        Some(why) => Err(Error::new(
            Code::Permission,
            format!("{}: {why}", path.display()),
        )),
    }
}

/// The open file of a module, unless it is something else or somebody else's.
fn checked(path: &Path, opened: nix::Result<OwnedFd>) -> Result<File> {
    let file = opened.map_err(|errno| match errno {
        Errno::EXDEV => {
            let what = format!(
                "{}: leads out of its directory; put the file itself there",
                path.display()
            );
            Error::new(Code::Permission, what)
        }
        Errno::ENXIO => irregular(path),
        _ => Error::io(path.display(), &errno.into()),
    })?;
    let facts = fstat(&file).map_err(|errno| Error::io(path.display(), &errno.into()))?;
    if facts.st_mode & SFlag::S_IFMT.bits() != SFlag::S_IFREG.bits() {
        return Err(irregular(path));
    }
    check_owner(path, &facts)?;
    Ok(File::from(file))
}

fn irregular(path: &Path) -> Error {
    Error::invalid(format!("{}: is no regular file", path.display()))
}

/// Opens `name` without ever leaving `directory`. A FIFO does not make it wait.
fn open_beneath(directory: &OwnedFd, name: &str) -> nix::Result<OwnedFd> {
    let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let resolve = ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_MAGICLINKS;
    match openat2(
        directory,
        name,
        OpenHow::new().flags(flags).resolve(resolve),
    ) {
        // Kernels before 5.6, and containers that forbid what they do not know.
        Err(Errno::ENOSYS | Errno::EPERM) => open_siblings(directory.as_fd(), name, flags),
        opened => opened,
    }
}

/// The same without openat2: follows only links to names in the same directory.
fn open_siblings(
    directory: std::os::fd::BorrowedFd<'_>,
    name: &str,
    flags: OFlag,
) -> nix::Result<OwnedFd> {
    const LINKS: usize = 8;
    let mut name = std::ffi::OsString::from(name);
    for _ in 0..LINKS {
        match openat(
            directory,
            name.as_os_str(),
            flags | OFlag::O_NOFOLLOW,
            Mode::empty(),
        ) {
            Err(Errno::ELOOP) => {}
            opened => return opened,
        }
        name = readlinkat(directory, name.as_os_str())?;
        if Path::new(&name).components().count() != 1 || name == ".." || name == "/" {
            return Err(Errno::EXDEV);
        }
    }
    Err(Errno::ELOOP)
}

#[cfg(test)]
mod tests;
