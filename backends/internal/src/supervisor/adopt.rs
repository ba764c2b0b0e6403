//! Going on where an earlier supervisor was killed: nothing that runs is disturbed, doubled or
//! forgotten.

mod process;
mod ways;

use super::companion::Companion;
use super::held::Held;
use super::hook::HookProcess;
use super::log::Level;
use super::state_file::{StateFile, Who};
use super::Supervisor;
use crate::core::{Event, Found, Id, Left, Word};
pub(super) use process::Fate;
use rc_sv_api::exit::Exit;
use rc_sv_api::{Error, Result, ServiceName, Settings};
use rc_sv_exec::place::Dir;
use rc_sv_exec::readiness::Readiness;
use rc_sv_exec::scarcity::is_scarcity;

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
        self.keep_on(id, held);
        // What the core decides anew comes after these.
        self.adopt_alerts(id, left.emitted)?;
        self.adopt_dependents(id)?;
        self.end_old_looks(id)?;
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
}
