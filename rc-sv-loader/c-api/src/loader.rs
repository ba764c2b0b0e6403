//! The loader as a handle of C.
#![allow(unsafe_code)]

use crate::constants::*;
use crate::entry::{caught, last};
use crate::pointers::{check_in, null, tell};
use crate::types::{rc_sv_log_cb, rc_sv_options};
use ::rc_sv_loader::{Call, Failure, Isolation, Listener, Loader, Reply};
use rc_sv_api::abi::foreign::copy_known;
use rc_sv_api::abi::types::{rc_sv_error, rc_sv_result};
use rc_sv_api::{Code, Error, Outcome};
use std::ffi::{c_char, c_void, CString};
use std::mem::{offset_of, size_of};
use std::ptr;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Finds modules and calls them: opaque, of this library. Made by rc_sv_open(), ended by
/// rc_sv_close().
#[allow(non_camel_case_types)]
pub struct rc_sv_loader {
    loader: Loader,
    /// `None` chooses at each operation.
    isolation: Option<Isolation>,
    busy: AtomicBool,
}

/// Makes a loader. Reads the environment (RC_SVCDIR, RC_SV_PATH, RCSV_*), which is that of all its
/// operations from then on; no module is touched.
///
/// Order: first of all. Thread: any; a loader is used by one thread at a time, different loaders by
/// different threads at the same time. Not while another thread changes the environment.
/// Ownership: *loader is the caller's, up to rc_sv_close(). NULL: options is all default; error may
/// be NULL; loader must not. Errors: RC_SV_E_INVALID, and *loader is NULL. Blocking: never.
///
/// # Safety
/// As the text above says.
#[no_mangle]
pub unsafe extern "C" fn rc_sv_open(
    options: *const rc_sv_options,
    loader: *mut *mut rc_sv_loader,
    error: *mut rc_sv_error,
) -> rc_sv_result {
    // SAFETY: by the contract.
    let told = |failure: &Error| unsafe { tell(failure, error) };
    caught("rc_sv_open", told, || {
        if loader.is_null() {
            return Err(null("loader").into());
        }
        // SAFETY: by the contract.
        let options = unsafe {
            *loader = ptr::null_mut();
            read(options)?
        };
        let isolation = isolation(options.map_or(0, |options| options.flags))?;
        let listener = Rc::new(Log {
            log: options.and_then(|options| options.log),
            user: options.map_or(ptr::null_mut(), |options| options.log_user),
        });
        let opened = Box::new(rc_sv_loader {
            loader: Loader::of_process(listener)?,
            isolation,
            busy: AtomicBool::new(false),
        });
        // SAFETY: by the contract.
        unsafe { *loader = Box::into_raw(opened) };
        Ok(Outcome::Done)
    })
}

/// Ends a loader, after its watches. Services are left as they are.
///
/// Order: last. Thread: any, when no other uses the loader. NULL: does nothing. Blocking: never.
///
/// # Safety
/// As the text above says.
#[no_mangle]
pub unsafe extern "C" fn rc_sv_close(loader: *mut rc_sv_loader) {
    // SAFETY: told by nobody.
    caught(
        "rc_sv_close",
        |_| {},
        || {
            if !loader.is_null() {
                // SAFETY: made by rc_sv_open, and not used again.
                drop(unsafe { Box::from_raw(loader) });
            }
            Ok(Outcome::Done)
        },
    );
}

/// The version of this library, such as "0.1.0": static, never NULL. Order, thread: any.
#[no_mangle]
pub extern "C" fn rc_sv_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// The line about the last failure in this thread, whole even where rc_sv_error cuts it. Never
/// NULL, empty before the first failure; this library's, valid until the next failure in this
/// thread. Order, thread: any.
#[no_mangle]
pub extern "C" fn rc_sv_last_error() -> *const c_char {
    last()
}

impl rc_sv_loader {
    /// Does `call` where this loader does its calls.
    pub(crate) fn call(
        &self,
        call: &Call,
        sink: &mut dyn FnMut(Reply),
    ) -> Result<Outcome, Failure> {
        self.isolation()?.call(&self.loader, call, sink)
    }

    /// The loader of Rust.
    pub(crate) fn inner(&self) -> &Loader {
        &self.loader
    }

    /// Where the next call is done.
    pub(crate) fn isolation(&self) -> Result<Isolation, Error> {
        let fits = Isolation::of_process();
        match self.isolation {
            None => Ok(fits),
            Some(Isolation::Fork) if fits != Isolation::Fork => {
                let what = "RC_SV_OPEN_FORK is for programs with one thread; use RC_SV_OPEN_EXEC";
                Err(Error::new(Code::Unsupported, what))
            }
            Some(isolation) => Ok(isolation),
        }
    }
}

/// Runs the body of the function `name` with its loader.
///
/// # Safety
/// `loader` is NULL or a living loader; `error` is NULL or as long as it says.
pub(crate) unsafe fn with(
    name: &str,
    loader: *mut rc_sv_loader,
    error: *mut rc_sv_error,
    body: impl FnOnce(&rc_sv_loader) -> Result<Outcome, Failure>,
) -> rc_sv_result {
    // SAFETY: by the contract.
    let told = |failure: &Error| unsafe { tell(failure, error) };
    caught(name, told, || {
        // SAFETY: by the contract; nothing changes it but `busy`.
        let Some(loader) = (unsafe { loader.as_ref() }) else {
            return Err(null("loader").into());
        };
        let _turn = Turn::take(&loader.busy)?;
        body(loader)
    })
}

/// One call at a time.
struct Turn<'a>(&'a AtomicBool);

impl Turn<'_> {
    fn take(busy: &AtomicBool) -> Result<Turn<'_>, Error> {
        match busy.swap(true, Ordering::Acquire) {
            false => Ok(Turn(busy)),
            true => {
                let what = "the loader is in use, by another thread or around this callback";
                Err(Error::new(Code::Conflict, what))
            }
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// # Safety
/// `options` is NULL or as long as it says.
unsafe fn read(options: *const rc_sv_options) -> Result<Option<rc_sv_options>, Error> {
    const FIRST: usize = offset_of!(rc_sv_options, log_user) + size_of::<*mut c_void>();
    if options.is_null() {
        return Ok(None);
    }
    // SAFETY: by the contract; the first word is always there, and zero is a value of every field.
    unsafe {
        let size = (*options).struct_size;
        check_in("options", size, FIRST)?;
        Ok(Some(copy_known(options, size as usize)))
    }
}

fn isolation(flags: u32) -> Result<Option<Isolation>, Error> {
    Ok(Some(match flags {
        0 => return Ok(None),
        RC_SV_OPEN_DIRECT => Isolation::Direct,
        RC_SV_OPEN_FORK => Isolation::Fork,
        RC_SV_OPEN_EXEC => Isolation::Exec,
        _ => {
            let what = format!("options: flags {flags:#x}: must be 0 or one of RC_SV_OPEN_*");
            return Err(Error::invalid(what));
        }
    }))
}

/// Where lines of modules go.
struct Log {
    log: rc_sv_log_cb,
    user: *mut c_void,
}

impl Listener for Log {
    fn log(&self, module: &str, level: i32, line: &str) {
        let text = |text: &str| CString::new(text).unwrap_or_default();
        match self.log {
            Some(log) => {
                let (module, line) = (text(module), text(line));
                // SAFETY: the caller's function with the caller's pointer, and texts that live.
                unsafe { log(self.user, level, module.as_ptr(), line.as_ptr()) }
            }
            None => ::rc_sv_loader::log(level, &format!("{module}: {line}")),
        }
    }
}
