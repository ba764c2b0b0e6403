//! A module's own section of the host's configuration: the table `[modules.NAME]` of rc-sv.toml.
//! What stands in it and does not fit is an error, as everywhere: nothing is silently ignored.

use crate::{Error, Result, Settings};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, PathBuf};

/// The section of one module.
#[derive(Clone, Copy)]
pub struct Section<'a> {
    module: &'a str,
    settings: &'a dyn Settings,
}

impl<'a> Section<'a> {
    /// That of `module`, which are the settings of [`crate::abi::Host::settings`].
    pub fn new(module: &'a str, settings: &'a dyn Settings) -> Section<'a> {
        Section { module, settings }
    }

    /// Whether there are no others than these settings.
    ///
    /// # Errors
    /// [`crate::Code::Invalid`]: one is unknown; with those that are known.
    pub fn check(&self, known: &[&str]) -> Result<()> {
        let keys = self.settings.keys();
        match keys.into_iter().find(|key| !known.contains(key)) {
            Some(unknown) if known.is_empty() => Err(self.wrong(unknown, "is unknown; unset it")),
            Some(unknown) => {
                let what = format!("is unknown; there are {}", known.join(", "));
                Err(self.wrong(unknown, &what))
            }
            None => Ok(()),
        }
    }

    /// A text; an empty one is unset.
    ///
    /// # Errors
    /// [`crate::Code::Invalid`]: it is something else.
    pub fn text(&self, key: &str) -> Result<Option<&'a [u8]>> {
        match self.settings.text(key) {
            None if self.settings.keys().contains(&key) => Err(self.wrong(key, "must be a text")),
            text => Ok(text.filter(|text| !text.is_empty())),
        }
    }

    /// An absolute path, without `..`.
    ///
    /// # Errors
    /// [`crate::Code::Invalid`]: it is something else.
    pub fn path(&self, key: &str) -> Result<Option<PathBuf>> {
        let Some(text) = self.text(key)? else {
            return Ok(None);
        };
        let path = PathBuf::from(OsStr::from_bytes(text));
        match path.is_absolute() && !path.components().any(|part| part == Component::ParentDir) {
            true => Ok(Some(path)),
            false => Err(self.wrong(key, "must be an absolute path")),
        }
    }

    /// A complaint about a setting: what is wrong with it, or how it must be.
    pub fn wrong(&self, key: &str, what: &str) -> Error {
        Error::invalid(format!(
            "rc-sv.toml: [modules.{}] {key} {what}",
            self.module
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Spec, Value};
    use std::path::Path;

    fn spec() -> Spec {
        let mut spec = Spec::default();
        spec.put("scandir", Value::Text(b"/run/sv".to_vec()));
        spec.put("near", Value::Text(b"run/../sv".to_vec()));
        spec.put("up", Value::Text(b"/run/../sv".to_vec()));
        spec.put("count", Value::Int(3));
        spec.put("empty", Value::Text(Vec::new()));
        spec
    }

    #[test]
    fn what_is_set_is_known_or_refused() {
        let spec = spec();
        let section = Section::new("s6", spec.settings());
        let all = ["scandir", "near", "up", "count", "empty", "more"];
        assert_eq!(section.check(&all), Ok(()));
        let refused = |known: &[&str]| section.check(known).unwrap_err().message;
        assert_eq!(
            refused(&["scandir", "near", "up"]),
            "rc-sv.toml: [modules.s6] count is unknown; there are scandir, near, up"
        );
        assert!(refused(&[]).ends_with(" is unknown; unset it"));
    }

    #[test]
    fn a_value_of_another_kind_is_refused() {
        let spec = spec();
        let section = Section::new("s6", spec.settings());
        let scandir = Some(PathBuf::from(Path::new("/run/sv")));
        assert_eq!(section.path("scandir"), Ok(scandir));
        assert_eq!(section.path("unset"), Ok(None));
        assert_eq!(section.path("empty"), Ok(None));
        let refused = |key| section.path(key).unwrap_err().message;
        assert_eq!(
            refused("count"),
            "rc-sv.toml: [modules.s6] count must be a text"
        );
        for key in ["near", "up"] {
            let what = format!("rc-sv.toml: [modules.s6] {key} must be an absolute path");
            assert_eq!(refused(key), what);
        }
    }
}
