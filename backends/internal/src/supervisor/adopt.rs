//! Going on where an earlier supervisor was killed: nothing that runs is disturbed, doubled or
//! forgotten.

use super::companion::Companion;
use super::ear::Ear;
use super::held::{self, Held};
use super::hook::HookProcess;
use super::log::Level;
use super::making::path_of;
use super::outlet::{Outlet, Role};
use super::process::Process;
use super::reactor::{Interest, Kind, Token};
use super::state_file::{StateFile, Who};
use super::successor::{Awaited, Successor};
use super::Supervisor;
use crate::core::{Event, Found, Id, Left, Word};
use rc_sv_api::exit::Exit;
use rc_sv_api::{Error, Result, ServiceName, Settings, State};
use rc_sv_exec::cgroup::Cgroup;
use rc_sv_exec::instance::AsOf;
use rc_sv_exec::log::Stream;
use rc_sv_exec::place::Dir;
use rc_sv_exec::readiness::Readiness;
use rc_sv_exec::resolve;
use rc_sv_exec::scarcity::is_scarcity;
use std::os::fd::{AsFd, OwnedFd};

/// The process of a word.
enum Fate {
    Lives(AsOf, OwnedFd),
    Ended(AsOf),
    /// There is no word, or an older one.
    NeverMade,
}

/// An error that comes again; the others are answered as errors.
fn unless_scarce(error: Error) -> Result<Error> {
    match is_scarcity(&error) {
        true => Err(error),
        false => Ok(error),
    }
}

impl Supervisor {
    /// Takes in all services that an earlier supervisor looked after. `held` are the descriptors
    /// that outlived it.
    ///
    /// # Errors
    /// The system has too little of something: rather than forgetting one of them, all are left to
    /// the next supervisor.
    pub(super) fn adopt_all(&mut self, held: Vec<Held>) -> Result<()> {
        let adopted = self.try_to_adopt_all(held);
        if adopted.is_err() {
            self.settle_all();
        }
        adopted
    }

    fn try_to_adopt_all(&mut self, mut held: Vec<Held>) -> Result<()> {
        let services = match Dir::services(&self.svcdir) {
            Ok(services) => services,
            Err(error) => {
                let error = unless_scarce(error)?;
                self.log.line(Level::Error, &error.message);
                Vec::new()
            }
        };
        let mut known = Vec::new();
        for service in services {
            match self.restore(&service) {
                Ok(Some((id, left))) => known.push((id, left)),
                Ok(None) => {}
                Err(error) => {
                    let error = unless_scarce(error)?;
                    let line = format!("{service}: cannot go on with it: {}", error.message);
                    self.log.line(Level::Error, &line);
                }
            }
        }
        self.stream.go_on(self.core.emitted());
        for (id, left) in known {
            if let Err(error) = self.adopt(id, &left, &mut held) {
                let error = unless_scarce(error)?;
                self.warn(id, &error.message);
            }
        }
        // Nobody wants these any more.
        for held in held {
            self.keeper.drop(&held.key);
        }
        self.afterlife.forget();
        Ok(())
    }

    /// What was kept of a service, if something was.
    fn restore(&mut self, service: &ServiceName) -> Result<Option<(Id, Left)>> {
        let Some(state) = StateFile::find(&Dir::open_service(&self.svcdir, service)?)? else {
            return Ok(None);
        };
        let Some(kept) = state.kept() else {
            return Ok(None);
        };
        let plan = self.plan(service)?;
        let index = kept.index as usize;
        let now = self.clock.now();
        let restored = self
            .core
            .restore(service.clone(), plan, &kept.service, index, now);
        let (id, left) =
            restored.ok_or_else(|| Error::invalid("what was kept of it is not understood"))?;
        let slot = self.slots.of(id);
        slot.state = Some(state);
        slot.is_familiar = true;
        // Whether that is so is not known.
        slot.cgroup_was_killed = true;
        Ok(Some((id, left)))
    }

    /// Goes on with a service.
    fn adopt(&mut self, id: Id, left: &Left, held: &mut Vec<Held>) -> Result<()> {
        let spec = self.read_spec(id)?;
        let settings = spec.settings();
        let adopted = self
            .adopt_output(id, settings, held)
            .and_then(|()| self.adopt_ears(id, settings, held));
        for (detail, fd) in self.take_all(held::STORED, id, held) {
            self.keep_on(id, &detail, fd);
        }
        let mut main = Found::NeverMade;
        if left.is_live || left.is_swept {
            main = self.adopt_main(id, left, settings, held)?;
        }
        let mut hooks = Vec::new();
        for (run, hook) in &left.hooks {
            let fate = self.fate(id, Who::Hook(*hook), *run)?;
            hooks.push((*run, *hook, fate));
        }
        let found: Vec<_> = hooks
            .iter()
            .filter(|(_, _, fate)| !matches!(fate, Fate::NeverMade))
            .map(|(run, hook, _)| (*run, *hook))
            .collect();
        let mut effects = std::mem::take(&mut self.effects);
        let now = self.clock.now();
        self.core.resume(id, main, &found, now, &mut effects);
        self.carry_out(effects);
        self.catch_up();
        for (run, hook, fate) in hooks {
            let exit = match fate {
                Fate::NeverMade => continue,
                Fate::Ended(who) => self.afterlife.exit_of(who, None),
                Fate::Lives(who, pidfd) => {
                    let process = HookProcess {
                        run,
                        hook,
                        command: Companion::adopted(who, pidfd),
                    };
                    match self.await_hook(id, process) {
                        Ok(()) => continue,
                        Err(_) => Exit::Unknown,
                    }
                }
            };
            self.feed(Event::HookEnded {
                id,
                run,
                hook,
                exit,
            });
        }
        if let Found::Lives(pid) = main {
            if let Some(name) = self.core.name(id) {
                let line = format!("{name}: process {pid} goes on under a new supervisor");
                self.log.line(Level::Notice, &line);
            }
            self.read_pid_file(id, left.run);
            if self.is_deaf_to(id, left.run, settings) {
                // It may have said so already, and nobody hears it any more.
                let (run, word) = (left.run, Word::Ready);
                self.feed(Event::Said { id, run, word });
            }
        }
        adopted
    }

    /// Whether the way is lost on which it says that it is ready.
    fn is_deaf_to(&mut self, id: Id, run: u32, settings: &dyn Settings) -> bool {
        match Readiness::of(settings) {
            Ok(Readiness::Descriptor(_)) => {
                let process = self.slots.process(id, run);
                process.is_some_and(|process| process.line.is_none())
            }
            Ok(Readiness::Socket) => self.slots.of(id).ear.is_none(),
            _ => false,
        }
    }

    /// What became of the process of a word.
    fn fate(&mut self, id: Id, who: Who, number: u32) -> Result<Fate> {
        let word = self.slots.of(id).state.as_ref();
        let word = word.and_then(|state| state.left(who));
        let Some(word) = word.filter(|word| word.number == number) else {
            return Ok(Fate::NeverMade);
        };
        let failed = |cause| Error::io(format_args!("look at process {}", word.who.pid), &cause);
        Ok(match word.who.open().map_err(failed)? {
            Some(pidfd) => Fate::Lives(word.who, pidfd),
            None => Fate::Ended(word.who),
        })
    }

    /// Goes on with the current instance of a service.
    fn adopt_main(
        &mut self,
        id: Id,
        left: &Left,
        settings: &dyn Settings,
        held: &mut Vec<Held>,
    ) -> Result<Found> {
        let run = left.run;
        let fate = self.fate(id, Who::Main, run)?;
        let is_starting = self.core.status(id, self.clock.now()).state == State::Starting;
        if left.is_live && is_starting && matches!(fate, Fate::NeverMade) {
            return Ok(Found::NeverMade);
        }
        let mut process = Process {
            run,
            pid: 0,
            pidfd: None,
            ended: true,
            report: None,
            launch: None,
            cgroup: path_of(settings, "cgroup").map(Cgroup::in_service),
            watch: None,
            line: None,
            awaited: None,
            successor: None,
            pid_file: path_of(settings, "pidfile")
                .filter(|_| settings.flag("command_background"))
                .map(Into::into),
        };
        let who = match &fate {
            Fate::Lives(who, _) | Fate::Ended(who) => Some(*who),
            Fate::NeverMade => None,
        };
        let mut found = match fate {
            Fate::NeverMade => Found::Ended(Exit::Unknown),
            Fate::Ended(who) => Found::Ended(self.afterlife.exit_of(who, None)),
            Fate::Lives(who, pidfd) => {
                let token = Token::new(Kind::Successor, id.index(), run);
                self.reactor
                    .add(&pidfd, Interest::Read, token)
                    .map_err(|cause| Error::io("watch the process", &cause))?;
                process.successor = Some(Box::new(Successor { who, pidfd }));
                // Which hold was known to the supervisor before.
                self.limit(id, settings, process.cgroup.as_ref());
                Found::Lives(who.pid)
            }
        };
        if is_starting && left.is_live {
            let waits = (Readiness::of(settings)?, path_of(settings, "pidfile"));
            if let (Readiness::PidFile, Some(path)) = waits {
                let mut awaited = Awaited::new(path)?;
                let token = Token::new(Kind::Awaited, id.index(), run);
                self.reactor
                    .add(&awaited, Interest::Read, token)
                    .map_err(|cause| Error::io("watch for pidfile", &cause))?;
                if let (Found::Ended(exit @ Exit::Code(0)), Some(who)) = (found, who) {
                    // Another one goes on in its place.
                    awaited.made_left(exit);
                    found = Found::Lives(who.pid);
                }
                process.awaited = Some(Box::new(awaited));
            }
            let line = self.take(held::LINE, id, &run.to_string(), held);
            if let Some(line) = line {
                let token = Token::new(Kind::Line, id.index(), run);
                if self.reactor.add(&line, Interest::Read, token).is_ok() {
                    process.line = Some(line);
                }
            }
        }
        self.slots.of(id).processes.push(process);
        Ok(found)
    }

    /// Goes on with the ways of its output, as far as something is on them.
    fn adopt_output(
        &mut self,
        id: Id,
        settings: &dyn Settings,
        held: &mut Vec<Held>,
    ) -> Result<()> {
        let user = resolve::uid(settings);
        let state = self.core.status(id, self.clock.now()).state;
        let is_over = matches!(state, State::Down | State::GaveUp);
        let dir = self.directory(id)?;
        for stream in Stream::all(settings)? {
            let which = stream.which;
            let mut on_it = Vec::new();
            for role in [Role::Logger, Role::Program] {
                let word = self.slots.of(id).state.as_ref();
                let word = word.and_then(|state| state.left(Who::Attendant(which, role)));
                let Some(who) = word.map(|word| word.who) else {
                    continue;
                };
                let failed = |cause| Error::io("look at a logger", &cause);
                if let Some(pidfd) = who.open().map_err(failed)? {
                    on_it.push((role, who, pidfd));
                }
            }
            if is_over && on_it.is_empty() {
                continue;
            }
            let name = which.name();
            let take = |kind: &str| self.take(kind, id, name, held);
            let mut outlet = Outlet::find(id, stream, &dir, user, take)?;
            if is_over {
                outlet.writer = None;
            }
            self.adopt_outlet(outlet, on_it);
        }
        match is_over {
            true => Ok(()),
            false => self.man_outlets(id),
        }
    }

    /// Goes on listening to it.
    fn adopt_ears(&mut self, id: Id, settings: &dyn Settings, held: &mut Vec<Held>) -> Result<()> {
        if Readiness::of(settings)? != Readiness::Socket {
            return Ok(());
        }
        let failed = |cause| Error::io("go on listening to it", &cause);
        let user = resolve::uid(settings);
        let in_chroot = settings.text("chroot").is_some();
        let ear = match self.take(held::EAR, id, "", held) {
            Some(socket) => Ear::of(socket),
            // In a chroot nobody knows its name any more.
            None if in_chroot => return Ok(()),
            None => Ear::at(self.path_of_ear(id), user),
        };
        let ear = ear.map_err(failed)?;
        let token = Token::new(Kind::Ear, id.index(), 0);
        self.reactor
            .add(&ear.socket, Interest::Read, token)
            .map_err(failed)?;
        self.hold(held::EAR, id, "", ear.socket.as_fd());
        self.slots.of(id).ear = Some(Box::new(ear));
        Ok(())
    }

    /// What was held of a service, of this kind and with this detail.
    fn take(&self, kind: &str, id: Id, detail: &str, held: &mut Vec<Held>) -> Option<OwnedFd> {
        let service = self.core.name(id)?.as_str();
        let is_it = |held: &Held| held.key.detail(kind, service) == Some(detail);
        let found = held.iter().position(is_it)?;
        Some(held.swap_remove(found).fd)
    }

    /// All of this kind, with their details.
    fn take_all(&self, kind: &str, id: Id, held: &mut Vec<Held>) -> Vec<(String, OwnedFd)> {
        let Some(service) = self.core.name(id) else {
            return Vec::new();
        };
        let of = |held: &Held| held.key.detail(kind, service.as_str()).map(str::to_string);
        let (taken, left): (Vec<Held>, Vec<Held>) = std::mem::take(held)
            .into_iter()
            .partition(|held| of(held).is_some());
        *held = left;
        let detailed = taken
            .into_iter()
            .filter_map(|held| Some((of(&held)?, held.fd)));
        detailed.collect()
    }
}
