//! The module under test, called slot by slot with nothing in between, and each answer judged by
//! the rules of the ABI: the only unsafe file of the verification.
#![allow(unsafe_code)]

use super::answer::{judge, Answer, Guarded};
use super::report::{wrong, Objection};
use super::rules;
use crate::handle::SpecHandle;
use crate::host::{spec_ptr, HostTable, Listener};
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use rc_sv_api::abi::constants::{RC_SV_OK, RC_SV_PENDING};
use rc_sv_api::abi::convert;
use rc_sv_api::abi::types::*;
use rc_sv_api::{Request, Spec};
use std::ffi::{c_char, c_int, c_void, CStr};
use std::os::fd::BorrowedFd;
use std::ptr;
use std::rc::Rc;

/// A slot that acts upon one service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Start,
    Stop,
    Attach,
    Detach,
    Restart,
    Reload,
    Signal,
}

/// The opened module.
pub(super) struct Opened<'a> {
    table: &'a rc_sv_backend,
    instance: *mut rc_sv_instance,
    /// Outlives the instance.
    _host: HostTable,
}

impl<'a> Opened<'a> {
    /// Opens the module whose checked table is `table`.
    pub fn open(
        table: &'a rc_sv_backend,
        name: &str,
        settings: &Spec,
        listener: Rc<dyn Listener>,
    ) -> Result<Opened<'a>, Objection> {
        let host = HostTable::new(name, SpecHandle::new(settings)?, listener);
        let mut instance = ptr::null_mut();
        let answer = judge("open", |error| match table.open {
            // SAFETY: the host's table outlives the instance; the rest is ours.
            Some(open) => unsafe { open(host.as_ptr(), &mut instance, error) },
            None => RC_SV_OK,
        })?;
        match (answer.result, instance.is_null()) {
            (RC_SV_OK, false) => Ok(Opened {
                table,
                instance,
                _host: host,
            }),
            (RC_SV_OK, true) => Err(wrong(
                "open answered RC_SV_OK, but left *instance NULL; set it, or answer an error",
            )),
            (_, false) => Err(wrong(format!(
                "open {}, but set *instance; leave it NULL",
                answer.shown()
            ))),
            _ => Err(wrong(format!("open {}", answer.shown()))),
        }
    }

    pub fn probe(&self) -> Result<(Answer, u64), Objection> {
        let mut caps = Guarded::new(0_u64);
        let answer = judge("probe", |error| match self.table.probe {
            // SAFETY: the instance is open; the rest is ours.
            Some(probe) => unsafe { probe(self.instance, &mut caps.value, error) },
            None => RC_SV_OK,
        })?;
        caps.check("probe", "capabilities")?;
        Ok((answer, caps.value))
    }

    /// Everything that may be NULL is.
    pub fn probe_deaf(&self) -> i32 {
        match self.table.probe {
            // SAFETY: the instance is open, and the ABI allows the others to be NULL.
            Some(probe) => unsafe { probe(self.instance, ptr::null_mut(), ptr::null_mut()) },
            None => RC_SV_OK,
        }
    }

    pub fn has(&self, op: Op) -> bool {
        self.slot(op).is_some()
    }

    /// The operation; `None` for a request is NULL.
    pub fn act(&self, op: Op, spec: &Spec, request: Option<&Request>) -> Result<Answer, Objection> {
        let handle = SpecHandle::new(spec)?;
        let request = request.map(convert::request_to_raw);
        let request = request.as_ref().map_or(ptr::null(), ptr::from_ref);
        judge(&format!("{op:?}").to_lowercase(), |error| {
            match self.slot(op) {
                // SAFETY: the instance is open; spec and request live during the call.
                Some(call) => unsafe { call(self.instance, spec_ptr(&handle), request, error) },
                None => RC_SV_OK,
            }
        })
    }

    /// The operation without a request and without a place for its error.
    pub fn act_deaf(&self, op: Op, spec: &Spec) -> Result<i32, Objection> {
        let (handle, nothing) = (SpecHandle::new(spec)?, ptr::null());
        Ok(self.slot(op).map_or(RC_SV_OK, |call| {
            // SAFETY: the instance is open, and the ABI allows request and error to be NULL.
            unsafe { call(self.instance, spec_ptr(&handle), nothing, ptr::null_mut()) }
        }))
    }

    pub fn status(&self, spec: &Spec) -> Result<(Answer, rc_sv_status), Objection> {
        let handle = SpecHandle::new(spec)?;
        let mut status = Guarded::new(convert::empty_status());
        let place: *mut rc_sv_status = &mut status.value;
        let answer = judge("status", |error| match self.table.status {
            // SAFETY: the instance is open; spec and snapshot live during the call.
            Some(call) => unsafe { call(self.instance, spec_ptr(&handle), place, error) },
            None => RC_SV_OK,
        })?;
        status.check("status", "status")?;
        if answer.result >= 0 {
            rules::check_status(&status.value).map_err(|why| wrong(format!("status {why}")))?;
        }
        Ok((answer, status.value))
    }

    /// `None` where the module does not wait.
    pub fn wait(&self, spec: &Spec, request: &Request) -> Result<Option<Answer>, Objection> {
        let Some(wait) = self.table.wait else {
            return Ok(None);
        };
        let (handle, request) = (SpecHandle::new(spec)?, convert::request_to_raw(request));
        let mut status = Guarded::new(convert::empty_status());
        let place: *mut rc_sv_status = &mut status.value;
        let answer = judge("wait", |error| {
            // SAFETY: the instance is open; everything handed over lives during the call.
            unsafe { wait(self.instance, spec_ptr(&handle), &request, place, error) }
        })?;
        status.check("wait", "status")?;
        if answer.result == RC_SV_OK {
            rules::check_status(&status.value).map_err(|why| wrong(format!("wait {why}")))?;
        }
        Ok(Some(answer))
    }

    /// `None` where the module does not forget.
    pub fn forget(&self, spec: &Spec) -> Result<Option<Answer>, Objection> {
        let Some(forget) = self.table.forget else {
            return Ok(None);
        };
        let handle = SpecHandle::new(spec)?;
        judge("forget", |error| {
            // SAFETY: the instance is open; the spec lives during the call.
            unsafe { forget(self.instance, spec_ptr(&handle), error) }
        })
        .map(Some)
    }

    /// All services with their states; `None` where the module does not list.
    pub fn list(&self) -> Result<Option<Vec<(String, i32)>>, Objection> {
        let Some(list) = self.table.list else {
            return Ok(None);
        };
        let mut seen = Seen::default();
        let user: *mut c_void = ptr::from_mut(&mut seen).cast();
        let answer = judge("list", |error| {
            // SAFETY: the instance is open; `user` is what `note` expects and lives on.
            unsafe { list(self.instance, Some(note), user, error) }
        })?;
        if let Some(why) = seen.objection {
            return Err(wrong(format!("list {why}")));
        }
        match answer.result {
            RC_SV_OK => Ok(Some(seen.services)),
            _ => Err(wrong(format!("list {}", answer.shown()))),
        }
    }

    /// A stream of the events of one service; `None` where the module has none.
    pub fn watch(&self, spec: &Spec) -> Result<Option<Stream<'_>>, Objection> {
        let Some(open) = self.table.watch_open else {
            return Ok(None);
        };
        let handle = SpecHandle::new(spec)?;
        let (mut watch, mut fd) = (ptr::null_mut(), -1);
        let answer = judge("watch_open", |error| {
            let spec = spec_ptr(&handle);
            // SAFETY: the instance is open; everything handed over lives during the call.
            unsafe { open(self.instance, spec, &mut watch, &mut fd, error) }
        })?;
        if answer.result != RC_SV_OK || watch.is_null() || fd < 0 {
            return Err(wrong(format!(
                "watch_open {} with descriptor {fd} and a watch that is {}",
                answer.shown(),
                if watch.is_null() { "NULL" } else { "set" }
            )));
        }
        Ok(Some(Stream {
            opened: self,
            watch,
            fd,
        }))
    }

    fn slot(&self, op: Op) -> rc_sv_op {
        match op {
            Op::Start => self.table.start,
            Op::Stop => self.table.stop,
            Op::Attach => self.table.attach,
            Op::Detach => self.table.detach,
            Op::Restart => self.table.restart,
            Op::Reload => self.table.reload,
            Op::Signal => self.table.signal,
        }
    }
}

impl Drop for Opened<'_> {
    fn drop(&mut self) {
        if let Some(close) = self.table.close {
            // SAFETY: the instance is open and is not used again.
            unsafe { close(self.instance) }
        }
    }
}

/// A stream of events.
pub(super) struct Stream<'a> {
    opened: &'a Opened<'a>,
    watch: *mut rc_sv_watch,
    fd: c_int,
}

impl Stream<'_> {
    /// Whether the descriptor becomes readable before `timeout` is over.
    pub fn is_readable(&self, timeout: PollTimeout) -> bool {
        // SAFETY: the descriptor is the module's and stays open as long as the stream.
        let fd = unsafe { BorrowedFd::borrow_raw(self.fd) };
        poll(&mut [PollFd::new(fd, PollFlags::POLLIN)], timeout).is_ok_and(|ready| ready > 0)
    }

    /// The service of the next event, `None` when there is none.
    pub fn next(&self) -> Result<Option<String>, Objection> {
        let mut event = Guarded::new(convert::empty_event());
        let place: *mut rc_sv_event = &mut event.value;
        let answer = judge("watch_next", |error| match self.opened.table.watch_next {
            // SAFETY: instance and watch are open; the event lives during the call.
            Some(next) => unsafe { next(self.opened.instance, self.watch, place, error) },
            None => RC_SV_PENDING,
        })?;
        event.check("watch_next", "event")?;
        match answer.result {
            RC_SV_PENDING => Ok(None),
            RC_SV_OK => rules::check_event(&event.value)
                .map(Some)
                .map_err(|why| wrong(format!("watch_next {why}"))),
            _ => Err(wrong(format!("watch_next {}", answer.shown()))),
        }
    }
}

impl Drop for Stream<'_> {
    fn drop(&mut self) {
        if let Some(close) = self.opened.table.watch_close {
            // SAFETY: instance and watch are open, and the watch is not used again.
            unsafe { close(self.opened.instance, self.watch) }
        }
    }
}

/// What the callback of a list saw.
#[derive(Default)]
struct Seen {
    services: Vec<(String, i32)>,
    objection: Option<String>,
}

unsafe extern "C" fn note(
    user: *mut c_void,
    service: *const c_char,
    status: *const rc_sv_status,
) -> i32 {
    // SAFETY: `user` is a `Seen` by `Opened::list`; the others are valid during this call or NULL.
    unsafe {
        let seen = &mut *user.cast::<Seen>();
        if service.is_null() || status.is_null() {
            seen.objection = Some("handed NULL to the callback".into());
            return 1;
        }
        if let Err(why) = rules::check_status(&*status) {
            seen.objection = Some(why);
            return 1;
        }
        let name = CStr::from_ptr(service).to_string_lossy().into_owned();
        seen.services.push((name, (*status).state));
    }
    0
}
