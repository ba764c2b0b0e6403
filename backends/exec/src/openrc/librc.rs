//! OpenRC's library, loaded when it is there. With `local_time.rs` the only file here with unsafe
//! code.
//!
//! Declarations: src/librc/rc.h.in of OpenRC 0.45.2 and 0.63, which have the same soname.

#![allow(unsafe_code)]

use libc::{c_char, c_int, c_void};
use std::ffi::{CStr, OsStr};
use std::marker::PhantomData;
use std::mem::transmute;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::ptr;

/// `RC_SERVICE_STOPPED`.
pub(super) const STOPPED: c_int = 0x0001;
/// `RC_SERVICE_STARTED`.
pub(super) const STARTED: c_int = 0x0002;
/// `RC_SERVICE_FAILED`.
pub(super) const FAILED: c_int = 0x0200;

/// The state directory of an OpenRC before 0.56, on Linux.
const SVCDIR: &str = "/run/openrc";

type Svcdir = unsafe extern "C" fn() -> *const c_char;
type DaemonSet = unsafe extern "C" fn(
    *const c_char,
    *const c_char,
    *const *const c_char,
    *const c_char,
    bool,
) -> bool;
type Mark = unsafe extern "C" fn(*const c_char, c_int) -> bool;
type StateOf = unsafe extern "C" fn(*const c_char) -> c_int;
type ValueGet = unsafe extern "C" fn(*const c_char, *const c_char) -> *mut c_char;
type ValueSet = unsafe extern "C" fn(*const c_char, *const c_char, *const c_char) -> bool;

/// The functions of librc. It stays loaded for good.
#[derive(Debug)]
pub(super) struct Librc {
    svcdir: Option<Svcdir>,
    daemon_set: DaemonSet,
    mark: Mark,
    state: StateOf,
    value_get: ValueGet,
    value_set: ValueSet,
    /// It keeps static buffers: one thread only.
    one_thread: PhantomData<*const ()>,
}

impl Librc {
    /// `None` when it is not installed, or has not got what it always had.
    pub(super) fn load() -> Option<Librc> {
        // SAFETY: a string, and flags as dlopen(3) has them. What librc does when it is loaded is
        // what it does in each of OpenRC's own programs: nothing.
        let library = unsafe { libc::dlopen(c"librc.so.1".as_ptr(), libc::RTLD_NOW) };
        if library.is_null() {
            return None;
        }
        // SAFETY: each type is that of the function's declaration in rc.h, and `Option` of a
        // function pointer is null for none.
        unsafe {
            Some(Librc {
                svcdir: transmute::<*mut c_void, Option<Svcdir>>(symbol(library, c"rc_svcdir")),
                daemon_set: transmute::<*mut c_void, Option<DaemonSet>>(symbol(
                    library,
                    c"rc_service_daemon_set",
                ))?,
                mark: transmute::<*mut c_void, Option<Mark>>(symbol(library, c"rc_service_mark"))?,
                state: transmute::<*mut c_void, Option<StateOf>>(symbol(
                    library,
                    c"rc_service_state",
                ))?,
                value_get: transmute::<*mut c_void, Option<ValueGet>>(symbol(
                    library,
                    c"rc_service_value_get",
                ))?,
                value_set: transmute::<*mut c_void, Option<ValueSet>>(symbol(
                    library,
                    c"rc_service_value_set",
                ))?,
                one_thread: PhantomData,
            })
        }
    }

    /// The state directory that it writes to.
    pub(super) fn svcdir(&self) -> PathBuf {
        let Some(svcdir) = self.svcdir else {
            return PathBuf::from(SVCDIR);
        };
        // SAFETY: no arguments; the answer is a string that lives as long as librc or the
        // environment, and is copied at once.
        unsafe {
            let path = svcdir();
            match path.is_null() {
                true => PathBuf::new(),
                false => PathBuf::from(OsStr::from_bytes(CStr::from_ptr(path).to_bytes())),
            }
        }
    }

    /// Records what runs as the service, without arguments.
    pub(super) fn daemon_set(&self, service: &CStr, exec: &CStr, pidfile: &CStr) -> bool {
        // SAFETY: strings, no list of arguments; nothing is kept.
        unsafe {
            (self.daemon_set)(
                service.as_ptr(),
                exec.as_ptr(),
                ptr::null(),
                pidfile.as_ptr(),
                true,
            )
        }
    }

    /// Gives the service this state.
    pub(super) fn mark(&self, service: &CStr, state: c_int) -> bool {
        // SAFETY: a string and a number; nothing is kept.
        unsafe { (self.mark)(service.as_ptr(), state) }
    }

    /// The state of the service, as bits.
    pub(super) fn state(&self, service: &CStr) -> c_int {
        // SAFETY: a string; nothing is kept.
        unsafe { (self.state)(service.as_ptr()) }
    }

    /// A value of the service.
    pub(super) fn value_get(&self, service: &CStr, key: &CStr) -> Option<Vec<u8>> {
        // SAFETY: two strings. The answer is null or a string of the C library's heap, which
        // becomes ours: it is copied and freed once.
        unsafe {
            let value = (self.value_get)(service.as_ptr(), key.as_ptr());
            if value.is_null() {
                return None;
            }
            let copy = CStr::from_ptr(value).to_bytes().to_vec();
            libc::free(value.cast());
            Some(copy)
        }
    }

    /// Sets a value of the service, or removes it.
    pub(super) fn value_set(&self, service: &CStr, key: &CStr, value: Option<&CStr>) -> bool {
        let value = value.map_or(ptr::null(), CStr::as_ptr);
        // SAFETY: two strings, and a third or null; nothing is kept.
        unsafe { (self.value_set)(service.as_ptr(), key.as_ptr(), value) }
    }
}

/// The address of a symbol; null where there is none.
///
/// # Safety
/// `library` is a handle of dlopen(3).
unsafe fn symbol(library: *mut c_void, name: &CStr) -> *mut c_void {
    // SAFETY: the caller's handle, and a string.
    unsafe { libc::dlsym(library, name.as_ptr()) }
}
