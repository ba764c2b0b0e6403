//! The variables of the process, read once.

use rc_sv_api::{Error, Result};
use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

/// Where OpenRC keeps its state unless `RC_SVCDIR` says otherwise.
const DEFAULT_SVCDIR: &str = "/run/openrc";

/// The prefix under which the drop-in exports the variables of conf.d.
pub(super) const PREFIX: &[u8] = b"RCSV_";

/// A snapshot of an environment: names and values, in its order.
#[derive(Clone, Debug, Default)]
pub struct Variables(Vec<(Vec<u8>, Vec<u8>)>);

impl Variables {
    /// Those of this process.
    pub fn of_process() -> Variables {
        let all = std::env::vars_os();
        Variables(
            all.map(|(name, value)| (name.into_vec(), value.into_vec()))
                .collect(),
        )
    }

    /// These ones.
    pub fn new<'a>(all: impl IntoIterator<Item = (&'a str, &'a str)>) -> Variables {
        Variables(
            all.into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }

    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        let found = self.0.iter().find(|(known, _)| known == name.as_bytes())?;
        Some(&found.1)
    }

    /// All names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_slice(), value.as_slice()))
    }

    /// The state directory of OpenRC.
    ///
    /// # Errors
    /// `RC_SVCDIR` is no absolute path.
    pub fn svcdir(&self) -> Result<PathBuf> {
        let path = PathBuf::from(OsStr::from_bytes(match self.get("RC_SVCDIR") {
            Some(path) if !path.is_empty() => path,
            _ => DEFAULT_SVCDIR.as_bytes(),
        }));
        if path.is_absolute() {
            Ok(path)
        } else {
            Err(Error::invalid(format!(
                "RC_SVCDIR={path:?}: must be an absolute path"
            )))
        }
    }

    /// Whether OpenRC keeps a user's services in the state directory: one below `XDG_RUNTIME_DIR`.
    pub fn is_users(&self) -> bool {
        let users = self.path("XDG_RUNTIME_DIR").map(|dir| dir.join("openrc"));
        users.is_some_and(|users| self.svcdir().is_ok_and(|svcdir| svcdir == users))
    }

    /// Where a user has what `/etc` has for the system's services; `None`: nowhere.
    pub(super) fn users_directory(&self) -> Option<PathBuf> {
        let of_home = || Some(self.path("HOME")?.join(".config"));
        let directory = self.path("XDG_CONFIG_HOME").or_else(of_home)?;
        Some(directory.join("rc"))
    }

    /// A variable that is an absolute path.
    fn path(&self, name: &str) -> Option<PathBuf> {
        let path = PathBuf::from(OsStr::from_bytes(self.get(name)?));
        path.is_absolute().then_some(path)
    }

    /// The directories of `RC_SV_PATH`.
    ///
    /// # Errors
    /// One of them is no absolute path.
    pub fn search_path(&self) -> Result<Vec<PathBuf>> {
        let raw = self.get("RC_SV_PATH").unwrap_or_default();
        let words = raw
            .split(|byte| *byte == b':')
            .filter(|word| !word.is_empty());
        let paths: Vec<PathBuf> = words.map(|word| OsStr::from_bytes(word).into()).collect();
        match paths.iter().find(|path| !path.is_absolute()) {
            Some(path) => Err(Error::invalid(format!(
                "RC_SV_PATH: {path:?} must be an absolute path"
            ))),
            None => Ok(paths),
        }
    }

    /// The runscript that is running, if it is that of `service`.
    pub fn runscript(&self, service: &str) -> Option<&[u8]> {
        let ours = self.get("RC_SVCNAME") == Some(service.as_bytes());
        self.get("RC_SERVICE")
            .filter(|path| ours && !path.is_empty())
    }

    /// A whole number; `None` where the variable is unset or empty.
    ///
    /// # Errors
    /// It is no number from `min` to `max`.
    pub fn number(&self, name: &str, min: i64, max: i64) -> Result<Option<i64>> {
        let Some(raw) = self.get(name).filter(|raw| !raw.is_empty()) else {
            return Ok(None);
        };
        let text = String::from_utf8_lossy(raw);
        match text.trim().parse() {
            Ok(number) if (min..=max).contains(&number) => Ok(Some(number)),
            _ => {
                let wanted = format!("must be a whole number from {min} to {max}");
                Err(Error::invalid(format!("{name}={text:?}: {wanted}")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_directory_has_a_default_and_is_absolute() {
        assert_eq!(
            Variables::default().svcdir().unwrap(),
            PathBuf::from("/run/openrc")
        );
        let user = Variables::new([("RC_SVCDIR", "/run/user/1000/openrc")]);
        assert_eq!(
            user.svcdir().unwrap(),
            PathBuf::from("/run/user/1000/openrc")
        );
        let error = Variables::new([("RC_SVCDIR", "run")]).svcdir().unwrap_err();
        assert_eq!(error.message, "RC_SVCDIR=\"run\": must be an absolute path");
    }

    #[test]
    fn the_search_path_is_a_list_of_absolute_paths() {
        let paths = Variables::new([("RC_SV_PATH", "/a::/b")])
            .search_path()
            .unwrap();
        assert_eq!(paths, [PathBuf::from("/a"), PathBuf::from("/b")]);
        let error = Variables::new([("RC_SV_PATH", "/a:b")])
            .search_path()
            .unwrap_err();
        assert_eq!(error.message, "RC_SV_PATH: \"b\" must be an absolute path");
    }

    #[test]
    fn the_runscript_is_that_of_the_service() {
        let variables = Variables::new([("RC_SVCNAME", "foo"), ("RC_SERVICE", "/etc/init.d/foo")]);
        assert_eq!(variables.runscript("foo"), Some(&b"/etc/init.d/foo"[..]));
        assert_eq!(variables.runscript("bar"), None);
    }

    #[test]
    fn numbers_have_a_range() {
        let variables = Variables::new([("A", "-5"), ("B", "20"), ("C", "")]);
        assert_eq!(variables.number("A", -20, 19), Ok(Some(-5)));
        assert_eq!(variables.number("C", -20, 19), Ok(None));
        let error = variables.number("B", -20, 19).unwrap_err();
        assert_eq!(
            error.message,
            "B=\"20\": must be a whole number from -20 to 19"
        );
    }
}
