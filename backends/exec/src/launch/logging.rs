//! The programs through which the output of a service goes.

use super::Launch;
use rc_sv_api::{Error, Result, ServiceName, Settings};
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

impl Launch {
    /// `rc-sv-logger` at `program`, for the stream `which` of a service. Nothing of the service holds
    /// for it: no limit, no priority, no environment.
    ///
    /// # Errors
    /// [`rc_sv_api::Code::Invalid`]: a NUL byte is in a path.
    pub fn for_logger(
        program: &Path,
        svcdir: &Path,
        service: &ServiceName,
        which: &str,
    ) -> Result<Launch> {
        let words = [
            program.as_os_str().as_bytes(),
            svcdir.as_os_str().as_bytes(),
            service.as_str().as_bytes(),
            which.as_bytes(),
        ];
        Ok(Launch::bare(
            words.map(word).into_iter().collect::<Result<_>>()?,
        ))
    }

    /// Leaves these standard descriptors to a logger: their files are none of the program's.
    #[must_use]
    pub fn logged(self, descriptors: &[i32]) -> Launch {
        let left = |place, file: Option<CString>| file.filter(|_| !descriptors.contains(&place));
        Launch {
            output: left(1, self.output),
            error: left(2, self.error),
            ..self
        }
    }

    /// The command of `output_logger` or `error_logger`, which runs as the service does, but has none
    /// of its files and is in none of its cgroups of version 2.
    ///
    /// # Errors
    /// [`rc_sv_api::Code::Invalid`]: the spec is not resolved, or a value does not fit.
    pub fn for_log_program(spec: &dyn Settings, command: &[u8]) -> Result<Launch> {
        let words = [&b"/bin/sh"[..], b"-c", command];
        Ok(Launch {
            argv: words.map(word).into_iter().collect::<Result<_>>()?,
            input: None,
            output: None,
            error: None,
            ..Launch::from_settings(spec)?
        })
    }
}

pub(super) fn word(bytes: &[u8]) -> Result<CString> {
    CString::new(bytes).map_err(|_| {
        let shown = String::from_utf8_lossy(bytes);
        Error::invalid(format!("{shown:?}: must be free of NUL bytes"))
    })
}
