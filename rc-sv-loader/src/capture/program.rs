//! The daemon's program as an absolute path, found as supervise-daemon finds it.

use crate::config::Variables;
use rc_sv_api::{Error, Result};
use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// `program` itself if it is absolute, or else where it is in `PATH`; below `chroot`, if there is
/// one, but as the daemon will see it.
///
/// # Errors
/// It is a relative path, or not to be found.
pub(super) fn absolute(
    program: &[u8],
    variables: &Variables,
    chroot: Option<&[u8]>,
) -> Result<Vec<u8>> {
    if program.starts_with(b"/") {
        return Ok(program.to_vec());
    }
    let shown = String::from_utf8_lossy(program);
    if program.is_empty() || program.contains(&b'/') {
        return Err(Error::invalid(format!(
            "command={shown:?}: must be an absolute path"
        )));
    }
    let top = Path::new(OsStr::from_bytes(chroot.unwrap_or(b"/")));
    let path = variables.get("PATH").unwrap_or_default();
    let directories = path
        .split(|byte| *byte == b':')
        .filter(|word| word.starts_with(b"/"));
    for directory in directories {
        let inside = Path::new(OsStr::from_bytes(directory)).join(OsStr::from_bytes(program));
        let outside: PathBuf = [top, inside.strip_prefix("/").unwrap_or(&inside)]
            .iter()
            .collect();
        if outside.is_file() {
            return Ok(inside.into_os_string().into_vec());
        }
    }
    let path = String::from_utf8_lossy(path);
    let what = format!("command={shown:?}: is nowhere in PATH={path}; give its absolute path");
    Err(Error::invalid(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_in_path() {
        let variables = Variables::new([("PATH", "relative:/nonexistent:/bin:/usr/bin")]);
        let find = |program: &str, chroot| absolute(program.as_bytes(), &variables, chroot);
        assert_eq!(find("sh", None).unwrap(), b"/bin/sh");
        assert_eq!(find("/not/there", None).unwrap(), b"/not/there");
        let chroot = Some(&b"/"[..]);
        assert_eq!(
            find("sh", chroot).unwrap(),
            b"/bin/sh",
            "the chroot is no part of it"
        );
        assert_eq!(
            find("no-such-program", None).unwrap_err().message,
            "command=\"no-such-program\": is nowhere in \
             PATH=relative:/nonexistent:/bin:/usr/bin; give its absolute path"
        );
        for relative in ["./sh", "bin/sh", ""] {
            let message = find(relative, None).unwrap_err().message;
            assert_eq!(
                message,
                format!("command={relative:?}: must be an absolute path")
            );
        }
    }
}
