//! A loaded module: the only file that calls into modules.
#![allow(unsafe_code)]

pub(crate) mod load;
mod snapshot;
mod watch;

pub use watch::Stream;

use crate::handle::SpecHandle;
use crate::host::{spec_ptr, HostTable, Listener};
use crate::note;
use crate::search::Found;
use rc_sv_api::abi::constants::*;
use rc_sv_api::abi::convert;
use rc_sv_api::abi::table::CheckedTable;
use rc_sv_api::abi::types::*;
use rc_sv_api::{signal, Caps, Code, Error, Outcome, Request, Result, Spec};
use std::path::{Path, PathBuf};
use std::ptr;
use std::rc::Rc;

/// A module that is loaded and opened. It stays loaded for the life of the process.
pub struct Module {
    name: String,
    path: PathBuf,
    table: CheckedTable,
    instance: *mut rc_sv_instance,
    /// Outlives the instance.
    _host: HostTable,
}

/// The slots that act upon one service.
type Op = unsafe extern "C" fn(
    *mut rc_sv_instance,
    *const rc_sv_spec,
    *const rc_sv_req,
    *mut rc_sv_error,
) -> rc_sv_result;

impl Module {
    /// Loads and opens `found`; `settings` are the module's own.
    ///
    /// # Errors
    /// It does not fit, cannot be loaded, or does not like its settings. The message names the
    /// file.
    pub fn load(found: Found, settings: &Spec, listener: Rc<dyn Listener>) -> Result<Module> {
        let (name, path) = (found.name.clone(), found.path.clone());
        let table = load::load(found)?;
        let host = HostTable::new(&name, SpecHandle::new(settings)?, listener);
        let mut instance = ptr::null_mut();
        let mut error = convert::empty_error();
        let open = slot(table.raw.open)?;
        // SAFETY: the host's table lives as long as the instance; the rest is ours.
        let result = unsafe { open(host.as_ptr(), &mut instance, &mut error) };
        if result != RC_SV_OK {
            return Err(convert::error_from_raw(result, &error, "open"));
        }
        if instance.is_null() {
            return Err(Error::new(
                Code::Protocol,
                "open succeeded without an instance",
            ));
        }
        Ok(Module {
            name,
            path,
            table,
            instance,
            _host: host,
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its version.
    pub fn version(&self) -> &str {
        self.table.version
    }

    /// One line for people.
    pub fn description(&self) -> &str {
        self.table.description
    }

    /// Its ABI, as `1.0`.
    pub fn abi(&self) -> String {
        note::abi_text(self.table.raw.abi)
    }

    /// The same, major and minor in one word.
    pub fn abi_number(&self) -> u32 {
        self.table.raw.abi
    }

    /// What it can do at best.
    pub fn caps(&self) -> Caps {
        Caps(self.table.raw.caps)
    }

    /// What it can do here and now.
    ///
    /// # Errors
    /// Its supervisor is not installed or does not run.
    pub fn probe(&mut self) -> Result<Caps> {
        let probe = slot(self.table.raw.probe)?;
        let mut caps = 0;
        self.call("probe", |instance, error| {
            // SAFETY: the instance is open; the rest is the caller's.
            unsafe { probe(instance, &mut caps, error) }
        })?;
        Ok(Caps(caps))
    }

    /// Starts the service of `spec`.
    ///
    /// # Errors
    /// Those of the module.
    pub fn start(&mut self, spec: &Spec, request: &Request) -> Result<Outcome> {
        self.act("start", self.table.raw.start, spec, request)
    }

    /// Stops it.
    ///
    /// # Errors
    /// Those of the module.
    pub fn stop(&mut self, spec: &Spec, request: &Request) -> Result<Outcome> {
        self.act("stop", self.table.raw.stop, spec, request)
    }

    /// Restarts it; a module that cannot do so in one step stops and starts it, for which `spec`
    /// must be complete.
    ///
    /// # Errors
    /// Those of the module; [`Code::Unsupported`] before anything is done if the module needs a
    /// complete spec and this is none.
    pub fn restart(&mut self, spec: &Spec, request: &Request) -> Result<Outcome> {
        if self.table.raw.restart.is_some() {
            return self.act("restart", self.table.raw.restart, spec, request);
        }
        if !spec.has("argv") {
            let what = "restart is not offered by this module; use rc-service SERVICE restart";
            return Err(Error::new(Code::Unsupported, what));
        }
        self.stop(spec, request)?;
        self.start(spec, request)
    }

    /// Begins to watch the service of `spec`, which runs already.
    ///
    /// # Errors
    /// Those of the module; [`Code::Unsupported`] if it cannot watch what it did not start.
    pub fn attach(&mut self, spec: &Spec, request: &Request) -> Result<Outcome> {
        self.act("attach", self.table.raw.attach, spec, request)
    }

    /// Ends watching it.
    ///
    /// # Errors
    /// Those of the module; [`Code::Unsupported`] if it cannot watch what it did not start.
    pub fn detach(&mut self, spec: &Spec, request: &Request) -> Result<Outcome> {
        self.act("detach", self.table.raw.detach, spec, request)
    }

    /// Makes it read its configuration again; a module that has no way of its own sends HUP.
    ///
    /// # Errors
    /// Those of the module; [`Code::Unsupported`] if it sends no signals either.
    pub fn reload(&mut self, spec: &Spec, request: &Request) -> Result<Outcome> {
        if self.table.raw.reload.is_some() {
            return self.act("reload", self.table.raw.reload, spec, request);
        }
        if self.table.raw.signal.is_none() {
            return Err(unsupported("reload"));
        }
        let signal = signal::HUP;
        self.signal(spec, &Request { signal, ..*request })
    }

    /// Sends [`Request::signal`] to its main process.
    ///
    /// # Errors
    /// Those of the module; [`Code::Unsupported`] if it sends no signals.
    pub fn signal(&mut self, spec: &Spec, request: &Request) -> Result<Outcome> {
        self.act("signal", self.table.raw.signal, spec, request)
    }

    fn act(
        &mut self,
        what: &str,
        op: Option<Op>,
        spec: &Spec,
        request: &Request,
    ) -> Result<Outcome> {
        let op = op.ok_or_else(|| unsupported(what))?;
        let handle = SpecHandle::new(spec)?;
        let request = convert::request_to_raw(request);
        self.call(what, |instance, error| {
            // SAFETY: the instance is open; spec and request live during the call.
            unsafe { op(instance, spec_ptr(&handle), &request, error) }
        })
    }

    fn call(
        &mut self,
        what: &str,
        op: impl FnOnce(*mut rc_sv_instance, *mut rc_sv_error) -> rc_sv_result,
    ) -> Result<Outcome> {
        let mut error = convert::empty_error();
        match op(self.instance, &mut error) {
            RC_SV_OK => Ok(Outcome::Done),
            RC_SV_PENDING => Ok(Outcome::Pending),
            RC_SV_DELEGATE => Ok(Outcome::Delegate),
            result => Err(convert::error_from_raw(result, &error, what)),
        }
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        if let Some(close) = self.table.raw.close {
            // SAFETY: the instance is open and is not used again.
            unsafe { close(self.instance) }
        }
    }
}

fn slot<T>(slot: Option<T>) -> Result<T> {
    slot.ok_or_else(|| Error::new(Code::Abi, "a mandatory slot is NULL"))
}

fn unsupported(what: &str) -> Error {
    Error::new(
        Code::Unsupported,
        format!("{what} is not offered by this module"),
    )
}
