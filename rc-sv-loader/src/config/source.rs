//! Reading a configuration file that can be trusted.

use super::file::{self, Table};
use crate::trust::distrust;
use rc_sv_api::{Code, Error, Result};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

/// More than this is no configuration.
const LARGEST: u64 = 1 << 20;

/// The tables of `path`; none if there is no such file.
///
/// # Errors
/// It cannot be read, is not its owner's alone, or is no TOML.
pub(super) fn read(path: &Path) -> Result<Vec<Table>> {
    let shown = path.display();
    // A FIFO must not make us wait.
    let opened = File::options()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(path);
    let file = match opened {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(|error| Error::io(&shown, &error))?,
    };
    let facts = file.metadata().map_err(|error| Error::io(&shown, &error))?;
    if !facts.is_file() {
        return Err(Error::invalid(format!("{shown}: is no regular file")));
    }
    let caller = nix::unistd::geteuid().as_raw();
    if let Some(why) = distrust(facts.uid(), facts.mode(), caller) {
        return Err(Error::new(Code::Permission, format!("{shown}: {why}")));
    }
    let mut text = String::new();
    let read = file.take(LARGEST + 1).read_to_string(&mut text);
    read.map_err(|error| match error.kind() {
        ErrorKind::InvalidData => Error::invalid(format!("{shown}: must be UTF-8")),
        _ => Error::io(&shown, &error),
    })?;
    if text.len() as u64 > LARGEST {
        return Err(Error::invalid(format!(
            "{shown}: is larger than {LARGEST} bytes"
        )));
    }
    file::parse(path, &text)
}
