//! The spec of a start, as a handle of C.
#![allow(unsafe_code)]

use crate::entry::{caught, caught_or};
use crate::pointers::{null, service, tell, text, word};
use ::rc_sv_loader::Draft;
use rc_sv_api::abi::types::{rc_sv_error, rc_sv_result, rc_sv_spec};
use rc_sv_api::{Error, Outcome, Result};
use std::ffi::c_char;
use std::ptr;

/// Makes a spec for the service of this name. What it does not say comes from the configuration
/// files (rc-sv.toml, rc-sv.d) and from built-in defaults.
///
/// Order, thread: any; a spec is used by one thread at a time. Ownership: the spec is the
/// caller's, up to rc_sv_spec_free(). NULL: service must not be. Errors: NULL, and
/// rc_sv_last_error() says why: the name cannot be that of a service. Blocking: never.
///
/// # Safety
/// As the text above says.
#[no_mangle]
pub unsafe extern "C" fn rc_sv_spec_new(service: *const c_char) -> *mut rc_sv_spec {
    caught_or("rc_sv_spec_new", ptr::null_mut(), || {
        // SAFETY: by the contract.
        let draft = Draft::new(unsafe { self::service(service) }?);
        Ok(Box::into_raw(Box::new(draft)).cast())
    })
}

/// Ends a spec. NULL does nothing. Order: last. Thread: any, when no other uses the spec.
///
/// # Safety
/// As the text above says.
#[no_mangle]
pub unsafe extern "C" fn rc_sv_spec_free(spec: *mut rc_sv_spec) {
    caught_or("rc_sv_spec_free", (), || {
        if !spec.is_null() {
            // SAFETY: made by rc_sv_spec_new, and not used again.
            drop(unsafe { Box::from_raw(spec.cast::<Draft>()) });
        }
        Ok(())
    });
}

/// Sets one setting of rc-sv(5) as an administrator writes it, such as "respawn_delay" to "500ms"
/// or "rc_supervise_module" to "internal". An empty value unsets it, whatever is configured.
///
/// Order: any. Thread: as the spec's. Ownership: both texts are copied. NULL: error may be NULL,
/// the others not. Errors: RC_SV_E_INVALID, with what would be right; the spec is as before.
/// Blocking: never.
///
/// # Safety
/// As the text above says.
#[no_mangle]
pub unsafe extern "C" fn rc_sv_spec_set(
    spec: *mut rc_sv_spec,
    key: *const c_char,
    value: *const c_char,
    error: *mut rc_sv_error,
) -> rc_sv_result {
    // SAFETY: by the contract.
    unsafe {
        change("rc_sv_spec_set", spec, error, |draft| {
            draft.set(word(key, "key")?, text(value, "value")?)
        })
    }
}

/// Adds a word to a list: "argv", the program and its arguments; "environment", lines NAME=value,
/// of which the first one replaces the environment of this process; or a setting that is a
/// command, such as "rc_supervise_finish", word by word.
///
/// Order, thread, ownership, NULL, errors, blocking: as rc_sv_spec_set().
///
/// # Safety
/// As the text above says.
#[no_mangle]
pub unsafe extern "C" fn rc_sv_spec_add(
    spec: *mut rc_sv_spec,
    key: *const c_char,
    word: *const c_char,
    error: *mut rc_sv_error,
) -> rc_sv_result {
    // SAFETY: by the contract.
    unsafe {
        change("rc_sv_spec_add", spec, error, |draft| {
            draft.add(self::word(key, "key")?, text(word, "word")?)
        })
    }
}

/// Lets the variables RCSV_NAME of the environment count as settings, as OpenRC's scripts export
/// them from conf.d. They go before the configuration files, and what is set here goes before them.
/// They are read when the service is started, from the environment as it was at rc_sv_open().
///
/// Order, thread, NULL, blocking: as rc_sv_spec_set(). Errors: RC_SV_E_INVALID for NULL.
///
/// # Safety
/// As the text above says.
#[no_mangle]
pub unsafe extern "C" fn rc_sv_spec_environment(
    spec: *mut rc_sv_spec,
    error: *mut rc_sv_error,
) -> rc_sv_result {
    // SAFETY: by the contract.
    unsafe {
        change("rc_sv_spec_environment", spec, error, |draft| {
            draft.use_variables();
            Ok(())
        })
    }
}

/// The draft behind `spec`.
///
/// # Safety
/// `spec` is NULL or made by rc_sv_spec_new and not ended.
pub(crate) unsafe fn draft<'a>(spec: *const rc_sv_spec) -> Result<&'a Draft> {
    // SAFETY: by the contract.
    unsafe { spec.cast::<Draft>().as_ref() }.ok_or_else(|| null("spec"))
}

/// # Safety
/// `spec` as in [`draft`], used by nobody else; `error` is NULL or as long as it says.
unsafe fn change(
    name: &str,
    spec: *mut rc_sv_spec,
    error: *mut rc_sv_error,
    change: impl FnOnce(&mut Draft) -> Result<()>,
) -> rc_sv_result {
    // SAFETY: by the contract.
    let told = |failure: &Error| unsafe { tell(failure, error) };
    caught(name, told, || {
        // SAFETY: by the contract.
        let draft = unsafe { spec.cast::<Draft>().as_mut() };
        change(draft.ok_or_else(|| null("spec"))?)?;
        Ok(Outcome::Done)
    })
}
