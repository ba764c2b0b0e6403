//! Everything that can be asked of the services, as a value: it can be done here, in a forked
//! child or by another program, see [`crate::isolation`].

mod request;

use crate::draft::Draft;
use crate::reply::{Description, Reply};
use crate::services::{Failure, Services};
use rc_sv_api::{Error, Outcome, Request, ServiceName};

/// One question or order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// What this module can do here and now.
    Probe(String),
    /// What this module says of itself.
    Describe(String),
    /// Start a service.
    Start(Draft, Request),
    /// Watch a service that runs already.
    Attach(Draft, Request),
    /// Something about a service that a module has.
    Act(Act, ServiceName, Request),
    /// Wait for [`Request::want_state`] of a service.
    Wait(ServiceName, Request),
    /// How a service stands.
    Status(ServiceName),
    /// How all services stand.
    List,
}

/// What is done about a service that a module has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Stop it.
    Stop,
    /// Restart it as it was started.
    Restart,
    /// Make it read its configuration again.
    Reload,
    /// Send [`Request::signal`] to its main process.
    Signal,
    /// End watching it.
    Detach,
    /// Drop all memory of it.
    Forget,
}

impl Act {
    /// Every act.
    pub const ALL: [Act; 6] = [
        Act::Stop,
        Act::Restart,
        Act::Reload,
        Act::Signal,
        Act::Detach,
        Act::Forget,
    ];

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Act::Stop => "stop",
            Act::Restart => "restart",
            Act::Reload => "reload",
            Act::Signal => "signal",
            Act::Detach => "detach",
            Act::Forget => "forget",
        }
    }
}

impl Call {
    /// The word for what is asked.
    pub fn name(&self) -> &'static str {
        match self {
            Call::Probe(_) => "probe",
            Call::Describe(_) => "describe",
            Call::Start(..) => "start",
            Call::Attach(..) => "attach",
            Call::Act(act, ..) => act.name(),
            Call::Wait(..) => "wait",
            Call::Status(_) => "status",
            Call::List => "list",
        }
    }

    /// Its options.
    pub fn request(&self) -> Request {
        match self {
            Call::Start(_, request)
            | Call::Attach(_, request)
            | Call::Act(_, _, request)
            | Call::Wait(_, request) => *request,
            Call::Probe(_) | Call::Describe(_) | Call::Status(_) | Call::List => Request::default(),
        }
    }

    /// Does it, in this process. What is answered on the way goes to `sink`.
    ///
    /// # Errors
    /// Those of what is asked.
    pub fn perform(
        &self,
        services: &Services,
        sink: &mut dyn FnMut(Reply),
    ) -> Result<Outcome, Failure> {
        match self {
            Call::Start(draft, request) => return services.start(draft, request),
            Call::Attach(draft, request) => return services.attach(draft, request),
            Call::Act(act, service, request) => return perform(services, *act, service, request),
            Call::Wait(service, request) => {
                sink(Reply::Report(Box::new(services.wait(service, request)?)));
            }
            Call::Status(service) => sink(Reply::Report(Box::new(services.status(service)?))),
            Call::List => {
                for (service, report) in services.list()? {
                    sink(match report {
                        Ok(report) => Reply::Report(Box::new(report)),
                        Err(failure) => Reply::Unknown(service, failure),
                    });
                }
            }
            Call::Probe(name) => {
                let of = |error: Error| Failure::of(name, error);
                let mut module = services.loader().open(name).map_err(of)?;
                sink(Reply::Caps(module.probe().map_err(of)?));
            }
            Call::Describe(name) => {
                let of = |error: Error| Failure::of(name, error);
                let mut module = services.loader().open(name).map_err(of)?;
                let present = module.probe();
                let description = Description::of(&module, present);
                sink(Reply::Description(Box::new(description)));
            }
        }
        Ok(Outcome::Done)
    }
}

fn perform(
    services: &Services,
    act: Act,
    service: &ServiceName,
    request: &Request,
) -> Result<Outcome, Failure> {
    match act {
        Act::Stop => services.stop(service, request),
        Act::Restart => services.restart(service, request),
        Act::Reload => services.reload(service, request),
        Act::Signal => services.signal(service, request),
        Act::Detach => services.detach(service, request),
        Act::Forget => services.forget(service, request),
    }
}
