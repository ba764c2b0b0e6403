//! The resolved spec as a file.

use crate::place::Dir;
use rc_sv_api::{Code, Error, Result, Settings, Spec};

/// The name of the file in a service's directory.
pub const NAME: &str = "spec";

/// A larger spec is refused: the kernel would not execute it anyway (`MAX_ARG_STRLEN` and a
/// quarter of the stack limit bound arguments and environment).
pub const MAX_SIZE: usize = 8 << 20;

/// A spec as bytes.
///
/// # Errors
/// [`Code::Invalid`]: it is larger than [`MAX_SIZE`].
pub fn encode(_spec: &dyn Settings) -> Result<Vec<u8>> {
    Err(Error::new(Code::Unsupported, "not there yet"))
}

/// The spec in `bytes`.
///
/// # Errors
/// [`Code::Protocol`]: it is foreign, cut off, damaged or too large.
pub fn decode(_bytes: &[u8]) -> Result<Spec> {
    Err(Error::new(Code::Unsupported, "not there yet"))
}

/// Writes the file `spec` (0600) of a service: aside, then renamed, so that a reader sees the old
/// or the new one.
///
/// # Errors
/// It is too large or cannot be written.
pub fn write(_dir: &Dir, _spec: &dyn Settings) -> Result<()> {
    Err(Error::new(Code::Unsupported, "not there yet"))
}

/// Reads it.
///
/// # Errors
/// [`Code::NotFound`] when there is none; [`Code::Permission`] when it does not belong to root or
/// the caller, or others may read or write it; else as [`decode`].
pub fn read(_dir: &Dir) -> Result<Spec> {
    Err(Error::new(Code::Unsupported, "not there yet"))
}
