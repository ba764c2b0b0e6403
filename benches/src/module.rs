//! What loading a module costs beside a bare dlopen of the same file.

use std::hint::black_box;

use rc_sv_api::{ServiceName, Spec};
use rc_sv_loader::note;
use rc_sv_loader::search::Directories;

use crate::contender::program;
use crate::control::{load, MODULES};
use crate::figure::{Figure, Unit};
use crate::{clock, Result};

/// The argument with which this program measures one load, in a process of its own.
pub const ARGUMENT: &str = "@load";
/// The argument with which it measures the checks before a load, in a process of its own.
pub const CHECK_ARGUMENT: &str = "@check";
/// The name of the section.
pub const SECTION: &str = "module";
/// The name of the section of sizes.
pub const SIZES: &str = "sizes";

/// What the loader does before it loads a file: directory, owner, mode, ELF, note.
pub const CHECKS: &str = "the loader's own checks";

const DLOPEN: &str = "/usr/lib/rc-sv-bench/dlopen";
const MODULE: &str = "internal";
/// Processes of each kind.
const ROUNDS: usize = 50;

/// Load, check, open, status and close, and a bare dlopen, in turn.
pub fn measure() -> Result<Vec<Figure>> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let own = own.to_str().ok_or("a strange path of our own")?.to_owned();
    let file = format!("{MODULES}/librc_sv_{MODULE}.so");
    let (mut loads, mut dlopens, mut checks) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        loads.push(number(&own, ARGUMENT)?);
        checks.push(number(&own, CHECK_ARGUMENT)?);
        dlopens.push(number(DLOPEN, &file)?);
    }
    Ok(vec![
        Figure::ns(SECTION, "bare dlopen", &dlopens),
        Figure::ns(SECTION, "load, check, open, status, close", &loads),
        Figure::ns(SECTION, CHECKS, &checks),
    ])
}

/// One measurement of [`measure`], in nanoseconds.
pub fn load_once() -> Result<u64> {
    let name = ServiceName::new(b"no-such").map_err(|error| error.to_string())?;
    let spec = Spec::of_service(&name);
    let (ns, done) = clock::time(|| -> Result<()> {
        let mut module = load(MODULE)?;
        module.status(&spec).map_err(|error| error.to_string())?;
        Ok(())
    });
    done.map(|()| ns)
}

/// One measurement of the checks, in nanoseconds. The first call also pays for the pages of the
/// code, which a load pays for in any case; so it is the second one that is measured.
pub fn check_once() -> Result<u64> {
    let check = || -> Result<()> {
        let directories = Directories::only(vec![MODULES.into()]);
        let found = directories
            .find(MODULE)
            .map_err(|error| error.to_string())?;
        black_box(note::read(&found.file, MODULE)?);
        Ok(())
    };
    check()?;
    let (ns, done) = clock::time(check);
    done.map(|()| ns)
}

/// Sizes of what is installed.
pub fn sizes() -> Result<Vec<Figure>> {
    let modules = ["internal", "s6", "runit", "daemontools", "monit"];
    let modules = modules.map(|name| format!("{MODULES}/librc_sv_{name}.so"));
    let programs = [
        "/usr/libexec/rc-sv/rc-sv-supervisor",
        "/usr/bin/rc-sv-loader",
        "/usr/lib/librc_sv.so.1",
    ];
    let all = programs.into_iter().map(str::to_owned).chain(modules);
    all.map(|path| {
        let file = std::fs::metadata(&path).map_err(|error| format!("{path}: {error}"))?;
        let name = path.rsplit('/').next().unwrap_or(&path);
        Ok(Figure::one(SIZES, name, Unit::Bytes, file.len()))
    })
    .collect()
}

fn number(path: &str, argument: &str) -> Result<u64> {
    let output = program(path)
        .arg(argument)
        .stdout(std::process::Stdio::piped())
        .output();
    let output = output.map_err(|error| format!("{path}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let said = String::from_utf8_lossy(&output.stderr);
    text.trim()
        .parse()
        .map_err(|_| format!("{path}: {}", said.trim()))
}
