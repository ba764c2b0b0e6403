//! Services: which module has which, and what to ask it.

mod report;

pub use report::{Failure, Report};

use crate::capture;
use crate::loader::Loader;
use crate::module::Module;
use crate::record::Records;
use crate::standing::{living_child, Standing};
use rc_sv_api::{Code, Error, Outcome, Request, ServiceName, Spec, State, Status};

type Result<T> = std::result::Result<T, Failure>;

/// The services of one OpenRC.
pub struct Services {
    loader: Loader,
    records: Records,
}

impl Services {
    /// Those of the OpenRC whose state directory the loader's configuration names.
    ///
    /// # Errors
    /// `RC_SVCDIR` does not fit.
    pub fn new(loader: Loader) -> Result<Services> {
        let records = Records::new(loader.config().variables().svcdir()?);
        Ok(Services { loader, records })
    }

    /// Starts `service` with what is configured, running `argv` in the surroundings of this
    /// process. `module` goes before the configured one.
    ///
    /// # Errors
    /// The configuration does not fit, another module has the service, or the start failed. Then
    /// nothing runs, and nothing is recorded that was not recorded before.
    pub fn start(
        &self,
        service: &ServiceName,
        module: Option<&str>,
        argv: Vec<Vec<u8>>,
        request: &Request,
    ) -> Result<Outcome> {
        let mut spec = self.loader.config().service(service)?;
        let name = match module {
            Some(name) => name.to_string(),
            None => spec.settings().word("rc_supervise_module"),
        };
        if name.is_empty() {
            return Err(crate::config::no_module(service).into());
        }
        let of = |error: Error| Failure {
            module: Some(name.clone()),
            error,
        };
        capture::capture(&mut spec, service, argv, self.loader.config().variables()).map_err(of)?;
        let recorded = self.records.read(service).map_err(of)?;
        if let Some(other) = recorded.as_ref().filter(|other| **other != name) {
            self.settle(service, other)?;
        }
        let mut module = self.loader.open(&name).map_err(of)?;
        self.check_supervised(&mut module, &spec, service)
            .map_err(of)?;
        self.records.write(service, &name).map_err(of)?;
        let result = match module.start(&spec, request) {
            Ok(Outcome::Delegate) => {
                let what = "this module only watches services that start themselves";
                Err(Error::new(Code::Unsupported, what))
            }
            other => other,
        };
        if result.is_err() && recorded.as_ref() != Some(&name) && !is_alive(&mut module, &spec) {
            // The failure of the start is what matters.
            let _ = self.records.remove(service);
        }
        result.map_err(of)
    }

    /// Stops `service` through the module that started it.
    ///
    /// # Errors
    /// None did, or the service still runs.
    pub fn stop(&self, service: &ServiceName, request: &Request) -> Result<Outcome> {
        let outcome = self.with_module(service, |module, spec| {
            self.check_supervised(module, spec, service)?;
            module.stop(spec, request)
        })?;
        if outcome == Outcome::Done {
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

    /// Sends a signal to `service` through the module that started it.
    ///
    /// # Errors
    /// None did, nothing runs, or the module sends no signals.
    pub fn signal(&self, service: &ServiceName, signal: i32) -> Result<Outcome> {
        let request = Request {
            signal,
            ..Request::default()
        };
        self.with_module(service, |module, spec| module.signal(spec, &request))
    }

    /// What is known of `service`.
    ///
    /// # Errors
    /// The module that started it cannot be asked.
    pub fn status(&self, service: &ServiceName) -> Result<Report> {
        let Some(name) = self.recorded_for_status(service)? else {
            return Ok(Report {
                service: service.clone(),
                module: None,
                status: Status::of_state(State::Unmanaged),
                standing: Standing::Stopped,
            });
        };
        let of = |error: Error| Failure {
            module: Some(name.clone()),
            error,
        };
        let mut module = self.loader.open(&name).map_err(of)?;
        let spec = self.spec(service)?;
        self.report(service, &name, module.status(&spec))
            .map_err(of)
    }

    /// What is known of all services that a module has started, by name. Each module is asked
    /// once. What cannot be found out is an error in its place.
    ///
    /// # Errors
    /// The records cannot be read.
    pub fn list(&self) -> Result<Vec<(ServiceName, Result<Report>)>> {
        let mut reports = Vec::new();
        let mut by_module: Vec<(String, Vec<ServiceName>)> = Vec::new();
        for (service, module) in self.records.all()? {
            match module.or_else(|error| self.published(&service, error)) {
                Err(error) => reports.push((service, Err(error.into()))),
                Ok(name) => match by_module.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, services)) => services.push(service),
                    None => by_module.push((name, vec![service])),
                },
            }
        }
        for (name, services) in by_module {
            let of = |error: Error| Failure {
                module: Some(name.clone()),
                error,
            };
            match self.list_module(&name, &services) {
                Ok(statuses) => {
                    for (service, status) in services.into_iter().zip(statuses) {
                        let report = self.report(&service, &name, status).map_err(of);
                        reports.push((service, report));
                    }
                }
                Err(error) => {
                    let failed = |service| (service, Err(of(error.clone())));
                    reports.extend(services.into_iter().map(failed));
                }
            }
        }
        reports.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(reports)
    }

    /// What the module `name` says of each of `services`, in their order.
    fn list_module(
        &self,
        name: &str,
        services: &[ServiceName],
    ) -> rc_sv_api::Result<Vec<rc_sv_api::Result<Status>>> {
        let mut module = self.loader.open(name)?;
        let mut known = std::collections::BTreeMap::new();
        let listed = module.list(&mut |service, status| {
            known.insert(service.to_string(), status.clone());
            true
        });
        match listed {
            Ok(()) => {
                let unknown = || Status::of_state(State::Unmanaged);
                let status = |it: &ServiceName| known.remove(it.as_str()).unwrap_or_else(unknown);
                Ok(services.iter().map(status).map(Ok).collect())
            }
            Err(error) if error.code == Code::Unsupported => services
                .iter()
                .map(|it| Ok(module.status(&self.spec(it)?)))
                .collect(),
            Err(error) => Ok(services.iter().map(|_| Err(error.clone())).collect()),
        }
    }

    fn report(
        &self,
        service: &ServiceName,
        module: &str,
        status: rc_sv_api::Result<Status>,
    ) -> rc_sv_api::Result<Report> {
        let child = || living_child(self.records.svcdir(), service).is_some();
        let (status, standing) = Standing::of(status, child)?;
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
        let Some(name) = self.records.read(service)? else {
            let path = self.records.path(service);
            let what = format!("no module has started it: {} has no record", path.display());
            return Err(Error::new(Code::NotFound, what).into());
        };
        let of = |error: Error| Failure {
            module: Some(name.clone()),
            error,
        };
        let spec = self.spec(service)?;
        let mut module = self.loader.open(&name).map_err(of)?;
        act(&mut module, &spec).map_err(of)
    }

    /// Which module has `service`; whoever may not read our record may read that of the drop-in.
    fn recorded_for_status(&self, service: &ServiceName) -> Result<Option<String>> {
        match self.records.read(service) {
            Err(error) => Ok(self.published(service, error).map(Some)?),
            Ok(recorded) => Ok(recorded),
        }
    }

    /// The drop-in's record of `service`, where ours answers with `error` because it is not for
    /// everybody.
    fn published(&self, service: &ServiceName, error: Error) -> rc_sv_api::Result<String> {
        if error.code != Code::Permission {
            return Err(error);
        }
        let path = self.records.svcdir().join("options").join(service.as_str());
        match std::fs::read_to_string(path.join("rcsv_module")) {
            Ok(name) => Ok(name.trim_end().to_string()),
            Err(_) => Err(error),
        }
    }

    /// Another module is recorded: if it still has the service, it keeps it.
    fn settle(&self, service: &ServiceName, other: &str) -> Result<()> {
        let conflict = |why: String| Failure {
            module: Some(other.to_string()),
            error: Error::new(Code::Conflict, why),
        };
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

/// After a start that failed: whether something runs nevertheless, such as an earlier instance.
fn is_alive(module: &mut Module, spec: &Spec) -> bool {
    let gone = [State::Unknown, State::Unmanaged, State::Down, State::GaveUp];
    module
        .status(spec)
        .is_ok_and(|status| !gone.contains(&status.state))
}
