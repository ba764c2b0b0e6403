//! Answering clients.

use super::clients::Heard;
use super::handover::sealed;
use super::reactor::Token;
use super::Supervisor;
use crate::core::{Command, Event, Plan};
use crate::protocol::{record, Reply, Request};
use rc_sv_api::{Error, Result, ServiceName, Spec, State, Status};
use rc_sv_exec::place::Dir;
use rc_sv_exec::spec_file;
use std::os::fd::AsFd;

/// How many requests of one client are heard before others get their turn.
const TURN: usize = 16;

/// Bytes of a service in a list, if it has nothing to add.
const USUAL_ENTRY: usize = 80;

impl Supervisor {
    /// Takes in that a client said something.
    pub(super) fn client_said(&mut self, token: Token) {
        self.clients.go_on(token, &self.stream, &self.reactor);
        for _ in 0..TURN {
            let is_long = match self.clients.hear(token, &self.reactor) {
                Heard::Request(request, id) => {
                    let is_long = matches!(request, Request::List);
                    self.request(token, request, id);
                    is_long
                }
                Heard::Wish(service, id) => {
                    self.wished(token, service, id);
                    false
                }
                Heard::Refused => false,
                Heard::Nothing => return,
            };
            if is_long || self.clients.is_deaf(token) {
                return;
            }
        }
    }

    pub(super) fn request(&mut self, token: Token, request: Request, id: u64) {
        let (service, command) = match request {
            Request::Ping => {
                let version = env!("CARGO_PKG_VERSION").to_string();
                let here = Reply::Here(std::process::id() as i32, version);
                return self.clients.reply(token, id, &here, None, &self.reactor);
            }
            Request::Status(service) => {
                let reply = Reply::Status(self.status(&service));
                return self.clients.reply(token, id, &reply, None, &self.reactor);
            }
            Request::List => return self.list(token, id),
            Request::Upgrade(program) => return self.ask_to_upgrade(token, id, &program),
            Request::Follow(first) => {
                let (stream, reactor) = (&self.stream, &self.reactor);
                return self.clients.follow(token, id, first, stream, reactor);
            }
            Request::Start(service) => {
                let plan = self.plan(&service);
                (service, plan.map(Command::Start))
            }
            Request::Renew(service) => {
                let plan = self.plan(&service);
                (service, plan.map(Command::Renew))
            }
            Request::Restart(service) => {
                let plan = self.plan(&service);
                (service, plan.map(|plan| Command::Restart(Some(plan))))
            }
            Request::Stop(service) => (service, Ok(Command::Stop)),
            Request::Signal(service, number) => (service, Ok(Command::Signal(number))),
            Request::Forget(service) => (service, Ok(Command::Forget)),
        };
        match command {
            Ok(command) => {
                let known = self.core.find(&service);
                let name = service.clone();
                let waiter = self.clients.promise(token, id, &service, &self.reactor);
                self.feed(Event::Command {
                    service,
                    command,
                    waiter: Some(waiter),
                });
                if let Some(forgotten) = known.filter(|known| self.core.name(*known).is_none()) {
                    self.slots.renew(forgotten);
                    self.keep_nothing(&name);
                    self.unlimited.remove(&forgotten);
                }
            }
            Err(error) => {
                let refused = Reply::Refused(error);
                self.clients.reply(token, id, &refused, None, &self.reactor);
            }
        }
    }

    /// What the core has to know of the spec that lies in the service's directory.
    pub(super) fn plan(&self, service: &ServiceName) -> Result<Box<Plan>> {
        Ok(Box::new(Plan::from_settings(
            self.spec(service)?.settings(),
        )))
    }

    /// The spec that lies in the service's directory.
    pub(super) fn spec(&self, service: &ServiceName) -> Result<Spec> {
        let spec = spec_file::read(&Dir::open_service(&self.svcdir, service)?)?;
        if spec.settings().service()? != *service {
            return Err(Error::invalid(format!(
                "the spec in the directory of {service} is that of another service"
            )));
        }
        Ok(spec)
    }

    fn status(&mut self, service: &ServiceName) -> Status {
        let now = self.clock.now();
        let known = self.core.find(service);
        let mut status = match known {
            Some(id) => self.core.status(id, now),
            None => Status::of_state(State::Unmanaged),
        };
        if let Some(id) = known {
            self.add_limits(id, &mut status);
            self.add_losses(id, &mut status);
        }
        status.supervisor_pid = Some(std::process::id() as i32);
        status
    }

    fn list(&mut self, token: Token, id: u64) {
        let now = self.clock.now();
        // Which is a system call.
        let supervisor_pid = Some(std::process::id() as i32);
        let all = self.core.iter();
        let mut list = Vec::with_capacity(all.size_hint().1.unwrap_or(0) * USUAL_ENTRY);
        for (service, name) in all {
            let mut status = self.core.status(service, now);
            self.add_limits(service, &mut status);
            self.add_losses(service, &mut status);
            status.supervisor_pid = supervisor_pid;
            record::put_entry(&mut list, name, &status);
        }
        match sealed(&list) {
            Ok(file) => {
                let reply = Reply::List(list.len() as u64);
                let file = Some(file.as_fd());
                self.clients.reply(token, id, &reply, file, &self.reactor);
            }
            Err(cause) => {
                let refused = Reply::Refused(Error::io("make the list", &cause));
                self.clients.reply(token, id, &refused, None, &self.reactor);
            }
        }
    }
}
