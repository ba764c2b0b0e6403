//! Beginning the supervisor when the first service needs it.

use super::Internal;
use rc_sv_api::abi::{Host, HostCommand};
use rc_sv_api::exit::Exit;
use rc_sv_api::{Backend, Code, Error, Result, Section};
use rc_sv_exec::installed;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The module's own setting with another path of the program.
const SETTING: &str = "supervisor";

/// Longer than the program itself waits for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// Whether the module's own section holds nothing but that. Before a start; a service that runs is
/// looked after whatever has been added since.
///
/// # Errors
/// [`Code::Invalid`]: it does.
pub(super) fn check_section(host: &Host) -> Result<()> {
    Section::new(Internal::NAME, &host.settings()).check(&[SETTING])
}

/// The path of the supervisor's program.
///
/// # Errors
/// [`Code::Unavailable`]: there is none; [`Code::Invalid`]: the setting is no path.
pub(super) fn program(host: &Host) -> Result<PathBuf> {
    let set = Section::new(Internal::NAME, &host.settings()).path(SETTING)?;
    let path = set.unwrap_or_else(|| installed::path(installed::SUPERVISOR).into());
    installed::check(&path, SETTING, Internal::NAME)?;
    Ok(path)
}

/// Begins the supervisor of `svcdir`. When this returns, one can be reached.
///
/// # Errors
/// None can, and why.
pub(super) fn begin(host: &Host, svcdir: &Path) -> Result<()> {
    let program = program(host)?;
    let words = [
        program.as_os_str(),
        OsStr::new("--daemon"),
        OsStr::new("--svcdir"),
        svcdir.as_os_str(),
    ];
    let output = host.run(&HostCommand {
        argv: words.iter().map(|word| word.as_bytes().to_vec()).collect(),
        input: Vec::new(),
        merge_stderr: true,
        timeout: Some(PATIENCE),
    })?;
    if output.exit == Exit::Code(0) {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.bytes);
    let why = match said.lines().last() {
        Some(line) => line.to_string(),
        None => format!("{} {}", program.display(), output.exit),
    };
    Err(Error::new(Code::NotRunning, why))
}
