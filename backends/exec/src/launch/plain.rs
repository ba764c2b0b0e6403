//! Programs in surroundings that owe nothing to who calls for them.

use super::Launch;
use rc_sv_api::{Error, Result};
use std::ffi::{CString, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What OpenRC has at boot.
const UMASK: u32 = 0o022;

impl Launch {
    /// Prepares a program that is no part of a service, as the caller, in `/`, with the caller's
    /// environment and the umask of a boot.
    ///
    /// # Errors
    /// [`rc_sv_api::Code::Invalid`]: it is no absolute path, or a NUL byte is in a word.
    pub fn plain(argv: &[OsString]) -> Result<Launch> {
        let is_path = argv
            .first()
            .is_some_and(|word| Path::new(word).is_absolute());
        if !is_path {
            return Err(Error::invalid("a program must be an absolute path"));
        }
        let variables = std::env::vars_os().map(|(name, value)| {
            let mut variable = name;
            variable.push("=");
            variable.push(value);
            variable
        });
        Ok(Launch {
            environment: texts(variables)?,
            umask: Some(UMASK),
            ..Launch::bare(texts(argv.iter().cloned())?)
        })
    }
}

fn texts(words: impl Iterator<Item = OsString>) -> Result<Vec<CString>> {
    words
        .map(|word| CString::new(word.as_bytes()))
        .collect::<std::result::Result<_, _>>()
        .map_err(|_| Error::invalid("a program: must be free of NUL bytes"))
}
