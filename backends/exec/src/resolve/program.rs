//! Whether what is to be run is there.

use nix::errno::Errno;
use nix::fcntl::{open, openat2, OFlag, OpenHow, ResolveFlag};
use nix::sys::stat::{fstat, Mode, SFlag};
use rc_sv_api::{Error, Result};
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Where programs are looked for when there is no PATH (execvp(3) has the same in mind).
const PATH: &[u8] = b"/usr/sbin:/usr/bin:/sbin:/bin";

/// Checks that `program`, an absolute path as seen in `root`, is a file that somebody may execute.
/// Links are followed within `root`, as they will be. `origin` starts messages.
///
/// # Errors
/// [`rc_sv_api::Code::Invalid`] or the system's words.
pub(super) fn check(program: &[u8], root: Option<&[u8]>, origin: &str) -> Result<()> {
    let shown = String::from_utf8_lossy(program);
    if !program.starts_with(b"/") {
        return Err(Error::invalid(format!(
            "{origin}={shown:?}: must be an absolute path"
        )));
    }
    let root = root.unwrap_or(b"/");
    let place = match root {
        b"/" => String::new(),
        root => format!(" in the chroot {}", String::from_utf8_lossy(root)),
    };
    let flags = OFlag::O_PATH | OFlag::O_CLOEXEC;
    let top = open(path(root), flags | OFlag::O_DIRECTORY, Mode::empty()).map_err(|errno| {
        let root = String::from_utf8_lossy(root);
        failed(format_args!("chroot={root:?}"), errno)
    })?;
    let how = OpenHow::new()
        .flags(flags)
        .resolve(ResolveFlag::RESOLVE_IN_ROOT);
    let file = openat2(&top, path(program), how);
    let file = file.map_err(|errno| failed(format_args!("{origin}={shown:?}{place}"), errno))?;
    let mode = fstat(&file).map_err(|errno| failed(&shown, errno))?.st_mode;
    if SFlag::from_bits_truncate(mode) & SFlag::S_IFMT != SFlag::S_IFREG {
        return Err(Error::invalid(format!(
            "{origin}={shown:?}{place}: must be a file"
        )));
    }
    if mode & 0o111 == 0 {
        return Err(Error::invalid(format!(
            "{origin}={shown:?}{place}: Permission denied: must be executable"
        )));
    }
    Ok(())
}

/// The absolute path of `name`, which is one already or is in `search`, the value of PATH.
///
/// # Errors
/// [`rc_sv_api::Code::Invalid`]: it is nowhere, or a relative path.
pub(super) fn find(name: &[u8], search: Option<&[u8]>, origin: &str) -> Result<Vec<u8>> {
    if name.contains(&b'/') {
        check(name, None, origin)?;
        return Ok(name.to_vec());
    }
    let search = search.unwrap_or(PATH);
    let directories = search
        .split(|byte| *byte == b':')
        .filter(|dir| dir.starts_with(b"/"));
    let mut candidates = directories.map(|dir| [dir, b"/", name].concat());
    candidates
        .find(|candidate| check(candidate, None, origin).is_ok())
        .ok_or_else(|| {
            let (name, search) = (
                String::from_utf8_lossy(name),
                String::from_utf8_lossy(search),
            );
            Error::invalid(format!(
                "{origin}={name:?}: must be an absolute path or be in PATH={search}"
            ))
        })
}

fn failed(what: impl std::fmt::Display, errno: Errno) -> Error {
    let error = Error::io(what, &io::Error::from(errno));
    match errno {
        // Whoever wrote the setting has to act, not whoever runs the system.
        Errno::ENOENT | Errno::ENOTDIR => Error {
            code: rc_sv_api::Code::Invalid,
            ..error
        },
        _ => error,
    }
}

fn path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{symlink, PermissionsExt};

    fn message(result: Result<impl std::fmt::Debug>) -> String {
        result.unwrap_err().message
    }

    #[test]
    fn what_cannot_be_run_is_named() {
        assert_eq!(check(b"/bin/sh", None, "command"), Ok(()));
        let missing = check(b"/nowhere/x", None, "command");
        assert_eq!(
            message(missing),
            "command=\"/nowhere/x\": No such file or directory"
        );
        assert_eq!(
            message(check(b"/etc", None, "command")),
            "command=\"/etc\": must be a file"
        );
        let text = check(b"/etc/passwd", None, "command");
        assert_eq!(
            message(text),
            "command=\"/etc/passwd\": Permission denied: must be executable"
        );
        let relative = check(b"bin/x", None, "command");
        assert_eq!(
            message(relative),
            "command=\"bin/x\": must be an absolute path"
        );
    }

    #[test]
    fn links_are_followed_within_the_root() {
        let root = tempfile::tempdir().unwrap();
        let top = root.path().as_os_str().as_bytes();
        fs::create_dir(root.path().join("bin")).unwrap();
        let program = root.path().join("bin/only-inside");
        fs::write(&program, "").unwrap();
        fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        symlink("/bin/only-inside", root.path().join("link")).unwrap();
        symlink("/bin/sh", root.path().join("outside")).unwrap();
        assert_eq!(check(b"/link", Some(top), "command"), Ok(()));
        let outside = message(check(b"/outside", Some(top), "command"));
        assert!(
            outside.starts_with("command=\"/outside\" in the chroot /"),
            "{outside}"
        );
        assert!(
            outside.ends_with(": No such file or directory"),
            "{outside}"
        );
        let chroot = message(check(b"/bin/sh", Some(b"/nowhere"), "command"));
        assert_eq!(chroot, "chroot=\"/nowhere\": No such file or directory");
    }

    #[test]
    fn names_are_looked_for_in_path() {
        let search = Some(&b"relative:/nowhere:/etc:/bin"[..]);
        assert_eq!(find(b"sh", search, "hook"), Ok(b"/bin/sh".to_vec()));
        assert_eq!(find(b"/bin/sh", search, "hook"), Ok(b"/bin/sh".to_vec()));
        let nowhere = message(find(b"no-such", search, "hook"));
        assert!(nowhere.starts_with("hook=\"no-such\": must be an absolute path or be in PATH="));
        assert_eq!(
            message(find(b"./sh", search, "hook")),
            "hook=\"./sh\": must be an absolute path"
        );
        assert!(find(b"sh", None, "hook").is_ok());
    }
}
