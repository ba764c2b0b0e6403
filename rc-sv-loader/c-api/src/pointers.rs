//! Reading and writing what the caller owns.
#![allow(unsafe_code)]

use rc_sv_api::abi::convert;
use rc_sv_api::abi::types::{rc_sv_error, rc_sv_req};
use rc_sv_api::abi::{foreign, sizes};
use rc_sv_api::{Error, Request, Result, ServiceName};
use std::ffi::{c_char, CStr};
use std::mem::size_of;

/// An out-struct that begins with its own size.
///
/// # Safety
/// Its first field is a `u32`.
pub(crate) unsafe trait Sized32: Copy {
    /// Its name, for complaints.
    const NAME: &'static str;
}

/// Says what went wrong, as far as the caller wants to know.
///
/// # Safety
/// `to` is NULL or points to as many bytes as its `struct_size` says.
pub(crate) unsafe fn tell(error: &Error, to: *mut rc_sv_error) {
    // SAFETY: by the contract.
    unsafe {
        if !to.is_null() && (*to).struct_size as usize >= size_of::<rc_sv_error>() {
            to.write(convert::error_to_raw(error));
        }
    }
}

/// The text behind `raw`; `what` is its name.
///
/// # Safety
/// `raw` is NULL or NUL-terminated, and lives as long as the answer is used.
pub(crate) unsafe fn text<'a>(raw: *const c_char, what: &str) -> Result<&'a [u8]> {
    match raw.is_null() {
        true => Err(null(what)),
        // SAFETY: by the contract.
        false => Ok(unsafe { CStr::from_ptr(raw) }.to_bytes()),
    }
}

/// The name of a setting or module behind `raw`.
///
/// # Safety
/// As for [`text`].
pub(crate) unsafe fn word<'a>(raw: *const c_char, what: &str) -> Result<&'a str> {
    // SAFETY: by the contract.
    let bytes = unsafe { text(raw, what) }?;
    std::str::from_utf8(bytes).map_err(|_| Error::invalid(format!("{what} must be UTF-8")))
}

/// The name of a service behind `raw`.
///
/// # Safety
/// As for [`text`].
pub(crate) unsafe fn service(raw: *const c_char) -> Result<ServiceName> {
    // SAFETY: by the contract.
    ServiceName::new(unsafe { text(raw, "service") }?)
}

/// The options of a call behind `raw`.
///
/// # Safety
/// `raw` is NULL or points to a request whose `struct_size` is true.
pub(crate) unsafe fn request(raw: *const rc_sv_req) -> Result<Request> {
    if !raw.is_null() {
        // SAFETY: by the contract; the first word is always there.
        check_in("request", unsafe { (*raw).struct_size }, sizes::REQUEST)?;
    }
    // SAFETY: by the contract.
    Ok(unsafe { foreign::request(raw) })
}

/// Complains about an in-struct that is shorter than any was: what it says would be passed over.
pub(crate) fn check_in(name: &str, size: u32, first: usize) -> Result<()> {
    match size as usize >= first {
        true => Ok(()),
        false => Err(too_short(name, size as usize, first)),
    }
}

/// Complains about an out-struct that is NULL or too short.
///
/// # Safety
/// `to` is NULL or begins with its `struct_size`.
pub(crate) unsafe fn check_out<T: Sized32>(to: *mut T) -> Result<()> {
    if to.is_null() {
        return Err(null(T::NAME));
    }
    // SAFETY: by the contract.
    let size = unsafe { to.cast::<u32>().read() } as usize;
    if size < size_of::<T>() {
        return Err(too_short(T::NAME, size, size_of::<T>()));
    }
    Ok(())
}

/// Fills what [`check_out`] has found good.
///
/// # Safety
/// `to` points to a `T`.
pub(crate) unsafe fn fill<T: Copy>(to: *mut T, value: T) {
    // SAFETY: by the contract.
    unsafe { to.write(value) }
}

fn too_short(name: &str, size: usize, due: usize) -> Error {
    Error::invalid(format!(
        "{name}: struct_size is {size}, must be at least {due}"
    ))
}

/// A pointer must not be NULL.
pub(crate) fn null(what: &str) -> Error {
    Error::invalid(format!("{what} must not be NULL"))
}
