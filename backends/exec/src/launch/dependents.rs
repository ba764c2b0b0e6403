//! The script that stops or starts the services that need one.

use super::logging::word;
use super::Launch;
use crate::svcdir;
use rc_sv_api::{Result, ServiceName};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// Where it notes what it has stopped, in the service's own directory.
pub const LIST: &str = "dependents";

/// How long it may take: each stop of a service has its own time-out.
pub const LIMIT: Duration = Duration::from_secs(600);

/// The script, which lies beside the programs.
const SCRIPT: &str = "rc-sv-dependents.sh";

/// The directories of programs, where nobody has said where they are.
pub const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// By these variables OpenRC finds a user's services.
pub const OF_USER: [&str; 4] = [
    "HOME",
    "XDG_RUNTIME_DIR",
    "XDG_CONFIG_HOME",
    "XDG_CACHE_HOME",
];

impl Launch {
    /// The script beside `program`, which is to start or stop those that need `service`, whose own
    /// directory is `dir`. What it starts has nothing of this service and nothing of the caller's
    /// protection; it finds the caller's `PATH` and `RC_SVCDIR`, and what OpenRC wants to know of a
    /// user.
    ///
    /// # Errors
    /// [`rc_sv_api::Code::Invalid`]: a NUL byte is in a path.
    pub fn for_dependents(
        program: &Path,
        dir: &Path,
        service: &ServiceName,
        up: bool,
    ) -> Result<Launch> {
        let script = program.with_file_name(SCRIPT);
        let words = [
            &b"/bin/sh"[..],
            script.as_os_str().as_bytes(),
            if up { b"start" } else { b"stop" },
            service.as_str().as_bytes(),
        ];
        let mut launch = Launch::bare(words.map(word).into_iter().collect::<Result<_>>()?);
        launch.oom_score_adj = Some("0".into());
        for (name, usual) in [("PATH", SEARCH_PATH), ("RC_SVCDIR", "")] {
            let value = std::env::var(name).unwrap_or(usual.into());
            launch.set_variable(name, &value)?;
        }
        let runtime_dir = std::env::var_os("XDG_RUNTIME_DIR");
        if svcdir::is_users(&svcdir::find(None), runtime_dir.as_deref()) {
            launch.set_variable("RC_SV_USER", "--user")?;
            for name in OF_USER {
                if let Ok(value) = std::env::var(name) {
                    launch.set_variable(name, &value)?;
                }
            }
        }
        launch.set_variable("RC_SV_LIST", &dir.join(LIST).to_string_lossy())?;
        Ok(launch)
    }
}
