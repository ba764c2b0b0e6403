//! Beginning the supervisor when the first service needs it.

use rc_sv_api::abi::{Host, HostCommand};
use rc_sv_api::exit::Exit;
use rc_sv_api::{Code, Error, Result, Section, Settings};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where `make install` puts things.
const PREFIX: &str = match option_env!("RC_SV_PREFIX") {
    Some(prefix) => prefix,
    None => "/usr/local",
};

/// The program, relative to [`PREFIX`].
const PROGRAM: &str = "libexec/rc-sv/rc-sv-supervisor";

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
    Section::new("internal", &host.settings()).check(&[SETTING])
}

/// The path of the supervisor's program.
///
/// # Errors
/// [`Code::Unavailable`]: there is none.
pub(super) fn program(host: &Host) -> Result<PathBuf> {
    let settings = host.settings();
    let path = match settings.text(SETTING) {
        Some(path) => PathBuf::from(OsStr::from_bytes(path)),
        None => Path::new(PREFIX).join(PROGRAM),
    };
    let is_program = std::fs::metadata(&path)
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0);
    if is_program && path.is_absolute() {
        return Ok(path);
    }
    let message = format!(
        "{}: there is no such program; install it, or set {SETTING} in [modules.internal]",
        path.display()
    );
    Err(Error::new(Code::Unavailable, message))
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
