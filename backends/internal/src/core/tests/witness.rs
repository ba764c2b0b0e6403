//! Sees every step of the simulated world, and knows the invariants. What is to be said of single
//! effects is in `deeds`.

use super::world::{asks_for_up, name, World};
use crate::core::state::{Asked, Part, State};
use crate::core::{Command, Event, Hook, Now, Waiter};
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

/// What the witness remembers.
#[derive(Debug, Default)]
pub(super) struct Witness {
    /// Who waits: for which service, whether for it to be up or down, and until when.
    pub waiting: HashMap<Waiter, Wait>,
    pub services: Vec<Known>,
    pub quits: u32,
    pub closing: bool,
    /// Finish commands and give-up commands so far, by instance.
    pub hooks: Vec<(u32, Hook)>,
    pub give_ups: u32,
    pub alerts: u32,
    /// The same for alerts of people.
    pub give_ups_to_tell: u32,
    pub told_of_give_ups: u32,
    /// How many events there were.
    pub events: u64,
    /// What came about at least once.
    pub seen: BTreeSet<&'static str>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Wait {
    pub service: usize,
    pub aim: Aim,
    due_ms: u64,
}

/// What somebody waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aim {
    Up,
    Down,
    Signal,
    Renewal,
    Forget,
}

/// What the witness remembers of one service.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// The last command that was not refused wants it up.
    pub wanted: bool,
    /// When respawns were decided since a person asked for a start.
    pub respawns: Vec<u64>,
    /// The state before the step.
    pub before: Option<State>,
    /// A person was alerted, and not told that it is over.
    pub alarmed: bool,
    /// Whether those that need it were stopped.
    pub fallen: Option<bool>,
    /// State, main process and health, as everybody was told last.
    pub told: Option<(rc_sv_api::State, Option<i32>, Option<bool>)>,
}

impl Witness {
    pub(super) fn new(services: usize) -> Witness {
        Witness {
            services: vec![Known::default(); services],
            ..Witness::default()
        }
    }

    /// The machine has slept: who waits has not waited for longer by that.
    pub(super) fn slept(&mut self, millis: u64) {
        for wait in self.waiting.values_mut() {
            wait.due_ms += millis;
        }
    }

    /// Before a step.
    pub(super) fn before(&mut self, world: &World, event: &Event) {
        for (service, known) in self.services.iter_mut().enumerate() {
            let id = world.core.find(&name(service));
            let service = id.and_then(|id| world.core.directory.get(id));
            known.before = service.map(|service| service.state);
        }
        match event {
            Event::Shutdown => {
                self.closing = true;
                self.services
                    .iter_mut()
                    .for_each(|known| known.wanted = false);
            }
            Event::Command {
                service,
                command,
                waiter: Some(waiter),
            } => self.commanded(world, service.as_str().parse().unwrap(), command, *waiter),
            _ => {}
        }
    }

    fn commanded(&mut self, world: &World, service: usize, command: &Command, waiter: Waiter) {
        let known = &mut self.services[service];
        let up = asks_for_up(command);
        let accepted = !self.closing && known.before != Some(State::Stuck);
        match command {
            Command::Stop => known.wanted = false,
            Command::Start(_) if accepted => known.wanted = true,
            Command::Restart(plan) if accepted && (plan.is_some() || known.before.is_some()) => {
                known.wanted = true;
            }
            _ => {}
        }
        if up
            && accepted
            && !matches!(
                (command, known.before),
                (Command::Start(_), Some(State::Up))
            )
        {
            known.respawns.clear();
        }
        let wait = Wait {
            service,
            aim: match command {
                Command::Start(_) | Command::Restart(_) => Aim::Up,
                Command::Stop => Aim::Down,
                Command::Signal(_) => Aim::Signal,
                Command::Renew(_) => Aim::Renewal,
                Command::Forget => Aim::Forget,
            },
            due_ms: world.now_ms + longest_ms(world, service, command, up),
        };
        self.waiting.insert(waiter, wait);
    }

    /// After a step.
    pub(super) fn after(&mut self, world: &World, now: Now, event: &Event) {
        assert_eq!(
            self.alerts, self.give_ups,
            "one alert for one give-up: {event:?}"
        );
        assert_eq!(
            self.told_of_give_ups, self.give_ups_to_tell,
            "one alert of a person for one give-up: {event:?}"
        );
        assert!(self.quits <= 1, "it quits twice");
        let armed = world
            .core
            .directory
            .iter()
            .filter(|(_, service)| service.armed.is_some());
        assert_eq!(world.core.timers.len(), armed.count(), "a timer is lost");
        for (waiter, wait) in &self.waiting {
            assert!(
                wait.due_ms >= world.now_ms,
                "{waiter:?} waits too long after {event:?}"
            );
        }
        for (number, known) in self.services.iter_mut().enumerate() {
            if world.core.find(&name(number)).is_none() {
                (known.alarmed, known.fallen, known.told) = (false, None, None);
            }
        }
        for (id, service) in world.core.directory.iter() {
            self.seen.insert(word(service.state));
            let number: usize = service.name.as_str().parse().unwrap();
            let latest = world.latest(number).filter(|process| process.id == id);
            let lives = latest.is_some_and(|process| process.ended_ms.is_none());
            let left = latest.is_some_and(|process| process.leftovers);
            let state = service.state;
            match state {
                State::Up => assert!(lives && latest.unwrap().ready),
                State::Stuck => assert!(lives || left, "stuck without a reason"),
                State::Down | State::Failed { .. } => assert!(!lives, "{state:?}, and it lives"),
                State::Waiting { .. } => assert!(!lives, "{state:?}, and it lives"),
                _ => {}
            }
            let final_state = matches!(
                state,
                State::Up | State::Stuck | State::Down | State::Failed { until: None }
            );
            assert_eq!(state.until().is_none(), final_state);
            assert!(service
                .wake()
                .is_none_or(|wake| service.armed == Some(wake)));
            let waited_for = !service.want_up || service.asked != Asked::No;
            assert!(
                service.waiters.is_empty() || waited_for,
                "they wait for nothing"
            );
            assert!(service.want_up || service.asked == Asked::No);
            assert!(
                self.closing || service.want_up == self.services[number].wanted || !service.want_up
            );
            let status = world.core.status(id, now);
            assert!(status.detail.len() <= 143);
            let told = self.services[number].told.map(|(state, ..)| state);
            let told = told.unwrap_or(rc_sv_api::State::Down);
            assert_eq!(told, status.state, "nobody was told after {event:?}");
            assert_eq!(
                status.pid,
                latest.filter(|_| lives).and_then(|process| process.pid)
            );
        }
    }

    /// When everything had time to end.
    pub(super) fn at_the_end(&self) {
        assert_eq!(self.quits, 1, "it does not quit");
        assert!(self.waiting.is_empty(), "nobody answers {:?}", self.waiting);
    }
}

/// How long an answer may take: a stop goes through the ladder, the final KILL, the sweep and the
/// finish command; a start may have to wait for that, and then for its own time-out and KILL.
fn longest_ms(world: &World, service: usize, command: &Command, up: bool) -> u64 {
    const KILL_WAIT: u64 = 5_000;
    let id = world.core.find(&name(service));
    let current = id
        .and_then(|id| world.core.directory.get(id))
        .map(|service| &*service.plan);
    let given = match command {
        Command::Start(plan) | Command::Restart(Some(plan)) => Some(&**plan),
        _ => None,
    };
    let Some(plan) = given.or(current) else {
        return 0;
    };
    let (extension, rungs) = match world.longest_extension() {
        Duration::ZERO => (Duration::ZERO, 1),
        some => (some, 10),
    };
    let care = plan.care.as_ref().and_then(|care| care.unhealthy);
    let stop = plan.ladder.total() * rungs + plan.finish_timeout;
    if !up {
        return stop.as_millis() as u64 + 3 * KILL_WAIT;
    }
    // One that is about to end by itself, or says so, has until the ladder; and one that does not
    // become ready in time is stopped too.
    let leaving = plan.ladder.total().max(care.unwrap_or_default());
    // The runscript has as long as the program.
    let start = plan.ready_timeout * (1 + u32::from(plan.script)) + extension;
    (stop * 2 + leaving + start).as_millis() as u64 + 5 * KILL_WAIT
}

/// A state, or a part of one, without its times.
fn word(state: State) -> &'static str {
    match state {
        State::Down => "down",
        State::Waiting { .. } => "waiting",
        State::Starting { .. } => "starting",
        State::Up => "up",
        State::Stopping { rung: Some(0), .. } => "stopping",
        State::Stopping { rung: Some(_), .. } => "climbing",
        State::Stopping { rung: None, .. } => "killed",
        State::Finishing { part, .. } => match part {
            Part::Sweep => "sweeping",
            Part::Hook => "finish command",
            Part::KilledHook => "finish command killed",
        },
        State::Leaving { .. } => "leaving",
        State::Failed { .. } => "failed",
        State::Stuck => "stuck",
    }
}
