//! What is done about services.
#![allow(unsafe_code)]

use crate::loader::{rc_sv_loader, with};
use crate::pointers::{request, service};
use crate::spec::draft;
use ::rc_sv_loader::{Act, Call};
use rc_sv_api::abi::types::{rc_sv_error, rc_sv_req, rc_sv_result, rc_sv_spec};
use rc_sv_api::{signal, Error};
use std::ffi::c_char;

/// Starts the service of `spec` by the module that its setting rc_supervise_module names, with what
/// the spec says and what is configured, in the surroundings of this process: limits, priorities,
/// mask, cgroup, and the environment of rc_sv_open(), cleaned as OpenRC does it. Returns when the
/// service is ready or cannot be. A service that is up is left alone. The module is recorded: all
/// other functions go where start went. RC_SV_DELEGATE: the module only watches. Run the service's
/// own start, then rc_sv_attach().
///
/// Order: after rc_sv_open(). Thread: as the loader's. Ownership: everything stays the caller's; the
/// spec can be used again. NULL: request is all default; error may be NULL; loader and spec must not.
/// Errors: RC_SV_E_*, and then nothing runs and nothing is retried; but after RC_SV_E_CRASHED, or
/// RC_SV_E_TIMEOUT from this library, nobody knows: ask rc_sv_status(). RC_SV_PENDING with
/// RC_SV_RQ_NOWAIT. Blocking: at most request->timeout_ms and 2 s; without it as long as the service's
/// own time-outs, at most 600 s.
///
/// # Safety
/// As the text above says.
#[no_mangle]
pub unsafe extern "C" fn rc_sv_start(
    loader: *mut rc_sv_loader,
    spec: *const rc_sv_spec,
    request: *const rc_sv_req,
    error: *mut rc_sv_error,
) -> rc_sv_result {
    // SAFETY: by the contract.
    unsafe {
        with("rc_sv_start", loader, error, |loader| {
            let call = Call::Start(draft(spec)?.clone(), self::request(request)?);
            loader.call(&call, &mut |_| {})
        })
    }
}

/// Lets the module that the setting rc_supervise_module names watch the service of `spec`, which
/// runs already. The module is recorded.
///
/// Order, thread, ownership, NULL, blocking: as rc_sv_start(). Errors: RC_SV_E_*, and then it is not
/// watched; the service runs on. RC_SV_E_UNSUPPORTED before anything else for a module without
/// RC_SV_CAP_MONITORS.
///
/// # Safety
/// As the text above says.
#[no_mangle]
pub unsafe extern "C" fn rc_sv_attach(
    loader: *mut rc_sv_loader,
    spec: *const rc_sv_spec,
    request: *const rc_sv_req,
    error: *mut rc_sv_error,
) -> rc_sv_result {
    // SAFETY: by the contract.
    unsafe {
        with("rc_sv_attach", loader, error, |loader| {
            let call = Call::Attach(draft(spec)?.clone(), self::request(request)?);
            loader.call(&call, &mut |_| {})
        })
    }
}

/// Stops a service through the module that started it. Returns when it is down. RC_SV_DELEGATE: the
/// module only watches. Call rc_sv_detach(), then run the service's own stop.
///
/// Order: after rc_sv_open(); the service may have been started by anybody. Thread: as the loader's.
/// Ownership: everything stays the caller's. NULL: request is all default; error may be NULL; loader
/// and service must not. Errors: RC_SV_E_NOT_FOUND when no module started it; else RC_SV_E_*, and it
/// may still run. Blocking: at most request->timeout_ms and 2 s; without it as long as the service's
/// own time-outs, at most 600 s.
///
/// # Safety
/// As the text above says.
#[no_mangle]
pub unsafe extern "C" fn rc_sv_stop(
    loader: *mut rc_sv_loader,
    service: *const c_char,
    request: *const rc_sv_req,
    error: *mut rc_sv_error,
) -> rc_sv_result {
    // SAFETY: by the contract.
    unsafe { act("rc_sv_stop", Act::Stop, loader, service, request, error) }
}

/// Restarts a service, with the spec of its start, through the module that started it.
///
/// Order, thread, ownership, NULL, errors, blocking: as rc_sv_stop().
///
/// # Safety
/// As the text above says.
#[no_mangle]
pub unsafe extern "C" fn rc_sv_restart(
    loader: *mut rc_sv_loader,
    service: *const c_char,
    request: *const rc_sv_req,
    error: *mut rc_sv_error,
) -> rc_sv_result {
    // SAFETY: by the contract.
    unsafe {
        act(
            "rc_sv_restart",
            Act::Restart,
            loader,
            service,
            request,
            error,
        )
    }
}

/// Makes a service read its configuration again, through the module that started it: by a way of the
/// module's own, or by the signal HUP.
///
/// Order, thread, ownership, NULL, errors, blocking: as rc_sv_stop().
///
/// # Safety
/// As the text above says.
#[no_mangle]
pub unsafe extern "C" fn rc_sv_reload(
    loader: *mut rc_sv_loader,
    service: *const c_char,
    request: *const rc_sv_req,
    error: *mut rc_sv_error,
) -> rc_sv_result {
    // SAFETY: by the contract.
    unsafe { act("rc_sv_reload", Act::Reload, loader, service, request, error) }
}

/// Sends the signal request->signo to the main process of a service, through the module that
/// started it.
///
/// Order, thread, ownership, blocking: as rc_sv_stop(). NULL: error may be NULL, the others not.
/// Errors: RC_SV_E_INVALID for a number that is no signal; RC_SV_E_NOT_FOUND when nothing runs.
///
/// # Safety
/// As the text above says.
#[no_mangle]
pub unsafe extern "C" fn rc_sv_signal(
    loader: *mut rc_sv_loader,
    service: *const c_char,
    request: *const rc_sv_req,
    error: *mut rc_sv_error,
) -> rc_sv_result {
    // SAFETY: by the contract.
    unsafe {
        with("rc_sv_signal", loader, error, |loader| {
            let request = self::request(request)?;
            if !(1..=signal::MAX).contains(&request.signal) {
                let (given, most) = (request.signal, signal::MAX);
                let what = format!("signo is {given}, must be 1 to {most}");
                return Err(Error::invalid(what).into());
            }
            let call = Call::Act(Act::Signal, self::service(service)?, request);
            loader.call(&call, &mut |_| {})
        })
    }
}

/// Ends watching a service, which runs on, through the module that watches it. The record of the
/// module goes. Where the module or its supervisor is gone, nobody watches any more.
///
/// Order, thread, ownership, NULL, blocking: as rc_sv_stop(). Errors: RC_SV_E_UNSUPPORTED from a
/// module that only looks after what it has started itself.
///
/// # Safety
/// As the text above says.
#[no_mangle]
pub unsafe extern "C" fn rc_sv_detach(
    loader: *mut rc_sv_loader,
    service: *const c_char,
    request: *const rc_sv_req,
    error: *mut rc_sv_error,
) -> rc_sv_result {
    // SAFETY: by the contract.
    unsafe { act("rc_sv_detach", Act::Detach, loader, service, request, error) }
}

/// Drops all memory of a service that is down: what the module keeps, and which one it was. A service
/// that no module has started is forgotten already.
///
/// Order, thread, ownership, NULL, blocking: as rc_sv_stop(). Errors: RC_SV_E_CONFLICT when it is
/// not down, or RC_SV_E_*; nothing is forgotten then.
///
/// # Safety
/// As the text above says.
#[no_mangle]
pub unsafe extern "C" fn rc_sv_forget(
    loader: *mut rc_sv_loader,
    service: *const c_char,
    request: *const rc_sv_req,
    error: *mut rc_sv_error,
) -> rc_sv_result {
    // SAFETY: by the contract.
    unsafe { act("rc_sv_forget", Act::Forget, loader, service, request, error) }
}

/// Has the module of a service do something about it.
///
/// # Safety
/// As for the function of this name.
unsafe fn act(
    name: &str,
    act: Act,
    loader: *mut rc_sv_loader,
    service: *const c_char,
    request: *const rc_sv_req,
    error: *mut rc_sv_error,
) -> rc_sv_result {
    // SAFETY: by the contract.
    unsafe {
        with(name, loader, error, |loader| {
            let call = Call::Act(act, self::service(service)?, self::request(request)?);
            loader.call(&call, &mut |_| {})
        })
    }
}
