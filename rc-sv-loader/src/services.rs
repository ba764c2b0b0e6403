//! Services: which module has which, and what to ask it.

mod attach;
mod check;
mod list;
mod report;
mod start;
mod wait;

pub use check::Checked;
pub use report::{Failure, Report};

use crate::capture;
use crate::loader::Loader;
use crate::module::Module;
use crate::record::Records;
use crate::standing::{is_started, living_child, Standing};
use rc_sv_api::{Code, Error, Outcome, Request, ServiceName, Spec, State, Status};

type Result<T> = std::result::Result<T, Failure>;

/// The services of one OpenRC.
pub struct Services {
    loader: Loader,
    records: Records,
}

impl Services {
    /// The loader.
    pub fn loader(&self) -> &Loader {
        &self.loader
    }

    /// OpenRC's state directory.
    pub fn svcdir(&self) -> &std::path::Path {
        self.records.svcdir()
    }

    /// Those of the OpenRC whose state directory the loader's configuration names.
    ///
    /// # Errors
    /// `RC_SVCDIR` does not fit.
    pub fn new(loader: Loader) -> Result<Services> {
        let records = Records::new(loader.config().variables().svcdir()?);
        Ok(Services { loader, records })
    }

    /// Stops `service` through the module that started it. [`Outcome::Delegate`]: it only watches.
    ///
    /// # Errors
    /// None did, or the service still runs.
    pub fn stop(&self, service: &ServiceName, request: &Request) -> Result<Outcome> {
        let outcome = self.with_module(service, |module, spec| {
            self.check_supervised(module, spec, service)?;
            module.stop(spec, request)
        })?;
        if outcome == Outcome::Done && !request.dry_run {
            self.records.remove(service)?;
        }
        Ok(outcome)
    }

    /// Restarts `service`, with the spec of its start, through the module that started it.
    ///
    /// # Errors
    /// None did, or the restart failed.
    pub fn restart(&self, service: &ServiceName, request: &Request) -> Result<Outcome> {
        self.with_module(service, |module, spec| {
            self.check_supervised(module, spec, service)?;
            module.restart(spec, request)
        })
    }

    /// Makes `service` read its configuration again, through the module that started it.
    ///
    /// # Errors
    /// None did, nothing runs, or the module cannot.
    pub fn reload(&self, service: &ServiceName, request: &Request) -> Result<Outcome> {
        self.with_module(service, |module, spec| module.reload(spec, request))
    }

    /// Drops all memory of `service`, which must be down. One that no module has started is
    /// forgotten already.
    ///
    /// # Errors
    /// It is not down.
    pub fn forget(&self, service: &ServiceName, request: &Request) -> Result<Outcome> {
        if self.records.read(service)?.is_none() {
            return Ok(Outcome::Done);
        }
        self.with_module(service, |module, spec| {
            self.check_supervised(module, spec, service)?;
            is_down(module, spec)?;
            if !request.dry_run {
                match module.forget(spec) {
                    // It has no memory.
                    Err(error) if error.code == Code::Unsupported => {}
                    other => other?,
                }
            }
            Ok(Outcome::Done)
        })?;
        if !request.dry_run {
            self.records.remove(service)?;
        }
        Ok(Outcome::Done)
    }

    /// Sends [`Request::signal`] to `service` through the module that started it.
    ///
    /// # Errors
    /// None did, nothing runs, or the module sends no signals.
    pub fn signal(&self, service: &ServiceName, request: &Request) -> Result<Outcome> {
        self.with_module(service, |module, spec| module.signal(spec, request))
    }

    /// The last lines of the output of `service`, where its module keeps them and the caller may read
    /// them.
    pub fn last_output(&self, service: &ServiceName) -> Option<String> {
        self.records.last_output(service)
    }

    /// What is known of `service`.
    ///
    /// # Errors
    /// The module that started it cannot be asked.
    pub fn status(&self, service: &ServiceName) -> Result<Report> {
        let Some(name) = self.records.read(service)? else {
            return Ok(Report {
                service: service.clone(),
                module: None,
                status: Status::of_state(State::Unmanaged),
                standing: Standing::Stopped,
            });
        };
        let of = |error: Error| Failure::of(&name, error);
        let mut module = self.loader.open_started(&name).map_err(of)?;
        let spec = self.spec(service)?;
        self.report(service, &name, module.status(&spec))
            .map_err(of)
    }

    fn report(
        &self,
        service: &ServiceName,
        module: &str,
        status: rc_sv_api::Result<Status>,
    ) -> rc_sv_api::Result<Report> {
        // What it only watches may run where it cannot see it.
        let is_attached = || self.records.is_attached(service).unwrap_or(false);
        let child = || is_attached() || living_child(self.records.svcdir(), service).is_some();
        let (status, mut standing) = Standing::of(status, child)?;
        // A supervisor that was told to end has stopped its services, and has said so to OpenRC.
        if standing == Standing::Crashed && !is_started(self.records.svcdir(), service) {
            standing = Standing::Stopped;
        }
        let module = Some(module.to_string());
        Ok(Report {
            service: service.clone(),
            module,
            status,
            standing,
        })
    }

    fn with_module(
        &self,
        service: &ServiceName,
        act: impl FnOnce(&mut Module, &Spec) -> rc_sv_api::Result<Outcome>,
    ) -> Result<Outcome> {
        // Who may do what is the module's to say.
        let Some(name) = self.records.read(service)? else {
            let path = self.records.path(service);
            let what = format!("no module has started it: {} has no record", path.display());
            return Err(Error::new(Code::NotFound, what).into());
        };
        let of = |error: Error| Failure::of(&name, error);
        let spec = self.spec(service)?;
        let mut module = self.loader.open_started(&name).map_err(of)?;
        act(&mut module, &spec).map_err(of)
    }

    /// A daemon whose supervisor is gone is out of reach of the module, which would call it down:
    /// a stop would leave it running, and a start would make a second one.
    fn check_supervised(
        &self,
        module: &mut Module,
        spec: &Spec,
        service: &ServiceName,
    ) -> rc_sv_api::Result<()> {
        let Some(pid) = living_child(self.records.svcdir(), service) else {
            return Ok(());
        };
        match module.status(spec) {
            Ok(status) if status.state != State::Unmanaged => Ok(()),
            Err(error) if error.code != Code::NotRunning => Err(error),
            _ => {
                let what =
                    format!("runs as pid {pid} without its supervisor, which died: kill {pid}");
                Err(Error::new(Code::Conflict, what))
            }
        }
    }

    /// What a module needs to know after the start.
    fn spec(&self, service: &ServiceName) -> rc_sv_api::Result<Spec> {
        let mut spec = Spec::default();
        capture::identify(&mut spec, service, self.loader.config().variables())?;
        Ok(spec)
    }
}

/// Whether the service can be forgotten.
fn is_down(module: &mut Module, spec: &Spec) -> rc_sv_api::Result<()> {
    let state = module.status(spec)?.state;
    if matches!(state, State::Down | State::Unmanaged | State::GaveUp) {
        return Ok(());
    }
    let what = format!("the service is not down ({}); stop it first", state.name());
    Err(Error::new(Code::Conflict, what))
}
