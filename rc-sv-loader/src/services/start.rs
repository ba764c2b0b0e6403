//! The start of a service: the only moment at which configuration and surroundings count.

use super::{Failure, Result, Services};
use crate::capture;
use crate::draft::Draft;
use crate::module::Module;
use rc_sv_api::{Caps, Code, Error, Outcome, Request, ServiceName, Spec, State};

impl Services {
    /// Starts the service of `draft` with that and what is configured, in the surroundings of
    /// this process. [`Outcome::Delegate`]: the module only watches what has started itself, see
    /// [`Services::attach`].
    ///
    /// # Errors
    /// The configuration does not fit, another module has the service, or the start failed. Then
    /// nothing runs, and nothing is recorded that was not recorded before.
    pub fn start(&self, draft: &Draft, request: &Request) -> Result<Outcome> {
        let service = draft.service();
        let (name, mut spec) = self.configured(draft)?;
        let of = |error: Error| Failure::of(&name, error);
        self.capture(draft, &mut spec).map_err(of)?;
        let recorded = self.recorded_for(service, &name)?;
        let mut module = self.loader.open(&name).map_err(of)?;
        if draft.forks() && module.caps().has(Caps::MONITORS) {
            return Ok(Outcome::Delegate);
        }
        self.check_supervised(&mut module, &spec, service)
            .map_err(of)?;
        if request.dry_run {
            return module.start(&spec, request).map_err(of);
        }
        self.records.write(service, &name).map_err(of)?;
        let result = module.start(&spec, request);
        let runs = match result {
            Ok(Outcome::Delegate) => false,
            Ok(_) => true,
            Err(_) => is_alive(&mut module, &spec),
        };
        if !runs && !recorded {
            // The failure of the start is what matters.
            let _ = self.records.remove(service);
        }
        result.map_err(of)
    }

    /// Whether the module `name` is recorded already. Another one gives way only to what is down.
    pub(super) fn recorded_for(&self, service: &ServiceName, name: &str) -> Result<bool> {
        let recorded = self.records.read(service);
        match recorded.map_err(|error| Failure::of(name, error))? {
            None => Ok(false),
            Some(same) if same == name => Ok(true),
            Some(other) => self.settle(service, &other).map(|()| false),
        }
    }

    /// The module that is to have the service, and all settings.
    pub(super) fn configured(&self, draft: &Draft) -> Result<(String, Spec)> {
        let service = draft.service();
        let config = self.loader.config();
        let mut spec = match draft.uses_variables() {
            true => config.service(service)?,
            false => config.files(service)?,
        };
        draft.apply_settings(&mut spec)?;
        let name = spec.settings().word("rc_supervise_module");
        match name.is_empty() {
            true => Err(crate::config::no_module(service).into()),
            false => Ok((name, spec)),
        }
    }

    /// Makes the spec whole with the surroundings of this process.
    pub(super) fn capture(&self, draft: &Draft, spec: &mut Spec) -> rc_sv_api::Result<()> {
        let variables = self.loader.config().variables();
        capture::capture(spec, draft.service(), draft.argv(), variables)?;
        draft.apply_environment(spec);
        Ok(())
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
pub(super) fn is_alive(module: &mut Module, spec: &Spec) -> bool {
    let gone = [State::Unknown, State::Unmanaged, State::Down, State::GaveUp];
    module
        .status(spec)
        .is_ok_and(|status| !gone.contains(&status.state))
}
