//! The record of one service, for its module: a line in a file.

use super::{aside, check, enter, failed, ATTACHED, BASE, FILE, READ};
use nix::errno::Errno;
use nix::fcntl::{openat, renameat, OFlag};
use nix::sys::stat::Mode;
use nix::unistd::{unlinkat, UnlinkatFlags};
use rc_sv_api::name::is_module_name;
use rc_sv_api::{Error, Result, ServiceName};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;

/// The module that `text` names, and whether it only watches.
pub(super) fn parse(text: &[u8]) -> Option<(String, bool)> {
    let module = text.strip_suffix(ATTACHED.as_bytes()).unwrap_or(text);
    let name = std::str::from_utf8(module).ok()?;
    is_module_name(module).then(|| (name.to_string(), module != text))
}

/// What is wrong with a record whose text is none.
pub(super) fn refuse(path: &Path) -> Error {
    Error::invalid(format!("{}: holds no module's name", path.display()))
}

/// The record of `service` in the directory `tree` of all services, if there is one.
///
/// # Errors
/// It cannot be read or trusted, or is none.
pub(super) fn read(
    tree: &OwnedFd,
    tree_path: &Path,
    service: &ServiceName,
) -> Result<Option<(String, bool)>> {
    let Some(opened) = enter(tree, tree_path, service.as_str())? else {
        return Ok(None);
    };
    let path = tree_path.join(service.as_str()).join(FILE);
    let file = match openat(&opened, FILE, READ, Mode::empty()) {
        Err(Errno::ENOENT) => return Ok(None),
        file => File::from(file.map_err(|errno| failed(&path, errno))?),
    };
    check(|| path.clone(), &file)?;
    let mut text = [0; 64];
    let length = (&file)
        .read(&mut text)
        .map_err(|error| Error::io(path.display(), &error))?;
    let line = text[..length].strip_suffix(b"\n").unwrap_or_default();
    parse(line).ok_or_else(|| refuse(&path)).map(Some)
}

/// Records `text` in the directory of a service, in one step.
///
/// # Errors
/// It cannot be written.
pub(super) fn write(directory: &OwnedFd, path: &Path, text: &str) -> Result<()> {
    let path = path.join(FILE);
    let aside = aside();
    // Left over from a process of that number that was killed.
    let _ = unlinkat(directory, aside.as_str(), UnlinkatFlags::NoRemoveDir);
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | BASE;
    let mode = Mode::from_bits_truncate(0o600);
    let file = openat(directory, aside.as_str(), flags, mode);
    let mut file = File::from(file.map_err(|errno| failed(&path, errno))?);
    let written = file
        .write_all(format!("{text}\n").as_bytes())
        .map_err(|error| Error::io(path.display(), &error))
        .and_then(|()| {
            renameat(directory, aside.as_str(), directory, FILE)
                .map_err(|errno| failed(&path, errno))
        });
    if written.is_err() {
        // A file system that is full must not get fuller.
        let _ = unlinkat(directory, aside.as_str(), UnlinkatFlags::NoRemoveDir);
    }
    written
}
