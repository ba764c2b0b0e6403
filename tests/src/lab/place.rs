//! Where the Debian root, the installed tree and the lab's program are.

use std::env;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The Debian root: `RC_SV_ROOT`, else the newest `target/lab/root-*`.
///
/// # Errors
/// There is none; with the command that makes it.
pub fn root() -> Result<PathBuf, String> {
    if let Some(path) = set("RC_SV_ROOT") {
        return checked(path, "RC_SV_ROOT", "sbin/openrc-run", "make root");
    }
    let lab = workspace().join("target/lab");
    newest_root(&lab).ok_or_else(|| {
        format!(
            "no Debian root in {}: run 'make root' as root",
            lab.display()
        )
    })
}

/// The installed rc-sv tree: `RC_SV_STAGE`, else `target/lab/stage`.
///
/// # Errors
/// There is none; with the command that makes it.
pub fn stage() -> Result<PathBuf, String> {
    if let Some(path) = set("RC_SV_STAGE") {
        return checked(path, "RC_SV_STAGE", "usr", "make stage");
    }
    let path = workspace().join("target/lab/stage");
    if path.join("usr").is_dir() {
        return Ok(path);
    }
    Err(format!(
        "no installed rc-sv in {}: run 'make stage'",
        path.display()
    ))
}

/// The program `rc-sv-lab`: this one, or the one beside the test that runs, or
/// the staged one.
pub(crate) fn program() -> Result<PathBuf, String> {
    const NAME: &str = "rc-sv-lab";
    let own = env::current_exe().map_err(|error| format!("/proc/self/exe: {error}"))?;
    if own.file_name().is_some_and(|name| name == NAME) {
        return Ok(own);
    }
    // A test is target/<profile>/deps/<test>, a program target/<profile>/<name>.
    let beside = own
        .ancestors()
        .skip(1)
        .take(2)
        .map(|directory| directory.join(NAME));
    let staged = stage()
        .ok()
        .map(|stage| stage.join("usr/lib/rc-sv-tests").join(NAME));
    beside
        .chain(staged)
        .find(|path| path.is_file())
        .ok_or_else(|| format!("no {NAME} beside {}: run 'make stage'", own.display()))
}

fn workspace() -> &'static Path {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests)
}

fn set(variable: &str) -> Option<PathBuf> {
    env::var_os(variable)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}

fn checked(path: PathBuf, variable: &str, sign: &str, make: &str) -> Result<PathBuf, String> {
    if !path.join(sign).exists() {
        let path = path.display();
        return Err(format!(
            "{variable}={path}: has no {sign}: '{make}' makes the default one"
        ));
    }
    path.canonicalize()
        .map_err(|error| format!("{variable}={}: {error}", path.display()))
}

fn newest_root(lab: &Path) -> Option<PathBuf> {
    let built = |path: &Path| -> Option<SystemTime> {
        path.join(".complete").metadata().ok()?.modified().ok()
    };
    lab.read_dir()
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.file_name()
                .and_then(|name| name.to_str())
                .is_some_and(|n| n.starts_with("root-"))
        })
        .filter_map(|path| Some((built(&path)?, path)))
        .max()
        .map(|(_, path)| path)
}
