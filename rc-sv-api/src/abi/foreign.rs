//! Reading what the other side of the ABI owns.
#![allow(unsafe_code)]

use super::sizes;
use super::types::{rc_sv_cmd, rc_sv_req, rc_sv_spec};
use super::Host;
use crate::error::{Error, Result};
use crate::spec::Settings;
use std::ffi::{c_char, CStr};
use std::mem::MaybeUninit;

/// Longest name of a setting; longer ones are unset.
const MAX_KEY: usize = 63;

/// A spec that a host handed to a module, read by the host's getters.
#[derive(Clone, Copy)]
pub struct ForeignSpec<'a> {
    host: &'a Host,
    spec: *const rc_sv_spec,
}

impl<'a> ForeignSpec<'a> {
    /// The spec behind `spec`; NULL is the module's own section in the host's configuration.
    ///
    /// # Safety
    /// `spec` is NULL or a spec of this host; both are valid for `'a`.
    pub(super) unsafe fn new(host: &'a Host, spec: *const rc_sv_spec) -> ForeignSpec<'a> {
        ForeignSpec { host, spec }
    }
}

/// `key` with its NUL, without allocation.
fn terminated(key: &str) -> Option<[c_char; MAX_KEY + 1]> {
    let mut buffer = [0; MAX_KEY + 1];
    if key.len() > MAX_KEY || key.bytes().any(|byte| byte == 0) {
        return None;
    }
    for (to, from) in buffer.iter_mut().zip(key.bytes()) {
        *to = from as c_char;
    }
    Some(buffer)
}

impl Settings for ForeignSpec<'_> {
    fn text(&self, key: &str) -> Option<&[u8]> {
        let key = terminated(key)?;
        // SAFETY: by the contract of `new` host and spec are valid; the host keeps the text as
        // long as the call of the backend lasts, and that outlives this borrow.
        unsafe {
            let text = (*self.host.raw).spec_str?(self.host.raw, self.spec, key.as_ptr());
            (!text.is_null()).then(|| CStr::from_ptr(text).to_bytes())
        }
    }

    fn int(&self, key: &str) -> Option<i64> {
        let key = terminated(key)?;
        let mut number = 0;
        // SAFETY: as in `text`; `number` is ours.
        let set = unsafe {
            (*self.host.raw).spec_int?(self.host.raw, self.spec, key.as_ptr(), &mut number)
        };
        (set == 1).then_some(number)
    }

    fn list(&self, key: &str) -> Option<Vec<&[u8]>> {
        let key = terminated(key)?;
        let mut count = 0;
        // SAFETY: as in `text`; the host says how many texts there are.
        unsafe {
            let list =
                (*self.host.raw).spec_list?(self.host.raw, self.spec, key.as_ptr(), &mut count);
            if list.is_null() {
                return None;
            }
            let texts = std::slice::from_raw_parts(list, count);
            Some(
                texts
                    .iter()
                    .map(|text| CStr::from_ptr(*text).to_bytes())
                    .collect(),
            )
        }
    }

    fn keys(&self) -> Vec<&str> {
        let mut names = Vec::new();
        // SAFETY: the table has this slot.
        let Some(next) = (unsafe { (*self.host.raw).spec_next }) else {
            return names;
        };
        let mut name: *const c_char = std::ptr::null();
        loop {
            // SAFETY: as in `text`; `name` is NULL or what the host answered last.
            name = unsafe { next(self.host.raw, self.spec, name) };
            if name.is_null() {
                return names;
            }
            // SAFETY: as in `text`.
            if let Ok(text) = unsafe { CStr::from_ptr(name) }.to_str() {
                names.push(text);
            }
        }
    }
}

/// A copy of a struct that may be shorter or longer on the other side: what both sides know, the
/// rest zero.
///
/// # Safety
/// `raw` points to at least `size` readable bytes that begin with the fields of `T`, and zero is
/// a valid value for every field of `T`.
pub unsafe fn copy_known<T: Copy>(raw: *const T, size: usize) -> T {
    let mut copy = MaybeUninit::<T>::zeroed();
    let known = size.min(std::mem::size_of::<T>());
    // SAFETY: both are valid for `known` bytes by the contract; zeroes are valid for the rest.
    unsafe {
        std::ptr::copy_nonoverlapping(raw.cast::<u8>(), copy.as_mut_ptr().cast::<u8>(), known);
        copy.assume_init()
    }
}

/// The options of a call; NULL is all default.
///
/// # Safety
/// `raw` is NULL or points to a request whose `struct_size` is true.
pub unsafe fn request(raw: *const rc_sv_req) -> crate::backend::Request {
    if raw.is_null() {
        return crate::backend::Request::default();
    }
    // SAFETY: by the contract; integers may be zero.
    let copy = unsafe { copy_known(raw, (*raw).struct_size as usize) };
    super::convert::request_from_raw(&copy)
}

/// A command for [`rc_sv_host::run`](super::types::rc_sv_host::run).
///
/// # Errors
/// It is NULL, or shorter than any ever was.
///
/// # Safety
/// `raw` is NULL or points to a command whose `struct_size` is true.
pub unsafe fn command(raw: *const rc_sv_cmd) -> Result<rc_sv_cmd> {
    // SAFETY: not NULL, and by the contract valid; the first word is always there.
    if raw.is_null() || (unsafe { (*raw).struct_size } as usize) < sizes::COMMAND {
        return Err(Error::invalid("run: the command is NULL or too short"));
    }
    // SAFETY: by the contract; integers and pointers may be zero.
    Ok(unsafe { copy_known(raw, (*raw).struct_size as usize) })
}
