//! The backend: what the module does in the loader's process.

mod begin;
mod call;
pub mod connection;
pub mod events;
mod leftovers;
mod rehearsal;
#[cfg(test)]
mod settings_tests;

use crate::core::Plan;
use crate::protocol::{self, record};
use crate::wire;
use begin::begin;
use call::{Call, AT_ONCE};
use connection::Connection;
use events::{Beginning, Events};
use rc_sv_api::abi::{Host, Sink, Watch};
use rc_sv_api::{
    Backend, Caps, Code, Error, Outcome, Request, Result, Settings, Spec, State, Status,
};
use rc_sv_exec::launch::Launch;
use rc_sv_exec::place::Dir;
use rc_sv_exec::{renewal, resolve, spec_file, svcdir};
use std::time::{Duration, Instant};

/// What is added to the sum of a service's own time-outs: the final KILL and what follows it.
const SLACK: Duration = Duration::from_secs(20);

/// The module.
pub struct Internal {
    host: Host,
}

impl Internal {
    /// The supervisor, begun where it is not there.
    fn connect(&self, call: &Call) -> Result<Connection> {
        for _ in 0..2 {
            if let Some(connection) = call.connect()? {
                return Ok(connection);
            }
            begin(&self.host, &call.svcdir)?;
        }
        Err(Error::new(
            Code::NotRunning,
            "the supervisor was begun, but ended again",
        ))
    }

    /// The supervisor, if it is there. One that was killed together with its guardian has left its
    /// socket, and is begun again: it goes on with what it looked after.
    fn reach(&self, call: &Call) -> Result<Option<Connection>> {
        match call.connect()? {
            None if wire::is_left_behind(&call.svcdir) => {
                begin(&self.host, &call.svcdir)?;
                call.connect()
            }
            connection => Ok(connection),
        }
    }

    /// Everything about a start that can be found out before it.
    fn prepare(spec: &dyn Settings) -> Result<Spec> {
        renewal::check(spec)?;
        let resolved = resolve::resolve(spec)?;
        Launch::from_settings(resolved.settings())?;
        Ok(resolved)
    }
}

impl Backend for Internal {
    const NAME: &'static str = "internal";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "rc-sv's own supervisor: one process for all services";
    const CAPS: Caps = Caps::OWNS_PROCESS
        .and(Caps::RESTARTS)
        .and(Caps::BACKOFF)
        .and(Caps::GIVE_UP)
        .and(Caps::READINESS)
        .and(Caps::HEALTH)
        .and(Caps::LOGGING)
        .and(Caps::SIGNAL)
        .and(Caps::EVENTS_FD)
        .and(Caps::USER_SERVICES)
        .and(Caps::FINISH_SCRIPT)
        .and(Caps::NOTIFY);

    fn open(host: Host) -> Result<Internal> {
        Ok(Internal { host })
    }

    fn probe(&mut self) -> Result<Caps> {
        begin::check_section(&self.host)?;
        begin::program(&self.host)?;
        Ok(Internal::CAPS)
    }

    fn start(&mut self, spec: &dyn Settings, request: &Request) -> Result<Outcome> {
        begin::check_section(&self.host)?;
        let call = Call::new(spec, request, start_time(spec))?;
        let resolved = Internal::prepare(spec)?;
        if request.dry_run {
            return rehearsal::tell(&self.host, resolved.settings());
        }
        let mut connection = self.connect(&call)?;
        if request.from_supervisor {
            return renew(&call, connection, &resolved);
        }
        call.settle(Some(&mut connection))?;
        let dir = Dir::make_service(&call.svcdir, &call.service)?;
        spec_file::write(&dir, resolved.settings())?;
        let order = protocol::Request::Start(call.service.clone());
        let result = call.order(connection, &order, request.nowait);
        if matches!(&result, Err(error) if error.code == Code::Timeout) && !request.nowait {
            // Who was told that it failed must not find it running later.
            if let Some(connection) = call.connect()? {
                let order = protocol::Request::Stop(call.service.clone());
                call.order(connection, &order, true)?;
            }
        }
        result
    }

    fn stop(&mut self, spec: &dyn Settings, request: &Request) -> Result<Outcome> {
        let call = Call::new(spec, request, stop_time(spec))?;
        if request.dry_run {
            return Ok(Outcome::Done);
        }
        let mut connection = self.reach(&call)?;
        call.settle(connection.as_mut())?;
        match connection {
            Some(connection) => {
                let order = protocol::Request::Stop(call.service.clone());
                call.order(connection, &order, request.nowait)
            }
            None => Ok(Outcome::Done),
        }
    }

    fn restart(&mut self, spec: &dyn Settings, request: &Request) -> Result<Outcome> {
        let call = Call::new(spec, request, stop_time(spec) + start_time(spec))?;
        if request.dry_run {
            return Ok(Outcome::Done);
        }
        let mut connection = self.connect(&call)?;
        call.settle(Some(&mut connection))?;
        let order = protocol::Request::Restart(call.service.clone());
        call.order(connection, &order, request.nowait)
    }

    fn signal(&mut self, spec: &dyn Settings, request: &Request) -> Result<Outcome> {
        let call = Call::new(spec, request, AT_ONCE)?;
        let Some(connection) = self.reach(&call)? else {
            return Err(Error::new(Code::NotFound, "the supervisor does not run"));
        };
        if request.dry_run {
            return Ok(Outcome::Done);
        }
        let order = protocol::Request::Signal(call.service.clone(), request.signal);
        call.order(connection, &order, false)
    }

    fn status(&mut self, spec: &dyn Settings) -> Result<Status> {
        let call = Call::new(spec, &Request::default(), AT_ONCE)?;
        match self.reach(&call) {
            Ok(Some(mut connection)) => call.status(&mut connection),
            Ok(None) => Ok(Status {
                detail: "the supervisor does not run".into(),
                ..Status::of_state(State::Unmanaged)
            }),
            // Who may ask need not be who may begin it.
            Err(error) if wire::is_left_behind(&call.svcdir) => Ok(Status {
                detail: format!("the supervisor was killed: {}", error.message),
                ..Status::of_state(State::Unmanaged)
            }),
            Err(error) => Err(error),
        }
    }

    fn forget(&mut self, spec: &dyn Settings) -> Result<()> {
        let call = Call::new(spec, &Request::default(), AT_ONCE)?;
        if let Some(connection) = self.reach(&call)? {
            let order = protocol::Request::Forget(call.service.clone());
            call.order(connection, &order, false)?;
        }
        Ok(())
    }

    fn list(&mut self, sink: &mut Sink<'_>) -> Result<()> {
        let svcdir = svcdir::find(None);
        let connection = match Connection::open(&svcdir, AT_ONCE)? {
            // Who may ask need not be who may begin it.
            None if wire::is_left_behind(&svcdir) && begin(&self.host, &svcdir).is_ok() => {
                Connection::open(&svcdir, AT_ONCE)?
            }
            connection => connection,
        };
        let Some(mut connection) = connection else {
            return Ok(());
        };
        let list = connection.listed(Instant::now() + AT_ONCE)?;
        for entry in record::entries(&list) {
            let (service, status) = entry?;
            if !sink(service.as_str(), &status) {
                break;
            }
        }
        Ok(())
    }

    fn watch(&mut self, spec: Option<&dyn Settings>) -> Result<Box<dyn Watch>> {
        let service = spec.map(|spec| spec.service()).transpose()?;
        let svcdir = svcdir::find(spec.and_then(|spec| spec.text("svcdir")));
        let Some(connection) = Connection::open(&svcdir, AT_ONCE)? else {
            return Err(Error::new(Code::NotRunning, "the supervisor does not run"));
        };
        let beginning = Beginning::of(self.host.settings());
        let deadline = Instant::now() + AT_ONCE;
        let events = Events::begin(connection, service, beginning, deadline)?;
        Ok(Box::new(events))
    }
}

/// The runscript runs before a respawn: the spec is for that.
fn renew(call: &Call, connection: Connection, resolved: &Spec) -> Result<Outcome> {
    let dir = Dir::open_service(&call.svcdir, &call.service)?;
    let before = spec_file::read(&dir)?;
    let spec = renewal::renewed(&before, resolved);
    spec_file::write(&dir, spec.settings())?;
    let order = protocol::Request::Renew(call.service.clone());
    call.order(connection, &order, false)
}

/// How long a start may take: an earlier instance may have to end first.
fn start_time(spec: &dyn Settings) -> Duration {
    Plan::from_settings(spec).ready_timeout + stop_time(spec)
}

/// How long a stop may take.
fn stop_time(spec: &dyn Settings) -> Duration {
    let plan = Plan::from_settings(spec);
    plan.ladder.total() + plan.finish_timeout + SLACK
}
