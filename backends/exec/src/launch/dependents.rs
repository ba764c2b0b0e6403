//! The script that stops or starts the services that need one.

use super::logging::word;
use super::Launch;
use rc_sv_api::{Result, ServiceName};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

impl Launch {
    /// The script at `path`, which is to do this (`stop` or `start`) to those that need `service`.
    /// What it starts has nothing of this service and nothing of the caller's protection.
    ///
    /// # Errors
    /// [`rc_sv_api::Code::Invalid`]: a NUL byte is in the path.
    pub fn for_dependents(path: &Path, what: &str, service: &ServiceName) -> Result<Launch> {
        let words = [
            &b"/bin/sh"[..],
            path.as_os_str().as_bytes(),
            what.as_bytes(),
            service.as_str().as_bytes(),
        ];
        let mut launch = Launch::bare(words.map(word).into_iter().collect::<Result<_>>()?);
        launch.oom_score_adj = Some("0".into());
        Ok(launch)
    }
}
