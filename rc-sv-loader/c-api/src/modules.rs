//! What modules there are.
#![allow(unsafe_code)]

use crate::loader::{rc_sv_loader, with};
use crate::pointers::{check_out, fill, null, word, Sized32};
use crate::structs;
use crate::types::{rc_sv_module, rc_sv_module_cb};
use ::rc_sv_loader::{Call, Failure, Reply};
use rc_sv_api::abi::types::{rc_sv_error, rc_sv_result};
use rc_sv_api::{Error, Outcome};
use std::ffi::{c_char, c_void};

// SAFETY: its first field is `struct_size`.
unsafe impl Sized32 for rc_sv_module {
    const NAME: &'static str = "module";
}

/// Hands each module that is installed to `callback`, also those that cannot be used, and those
/// directories of modules that must not be used, as modules without a name. Nothing of a module is
/// run: this is what its file says.
///
/// Order: after rc_sv_open(). Thread: as the loader's; callback is called from this thread.
/// Ownership: the module is this library's, during the callback. NULL: user and error may be NULL,
/// the others not. Errors: RC_SV_E_INVALID for NULL. Blocking: on the file system only.
///
/// # Safety
/// As the text above says.
#[no_mangle]
pub unsafe extern "C" fn rc_sv_modules(
    loader: *mut rc_sv_loader,
    callback: rc_sv_module_cb,
    user: *mut c_void,
    error: *mut rc_sv_error,
) -> rc_sv_result {
    // SAFETY: by the contract.
    unsafe {
        with("rc_sv_modules", loader, error, |loader| {
            let callback = callback.ok_or_else(|| null("callback"))?;
            let (listed, refused) = loader.inner().list();
            let all = listed.iter().map(structs::listed);
            for module in all.chain(refused.iter().map(structs::refused)) {
                if callback(user, &module) != 0 {
                    break;
                }
            }
            Ok(Outcome::Done)
        })
    }
}

/// Loads the module `name` and fills what it says of itself, and in caps_now, result and problem
/// what it can do here and now.
///
/// Order: after rc_sv_open(). Thread: as the loader's. Ownership: module is the caller's. NULL:
/// error may be NULL, the others not. Errors: RC_SV_E_NOT_FOUND, RC_SV_E_PERMISSION or RC_SV_E_ABI
/// when there is none, it must not be used, or does not fit. That its supervisor is not there is no
/// error. Blocking: as long as the module, at most 32 s.
///
/// # Safety
/// As the text above says.
#[no_mangle]
pub unsafe extern "C" fn rc_sv_describe(
    loader: *mut rc_sv_loader,
    name: *const c_char,
    module: *mut rc_sv_module,
    error: *mut rc_sv_error,
) -> rc_sv_result {
    // SAFETY: by the contract.
    unsafe {
        with("rc_sv_describe", loader, error, |loader| {
            check_out(module)?;
            let call = Call::Describe(word(name, "name")?.into());
            loader.call(&call, &mut |reply| {
                if let Reply::Description(description) = reply {
                    fill(module, structs::described(&description));
                }
            })
        })
    }
}

/// What the module `name` can do at best: RC_SV_CAP_*, from its file. Nothing of it is run.
///
/// Order, thread: as rc_sv_modules(). NULL: error may be NULL, the others not. Errors: *caps is 0;
/// RC_SV_E_NOT_FOUND, RC_SV_E_PERMISSION or RC_SV_E_INVALID when there is none, it must not be used,
/// or is no module. Blocking: on the file system only.
///
/// # Safety
/// As the text above says.
#[no_mangle]
pub unsafe extern "C" fn rc_sv_caps(
    loader: *mut rc_sv_loader,
    name: *const c_char,
    caps: *mut u64,
    error: *mut rc_sv_error,
) -> rc_sv_result {
    // SAFETY: by the contract.
    unsafe {
        with("rc_sv_caps", loader, error, |loader| {
            if caps.is_null() {
                return Err(null("caps").into());
            }
            fill(caps, 0);
            let name = word(name, "name")?;
            let of = |error: Error| Failure::of(name, error);
            let identity = loader.inner().identify(name).map_err(of)?;
            fill(caps, identity.caps.0);
            Ok(Outcome::Done)
        })
    }
}

/// Asks the module `name` whether its supervisor is there, and what it can do here and now.
///
/// Order, thread: as rc_sv_describe(). NULL: caps_now and error may be NULL, the others not. Errors:
/// *caps_now is 0; RC_SV_E_UNAVAILABLE or RC_SV_E_NOT_RUNNING say what to install or to start; or those
/// of rc_sv_describe(). Blocking: as long as the module, at most 32 s.
///
/// # Safety
/// As the text above says.
#[no_mangle]
pub unsafe extern "C" fn rc_sv_probe(
    loader: *mut rc_sv_loader,
    name: *const c_char,
    caps_now: *mut u64,
    error: *mut rc_sv_error,
) -> rc_sv_result {
    // SAFETY: by the contract.
    unsafe {
        with("rc_sv_probe", loader, error, |loader| {
            let set = |caps: u64| {
                if !caps_now.is_null() {
                    fill(caps_now, caps);
                }
            };
            set(0);
            let call = Call::Probe(word(name, "name")?.into());
            loader.call(&call, &mut |reply| {
                if let Reply::Caps(caps) = reply {
                    set(caps.0);
                }
            })
        })
    }
}
