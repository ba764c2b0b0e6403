//! The structs of the host's side, exactly as C sees them.
#![allow(non_camel_case_types)]

use rc_sv_api::abi::types::{rc_sv_result, rc_sv_status};
use std::ffi::{c_char, c_void};
use std::mem::{offset_of, size_of};

/// Receives a line from a module, or about one. `level` is that of syslog(3), 0 to 7; `module` and
/// `line` are valid during the call. Called from the thread that is inside a call of this library,
/// before that returns. It must not call this library with the same loader.
pub type rc_sv_log_cb = Option<
    unsafe extern "C" fn(user: *mut c_void, level: i32, module: *const c_char, line: *const c_char),
>;

/// How a loader behaves. In-struct: may grow at its end; the caller zeroes it and sets
/// struct_size; zero means default. Owned by the caller, read by rc_sv_open() only.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rc_sv_options {
    /// sizeof(struct rc_sv_options), set by the caller.
    pub struct_size: u32,
    /// One of RC_SV_OPEN_*. 0 chooses at each operation: a forked child while the program has one
    /// thread, else the program rc-sv-loader.
    pub flags: u32,
    /// Called with what modules log; NULL is the system's log, which is never waited for.
    pub log: rc_sv_log_cb,
    /// Handed to log.
    pub log_user: *mut c_void,
}

/// How one service stands. Caller-owned; the caller zeroes it and sets struct_size. Frozen in
/// version 1: 640 bytes.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rc_sv_report {
    /// sizeof(struct rc_sv_report), set by the caller.
    pub struct_size: u32,
    /// RC_SV_STANDING_*: what the status means to OpenRC.
    pub standing: i32,
    /// RC_SV_OK; in a list, else why this service could not be asked: then standing is
    /// RC_SV_STANDING_CRASHED, and the line is in status.detail, which may cut it.
    pub result: rc_sv_result,
    /// Zero.
    pub reserved0: u32,
    /// The module that started the service, NUL-terminated; empty if none did.
    pub module: [c_char; 48],
    /// The name of the service, NUL-terminated.
    pub service: [c_char; 240],
    /// What the module says.
    pub status: rc_sv_status,
    /// Zero.
    pub reserved: [u64; 10],
}

/// What is known of one module. Caller-owned; the caller zeroes it and sets struct_size. Frozen in
/// version 1: 1024 bytes. Texts are NUL-terminated, and cut if they are too long.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rc_sv_module {
    /// sizeof(struct rc_sv_module), set by the caller.
    pub struct_size: u32,
    /// RC_SV_ABI of the module; 0 when it is not known.
    pub abi: u32,
    /// RC_SV_CAP_*: what it can do at best.
    pub caps: u64,
    /// RC_SV_CAP_*: what it can do here and now; 0 in a list, and when result is no success.
    pub caps_now: u64,
    /// RC_SV_OK when it can be used, as far as that was looked at; else RC_SV_E_*.
    pub result: rc_sv_result,
    /// Zero.
    pub reserved: u32,
    /// Its name.
    pub name: [c_char; 40],
    /// Its version; empty in a list, for which no module is loaded.
    pub version: [c_char; 72],
    /// One line for people; empty in a list.
    pub description: [c_char; 264],
    /// Why it cannot be used; empty when it can.
    pub problem: [c_char; 232],
    /// Its file.
    pub path: [c_char; 384],
}

/// Receives one service of rc_sv_list(). `report` is valid during the call. Non-zero ends the list.
/// It must not call this library with the same loader.
pub type rc_sv_report_cb =
    Option<unsafe extern "C" fn(user: *mut c_void, report: *const rc_sv_report) -> i32>;

/// Receives one module of rc_sv_modules(). `module` is valid during the call. Non-zero ends the
/// list. It must not call this library with the same loader.
pub type rc_sv_module_cb =
    Option<unsafe extern "C" fn(user: *mut c_void, module: *const rc_sv_module) -> i32>;

const _: () = assert!(size_of::<rc_sv_report>() == 640, "frozen in version 1");
const _: () = assert!(size_of::<rc_sv_module>() == 1024, "frozen in version 1");
const _: () = assert!(
    offset_of!(rc_sv_report, service) == 64,
    "frozen in version 1"
);
const _: () = assert!(
    offset_of!(rc_sv_report, status) == 304,
    "frozen in version 1"
);
const _: () = assert!(offset_of!(rc_sv_module, name) == 32, "frozen in version 1");
const _: () = assert!(offset_of!(rc_sv_module, path) == 640, "frozen in version 1");
