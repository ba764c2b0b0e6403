//! A host's checks of a foreign table, in a fixed order, each with its own message.
#![allow(unsafe_code)]

use super::constants::{RC_SV_ABI_MAJOR, RC_SV_MAGIC};
use super::foreign::copy_known;
use super::types::{rc_sv_backend, rc_sv_error, rc_sv_status};
use super::{layout, sizes};
use crate::error::{Code, Error, Result};
use std::ffi::c_char;
use std::mem::{align_of, size_of};

/// No table of major 1 will ever be longer.
const LARGEST: usize = 64 * 1024;

/// A checked copy of a module's table. Slots that the module does not know are `None`.
#[derive(Clone, Copy)]
pub struct CheckedTable {
    /// The copy.
    pub raw: rc_sv_backend,
    /// The module's version.
    pub version: &'static str,
    /// The module's description.
    pub description: &'static str,
}

/// Checks the table that an entry returned, and copies it. `name` is what the file promises.
///
/// # Errors
/// [`Code::Abi`]: one line that says what is wrong with the table.
///
/// # Safety
/// `table` is NULL or what `rc_sv_backend_entry_v1` of a module returned; the module is never
/// unloaded.
pub unsafe fn check(table: *const rc_sv_backend, name: &str) -> Result<CheckedTable> {
    if table.is_null() {
        return refuse("its entry returned no table: it does not support this host's ABI");
    }
    if (table as usize) % align_of::<rc_sv_backend>() != 0 {
        return refuse("its table is not aligned");
    }
    // SAFETY: the shortest thing that a table can be starts with these two words.
    let (magic, size) = unsafe { ((*table).magic, (*table).struct_size as usize) };
    if magic != RC_SV_MAGIC {
        return refuse(format!(
            "its table starts with {magic:#010x}, not {RC_SV_MAGIC:#010x}"
        ));
    }
    if !(sizes::TABLE..=LARGEST).contains(&size) {
        return refuse(format!(
            "its table has {size} bytes; at least {} are due",
            sizes::TABLE
        ));
    }
    // SAFETY: the table has `size` bytes; integers, pointers and slots may be zero.
    let raw = unsafe { copy_known(table, size) };
    check_abi(&raw)?;
    // SAFETY: the texts of a table are static; `text` does not read beyond the given length.
    unsafe {
        let found = text(raw.name, 32, "name")?;
        if found != name {
            return refuse(format!("its table is that of {found:?}, not of {name:?}"));
        }
        check_slots(&raw)?;
        let version = text(raw.version, 64, "version")?;
        Ok(CheckedTable {
            raw,
            version,
            description: text(raw.description, 256, "description")?,
        })
    }
}

fn check_abi(raw: &rc_sv_backend) -> Result<()> {
    let (major, minor) = (raw.abi >> 16, raw.abi & 0xffff);
    if major != RC_SV_ABI_MAJOR {
        return refuse(format!(
            "it has ABI {major}.{minor}; this host needs {RC_SV_ABI_MAJOR}.x"
        ));
    }
    for (what, theirs, ours) in [
        ("rc_sv_status", raw.status_size, size_of::<rc_sv_status>()),
        ("rc_sv_error", raw.error_size, size_of::<rc_sv_error>()),
    ] {
        if usize::from(theirs) != ours {
            return refuse(format!("its {what} has {theirs} bytes; ABI 1 has {ours}"));
        }
    }
    match layout::literal(minor) {
        Some(known) if raw.layout != 0 && raw.layout != known => {
            let theirs = raw.layout;
            refuse(format!(
                "its layout is {theirs:#018x}; ABI {major}.{minor} has {known:#018x}"
            ))
        }
        _ => Ok(()),
    }
}

fn check_slots(raw: &rc_sv_backend) -> Result<()> {
    let mandatory = [
        ("open", raw.open.is_some()),
        ("close", raw.close.is_some()),
        ("probe", raw.probe.is_some()),
        ("start", raw.start.is_some()),
        ("stop", raw.stop.is_some()),
        ("status", raw.status.is_some()),
    ];
    if let Some((slot, _)) = mandatory.into_iter().find(|(_, there)| !there) {
        return refuse(format!("its mandatory slot {slot} is NULL"));
    }
    let watch = [
        raw.watch_open.is_some(),
        raw.watch_next.is_some(),
        raw.watch_close.is_some(),
    ];
    if watch.contains(&true) && watch.contains(&false) {
        return refuse("it has some of watch_open, watch_next and watch_close, but not all");
    }
    Ok(())
}

/// The static text behind `raw`, at most `longest` bytes.
///
/// # Safety
/// `raw` is NULL or points to a static text that is NUL-terminated or longer than `longest`.
unsafe fn text(raw: *const c_char, longest: usize, what: &str) -> Result<&'static str> {
    if raw.is_null() {
        return refuse(format!("its {what} is NULL"));
    }
    let mut length = 0;
    // SAFETY: all bytes up to the first NUL, or up to `longest`, are readable by the contract.
    while unsafe { *raw.add(length) } != 0 {
        length += 1;
        if length > longest {
            return refuse(format!("its {what} is longer than {longest} bytes"));
        }
    }
    // SAFETY: as above, and static.
    let bytes = unsafe { std::slice::from_raw_parts(raw.cast::<u8>(), length) };
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(char::is_control) => Ok(text),
        _ => refuse(format!("its {what} is not one line of UTF-8")),
    }
}

fn refuse<T>(why: impl Into<String>) -> Result<T> {
    Err(Error::new(Code::Abi, why))
}
