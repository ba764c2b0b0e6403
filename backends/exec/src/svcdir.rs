//! Where OpenRC keeps its state.

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Where root's OpenRC keeps it.
const DEFAULT: &str = "/run/openrc";

/// The state directory: that of a spec, else that of the environment, else OpenRC's.
pub fn find(of_spec: Option<&[u8]>) -> PathBuf {
    choose(of_spec, env::var_os("RC_SVCDIR"))
}

/// Whether a user's services have this one: OpenRC keeps them in `XDG_RUNTIME_DIR`, which is given.
pub fn is_users(svcdir: &Path, runtime_dir: Option<&OsStr>) -> bool {
    runtime_dir.is_some_and(|dir| Path::new(dir).join("openrc") == svcdir)
}

/// An empty variable says nothing, as to the loader and to OpenRC's scripts.
fn choose(of_spec: Option<&[u8]>, of_environment: Option<OsString>) -> PathBuf {
    match of_spec {
        Some(path) => OsStr::from_bytes(path).into(),
        None => of_environment
            .filter(|path| !path.is_empty())
            .map_or_else(|| DEFAULT.into(), PathBuf::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_says_nothing() {
        let chosen = |spec, variable: Option<&str>| choose(spec, variable.map(OsString::from));
        assert_eq!(chosen(Some(b"/a"), Some("/b")), PathBuf::from("/a"));
        assert_eq!(chosen(None, Some("/b")), PathBuf::from("/b"));
        for nothing in [None, Some("")] {
            assert_eq!(chosen(None, nothing), PathBuf::from("/run/openrc"));
        }
    }

    #[test]
    fn a_users_is_in_the_directory_of_the_login() {
        let is_users = |dir: Option<&str>| {
            let svcdir = Path::new("/run/user/7/openrc");
            super::is_users(svcdir, dir.map(OsStr::new))
        };
        assert!(is_users(Some("/run/user/7")) && is_users(Some("/run/user/7/")));
        assert!(!is_users(None) && !is_users(Some("")) && !is_users(Some("/run/user/8")));
    }
}
