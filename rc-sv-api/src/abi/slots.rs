//! The slots of a table: what a host calls, for any backend in Rust.
#![allow(unsafe_code)]

use super::constants::{RC_SV_DELEGATE, RC_SV_OK, RC_SV_PENDING};
use super::convert;
use super::foreign::{self, ForeignSpec};
use super::guard::guard;
use super::host::Host;
use super::types::*;
use super::Watch;
use crate::backend::{Backend, Outcome, Request};
use crate::error::{Code, Error, Result};
use crate::spec::Settings;
use crate::status::Status;
use std::ffi::{c_int, c_void, CString};
use std::mem::size_of;

/// What an instance of the ABI is behind its pointer.
struct Opened<B> {
    backend: B,
    host: Host,
    /// A panic left the backend in an unknown state: no further call reaches it.
    broken: bool,
}

/// Ends a call: the number for the host, and the error where the host wants it.
///
/// # Safety
/// `error` is NULL or points to the host's `rc_sv_error`.
unsafe fn answer(result: Result<i32>, error: *mut rc_sv_error) -> rc_sv_result {
    match result {
        Ok(number) => number,
        Err(failure) => {
            // SAFETY: by the contract; a smaller struct than that of major 1 is left alone.
            unsafe {
                if !error.is_null() && (*error).struct_size as usize >= size_of::<rc_sv_error>() {
                    let size = (*error).struct_size;
                    *error = convert::error_to_raw(&failure);
                    (*error).struct_size = size;
                }
            }
            failure.code as i32
        }
    }
}

/// Runs `call` on an instance behind the panic guard.
///
/// # Safety
/// `instance` is NULL or what `open` of the same `B` made and `close` has not ended.
unsafe fn with<B: Backend, T>(
    instance: *mut rc_sv_instance,
    call: impl FnOnce(&mut B, &Host) -> Result<T>,
) -> Result<T> {
    // SAFETY: by the contract; calls on one instance never overlap.
    let Some(opened) = (unsafe { instance.cast::<Opened<B>>().as_mut() }) else {
        return Err(Error::invalid("the instance is NULL"));
    };
    if opened.broken {
        return Err(Error::new(
            Code::Panic,
            "the module panicked in an earlier call",
        ));
    }
    let result = guard(|| call(&mut opened.backend, &opened.host));
    opened.broken = matches!(&result, Err(error) if error.code == Code::Panic);
    result
}

/// As `with`, for calls that act upon one service.
///
/// # Safety
/// As `with`; `spec` is NULL or a spec of the instance's host.
unsafe fn with_spec<B: Backend, T>(
    instance: *mut rc_sv_instance,
    spec: *const rc_sv_spec,
    call: impl FnOnce(&mut B, &dyn Settings) -> Result<T>,
) -> Result<T> {
    if spec.is_null() {
        return Err(Error::invalid("the spec is NULL"));
    }
    // SAFETY: by the contract.
    unsafe {
        with::<B, T>(instance, |backend, host| {
            call(backend, &ForeignSpec::new(host, spec))
        })
    }
}

fn outcome(outcome: Outcome) -> i32 {
    match outcome {
        Outcome::Done => RC_SV_OK,
        Outcome::Pending => RC_SV_PENDING,
        Outcome::Delegate => RC_SV_DELEGATE,
    }
}

/// The slots of type `rc_sv_op` differ only in the method that they call.
macro_rules! operations {
    ($($name:ident),*) => {$(
        pub(super) unsafe extern "C" fn $name<B: Backend>(
            instance: *mut rc_sv_instance,
            spec: *const rc_sv_spec,
            request: *const rc_sv_req,
            error: *mut rc_sv_error,
        ) -> rc_sv_result {
            // SAFETY: the host keeps the contract of the slot (types.rs).
            unsafe {
                let request: Request = foreign::request(request);
                let result = with_spec(instance, spec, |backend: &mut B, spec| {
                    backend.$name(spec, &request).map(outcome)
                });
                answer(result, error)
            }
        }
    )*};
}
operations!(start, stop, attach, detach, restart, reload, signal);

pub(super) unsafe extern "C" fn open<B: Backend>(
    host: *const rc_sv_host,
    instance: *mut *mut rc_sv_instance,
    error: *mut rc_sv_error,
) -> rc_sv_result {
    let result = guard(|| {
        if instance.is_null() {
            return Err(Error::invalid("there is no place for the instance"));
        }
        // SAFETY: the host keeps the contract of the slot: both are valid.
        unsafe {
            *instance = std::ptr::null_mut();
            let host = Host::new(host)?;
            let opened = Opened {
                backend: B::open(host)?,
                host,
                broken: false,
            };
            *instance = Box::into_raw(Box::new(opened)).cast();
        }
        Ok(RC_SV_OK)
    });
    // SAFETY: as above.
    unsafe { answer(result, error) }
}

pub(super) unsafe extern "C" fn close<B: Backend>(instance: *mut rc_sv_instance) {
    if instance.is_null() {
        return;
    }
    // SAFETY: made by `open` with `Box::into_raw`, and the host closes it once.
    let opened = unsafe { Box::from_raw(instance.cast::<Opened<B>>()) };
    // There is nobody to tell of a panic in a destructor; it must only not leave the module.
    let _ = guard(|| {
        drop(opened);
        Ok(())
    });
}

pub(super) unsafe extern "C" fn probe<B: Backend>(
    instance: *mut rc_sv_instance,
    caps_now: *mut u64,
    error: *mut rc_sv_error,
) -> rc_sv_result {
    // SAFETY: the host keeps the contract of the slot.
    unsafe {
        let result = with(instance, |backend: &mut B, _| backend.probe()).map(|caps| {
            if !caps_now.is_null() {
                *caps_now = caps.0;
            }
            RC_SV_OK
        });
        answer(result, error)
    }
}

/// Fills the host's snapshot.
///
/// # Safety
/// `place` is NULL or points to the host's `rc_sv_status`.
unsafe fn fill(place: *mut rc_sv_status, status: &Status) -> i32 {
    // SAFETY: by the contract; a smaller struct than that of major 1 is left alone.
    unsafe {
        if !place.is_null() && (*place).struct_size as usize >= size_of::<rc_sv_status>() {
            let size = (*place).struct_size;
            *place = convert::status_to_raw(status);
            (*place).struct_size = size;
        }
    }
    RC_SV_OK
}

pub(super) unsafe extern "C" fn status<B: Backend>(
    instance: *mut rc_sv_instance,
    spec: *const rc_sv_spec,
    place: *mut rc_sv_status,
    error: *mut rc_sv_error,
) -> rc_sv_result {
    // SAFETY: the host keeps the contract of the slot.
    unsafe {
        let result = with_spec(instance, spec, |backend: &mut B, spec| backend.status(spec));
        answer(result.map(|status| fill(place, &status)), error)
    }
}

pub(super) unsafe extern "C" fn wait<B: Backend>(
    instance: *mut rc_sv_instance,
    spec: *const rc_sv_spec,
    request: *const rc_sv_req,
    place: *mut rc_sv_status,
    error: *mut rc_sv_error,
) -> rc_sv_result {
    // SAFETY: the host keeps the contract of the slot.
    unsafe {
        let request = foreign::request(request);
        let result = with_spec(instance, spec, |backend: &mut B, spec| {
            backend.wait(spec, &request)
        });
        answer(result.map(|status| fill(place, &status)), error)
    }
}

pub(super) unsafe extern "C" fn forget<B: Backend>(
    instance: *mut rc_sv_instance,
    spec: *const rc_sv_spec,
    error: *mut rc_sv_error,
) -> rc_sv_result {
    // SAFETY: the host keeps the contract of the slot.
    unsafe {
        let result = with_spec(instance, spec, |backend: &mut B, spec| backend.forget(spec));
        answer(result.map(|()| RC_SV_OK), error)
    }
}

pub(super) unsafe extern "C" fn list<B: Backend>(
    instance: *mut rc_sv_instance,
    callback: rc_sv_list_cb,
    user: *mut c_void,
    error: *mut rc_sv_error,
) -> rc_sv_result {
    let Some(callback) = callback else {
        // SAFETY: the host keeps the contract of the slot.
        return unsafe { answer(Err(Error::invalid("there is no callback")), error) };
    };
    let mut sink = |service: &str, status: &Status| match CString::new(service) {
        // SAFETY: both live during the call; `user` is the host's.
        Ok(name) => unsafe { callback(user, name.as_ptr(), &convert::status_to_raw(status)) == 0 },
        Err(_) => true,
    };
    // SAFETY: the host keeps the contract of the slot.
    unsafe {
        let result = with(instance, |backend: &mut B, _| backend.list(&mut sink));
        answer(result.map(|()| RC_SV_OK), error)
    }
}

pub(super) unsafe extern "C" fn watch_open<B: Backend>(
    instance: *mut rc_sv_instance,
    spec: *const rc_sv_spec,
    watch: *mut *mut rc_sv_watch,
    pollfd: *mut c_int,
    error: *mut rc_sv_error,
) -> rc_sv_result {
    // SAFETY: the host keeps the contract of the slot.
    unsafe {
        let result = with(instance, |backend: &mut B, host| {
            if watch.is_null() || pollfd.is_null() {
                return Err(Error::invalid("there is no place for the watch"));
            }
            *watch = std::ptr::null_mut();
            let of_one = ForeignSpec::new(host, spec);
            let stream = backend.watch(if spec.is_null() { None } else { Some(&of_one) })?;
            *pollfd = stream.pollfd();
            *watch = Box::into_raw(Box::new(stream)).cast();
            Ok(RC_SV_OK)
        });
        answer(result, error)
    }
}

pub(super) unsafe extern "C" fn watch_next<B: Backend>(
    instance: *mut rc_sv_instance,
    watch: *mut rc_sv_watch,
    event: *mut rc_sv_event,
    error: *mut rc_sv_error,
) -> rc_sv_result {
    // SAFETY: the host keeps the contract of the slot; the watch was made by `watch_open`.
    unsafe {
        let result = with(instance, |_: &mut B, _| {
            let Some(stream) = watch.cast::<Box<dyn Watch>>().as_mut() else {
                return Err(Error::invalid("the watch is NULL"));
            };
            let Some(next) = stream.next()? else {
                return Ok(RC_SV_PENDING);
            };
            if !event.is_null() && (*event).struct_size as usize >= size_of::<rc_sv_event>() {
                *event = convert::event_to_raw(&next);
            }
            Ok(RC_SV_OK)
        });
        answer(result, error)
    }
}

pub(super) unsafe extern "C" fn watch_close(
    _instance: *mut rc_sv_instance,
    watch: *mut rc_sv_watch,
) {
    if watch.is_null() {
        return;
    }
    // SAFETY: made by `watch_open` with `Box::into_raw`, and the host closes it once.
    let stream = unsafe { Box::from_raw(watch.cast::<Box<dyn Watch>>()) };
    let _ = guard(|| {
        drop(stream);
        Ok(())
    });
}
