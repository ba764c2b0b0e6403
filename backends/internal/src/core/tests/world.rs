//! A simulated world: processes that do what their [`Fate`] says, and time. The [`Witness`] sees
//! every step.

use super::fate::{Act, Fate};
use super::nature::{Happening, Process};
use super::witness::Witness;
use crate::core::{
    Command, Core, Effect, Event, Hook, Id, KillMode, Look, Now, Plan, Ready, Waiter, Word,
};
use rc_sv_api::exit::Exit;
use rc_sv_api::{signal, ServiceName, Spec};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

/// How many services a story has.
pub(super) const SERVICES: usize = 3;

/// The plans of the services, what becomes of instances, and what is done.
pub(super) type Story = (Vec<Plan>, Vec<Fate>, Vec<Act>);

/// Tells the story, to its end.
pub(super) fn told((policies, fates, acts): Story) -> World {
    let mut world = World::new(policies, fates);
    for act in &acts {
        world.act(act);
    }
    world.finish();
    world
}

pub(super) struct World {
    pub core: Core,
    pub now_ms: u64,
    pub processes: BTreeMap<u32, Process>,
    /// The instance of each service that was ordered last.
    newest: HashMap<usize, u32>,
    /// Commands of instances that run.
    pub hooks: HashMap<(u32, Hook), Id>,
    /// Looks at instances that are being made.
    pub looks: HashSet<(u32, Look)>,
    bases: Vec<Plan>,
    fates: Vec<Fate>,
    /// By time and order.
    future: BTreeMap<(u64, u64), (u32, Happening)>,
    count: u64,
    /// What the clock on the wall shows at each event: people set it.
    pub(super) wall: fn(u64) -> i64,
    /// All effects, in words, where they are asked for.
    pub(super) trace: Option<Vec<String>>,
    past: Vec<Event>,
    pub witness: Witness,
}

impl World {
    pub(super) fn new(bases: Vec<Plan>, fates: Vec<Fate>) -> World {
        World {
            core: Core::new(),
            now_ms: 5_000,
            processes: BTreeMap::new(),
            newest: HashMap::new(),
            hooks: HashMap::new(),
            looks: HashSet::new(),
            witness: Witness::new(bases.len()),
            bases,
            fates,
            future: BTreeMap::new(),
            count: 0,
            wall: |count| count as i64,
            trace: None,
            past: Vec::new(),
        }
    }

    pub(super) fn act(&mut self, act: &Act) {
        match act {
            Act::Pass(millis) => self.pass(*millis),
            Act::Suspend(millis) => {
                self.now_ms += millis;
                self.witness.slept(*millis);
                self.pass(0);
            }
            Act::Echo(which) if !self.past.is_empty() => {
                let event = self.past[which % self.past.len()].clone();
                self.tell(event);
            }
            Act::Echo(_) => {}
            Act::Shutdown => self.tell(Event::Shutdown),
            _ => {
                let (service, command) = act.command(&self.bases).unwrap();
                self.count += 1;
                self.tell(Event::Command {
                    service: name(service),
                    command,
                    waiter: Some(Waiter(self.count)),
                });
            }
        }
    }

    /// Lets time pass: happenings and deadlines, in order.
    pub(super) fn pass(&mut self, millis: u64) {
        let end = self.now_ms + millis;
        loop {
            let deadline = self.core.deadline().unwrap_or(u64::MAX);
            let next = self.future.first_key_value();
            let (at, number) = next.map_or((u64::MAX, 0), |(key, _)| *key);
            if at.min(deadline) > end {
                break;
            }
            self.now_ms = self.now_ms.max(at.min(deadline));
            if deadline < at || (deadline == at && self.count % 2 == 0) {
                self.tell(Event::Deadline);
                let next = self.core.deadline();
                assert!(
                    next.is_none_or(|next| next > self.now_ms),
                    "a deadline stays"
                );
            } else if let Some((run, happening)) = self.future.remove(&(at, number)) {
                self.happen(run, happening);
            }
        }
        self.now_ms = end;
    }

    /// Ends everything, and checks that nothing is left open.
    pub(super) fn finish(&mut self) {
        self.tell(Event::Shutdown);
        self.pass(1_000_000);
        self.witness.at_the_end();
        for (run, process) in &self.processes {
            let done = process.ended_ms.is_some() && !process.leftovers;
            assert!(
                !done || process.pid.is_none() || process.reaped,
                "{run} is a zombie"
            );
        }
    }

    /// What the core is told of the time.
    pub(super) fn now(&self) -> Now {
        Now {
            boot_ms: self.now_ms,
            real_ns: (self.wall)(self.count),
            chance: (self.count as u32).wrapping_mul(0x9E37_79B9),
        }
    }

    pub(super) fn tell(&mut self, event: Event) {
        let now = self.now();
        let mut effects = Vec::new();
        let mut witness = std::mem::take(&mut self.witness);
        witness.before(self, &event);
        self.core.step(event.clone(), now, &mut effects);
        if let Some(trace) = &mut self.trace {
            trace.extend(effects.iter().map(super::trace::timeless));
        }
        for effect in &effects {
            witness.effect(self, &event, effect);
            self.carry_out(effect);
        }
        witness.after(self, now, &event);
        self.witness = witness;
        for effect in &effects {
            self.answer_sweep(effect);
        }
    }

    /// Tells an event of an instance, twice if it is of that kind.
    pub(super) fn deliver(&mut self, run: u32, event: Event) {
        if !matches!(
            event,
            Event::Main { .. } | Event::Said { .. } | Event::Probed { .. }
        ) {
            self.past.push(event.clone());
        }
        if self.processes[&run].fate.twice {
            self.tell(event.clone());
        }
        self.tell(event);
    }

    pub(super) fn schedule(&mut self, run: u32, wait: Option<u64>, happening: Happening) {
        if let Some(wait) = wait {
            self.count += 1;
            let key = (self.now_ms + wait, self.count);
            self.future.insert(key, (run, happening));
        }
    }

    fn carry_out(&mut self, effect: &Effect) {
        match *effect {
            Effect::Spawn { id, run } => {
                self.order(id, run, false);
                let wait = self.processes[&run].fate.spawn_ms;
                self.schedule(run, Some(wait), Happening::Spawns);
            }
            Effect::Signal { run, signal, .. } => self.signal(run, signal),
            Effect::Sweep { run, .. } => {
                self.signal(run, signal::KILL);
                let wait = self.processes[&run].fate.leaves.unwrap_or(Some(0));
                self.schedule(run, wait, Happening::LeftoversEnd);
            }
            Effect::Reap { run, .. } => {
                self.processes.get_mut(&run).unwrap().reaped = true;
            }
            Effect::RunHook { id, run, hook, .. } => {
                if hook == Hook::Script {
                    self.order(id, run, true);
                }
                let fate = &self.processes[&run].fate;
                let (wait, happening) = match (fate.hook_runs, fate.hook) {
                    (false, _) => (Some(1), Happening::HookFails(hook)),
                    (_, Some((wait, code))) => {
                        (Some(wait), Happening::HookEnds(hook, Exit::Code(code)))
                    }
                    (_, None) => (None, Happening::HookFails(hook)),
                };
                self.hooks.insert((run, hook), id);
                self.schedule(run, wait, happening);
            }
            Effect::KillHook { run, hook, .. } => {
                let wait = self.processes[&run].fate.hook_kill_ms;
                self.schedule(run, wait, Happening::HookEnds(hook, Exit::Signal(9)));
            }
            Effect::Probe { run, look, .. } => {
                let is_second = !self.looks.insert((run, look));
                let fate = &self.processes[&run].fate;
                let wait = if is_second { Some(0) } else { fate.look_ms };
                self.schedule(run, wait, Happening::LookEnds(look));
            }
            Effect::KillProbe { run, look, .. } => {
                let wait = self.processes[&run].fate.hook_kill_ms;
                self.schedule(run, wait, Happening::LookEnds(look));
            }
            Effect::Answer { .. }
            | Effect::Record { .. }
            | Effect::Dependents { .. }
            | Effect::Alert { .. }
            | Effect::Emit(_)
            | Effect::Quit => {}
        }
    }

    /// There is an instance now, or its runscript is over.
    fn order(&mut self, id: Id, run: u32, awaits_script: bool) {
        let text = self.core.name(id).unwrap().as_str();
        let process = Process {
            service: text.parse().unwrap(),
            id,
            ordered_ms: self.now_ms,
            pid: None,
            executed: false,
            ready: false,
            ended_ms: None,
            reaped: false,
            leftovers: false,
            kill_mode: KillMode::Mixed,
            awaits_script,
            fate: self.fates[run as usize % self.fates.len()].clone(),
        };
        self.newest.insert(process.service, run);
        self.processes.insert(run, process);
    }

    /// Without a cgroup a sweep is over as soon as the group was signalled.
    fn answer_sweep(&mut self, effect: &Effect) {
        if let Effect::Sweep { id, run } = *effect {
            if !self.processes[&run].fate.cgroup {
                self.deliver(run, Event::Emptied { id, run });
            }
        }
    }

    fn signal(&mut self, run: u32, number: i32) {
        let process = &self.processes[&run];
        if process.ended_ms.is_some() || number == signal::CONT {
            return;
        }
        let wait = match number {
            signal::KILL => process.fate.kill_ms,
            _ => process.fate.term_ms,
        };
        self.schedule(run, wait, Happening::Ends(Exit::Signal(number as u8)));
    }

    /// By how much a start can be extended at most.
    pub(super) fn longest_extension(&self) -> Duration {
        let of_fate = |fate: &Fate| -> Duration {
            let words = fate.says.iter();
            words
                .map(|(_, word)| match word {
                    Word::Extend(wait) => *wait,
                    _ => Duration::ZERO,
                })
                .sum()
        };
        // All of it may be said at the last moment, and twice.
        self.fates.iter().map(of_fate).max().unwrap_or_default() * 2
    }

    /// What shows that a service is ready.
    pub(super) fn ready(&self, service: usize) -> Ready {
        self.bases[service].ready
    }

    /// The number of the instance of a service that was ordered last.
    pub(super) fn newest(&self, service: usize) -> Option<u32> {
        self.newest.get(&service).copied()
    }

    /// That instance.
    pub(super) fn latest(&self, service: usize) -> Option<&Process> {
        self.processes.get(&self.newest(service)?)
    }
}

/// A plan from settings, without a shortest time between starts unless one is given.
pub(super) fn plan(settings: &[(&str, &str)]) -> Box<Plan> {
    let mut spec = Spec::default();
    let quiet = [("rc_supervise_min_interval", "0")];
    for (name, value) in quiet.iter().chain(settings) {
        spec.set(name, value.as_bytes(), "test").unwrap();
    }
    Box::new(Plan::from_settings(spec.settings()))
}

/// The name of a service of the world is its number.
pub(super) fn name(service: usize) -> ServiceName {
    ServiceName::new(service.to_string().as_bytes()).unwrap()
}

/// Whether a command asks for the service to be up.
pub(super) fn asks_for_up(command: &Command) -> bool {
    matches!(command, Command::Start(_) | Command::Restart(_))
}
