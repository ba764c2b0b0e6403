//! The start of a service: the only moment at which configuration and surroundings count.

use super::{Failure, Result, Services};
use crate::capture;
use crate::draft::Draft;
use crate::module::Module;
use rc_sv_api::{Code, Error, Outcome, Request, ServiceName, Spec, State};

impl Services {
    /// Starts the service of `draft` with that and what is configured, in the surroundings of
    /// this process.
    ///
    /// # Errors
    /// The configuration does not fit, another module has the service, or the start failed. Then
    /// nothing runs, and nothing is recorded that was not recorded before.
    pub fn start(&self, draft: &Draft, request: &Request) -> Result<Outcome> {
        self.begin(draft, request, |module, spec| {
            match module.start(spec, request) {
                Ok(Outcome::Delegate) => {
                    let what = "this module only watches services that start themselves";
                    Err(Error::new(Code::Unsupported, what))
                }
                other => other,
            }
        })
    }

    /// Lets the configured module watch the service of `draft`, which runs already.
    ///
    /// # Errors
    /// As [`Services::start`]; the service runs on and is not watched.
    pub fn attach(&self, draft: &Draft, request: &Request) -> Result<Outcome> {
        self.begin(draft, request, |module, spec| module.attach(spec, request))
    }

    fn begin(
        &self,
        draft: &Draft,
        request: &Request,
        act: impl FnOnce(&mut Module, &Spec) -> rc_sv_api::Result<Outcome>,
    ) -> Result<Outcome> {
        let service = draft.service();
        let (name, spec) = self.complete(draft)?;
        let of = |error: Error| Failure::of(&name, error);
        let recorded = self.records.read(service).map_err(of)?;
        if let Some(other) = recorded.as_ref().filter(|other| **other != name) {
            self.settle(service, other)?;
        }
        let mut module = self.loader.open(&name).map_err(of)?;
        self.check_supervised(&mut module, &spec, service)
            .map_err(of)?;
        if request.dry_run {
            return act(&mut module, &spec).map_err(of);
        }
        self.records.write(service, &name).map_err(of)?;
        let result = act(&mut module, &spec);
        if result.is_err() && recorded.as_ref() != Some(&name) && !is_alive(&mut module, &spec) {
            // The failure of the start is what matters.
            let _ = self.records.remove(service);
        }
        result.map_err(of)
    }

    /// The module that is to have the service, and the whole spec.
    fn complete(&self, draft: &Draft) -> Result<(String, Spec)> {
        let service = draft.service();
        let config = self.loader.config();
        let mut spec = match draft.uses_variables() {
            true => config.service(service)?,
            false => config.files(service)?,
        };
        draft.apply_settings(&mut spec)?;
        let name = spec.settings().word("rc_supervise_module");
        if name.is_empty() {
            return Err(crate::config::no_module(service).into());
        }
        capture::capture(&mut spec, service, draft.argv(), config.variables())
            .map_err(|error| Failure::of(&name, error))?;
        draft.apply_environment(&mut spec);
        Ok((name, spec))
    }

    /// Another module is recorded: if it still has the service, it keeps it.
    fn settle(&self, service: &ServiceName, other: &str) -> Result<()> {
        let conflict = |why: String| Failure::of(other, Error::new(Code::Conflict, why));
        let spec = self.spec(service)?;
        let status = self
            .loader
            .open(other)
            .and_then(|mut module| module.status(&spec));
        match status {
            Ok(status)
                if matches!(status.state, State::Down | State::Unmanaged | State::GaveUp) =>
            {
                Ok(())
            }
            Ok(status) => {
                let state = status.state.name();
                Err(conflict(format!(
                    "has the service ({state}); stop it first"
                )))
            }
            Err(error) => Err(conflict(format!(
                "has the service and cannot be asked: {error}"
            ))),
        }
    }
}

/// After a start that failed: whether something runs nevertheless, such as an earlier instance.
fn is_alive(module: &mut Module, spec: &Spec) -> bool {
    let gone = [State::Unknown, State::Unmanaged, State::Down, State::GaveUp];
    module
        .status(spec)
        .is_ok_and(|status| !gone.contains(&status.state))
}
