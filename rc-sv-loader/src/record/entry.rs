//! One record: a line in a file.

use super::{check, enter, failed, ATTACHED, BASE, FILE, PUBLIC, READ};
use nix::errno::Errno;
use nix::fcntl::{openat, renameat, OFlag};
use nix::sys::stat::{fchmod, Mode};
use nix::unistd::{unlinkat, UnlinkatFlags};
use rc_sv_api::name::is_module_name;
use rc_sv_api::{Error, Result, ServiceName};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;

/// The record of `service` in `tree`: that for the module, or where it is not to be read, for
/// everybody.
pub(super) fn find(
    tree: &OwnedFd,
    tree_path: &Path,
    service: &ServiceName,
) -> Result<Option<(String, bool)>> {
    match read(tree, tree_path, service.as_str(), FILE) {
        Err(error) if error.os_errno == Errno::EACCES as i32 => {
            read(tree, tree_path, PUBLIC.0, service.as_str())
        }
        found => found,
    }
}

/// The record `name` in the directory `directory` of `tree`: a module, and whether it only watches.
fn read(
    tree: &OwnedFd,
    tree_path: &Path,
    directory: &str,
    name: &str,
) -> Result<Option<(String, bool)>> {
    let Some(opened) = enter(tree, tree_path, directory)? else {
        return Ok(None);
    };
    let path = || tree_path.join(directory).join(name);
    let file = match openat(&opened, name, READ, Mode::empty()) {
        Err(Errno::ENOENT) => return Ok(None),
        file => File::from(file.map_err(|errno| failed(&path(), errno))?),
    };
    check(path, &file)?;
    let mut text = [0; 64];
    let length = (&file)
        .read(&mut text)
        .map_err(|error| Error::io(path().display(), &error))?;
    let line = text[..length].strip_suffix(b"\n").unwrap_or_default();
    let module = line.strip_suffix(ATTACHED.as_bytes()).unwrap_or(line);
    match std::str::from_utf8(module)
        .ok()
        .filter(|name| is_module_name(name.as_bytes()))
    {
        Some(name) => Ok(Some((name.to_string(), module != line))),
        None => Err(Error::invalid(format!(
            "{}: holds no module's name",
            path().display()
        ))),
    }
}

/// Makes `name` in `directory` a file with this line, in one step.
pub(super) fn replace(
    directory: &OwnedFd,
    path: &Path,
    name: &str,
    mode: u32,
    line: &str,
) -> Result<()> {
    let path = path.join(name);
    let aside = format!(".{FILE}.{}", std::process::id());
    // Left over from a process of that number that was killed.
    let _ = unlinkat(directory, aside.as_str(), UnlinkatFlags::NoRemoveDir);
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | BASE;
    let mode = Mode::from_bits_truncate(mode);
    let file = openat(directory, aside.as_str(), flags, mode);
    let mut file = File::from(file.map_err(|errno| failed(&path, errno))?);
    // Whatever the caller's mask took away.
    let written = fchmod(&file, mode)
        .map_err(|errno| failed(&path, errno))
        .and_then(|()| {
            file.write_all(line.as_bytes())
                .map_err(|error| Error::io(path.display(), &error))
        })
        .and_then(|()| {
            renameat(directory, aside.as_str(), directory, name)
                .map_err(|errno| failed(&path, errno))
        });
    if written.is_err() {
        // A file system that is full must not get fuller.
        let _ = unlinkat(directory, aside.as_str(), UnlinkatFlags::NoRemoveDir);
    }
    written
}
