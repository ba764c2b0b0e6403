//! The resolved spec as a file.
//!
//! Fields end in NUL, which no value can contain: the magic; then for each setting its type (`t`
//! text, `n` number, `l` list), its name, and its value (a list: the number of items, then the
//! items), sorted by name; then `end` and a checksum of everything before it in 16 hexadecimal
//! digits. There is one encoding of each spec, and nothing else is read.

mod edition;
mod encoded;

use crate::place::Dir;
use rc_sv_api::{Code, Error, Result, Settings, Spec, Value};
use std::fs::File;
use std::io::Read;

pub use edition::Edition;
pub use encoded::Encoded;

/// The name of the file in a service's directory.
pub const NAME: &str = "spec";

/// A larger spec is refused. The kernel would not execute it anyway: arguments and environment
/// together are limited to 6 MiB (execve(2)).
pub const MAX_SIZE: usize = 8 << 20;

const MAGIC: &[u8] = b"rc-sv spec 1";

/// `end`, NUL, 16 digits, NUL.
const TRAILER: usize = 4 + 16 + 1;

/// A spec as bytes.
///
/// # Errors
/// [`Code::Invalid`]: it is larger than [`MAX_SIZE`], or a name or value contains a NUL byte.
pub fn encode(spec: &dyn Settings) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(4096);
    let mut field = |field: &[u8]| {
        if field.contains(&0) {
            return Err(Error::invalid("spec: a setting contains a NUL byte"));
        }
        if bytes.len() + field.len() + 1 + TRAILER > MAX_SIZE {
            let message = format!("spec: is larger than {} MiB", MAX_SIZE >> 20);
            return Err(Error::invalid(message));
        }
        bytes.extend_from_slice(field);
        bytes.push(0);
        Ok(())
    };
    field(MAGIC)?;
    for (name, value) in spec.to_spec().iter() {
        match value {
            Value::Text(text) => [b"t", name.as_bytes(), text]
                .into_iter()
                .try_for_each(&mut field)?,
            Value::Int(number) => {
                let number = number.to_string();
                [b"n", name.as_bytes(), number.as_bytes()]
                    .into_iter()
                    .try_for_each(&mut field)?;
            }
            Value::List(items) => {
                let count = items.len().to_string();
                [b"l", name.as_bytes(), count.as_bytes()]
                    .into_iter()
                    .try_for_each(&mut field)?;
                items.iter().try_for_each(|item| field(item))?;
            }
        }
    }
    let trailer = trailer(&bytes);
    bytes.extend_from_slice(&trailer);
    Ok(bytes)
}

/// The spec in `bytes`.
///
/// # Errors
/// As [`open`].
pub fn decode(bytes: &[u8]) -> Result<Spec> {
    open(bytes.to_vec()).map(|encoded| encoded.to_spec())
}

/// The spec in `bytes`, as it stands there.
///
/// # Errors
/// [`Code::Protocol`]: it is foreign, cut off, damaged or too large.
fn open(mut bytes: Vec<u8>) -> Result<Encoded> {
    if bytes.len() > MAX_SIZE {
        return Err(damaged("is larger than 8 MiB"));
    }
    if !bytes.starts_with(MAGIC) || bytes.get(MAGIC.len()) != Some(&0) {
        return Err(damaged("is no spec of this version of rc-sv"));
    }
    let split = bytes.len().saturating_sub(TRAILER);
    let (body, end) = bytes.split_at(split);
    if split <= MAGIC.len() || end != trailer(body) {
        return Err(damaged("is cut off or damaged"));
    }
    bytes.truncate(split);
    Encoded::new(bytes.into(), MAGIC.len() + 1).ok_or_else(|| damaged("is damaged"))
}

/// Writes the file `spec` (0600) of a service: aside, then renamed, so that a reader sees the old
/// or the new one, also when several write at once. It lives in memory, so it is not synced.
///
/// # Errors
/// It is too large or cannot be written.
pub fn write(dir: &Dir, spec: &dyn Settings) -> Result<()> {
    dir.replace(NAME, 0o600, &encode(spec)?)
}

/// Reads it.
///
/// # Errors
/// As [`read_edition`].
pub fn read(dir: &Dir) -> Result<Spec> {
    read_edition(dir).map(|(encoded, _)| encoded.to_spec())
}

/// Reads it as it stands there, and tells which file that was.
///
/// # Errors
/// [`Code::NotFound`] when there is none; [`Code::Permission`] when it does not belong to root or
/// the caller, or others may read or write it; else as [`decode`].
pub fn read_edition(dir: &Dir) -> Result<(Encoded, Edition)> {
    let in_file = |error: Error| {
        let message = format!("{}: {}", dir.path().join(NAME).display(), error.message);
        Error { message, ..error }
    };
    let io = |cause: std::io::Error| in_file(Error::io("read", &cause));
    let mut file: File = dir.open_private(NAME).map_err(in_file)?;
    // Before it is read: what is changed meanwhile is of a later edition.
    let edition = Edition::of(&file).map_err(io)?;
    let size = usize::try_from(edition.size()).unwrap_or(0).min(MAX_SIZE);
    let mut bytes = Vec::with_capacity(size + 1);
    let one_more = MAX_SIZE as u64 + 1;
    (&mut file)
        .take(one_more)
        .read_to_end(&mut bytes)
        .map_err(io)?;
    let encoded = open(bytes).map_err(in_file)?;
    Ok((encoded, edition))
}

fn damaged(what: &str) -> Error {
    Error::new(
        Code::Protocol,
        format!("{what}; start the service again to write a new one"),
    )
}

fn trailer(body: &[u8]) -> [u8; TRAILER] {
    let mut trailer = *b"end\0................\0";
    let digits = format!("{:016x}", checksum(body));
    trailer[4..20].copy_from_slice(digits.as_bytes());
    trailer
}

/// FNV-1a, 64 bits: finds each damage to a single byte for certain. Against malice the file's
/// owner and mode are checked.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
#[path = "spec_file_tests.rs"]
mod tests;
