//! The core with a service that is a [`Script`] and a clock that is a number: what the supervisor
//! would do, and when.

mod script;
mod story;

pub use script::{Ready, Script};

use crate::core::{self, Command, Core, Effect, Event, Id, Look, Now, Plan, Record, Word};
use rc_sv_api::exit::Exit;
use rc_sv_api::{signal, Result, ServiceName};
use rc_sv_exec::check::Outcome;
use std::collections::BTreeMap;
use std::time::Duration;
use story::{Story, STARTER, STOPPER};

/// What goes on for longer than this goes on for ever.
const HORIZON: Duration = Duration::from_secs(24 * 3600);

/// More steps than this are not worth waiting for.
const MOST_STEPS: u32 = 2_000_000;

/// Tells what becomes of a service with this plan that does what the script says: a line for each
/// moment at which something happens, beginning with the seconds since its start.
///
/// # Errors
/// The script has something of which nothing could come.
pub fn tell(plan: Plan, script: Script) -> Result<Vec<String>> {
    script.check(&plan)?;
    let mut simulation = Simulation::new(plan.clone(), script);
    let service = ServiceName::new(b"simulated")?;
    let order = |command, waiter| Event::Command {
        service: service.clone(),
        command,
        waiter: Some(waiter),
    };
    simulation.schedule(0, order(Command::Start(Box::new(plan)), STARTER));
    if let Some(stop) = script.stop {
        simulation.schedule(millis(stop), order(Command::Stop, STOPPER));
    }
    simulation.run();
    Ok(simulation.story.told())
}

struct Simulation {
    core: Core,
    plan: Plan,
    script: Script,
    now_ms: u64,
    /// What will happen, by time and order.
    future: BTreeMap<(u64, u64), Event>,
    count: u64,
    /// The current instance: its number, when it was executed, and whether it lives.
    instance: Option<(u32, u64, bool)>,
    story: Story,
}

impl Simulation {
    fn new(plan: Plan, script: Script) -> Simulation {
        Simulation {
            core: Core::new(),
            plan,
            script,
            now_ms: 0,
            future: BTreeMap::new(),
            count: 0,
            instance: None,
            story: Story::default(),
        }
    }

    fn schedule(&mut self, wait_ms: u64, event: Event) {
        self.count += 1;
        self.future
            .insert((self.now_ms.saturating_add(wait_ms), self.count), event);
    }

    /// Until nothing happens any more, or for ever.
    fn run(&mut self) {
        for _ in 0..MOST_STEPS {
            let deadline = self.core.deadline();
            let next = self.future.first_key_value().map(|(key, _)| *key);
            let at = match (deadline, next) {
                (None, None) => return self.story.end(self.now_ms),
                (deadline, next) => deadline
                    .unwrap_or(u64::MAX)
                    .min(next.map_or(u64::MAX, |(at, _)| at)),
            };
            if at > millis(HORIZON) {
                break;
            }
            if at > self.now_ms {
                self.story.end_of_moment(self.now_ms);
                self.now_ms = at;
            }
            // What the service does comes before what is done because it has not done it.
            let event = match next.filter(|(due, _)| *due <= at) {
                Some(key) => self.future.remove(&key),
                None => Some(Event::Deadline),
            };
            if let Some(event) = event {
                self.step(event);
            }
        }
        self.story.end(self.now_ms);
        self.story.goes_on(HORIZON);
    }

    fn step(&mut self, event: Event) {
        if !self.happens(&event) {
            return;
        }
        let now = Now {
            boot_ms: self.now_ms,
            real_ns: 0,
            // In the middle of the jitter.
            chance: u32::MAX / 2,
        };
        let mut effects = Vec::new();
        self.core.step(event, now, &mut effects);
        for effect in effects {
            self.carry_out(effect);
        }
        if let Some((id, _)) = self.core.iter().next() {
            self.story.look(&self.core, id, now);
        }
    }

    /// Whether what was scheduled still comes about, and what follows from it.
    fn happens(&mut self, event: &Event) -> bool {
        match *event {
            Event::Exited { run, .. } => match &mut self.instance {
                Some((current, _, lives)) if *current == run && *lives => {
                    *lives = false;
                    true
                }
                _ => false,
            },
            Event::Said {
                id,
                run,
                word: Word::Alive,
            } => match self.instance {
                Some((current, executed, true)) if current == run => {
                    self.say_alive(id, run, executed);
                    true
                }
                _ => false,
            },
            _ => true,
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Spawn { id, run } => self.spawn(id, run),
            Effect::Signal {
                id, run, signal, ..
            } => self.signal(id, run, signal),
            Effect::Sweep { id, run } => {
                self.signal(id, run, signal::KILL);
                self.schedule(0, Event::Emptied { id, run });
            }
            Effect::RunHook { id, run, hook, .. } => {
                let exit = Exit::Code(0);
                self.schedule(
                    0,
                    Event::HookEnded {
                        id,
                        run,
                        hook,
                        exit,
                    },
                );
            }
            Effect::Probe { id, run, look } => {
                let (outcome, found) = match self.passes(look) {
                    true => (Outcome::Pass, String::new()),
                    false => (Outcome::Fail, "simulated".to_string()),
                };
                let event = Event::Probed {
                    id,
                    run,
                    look,
                    outcome,
                    found,
                };
                self.schedule(0, event);
            }
            Effect::Answer { waiter, result } => self.story.answered(waiter, result),
            Effect::Record {
                what: Record::Sick(line),
                ..
            } => self.story.add(line),
            Effect::Record {
                what: Record::Well, ..
            } => self.story.add("healthy again".to_string()),
            // Looks and commands end at once, and a zombie holds up nobody.
            _ => {}
        }
    }

    fn spawn(&mut self, id: Id, run: u32) {
        let pid = i32::try_from(run).unwrap_or(i32::MAX);
        self.instance = Some((run, self.now_ms, true));
        self.schedule(0, Event::Spawned { id, run, pid });
        self.schedule(0, Event::Executed { id, run });
        if let (core::Ready::Told, Ready::After(wait)) = (self.plan.ready, self.script.ready) {
            let word = Word::Ready;
            self.schedule(millis(wait), Event::Said { id, run, word });
        }
        if let Some((exit, wait)) = self.script.end {
            let alone = true;
            let event = Event::Exited {
                id,
                run,
                exit,
                alone,
            };
            self.schedule(millis(wait), event);
        }
        self.say_alive(id, run, self.now_ms);
    }

    /// The next sign of life, twice in each interval.
    fn say_alive(&mut self, id: Id, run: u32, executed_ms: u64) {
        let care = self.plan.care.as_ref();
        let Some(interval) = care.and_then(|care| care.watchdog) else {
            return;
        };
        let wait = (millis(interval) / 2).max(1);
        let silent = self.script.silent.map_or(u64::MAX, millis);
        if self.now_ms + wait < executed_ms.saturating_add(silent) {
            let word = Word::Alive;
            self.schedule(wait, Event::Said { id, run, word });
        }
    }

    fn signal(&mut self, id: Id, run: u32, number: i32) {
        let deadly = number == signal::KILL || (number != signal::CONT && !self.script.stubborn);
        if let (true, Ok(number)) = (deadly, u8::try_from(number)) {
            let event = Event::Exited {
                id,
                run,
                exit: Exit::Signal(number),
                alone: true,
            };
            self.schedule(0, event);
        }
    }

    fn passes(&self, look: Look) -> bool {
        let executed = self
            .instance
            .map_or(self.now_ms, |(_, executed, _)| executed);
        let age = self.now_ms.saturating_sub(executed);
        match (look, self.script.ready, self.script.unhealthy) {
            (Look::Ready, Ready::Never, _) => false,
            (Look::Ready, Ready::After(wait), _) => age >= millis(wait),
            (Look::Check(_), _, wait) => wait.is_none_or(|wait| age < millis(wait)),
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
