//! All services at once.

use super::{Failure, Report, Result, Services};
use rc_sv_api::{Code, Error, ServiceName, State, Status};

impl Services {
    /// What is known of all services that a module has started, by name. Each module is asked
    /// once. What cannot be found out is an error in its place.
    ///
    /// # Errors
    /// The records cannot be read.
    pub fn list(&self) -> Result<Vec<(ServiceName, Result<Report>)>> {
        self.list_of(&|_| true)
    }

    /// The same of the modules that are meant; the others are not asked.
    ///
    /// # Errors
    /// As [`Services::list`].
    pub fn list_of(
        &self,
        is_meant: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<(ServiceName, Result<Report>)>> {
        let mut reports = Vec::new();
        let mut by_module: Vec<(String, Vec<ServiceName>)> = Vec::new();
        for (service, module) in self.records.all()? {
            match module {
                Err(error) => reports.push((service, Err(error.into()))),
                Ok(name) if !is_meant(&name) => {}
                Ok(name) => match by_module.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, services)) => services.push(service),
                    None => by_module.push((name, vec![service])),
                },
            }
        }
        for (name, services) in by_module {
            let of = |error: Error| Failure::of(&name, error);
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
        let mut module = self.loader.open_started(name)?;
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
}
