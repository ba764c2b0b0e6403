//! A module's own stream of events.
#![allow(unsafe_code)]

use super::{unsupported, Module};
use crate::handle::SpecHandle;
use crate::host::spec_ptr;
use rc_sv_api::abi::convert;
use rc_sv_api::abi::types::rc_sv_watch;
use rc_sv_api::event::Event;
use rc_sv_api::{Code, Error, Outcome, Result, Spec};
use std::os::fd::{BorrowedFd, RawFd};
use std::ptr;

/// A stream of events, with the module that it comes from.
pub struct Stream {
    module: Module,
    watch: *mut rc_sv_watch,
    pollfd: RawFd,
}

impl Stream {
    /// Begins the events of the service of `spec`, or of all without one.
    ///
    /// # Errors
    /// Those of the module; [`Code::Unsupported`] if it has no such stream.
    pub fn open(mut module: Module, spec: Option<&Spec>) -> Result<Stream> {
        let open = module.table.raw.watch_open;
        let open = open.ok_or_else(|| unsupported("watch"))?;
        let handle = spec.map(SpecHandle::new).transpose()?;
        let (mut watch, mut pollfd) = (ptr::null_mut(), -1);
        module.call("watch", |instance, error| {
            let spec = handle.as_ref().map_or(ptr::null(), spec_ptr);
            // SAFETY: the instance is open; the spec lives during the call, the rest is ours.
            unsafe { open(instance, spec, &mut watch, &mut pollfd, error) }
        })?;
        if watch.is_null() || pollfd < 0 {
            let what = "watch succeeded without a stream";
            return Err(Error::new(Code::Protocol, what));
        }
        Ok(Stream {
            module,
            watch,
            pollfd,
        })
    }

    /// Becomes readable when [`Stream::next_event`] has something. The module's.
    pub fn pollfd(&self) -> RawFd {
        self.pollfd
    }

    /// The same, to be waited for.
    pub fn fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the module keeps it open until watch_close(), which comes with the end of this.
        unsafe { BorrowedFd::borrow_raw(self.pollfd) }
    }

    /// The next event without blocking, or `None`.
    ///
    /// # Errors
    /// The stream is broken.
    pub fn next_event(&mut self) -> Result<Option<Event>> {
        let next = self.module.table.raw.watch_next;
        let next = next.ok_or_else(|| unsupported("watch"))?;
        loop {
            let mut raw = convert::empty_event();
            let watch = self.watch;
            let outcome = self.module.call("watch", |instance, error| {
                // SAFETY: instance and watch are open; the event is ours.
                unsafe { next(instance, watch, &mut raw, error) }
            })?;
            if outcome == Outcome::Pending {
                return Ok(None);
            }
            // Kinds of a later version are left out.
            if let Some(event) = convert::event_from_raw(&raw) {
                return Ok(Some(event));
            }
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let Some(close) = self.module.table.raw.watch_close {
            // SAFETY: both are open, and the watch is not used again.
            unsafe { close(self.module.instance, self.watch) }
        }
    }
}
