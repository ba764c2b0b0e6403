//! Streams of events, as handles of C.
#![allow(unsafe_code)]

use crate::loader::{rc_sv_loader, with};
use crate::pointers::{check_out, fill, null, service, Sized32};
use ::rc_sv_loader::module::Stream;
use ::rc_sv_loader::{Call, Failure, Isolation, Reply, Report, Services, Watch};
use rc_sv_api::abi::convert::event_to_raw;
use rc_sv_api::abi::types::{rc_sv_error, rc_sv_event, rc_sv_result, rc_sv_watch};
use rc_sv_api::event::Event;
use rc_sv_api::{Code, Outcome, ServiceName};
use std::ffi::{c_char, c_int};
use std::os::fd::AsRawFd;
use std::ptr;

// SAFETY: its first field is `struct_size`.
unsafe impl Sized32 for rc_sv_event {
    const NAME: &'static str = "event";
}

/// What is behind a watch of C.
struct Handle {
    service: Option<ServiceName>,
    events: Events,
}

/// Where its events come from.
enum Events {
    /// From the module itself: only in this process.
    Module(Stream),
    /// From a snapshot after each change that OpenRC's state directory shows.
    Snapshots(Watch),
}

/// Begins a stream of events: of one service, or of all that modules have started if service is
/// NULL. When *pollfd is readable, there may be something for rc_sv_watch_next().
///
/// An event is a change of state, pid, restarts or health that lasts until it is looked at: who is
/// slow sees fewer. In a loader with RC_SV_OPEN_DIRECT the stream of one service is that of its module,
/// if that has one; it ends with RC_SV_EVENT_SUPERVISOR_LOST and, from then on, RC_SV_E_NOT_RUNNING.
///
/// Order: after rc_sv_open(), before rc_sv_close(). Thread: as the loader's. Ownership: *watch is the
/// caller's, up to rc_sv_watch_close(); *pollfd is this library's: only poll it. NULL: service and
/// error may be NULL, the others not. Errors: RC_SV_E_*, and *watch is NULL, *pollfd -1. Blocking: as
/// rc_sv_status().
///
/// # Safety
/// As the text above says.
#[no_mangle]
pub unsafe extern "C" fn rc_sv_watch_open(
    loader: *mut rc_sv_loader,
    service: *const c_char,
    watch: *mut *mut rc_sv_watch,
    pollfd: *mut c_int,
    error: *mut rc_sv_error,
) -> rc_sv_result {
    // SAFETY: by the contract.
    unsafe {
        with("rc_sv_watch_open", loader, error, |loader| {
            if watch.is_null() || pollfd.is_null() {
                return Err(null("watch or pollfd").into());
            }
            fill(watch, ptr::null_mut());
            fill(pollfd, -1);
            let service = match service.is_null() {
                true => None,
                false => Some(self::service(service)?),
            };
            let events = events(loader, service.as_ref())?;
            fill(pollfd, events.pollfd());
            let handle = Handle { service, events };
            fill(watch, Box::into_raw(Box::new(handle)).cast());
            Ok(Outcome::Done)
        })
    }
}

/// Fills the next event, if there is one, without waiting for it: RC_SV_OK, or RC_SV_PENDING when
/// there is none. To be called until it answers RC_SV_PENDING, before *pollfd is polled again.
///
/// Order: between rc_sv_watch_open() and rc_sv_watch_close(), with the same loader. Thread: as the
/// loader's. Ownership: event is the caller's. NULL: error may be NULL, the others not. Errors:
/// RC_SV_E_* when the services cannot be asked; the stream goes on. Blocking: as rc_sv_status().
///
/// # Safety
/// As the text above says.
#[no_mangle]
pub unsafe extern "C" fn rc_sv_watch_next(
    loader: *mut rc_sv_loader,
    watch: *mut rc_sv_watch,
    event: *mut rc_sv_event,
    error: *mut rc_sv_error,
) -> rc_sv_result {
    // SAFETY: by the contract.
    unsafe {
        with("rc_sv_watch_next", loader, error, |loader| {
            check_out(event)?;
            let handle = watch.cast::<Handle>().as_mut();
            match handle.ok_or_else(|| null("watch"))?.next(loader)? {
                None => Ok(Outcome::Pending),
                Some(next) => {
                    fill(event, event_to_raw(&next));
                    Ok(Outcome::Done)
                }
            }
        })
    }
}

/// Ends a stream of events. NULL for watch does nothing. Order: before rc_sv_close(). Thread: as the
/// loader's. Blocking: as long as the module, with RC_SV_OPEN_DIRECT; else never.
///
/// # Safety
/// As the text above says.
#[no_mangle]
pub unsafe extern "C" fn rc_sv_watch_close(loader: *mut rc_sv_loader, watch: *mut rc_sv_watch) {
    // SAFETY: by the contract; made by rc_sv_watch_open, and not used again.
    unsafe {
        with("rc_sv_watch_close", loader, ptr::null_mut(), |_| {
            if !watch.is_null() {
                drop(Box::from_raw(watch.cast::<Handle>()));
            }
            Ok(Outcome::Done)
        });
    }
}

fn events(loader: &rc_sv_loader, service: Option<&ServiceName>) -> Result<Events, Failure> {
    if let (Isolation::Direct, Some(service)) = (loader.isolation()?, service) {
        let services = Services::new(loader.inner().clone())?;
        match services.stream(service) {
            Ok(Some(stream)) => return Ok(Events::Module(stream)),
            Ok(None) => {}
            // Nobody tells anything, but somebody may again.
            Err(failure) if failure.error.code == Code::NotRunning => {}
            Err(failure) => return Err(failure),
        }
    }
    let svcdir = loader.inner().config().variables().svcdir()?;
    let look = || snapshot(loader, service);
    Ok(Events::Snapshots(Watch::open(&svcdir, service, look)?))
}

/// Services that cannot be asked are left out.
fn snapshot(loader: &rc_sv_loader, service: Option<&ServiceName>) -> Result<Vec<Report>, Failure> {
    let call = match service {
        Some(service) => Call::Status(service.clone()),
        None => Call::List,
    };
    let mut reports = Vec::new();
    loader.call(&call, &mut |reply| {
        if let Reply::Report(report) = reply {
            reports.push(*report);
        }
    })?;
    Ok(reports)
}

impl Handle {
    fn next(&mut self, loader: &rc_sv_loader) -> Result<Option<Event>, Failure> {
        match &mut self.events {
            Events::Module(stream) => Ok(stream.next_event()?),
            Events::Snapshots(watch) => watch.next(|| snapshot(loader, self.service.as_ref())),
        }
    }
}

impl Events {
    fn pollfd(&self) -> c_int {
        match self {
            Events::Module(stream) => stream.pollfd(),
            Events::Snapshots(watch) => watch.fd().as_raw_fd(),
        }
    }
}
