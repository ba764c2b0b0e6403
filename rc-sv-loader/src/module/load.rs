//! From a file to a checked table: the only file that opens shared objects.
#![allow(unsafe_code)]

use crate::note;
use crate::search::Found;
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use rc_sv_api::abi::constants::RC_SV_ABI;
use rc_sv_api::abi::note::Identity;
use rc_sv_api::abi::table::{self, CheckedTable};
use rc_sv_api::abi::types::rc_sv_backend;
use rc_sv_api::abi::ENTRY;
use rc_sv_api::{Code, Error, Result};
use std::fs::File;
use std::os::fd::{IntoRawFd, RawFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// The type of the entry.
pub(crate) type Entry = unsafe extern "C" fn(u32) -> *const rc_sv_backend;

/// Loads `found` and checks what it says of itself, before and after. It stays loaded for ever.
///
/// # Errors
/// What is wrong with it, with its path.
pub(super) fn load(found: Found) -> Result<CheckedTable> {
    let Found { name, path, file } = found;
    let refuse = |why: String| Error::new(Code::Abi, format!("{}: {why}", path.display()));
    let identity = note::read(&file, &name).map_err(refuse)?;
    let entry = entry(&path, file)?;
    let table = table(entry, &name).map_err(|error| refuse(error.message))?;
    compare(&identity, &table).map_err(refuse)?;
    Ok(table)
}

/// Calls the entry of the module `name` and checks its table.
///
/// # Errors
/// What is wrong with the table, without the path.
pub(crate) fn table(entry: Entry, name: &str) -> Result<CheckedTable> {
    // SAFETY: a module's entry takes the host's ABI and returns NULL or a static table, and the
    // module is never unloaded.
    unsafe { table::check(entry(RC_SV_ABI), name) }
}

/// Loads the very file that was checked, and finds its entry.
///
/// # Errors
/// It cannot be loaded or has no entry, with its path.
pub(crate) fn entry(path: &Path, file: File) -> Result<Entry> {
    /// Never unload: threads and exit handlers of the module may outlive it.
    const RTLD_NODELETE: i32 = 0x1000;
    let number = keep(file).map_err(|error| Error::io(path.display(), &error))?;
    let through = format!("/proc/self/fd/{number}");
    // SAFETY: this runs the initialisers of a file that only its trusted owner can change and
    // that says by its note that it is a module.
    let library = unsafe { Library::open(Some(&through), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) };
    let library = library.map_err(|error| {
        let reason = error
            .to_string()
            .replace(&through, &path.display().to_string());
        let proc = if Path::new("/proc/self/fd").exists() {
            ""
        } else {
            " (/proc is not mounted)"
        };
        Error::new(
            Code::Abi,
            format!("{}: cannot be loaded{proc}: {reason}", path.display()),
        )
    })?;
    // SAFETY: the ABI fixes the type behind this name.
    let entry = unsafe { library.get::<Entry>(ENTRY.as_bytes()) };
    let entry = entry
        .map(|symbol| *symbol)
        .map_err(|_| Error::new(Code::Abi, format!("{}: exports no {ENTRY}", path.display())));
    std::mem::forget(library);
    entry
}

/// Keeps the file of a module open for ever, once; its number. The dynamic linker knows objects by
/// name, and the name is the number, so that must never mean another file.
fn keep(file: File) -> std::io::Result<RawFd> {
    /// Device, inode and number of each file that was loaded. An open file keeps its inode.
    static KEPT: Mutex<Vec<(u64, u64, RawFd)>> = Mutex::new(Vec::new());
    let facts = file.metadata()?;
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let same = |it: &&(u64, u64, RawFd)| (it.0, it.1) == (facts.dev(), facts.ino());
    if let Some((_, _, number)) = kept.iter().find(same) {
        return Ok(*number);
    }
    let number = file.into_raw_fd();
    kept.push((facts.dev(), facts.ino(), number));
    Ok(number)
}

/// Whether the note told the truth about the table.
///
/// # Errors
/// The rest of a sentence about the file: what differs.
pub(crate) fn compare(
    identity: &Identity,
    table: &CheckedTable,
) -> std::result::Result<(), String> {
    let (note, table) = (
        (identity.abi, identity.caps.0),
        (table.raw.abi, table.raw.caps),
    );
    if note == table {
        return Ok(());
    }
    let text =
        |(abi, caps): (u32, u64)| format!("ABI {} and capabilities {caps:#x}", note::abi_text(abi));
    Err(format!(
        "its note says {}, its table {}",
        text(note),
        text(table)
    ))
}
