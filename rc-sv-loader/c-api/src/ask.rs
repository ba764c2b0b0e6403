//! What is asked of services.
#![allow(unsafe_code)]

use crate::loader::{rc_sv_loader, with};
use crate::pointers::{check_out, fill, null, request, service, Sized32};
use crate::structs;
use crate::types::{rc_sv_report, rc_sv_report_cb};
use ::rc_sv_loader::{Call, Reply};
use rc_sv_api::abi::types::{rc_sv_error, rc_sv_req, rc_sv_result, rc_sv_state};
use rc_sv_api::{Error, State};
use std::ffi::{c_char, c_void, CStr};

// SAFETY: its first field is `struct_size`.
unsafe impl Sized32 for rc_sv_report {
    const NAME: &'static str = "report";
}

/// Fills how a service stands. One that no module has started is RC_SV_STATE_UNMANAGED, and stopped.
///
/// Order: after rc_sv_open(). Thread: as the loader's. Ownership: report is the caller's. NULL: error
/// may be NULL, the others not. Errors: RC_SV_E_* when the module cannot be asked; report is then as
/// before. Blocking: as long as the module, at most 32 s.
///
/// # Safety
/// As the text above says.
#[no_mangle]
pub unsafe extern "C" fn rc_sv_status(
    loader: *mut rc_sv_loader,
    service: *const c_char,
    report: *mut rc_sv_report,
    error: *mut rc_sv_error,
) -> rc_sv_result {
    // SAFETY: by the contract.
    unsafe {
        with("rc_sv_status", loader, error, |loader| {
            check_out(report)?;
            let call = Call::Status(self::service(service)?);
            loader.call(&call, &mut |reply| fill_report(reply, report))
        })
    }
}

/// Waits until a service has the state request->want_state, whoever brings it there, and fills how
/// it stands then. RC_SV_STATE_DOWN is reached by whatever does not run and will not by itself.
///
/// Order, thread, ownership: as rc_sv_status(). NULL: report and error may be NULL, the others not.
/// Errors: RC_SV_E_TIMEOUT; RC_SV_E_FAILED when the service was given up, and so will not come to that
/// state by itself; RC_SV_E_INVALID for a state that cannot be waited for. Blocking: at most
/// request->timeout_ms and 2 s; 60 s without it.
///
/// # Safety
/// As the text above says.
#[no_mangle]
pub unsafe extern "C" fn rc_sv_wait(
    loader: *mut rc_sv_loader,
    service: *const c_char,
    request: *const rc_sv_req,
    report: *mut rc_sv_report,
    error: *mut rc_sv_error,
) -> rc_sv_result {
    // SAFETY: by the contract.
    unsafe {
        with("rc_sv_wait", loader, error, |loader| {
            if !report.is_null() {
                check_out(report)?;
            }
            let request = self::request(request)?;
            if request.want_state == State::Unknown {
                let what = "want_state must be one of RC_SV_STATE_UNMANAGED to RC_SV_STATE_PAUSED";
                return Err(Error::invalid(what).into());
            }
            let call = Call::Wait(self::service(service)?, request);
            loader.call(&call, &mut |reply| {
                if !report.is_null() {
                    fill_report(reply, report);
                }
            })
        })
    }
}

/// Hands how each service that a module has started stands to `callback`, by name. Each module is
/// asked once. A service that cannot be asked is in its place, with the reason in report->result.
///
/// Order, thread: as rc_sv_status(); callback is called from this thread. Ownership: the report is
/// this library's, during the callback. NULL: user and error may be NULL, the others not. Errors:
/// RC_SV_E_* when the records cannot be read. Blocking: as long as the modules, at most 32 s.
///
/// # Safety
/// As the text above says.
#[no_mangle]
pub unsafe extern "C" fn rc_sv_list(
    loader: *mut rc_sv_loader,
    callback: rc_sv_report_cb,
    user: *mut c_void,
    error: *mut rc_sv_error,
) -> rc_sv_result {
    // SAFETY: by the contract.
    unsafe {
        with("rc_sv_list", loader, error, |loader| {
            let callback = callback.ok_or_else(|| null("callback"))?;
            let mut ended = false;
            loader.call(&Call::List, &mut |reply| {
                let report = match &reply {
                    Reply::Report(report) => structs::report(report),
                    Reply::Unknown(service, failure) => structs::unknown(service, failure),
                    _ => return,
                };
                ended = ended || callback(user, &report) != 0;
            })
        })
    }
}

/// The word for a state, such as "up": static, never NULL; "unknown" for a number that is none.
/// Order, thread: any.
#[no_mangle]
pub extern "C" fn rc_sv_state_name(state: rc_sv_state) -> *const c_char {
    name(State::from_raw(state)).as_ptr()
}

fn name(state: State) -> &'static CStr {
    match state {
        State::Unknown => c"unknown",
        State::Unmanaged => c"unmanaged",
        State::Down => c"down",
        State::Starting => c"starting",
        State::Up => c"up",
        State::Stopping => c"stopping",
        State::Backoff => c"waiting",
        State::GaveUp => c"gave-up",
        State::Paused => c"paused",
    }
}

/// # Safety
/// `to` points to a report.
unsafe fn fill_report(reply: Reply, to: *mut rc_sv_report) {
    if let Reply::Report(report) = reply {
        // SAFETY: by the contract.
        unsafe { fill(to, structs::report(&report)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_have_the_words_of_the_vocabulary() {
        for state in State::ALL {
            assert_eq!(name(state).to_str(), Ok(state.name()));
        }
    }
}
