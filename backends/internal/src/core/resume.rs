//! Going on with a service that another supervisor has left.
//!
//! What was decided is written down before it is done. So it may have been done or not, and what
//! was found of the processes tells which.

use super::service::{Service, Turn};
use super::state::{Part, State};
use super::{Core, Effect, Hook, Id, Now, Plan, Ready};
use rc_sv_api::exit::Exit;
use rc_sv_api::ServiceName;
use rc_sv_exec::check::Trial;

/// No supervisor has told of so many events: a number that has it is damaged, and counting on from it
/// would come to the end of all numbers.
const TOLD_MOST: u64 = 1 << 63;

/// What was found of the main process of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// It runs, with this pid.
    Lives(i32),
    /// It has ended.
    Ended(Exit),
    /// It never executed its program, and never will.
    NeverMade,
}

/// Which processes of a service there may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The number of the current instance.
    pub run: u32,
    /// Its main process is awaited, or its end was not seen.
    pub is_live: bool,
    /// It may have left something in its cgroup that is to go.
    pub is_swept: bool,
    /// How many events had been told when that was kept.
    pub emitted: u64,
    /// Commands that were to run.
    pub hooks: Vec<(u32, Hook)>,
}

impl Core {
    /// Adds what is to be kept of a service to `bytes`: at most [`super::SAVED_MOST`].
    pub fn save(&self, id: Id, bytes: &mut Vec<u8>) {
        if let Some(service) = self.directory.get(id) {
            bytes.extend(self.emitted().to_le_bytes());
            service.save(bytes);
        }
    }

    /// Takes in a service of which that was kept, with the same index as far as it is free. Nothing is done for it before [`Core::resume`].
    /// `None`: the bytes are not of this form, or the service is known.
    pub fn restore(
        &mut self,
        name: ServiceName,
        plan: Box<Plan>,
        bytes: &[u8],
        index: usize,
        now: Now,
    ) -> Option<(Id, Left)> {
        if self.directory.find(&name).is_some() {
            return None;
        }
        let (emitted, bytes) = bytes.split_first_chunk()?;
        let emitted = Some(u64::from_le_bytes(*emitted)).filter(|number| *number < TOLD_MOST)?;
        let service = Service::restore(name, plan, bytes, now)?;
        self.note_emitted(emitted);
        let mut hooks: Vec<(u32, Hook)> = service
            .alerts
            .iter()
            .map(|alert| (alert.run, alert.hook))
            .collect();
        if let State::Finishing {
            part: Part::Hook | Part::KilledHook,
            ..
        } = service.state
        {
            hooks.push((service.instance.run, Hook::Finish));
        }
        if service.instance.awaits_script && service.instance.is_live() {
            hooks.push((service.instance.run, Hook::Script));
        }
        let left = Left {
            run: service.instance.run,
            is_live: service.instance.is_live(),
            is_swept: matches!(service.state, State::Finishing { .. } | State::Stuck),
            emitted,
            hooks,
        };
        self.note_run(left.run);
        Some((self.directory.insert_at(index, service), left))
    }

    /// Whether those that need it were to be told last that it does not do its work; `None`: they
    /// never were.
    pub fn has_fallen(&self, id: Id) -> Option<bool> {
        self.directory.get(id)?.has_fallen
    }

    /// Goes on with a service that was restored. `hooks` are those of [`Left::hooks`] that were
    /// run: what became of them is told as ever.
    pub fn resume(
        &mut self,
        id: Id,
        main: Found,
        hooks: &[(u32, Hook)],
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        self.with(id, now, effects, |service, turn| {
            service.resume(turn, main, hooks);
        });
    }
}

impl Service {
    fn resume(&mut self, turn: &mut Turn<'_>, main: Found, hooks: &[(u32, Hook)]) {
        let run = self.instance.run;
        for alert in std::mem::take(&mut self.alerts) {
            if !hooks.contains(&(alert.run, alert.hook)) {
                if alert.until.is_none_or(|until| until <= turn.now.boot_ms) {
                    continue;
                }
                let result = match alert.hook {
                    Hook::Unhealthy => Some("unhealthy"),
                    _ => Some("start-limit-hit"),
                };
                self.run_hook(turn, alert.hook, result);
            }
            self.alerts.push(alert);
        }
        match (self.state, main) {
            (State::Down | State::Waiting { .. } | State::Failed { .. }, _) => {}
            (State::Finishing { part, .. }, _) => match part {
                Part::Sweep => self.sweep(turn),
                Part::Hook if !hooks.contains(&(run, Hook::Finish)) => self.swept(turn),
                Part::Hook | Part::KilledHook => {}
            },
            (State::Stuck, _) if !self.instance.is_live() => self.sweep(turn),
            (_, Found::NeverMade) if self.instance.awaits_script => {
                self.go_on_with_script(turn, hooks.contains(&(run, Hook::Script)));
            }
            (State::Starting { .. }, Found::NeverMade) => {
                self.instance.pid = None;
                turn.effects.push(Effect::Spawn { id: turn.id, run });
            }
            (_, Found::Lives(pid)) => self.go_on(turn, pid),
            (_, Found::Ended(exit)) => self.missed_end(turn, exit),
            (_, Found::NeverMade) => self.missed_end(turn, Exit::Unknown),
        }
    }

    /// The main process runs.
    fn go_on(&mut self, turn: &mut Turn<'_>, pid: i32) {
        if self.instance.pid.is_none() {
            self.spawned(turn, pid);
        } else {
            self.instance.pid = Some(pid);
            if matches!(self.state, State::Stopping { .. }) {
                // That it was written down does not say that it was sent.
                self.press(turn);
            }
        }
        match self.state {
            State::Starting { .. } if !self.instance.executed => self.executed(turn),
            State::Starting { .. } if self.plan.ready == Ready::Answers => {
                self.watch().trial = Some(Trial::new(turn.now.boot_ms));
                self.look(turn);
            }
            State::Up => {
                let known = self.watch.as_ref().and_then(|watch| watch.watchdog);
                let interval = known.map(|known| known.interval);
                self.set_watchdog(turn, interval.unwrap_or_default());
                self.begin_checks(turn);
            }
            _ => {}
        }
    }

    /// The main process ended while nobody was there.
    fn missed_end(&mut self, turn: &mut Turn<'_>, exit: Exit) {
        self.instance.executed |= self.instance.not_run.is_none();
        self.exited(turn, exit, false);
    }
}
