//! `upgrade`: what is installed takes the place of what runs.

use rc_sv_api::Error;
use rc_sv_loader::search::PREFIX;
use rc_sv_loader::{Failure, Loader};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The module whose supervisor can be replaced.
const MODULE: &str = "internal";

/// Its supervisor, relative to the prefix.
const PROGRAM: &str = "libexec/rc-sv/rc-sv-supervisor";

/// The setting with another path of it.
const SETTING: &str = "supervisor";

/// Becomes the supervisor's program, which takes over from the one that runs, and says so, or why
/// not. Comes back only when it cannot be executed.
pub fn run(loader: &Loader) -> Failure {
    let own = match loader.config().module(MODULE) {
        Ok(own) => own,
        Err(error) => return Failure::of(MODULE, error),
    };
    let program = match own.settings().text(SETTING) {
        Some(path) => PathBuf::from(OsStr::from_bytes(path)),
        None => Path::new(PREFIX).join(PROGRAM),
    };
    let cause = Command::new(&program).arg("--upgrade").exec();
    let what = format_args!("execute {}", program.display());
    Failure::of(MODULE, Error::io(what, &cause))
}
