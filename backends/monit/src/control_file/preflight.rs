//! Having monit's program look at a control file before the daemon does: what it does not take ends
//! a monit that runs. This is the only thing that the program is ever run for.

use super::quote;
use rc_sv_api::abi::{Host, HostCommand};
use rc_sv_api::exit::Exit;
use rc_sv_api::{Code, Error, Result};
use rc_sv_exec::place::Dir;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

const MAIN: &str = "monit-check";
const CANDIDATE: &str = "monit-candidate";
/// Without one `monit -t` makes `~/.monit.id`.
const IDENTITY: &str = "monit-id";
/// What it says of an `include` that nothing matches.
const EMPTY: &str = "Include failed -- No such file";
const LIMIT: Duration = Duration::from_secs(5);

/// Checks `text` alone, in the private directory `dir`.
///
/// # Errors
/// [`Code::Invalid`] with monit's own words; else it could not be checked.
pub fn check(host: Host, program: &Path, dir: &Dir, text: &[u8]) -> Result<()> {
    check_beside(host, program, dir, text, &[])
}

/// The same together with the control files `others` and all that they include, which do not have
/// `text` yet: as the daemon would read all of it.
///
/// # Errors
/// As [`check`]; whose fault it is, is not known.
pub fn check_beside(
    host: Host,
    program: &Path,
    dir: &Dir,
    text: &[u8],
    others: &[PathBuf],
) -> Result<()> {
    let candidate = candidate(dir);
    dir.replace(CANDIDATE, 0o600, text)?;
    let included = others.iter().chain([&candidate]);
    let checked = all(host, program, dir, included);
    dir.remove(CANDIDATE)?;
    checked
}

/// Where a text is while it is checked, of which monit speaks then.
pub fn candidate(dir: &Dir) -> PathBuf {
    dir.path().join(CANDIDATE)
}

/// Checks the control files `included` together.
///
/// # Errors
/// As [`check`].
pub fn all<'a>(
    host: Host,
    program: &Path,
    dir: &Dir,
    included: impl IntoIterator<Item = &'a PathBuf>,
) -> Result<()> {
    let path = |name: &str| dir.path().join(name);
    let mut main = format!("set idfile {}\n", quoted(&path(IDENTITY))?);
    for included in included {
        main.push_str(&format!("include {}\n", quoted(included)?));
    }
    dir.replace(IDENTITY, 0o600, b"0\n")?;
    dir.replace(MAIN, 0o600, main.as_bytes())?;
    let checked = whole(host, program, &path(MAIN));
    for name in [MAIN, IDENTITY] {
        dir.remove(name)?;
    }
    checked
}

/// Checks the control file `main` with all that it includes, as the daemon would read it.
///
/// # Errors
/// As [`check`].
pub fn whole(host: Host, program: &Path, main: &Path) -> Result<()> {
    let words: [&[u8]; 4] = [
        program.as_os_str().as_bytes(),
        b"-t",
        b"-c",
        main.as_os_str().as_bytes(),
    ];
    let output = host.run(&HostCommand {
        argv: words.map(<[u8]>::to_vec).to_vec(),
        merge_stderr: true,
        timeout: Some(LIMIT),
        ..HostCommand::default()
    })?;
    if output.exit == Exit::Code(0) {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.bytes);
    let mut lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
    // That a directory is not there yet is no fault, but said first.
    let first = lines.clone().find(|line| !line.contains(EMPTY));
    let first = first.or_else(|| lines.next());
    Err(Error::new(
        Code::Invalid,
        format!(
            "monit does not take the control file: {}",
            first.unwrap_or("it says nothing")
        ),
    ))
}

fn quoted(path: &Path) -> Result<String> {
    quote::word("the path of a control file", path.as_os_str().as_bytes())
}
