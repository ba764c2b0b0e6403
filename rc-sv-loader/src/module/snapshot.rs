//! The calls of a module that answer with snapshots, and `forget`.
#![allow(unsafe_code)]

use super::{slot, unsupported, Module};
use crate::handle::SpecHandle;
use crate::host::spec_ptr;
use rc_sv_api::abi::types::rc_sv_status;
use rc_sv_api::abi::{convert, Sink};
use rc_sv_api::{Request, Result, Spec, Status};
use std::ffi::{c_char, c_void, CStr};

impl Module {
    /// One snapshot.
    ///
    /// # Errors
    /// Those of the module.
    pub fn status(&mut self, spec: &Spec) -> Result<Status> {
        let status = slot(self.table.raw.status)?;
        let handle = SpecHandle::new(spec)?;
        let mut raw = convert::empty_status();
        self.call("status", |instance, error| {
            // SAFETY: the instance is open; the spec and the snapshot live during the call.
            unsafe { status(instance, spec_ptr(&handle), &mut raw, error) }
        })?;
        Ok(convert::status_from_raw(&raw))
    }

    /// Waits for [`Request::want_state`] in the module's own way; the snapshot with which that was
    /// reached.
    ///
    /// # Errors
    /// Those of the module; [`rc_sv_api::Code::Unsupported`] if it has no way of its own.
    pub fn wait(&mut self, spec: &Spec, request: &Request) -> Result<Status> {
        let wait = self.table.raw.wait.ok_or_else(|| unsupported("wait"))?;
        let handle = SpecHandle::new(spec)?;
        let request = convert::request_to_raw(request);
        let mut raw = convert::empty_status();
        self.call("wait", |instance, error| {
            // SAFETY: the instance is open; spec, request and snapshot live during the call.
            unsafe { wait(instance, spec_ptr(&handle), &request, &mut raw, error) }
        })?;
        Ok(convert::status_from_raw(&raw))
    }

    /// Drops all memory of the service, which must be down.
    ///
    /// # Errors
    /// Those of the module; [`rc_sv_api::Code::Unsupported`] if it has no memory.
    pub fn forget(&mut self, spec: &Spec) -> Result<()> {
        let forget = self.table.raw.forget.ok_or_else(|| unsupported("forget"))?;
        let handle = SpecHandle::new(spec)?;
        self.call("forget", |instance, error| {
            // SAFETY: the instance is open; the spec lives during the call.
            unsafe { forget(instance, spec_ptr(&handle), error) }
        })?;
        Ok(())
    }

    /// One snapshot of each service, to `sink`, which answers whether to go on.
    ///
    /// # Errors
    /// Those of the module; [`rc_sv_api::Code::Unsupported`] if it cannot list.
    pub fn list(&mut self, sink: &mut Sink<'_>) -> Result<()> {
        let list = self.table.raw.list.ok_or_else(|| unsupported("list"))?;
        let mut sink = sink;
        let user: *mut &mut Sink<'_> = &mut sink;
        self.call("list", |instance, error| {
            // SAFETY: the instance is open; `user` lives during the call, and `list_one` knows
            // its type.
            unsafe { list(instance, Some(list_one), user.cast(), error) }
        })?;
        Ok(())
    }
}

/// The callback of `list`.
unsafe extern "C" fn list_one(
    user: *mut c_void,
    service: *const c_char,
    status: *const rc_sv_status,
) -> i32 {
    if service.is_null() || status.is_null() {
        return 0;
    }
    // SAFETY: `user` is what `list` handed in; the others are valid during this call.
    unsafe {
        let sink = &mut *user.cast::<&mut Sink<'_>>();
        let name = CStr::from_ptr(service).to_string_lossy();
        let go_on = sink(&name, &convert::status_from_raw(&*status));
        i32::from(!go_on)
    }
}
