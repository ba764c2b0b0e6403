//! The machine: all services and one step.

use super::directory::Directory;
use super::service::{Service, Turn};
use super::timers::Timers;
use super::{Command, Effect, Event, Id, Now, Waiter};
use rc_sv_api::{Code, Error, ServiceName, State, Status};

/// All services.
#[derive(Debug, Default)]
pub struct Core {
    pub(super) directory: Directory,
    pub(super) timers: Timers,
    /// The number of the last instance.
    runs: u32,
    /// The number of the last event that others were told.
    emitted: u64,
    /// Of whom something has happened since it was asked.
    changed: Vec<Id>,
    course: Course,
}

/// Where the supervisor itself is heading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Course {
    #[default]
    On,
    /// Everything is being stopped.
    Closing,
    /// [`Effect::Quit`] was given.
    Closed,
}

impl Core {
    /// A core that knows no service.
    pub fn new() -> Core {
        Core::default()
    }

    /// Takes in `event` at `now` and appends what is to be done, in this order, to `effects`.
    pub fn step(&mut self, event: Event, now: Now, effects: &mut Vec<Effect>) {
        match event {
            Event::Command {
                service,
                command,
                waiter,
            } => self.command(service, command, waiter, now, effects),
            Event::Deadline => {
                while let Some((_, id)) = self.timers.first().filter(|(at, _)| *at <= now.boot_ms) {
                    self.with(id, now, effects, Service::elapsed);
                }
            }
            Event::Shutdown => self.shut_down(now, effects),
            event => {
                if let Some((id, run)) = event.instance() {
                    self.with(id, now, effects, |service, turn| {
                        service.happened(turn, run, event);
                    });
                }
            }
        }
        if self.course == Course::Closing && self.is_settled() {
            self.course = Course::Closed;
            effects.push(Effect::Quit);
        }
    }

    /// The services of which something may be different, each once, since this was called last.
    pub fn changed(&mut self) -> Option<Id> {
        self.changed.pop()
    }

    /// When [`Event::Deadline`] is to be given next: milliseconds of CLOCK_BOOTTIME.
    pub fn deadline(&self) -> Option<u64> {
        Some(self.timers.first()?.0)
    }

    /// One snapshot; [`State::Unmanaged`] for an id that is not known. The pid of the supervisor
    /// is left out.
    pub fn status(&self, id: Id, now: Now) -> Status {
        match self.directory.get(id) {
            Some(service) => service.status(now),
            None => Status::of_state(State::Unmanaged),
        }
    }

    /// The service of this name.
    pub fn find(&self, name: &ServiceName) -> Option<Id> {
        self.directory.find(name)
    }

    /// The name of a service; `None` for an id that is not known.
    pub fn name(&self, id: Id) -> Option<&ServiceName> {
        Some(&self.directory.get(id)?.name)
    }

    /// All services, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (Id, &ServiceName)> {
        self.directory
            .iter()
            .map(|(id, service)| (id, &service.name))
    }

    /// Whether a service was given up and this is one more try.
    pub fn is_on_probation(&self, id: Id) -> bool {
        self.directory
            .get(id)
            .is_some_and(|service| service.on_probation)
    }

    fn command(
        &mut self,
        name: ServiceName,
        command: Command,
        waiter: Option<Waiter>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let known = self.directory.find(&name);
        let (id, command) = match (known, command) {
            (_, command) if self.course != Course::On && command != Command::Stop => {
                let line = "the supervisor is shutting down: only stop and status are possible";
                let error = Error::new(Code::Failed, line);
                return effects.extend(Effect::answer(waiter, Err(error)));
            }
            (Some(id), command) => (id, command),
            (None, Command::Start(plan) | Command::Restart(Some(plan))) => {
                let service = Service::new(name, plan, now);
                // A restart of what is down is a start.
                (self.directory.insert(service), Command::Restart(None))
            }
            (None, Command::Stop | Command::Forget) => {
                return effects.extend(Effect::answer(waiter, Ok(())));
            }
            (None, Command::Restart(None) | Command::Renew(_) | Command::Signal(_)) => {
                let error = Error::new(Code::NotFound, "it was never started here");
                return effects.extend(Effect::answer(waiter, Err(error)));
            }
        };
        let mut gone = false;
        self.with(id, now, effects, |service, turn| match command {
            Command::Start(plan) => {
                service.has_new_spec = true;
                service.start(turn, Some(plan), waiter);
            }
            Command::Renew(plan) => service.renew(turn, plan, waiter),
            Command::Restart(plan) => service.restart(turn, plan, waiter),
            Command::Stop => service.stop(turn, "stop", waiter),
            Command::Signal(number) => service.signal(turn, number, waiter),
            Command::Forget => gone = service.forget(turn, waiter),
        });
        if gone {
            self.with(id, now, effects, Service::tell_gone);
            self.directory.remove(id);
        }
    }

    fn shut_down(&mut self, now: Now, effects: &mut Vec<Effect>) {
        if self.course != Course::On {
            return;
        }
        self.course = Course::Closing;
        for id in self.directory.ids() {
            self.with(id, now, effects, |service, turn| {
                service.stop(turn, "shutdown", None);
                service.silence(turn);
            });
        }
    }

    /// Whether nothing is left to wait for.
    fn is_settled(&self) -> bool {
        self.directory
            .iter()
            .all(|(_, service)| service.state.is_settled())
    }

    /// The number of the last event.
    pub fn emitted(&self) -> u64 {
        self.emitted
    }

    /// The next events have higher numbers than this one.
    pub(super) fn note_emitted(&mut self, number: u64) {
        self.emitted = self.emitted.max(number);
    }

    /// The next instances have higher numbers than this one.
    pub(super) fn note_run(&mut self, run: u32) {
        self.runs = self.runs.max(run);
    }

    /// Lets one service take its turn, and sets its timer.
    pub(super) fn with(
        &mut self,
        id: Id,
        now: Now,
        effects: &mut Vec<Effect>,
        act: impl FnOnce(&mut Service, &mut Turn<'_>),
    ) {
        let Some(service) = self.directory.get_mut(id) else {
            return;
        };
        let mut turn = Turn {
            id,
            now,
            runs: &mut self.runs,
            emitted: &mut self.emitted,
            effects,
        };
        act(service, &mut turn);
        service.tell(&mut turn);
        let wake = service.wake();
        self.timers.set(id, &mut service.armed, wake);
        if !self.changed.contains(&id) {
            self.changed.push(id);
        }
    }
}
