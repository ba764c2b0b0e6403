//! Services that start and stop themselves, while a module watches.

use super::start::is_alive;
use super::{Failure, Result, Services};
use crate::draft::Draft;
use rc_sv_api::{Caps, Code, Error, Outcome, Request, ServiceName};

impl Services {
    /// Lets the configured module watch the service of `draft`, which runs already.
    ///
    /// # Errors
    /// [`Code::Unsupported`] before anything else if the module cannot watch; else as
    /// [`Services::start`]. The service runs on and is not watched.
    pub fn attach(&self, draft: &Draft, request: &Request) -> Result<Outcome> {
        let service = draft.service();
        let (name, mut spec) = self.configured(draft)?;
        let of = |error: Error| Failure::of(&name, error);
        let mut module = self.loader.open(&name).map_err(of)?;
        if !module.caps().has(Caps::MONITORS) {
            let what = "this module only watches what it has started itself";
            return Err(of(Error::new(Code::Unsupported, what)));
        }
        self.capture(draft, &mut spec).map_err(of)?;
        let recorded = self.recorded_for(service, &name)?;
        if request.dry_run {
            return module.attach(&spec, request).map_err(of);
        }
        self.records.write_attached(service, &name).map_err(of)?;
        let result = module.attach(&spec, request);
        if result.is_err() && !recorded && !is_alive(&mut module, &spec) {
            // That it is not watched is what matters.
            let _ = self.records.remove(service);
        }
        result.map_err(of)
    }

    /// Ends watching `service`, which runs on, through the module that watches it. Where that is
    /// gone, or its supervisor is, nobody watches any more.
    ///
    /// # Errors
    /// None does, or it still watches.
    pub fn detach(&self, service: &ServiceName, request: &Request) -> Result<Outcome> {
        if self.records.read(service)?.is_some() && !self.records.is_attached(service)? {
            let what = "a module has started the service, and does not only watch it; stop it";
            return Err(Error::new(Code::Unsupported, what).into());
        }
        let outcome = match self.with_module(service, |module, spec| module.detach(spec, request)) {
            Err(failure) if failure.module.is_some() && is_gone(failure.error.code) => {
                Outcome::Done
            }
            other => other?,
        };
        if outcome == Outcome::Done && !request.dry_run {
            self.records.remove(service)?;
        }
        Ok(outcome)
    }
}

/// Whether this says that nobody is there who could watch.
fn is_gone(code: Code) -> bool {
    matches!(code, Code::NotFound | Code::NotRunning | Code::Unavailable)
}
