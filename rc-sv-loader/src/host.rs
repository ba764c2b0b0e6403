//! The host's side of the ABI: what a module can ask of us.
#![allow(unsafe_code)]

mod command;

use crate::handle::SpecHandle;
use rc_sv_api::abi::constants::*;
use rc_sv_api::abi::convert;
use rc_sv_api::abi::types::*;
use rc_sv_api::event::Event;
use std::ffi::{c_char, c_void, CStr};
use std::mem::{size_of, MaybeUninit};
use std::ptr;
use std::rc::Rc;

/// Whom a module's lines and events are handed to.
pub trait Listener {
    /// A line from `module`; `level` is that of syslog(3), 0 to 7.
    fn log(&self, module: &str, level: i32, line: &str);

    /// `module` is about to be loaded: what goes wrong from now on is its doing.
    fn loads(&self, module: &str) {
        let _ = module;
    }

    /// An event that `module` saw during a call.
    fn event(&self, module: &str, event: &Event) {
        let _ = (module, event);
    }
}

/// The table of one opened module and what is behind it. Stays where it is until it is dropped.
pub(crate) struct HostTable {
    /// Made by `Box::into_raw`; its `ctx` is made by that too and points to a [`Behind`].
    raw: *mut rc_sv_host,
}

/// What the slots need.
struct Behind {
    module: String,
    settings: SpecHandle,
    listener: Rc<dyn Listener>,
}

impl HostTable {
    /// The table for `module`, whose own settings are `settings`.
    pub fn new(module: &str, settings: SpecHandle, listener: Rc<dyn Listener>) -> HostTable {
        let behind = Box::new(Behind {
            module: module.to_string(),
            settings,
            listener,
        });
        let raw = Box::new(rc_sv_host {
            struct_size: size_of::<rc_sv_host>() as u32,
            abi: RC_SV_ABI,
            ctx: Box::into_raw(behind).cast(),
            log: Some(log),
            spec_str: Some(spec_str),
            spec_list: Some(spec_list),
            spec_int: Some(spec_int),
            spec_next: Some(spec_next),
            run: Some(command::run),
            emit: Some(emit),
            query: Some(query),
        });
        HostTable {
            raw: Box::into_raw(raw),
        }
    }

    /// For the module.
    pub fn as_ptr(&self) -> *const rc_sv_host {
        self.raw
    }
}

impl Drop for HostTable {
    fn drop(&mut self) {
        // SAFETY: both were made by Box::into_raw in `new` and are freed once, here.
        unsafe {
            let raw = Box::from_raw(self.raw);
            drop(Box::from_raw(raw.ctx.cast::<Behind>()));
        }
    }
}

/// A spec for the module.
pub(crate) fn spec_ptr(spec: &SpecHandle) -> *const rc_sv_spec {
    ptr::from_ref(spec).cast()
}

/// # Safety
/// `host` is the table of a living [`HostTable`].
unsafe fn behind<'a>(host: *const rc_sv_host) -> &'a Behind {
    // SAFETY: by the contract, and `ctx` is what `new` put there.
    unsafe { &*(*host).ctx.cast::<Behind>() }
}

/// The settings behind `spec`, or the module's own for NULL.
///
/// # Safety
/// `host` as in [`behind`]; `spec` is NULL or made by [`spec_ptr`] from a living handle.
unsafe fn settings<'a>(host: *const rc_sv_host, spec: *const rc_sv_spec) -> &'a SpecHandle {
    // SAFETY: by the contract.
    unsafe {
        match spec.is_null() {
            true => &behind(host).settings,
            false => &*spec.cast::<SpecHandle>(),
        }
    }
}

/// # Safety
/// `text` is NULL or NUL-terminated, and lives as long as the answer is used.
unsafe fn key<'a>(text: *const c_char) -> Option<&'a CStr> {
    // SAFETY: by the contract.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) })
}

unsafe extern "C" fn log(host: *const rc_sv_host, level: i32, message: *const c_char) {
    // SAFETY: a module hands back the table it was given, and a NUL-terminated text.
    unsafe {
        let (behind, Some(message)) = (behind(host), key(message)) else {
            return;
        };
        let line: String = message
            .to_string_lossy()
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        behind
            .listener
            .log(&behind.module, level.clamp(0, 7), &line);
    }
}

unsafe extern "C" fn spec_str(
    host: *const rc_sv_host,
    spec: *const rc_sv_spec,
    name: *const c_char,
) -> *const c_char {
    // SAFETY: a module hands back the table and the spec it was given, and a NUL-terminated name.
    unsafe {
        let text = key(name).and_then(|name| settings(host, spec).text(name));
        text.map_or(ptr::null(), CStr::as_ptr)
    }
}

unsafe extern "C" fn spec_list(
    host: *const rc_sv_host,
    spec: *const rc_sv_spec,
    name: *const c_char,
    count: *mut usize,
) -> *const *const c_char {
    // SAFETY: as in `spec_str`; `count` is NULL or the module's.
    unsafe {
        let list = key(name).and_then(|name| settings(host, spec).list(name));
        if !count.is_null() {
            *count = list.map_or(0, |list| list.len() - 1);
        }
        list.map_or(ptr::null(), <[_]>::as_ptr)
    }
}

unsafe extern "C" fn spec_int(
    host: *const rc_sv_host,
    spec: *const rc_sv_spec,
    name: *const c_char,
    out: *mut i64,
) -> i32 {
    // SAFETY: as in `spec_str`; `out` is NULL or the module's.
    unsafe {
        match key(name).and_then(|name| settings(host, spec).int(name)) {
            Some(number) if !out.is_null() => {
                *out = number;
                1
            }
            _ => 0,
        }
    }
}

unsafe extern "C" fn spec_next(
    host: *const rc_sv_host,
    spec: *const rc_sv_spec,
    previous: *const c_char,
) -> *const c_char {
    // SAFETY: as in `spec_str`; `previous` may be NULL.
    unsafe {
        settings(host, spec)
            .next(key(previous))
            .map_or(ptr::null(), CStr::as_ptr)
    }
}

unsafe extern "C" fn emit(host: *const rc_sv_host, event: *const rc_sv_event) {
    // SAFETY: a module hands back the table it was given, and an event that is NULL or as long as
    // it says; integers may be zero.
    unsafe {
        if event.is_null() || ((*event).struct_size as usize) < size_of::<rc_sv_event>() {
            return;
        }
        let mut copy = MaybeUninit::<rc_sv_event>::uninit();
        ptr::copy_nonoverlapping(event, copy.as_mut_ptr(), 1);
        if let Some(event) = convert::event_from_raw(&copy.assume_init()) {
            let behind = behind(host);
            behind.listener.event(&behind.module, &event);
        }
    }
}

/// This version has no further interface.
unsafe extern "C" fn query(_host: *const rc_sv_host, _interface: *const c_char) -> *const c_void {
    ptr::null()
}
