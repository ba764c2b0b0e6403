//! What the lab gets on top: the compiled C programs and this program itself.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::Result;

/// Where it is in the lab.
pub const PROGRAM: &str = "/usr/lib/rc-sv-bench/rc-sv-bench";

/// A C program, its source and its options.
const SOURCES: [(&str, &str, &[&str]); 5] = [
    (
        "stamp",
        "stamp",
        &["-static", "-nostdlib", "-fno-stack-protector"],
    ),
    ("floor", "floor", &["-static"]),
    // The library that each Rust module needs, so that the two dlopens load the same.
    ("dlopen", "dlopen", &["-Wl,--no-as-needed", "-lgcc_s"]),
    ("host", "host", &[]),
    (
        "linked",
        "host",
        &["-DLINKED", "-Wl,--no-as-needed", "-lrc_sv"],
    ),
];

/// Compiles; needs `cc`. The directory is gone when it is dropped.
pub fn make() -> Result<TempDir> {
    let tree = tempfile::tempdir().map_err(|error| format!("a directory: {error}"))?;
    let place = tree.path().join("usr/lib/rc-sv-bench");
    fs::create_dir_all(&place).map_err(|error| format!("{}: {error}", place.display()))?;
    for (name, source, options) in SOURCES {
        compile(source, options, &place.join(name))?;
    }
    let own = std::env::current_exe().map_err(|error| format!("/proc/self/exe: {error}"))?;
    fs::copy(&own, place.join("rc-sv-bench")).map_err(|error| format!("copy: {error}"))?;
    Ok(tree)
}

fn compile(name: &str, options: &[&str], to: &Path) -> Result<()> {
    let source = format!("{}/c/{name}.c", env!("CARGO_MANIFEST_DIR"));
    let stage = rc_sv_tests::lab::stage()?;
    let output = Command::new("cc")
        .args(["-O2", "-Wall", "-Wextra", "-Werror", "-o"])
        .arg(to)
        .arg("-I")
        .arg(stage.join("usr/include"))
        .arg("-L")
        .arg(stage.join("usr/lib"))
        .arg(&source)
        .args(options)
        .output()
        .map_err(|error| format!("cc: {error}: install a C compiler"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "cc {source}: {}",
        String::from_utf8_lossy(&output.stderr)
    ))
}
