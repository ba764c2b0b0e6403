//! Whether each effect is right at the moment it comes: the other half of the [`Witness`].

use super::witness::{Aim, Known, Witness};
use super::world::{asks_for_up, World};
use crate::core::state::{Asked, State};
use crate::core::{Effect, Event, Hook, Id, KillMode, Look, Record, Topic, Waiter};
use rc_sv_api::policy::Policy;
use rc_sv_api::{event, Code, Error};

impl Witness {
    /// One effect of the step, before it is carried out.
    pub(super) fn effect(&mut self, world: &World, event: &Event, effect: &Effect) {
        match effect {
            Effect::Spawn { id, run } if world.processes.contains_key(run) => {
                let process = &world.processes[run];
                let awaited = process.awaits_script && process.ended_ms.is_none();
                assert!(awaited, "{run} is no new number");
                assert!(!world.hooks.contains_key(&(*run, Hook::Script)));
                let service = world.core.directory.get(*id).unwrap();
                assert!(service.want_up, "{run} is spawned against somebody's will");
                self.seen.insert("runscript");
            }
            Effect::Spawn { id, run } => self.spawned(world, event, *id, *run),
            Effect::RunHook {
                id,
                run,
                hook: Hook::Script,
                ..
            } => {
                let service = world.core.directory.get(*id).unwrap();
                assert!(service.plan.script, "{effect:?} of its own accord");
                self.spawned(world, event, *id, *run);
            }
            Effect::Signal { run, .. } | Effect::Sweep { run, .. } => {
                let process = &world.processes[run];
                let exists = process.pid.is_some() && !process.reaped;
                assert!(exists, "{effect:?} for nobody");
                let latest = world.latest(process.service).unwrap();
                assert_eq!(
                    process.pid, latest.pid,
                    "{effect:?} would hit its successor"
                );
            }
            Effect::Reap { run, .. } => {
                let process = &world.processes[run];
                assert!(process.pid.is_some(), "{effect:?} of what never was");
                assert!(process.ended_ms.is_some(), "{effect:?} of what lives");
                assert!(!process.reaped, "{effect:?} again");
            }
            Effect::RunHook {
                run,
                hook: Hook::Unhealthy,
                ..
            } => {
                let process = &world.processes[run];
                assert!(process.ended_ms.is_none(), "{effect:?} of what is dead");
                let again = world.hooks.contains_key(&(*run, Hook::Unhealthy));
                assert!(!again, "{effect:?} again");
                self.seen.insert("unhealthy");
            }
            Effect::RunHook { run, hook, .. } => {
                assert!(!self.hooks.contains(&(*run, *hook)), "{effect:?} again");
                self.hooks.push((*run, *hook));
                self.alerts += u32::from(*hook == Hook::GiveUp);
                let process = &world.processes[run];
                assert!(process.ended_ms.is_some(), "{effect:?} while it lives");
                assert!(
                    *hook != Hook::Finish || process.executed,
                    "{effect:?} for nothing"
                );
                assert_swept(world, *run);
            }
            Effect::KillHook { run, hook, .. } => {
                assert!(
                    world.hooks.contains_key(&(*run, *hook)),
                    "{effect:?} of what ended"
                );
            }
            Effect::Probe { run, look, .. } => {
                let process = &world.processes[run];
                let runs = process.executed && process.ended_ms.is_none();
                assert!(runs, "{effect:?} at what does not run");
                assert!(
                    process.ready || *look == Look::Ready,
                    "{effect:?} too early"
                );
            }
            Effect::KillProbe { run, look, .. } => {
                let is_made = world.looks.contains(&(*run, *look));
                assert!(is_made, "{effect:?} of what ended");
            }
            Effect::Answer { waiter, result } => self.answered(world, event, *waiter, result),
            Effect::Record { id, what } => self.recorded(world, *id, what),
            Effect::Dependents { id, up } => self.propagated(world, *id, *up),
            Effect::Alert { id, alert } => self.alerted(world, *id, alert.topic),
            Effect::Emit(event) => self.emitted(world, event),
            Effect::Quit => self.quits += 1,
        }
    }

    /// At most one main process, ordered only by somebody's will, and not too early.
    fn spawned(&mut self, world: &World, event: &Event, id: Id, run: u32) {
        let service = world.core.directory.get(id).unwrap();
        let number: usize = service.name.as_str().parse().unwrap();
        let known = &mut self.services[number];
        assert!(known.wanted, "{run} is spawned against somebody's will");
        let by_command = matches!(event, Event::Command { service: named, command, .. }
            if *named == service.name && asks_for_up(command));
        let idle = matches!(
            known.before,
            None | Some(State::Down | State::Failed { until: None })
        );
        assert!(by_command || !idle, "{run} is spawned without a command");
        let Some(last) = world.latest(number) else {
            return;
        };
        let ended = last.ended_ms.expect("the last one still lives");
        assert_swept(world, world.newest(number).unwrap());
        if service.asked != Asked::No {
            return;
        }
        if matches!(known.before, Some(State::Failed { .. })) {
            self.seen.insert("retried");
            known.respawns.clear();
            return;
        }
        let policy = &service.plan.policy;
        let healthy =
            last.executed && ended - last.ordered_ms >= policy.reset_after.as_millis() as u64;
        let least = policy.delay.as_millis() as u64 * u64::from(100 - policy.jitter_percent) / 100;
        // What could not be made is not asked for again at once.
        let scarce = match last.pid {
            None if !last.awaits_script => 100,
            _ => 0,
        };
        assert!(
            world.now_ms >= ended + scarce,
            "{run} is spawned again and again"
        );
        assert!(
            healthy || world.now_ms >= ended + least,
            "{run} is spawned too early"
        );
        self.seen.insert("respawned");
        known.respawns.push(ended);
        assert!(
            in_window(known, policy, ended) <= policy.limit,
            "{run}: too many respawns"
        );
    }

    /// Each is answered once, and what is said is true.
    fn answered(
        &mut self,
        world: &World,
        event: &Event,
        waiter: Waiter,
        result: &Result<(), Error>,
    ) {
        let wait = self.waiting.remove(&waiter).expect("answered once");
        let latest = world.latest(wait.service);
        let lives = latest.is_some_and(|process| process.ended_ms.is_none());
        let left = latest.is_some_and(|process| process.leftovers);
        let zombie = latest.is_some_and(|process| process.pid.is_some() && !process.reaped);
        match (wait.aim, result) {
            (Aim::Up, Ok(())) => assert!(lives && latest.unwrap().ready, "it is not up"),
            (Aim::Up, Err(error)) => {
                let failed = matches!(error.code, Code::Failed | Code::Timeout);
                // Somebody who was overtaken need not wait for the end of what has failed.
                let overtaken = matches!(event, Event::Command { waiter: by, .. }
                    if *by != Some(waiter));
                let said = error.message.contains("still");
                let known = !failed || !lives || said || overtaken || self.closing;
                assert!(known, "it failed and lives: {error}");
            }
            (Aim::Down, Ok(())) => assert!(!lives && !zombie, "it is not down"),
            (Aim::Down, Err(error)) => {
                let overtaken = error.code == Code::Conflict;
                assert!(overtaken || lives || left, "it is down: {error}");
            }
            (Aim::Signal, Ok(())) => assert!(lives && latest.unwrap().executed),
            (Aim::Renewal, Ok(())) => {
                assert!(latest.unwrap().awaits_script, "nothing is to be renewed");
            }
            (Aim::Signal | Aim::Renewal, Err(_)) | (Aim::Forget, _) => {}
        }
    }

    /// In turn, and what has to be so is so.
    fn propagated(&mut self, world: &World, id: Id, up: bool) {
        let service = world.core.directory.get(id).unwrap();
        let known = &mut self.services[service.name.as_str().parse::<usize>().unwrap()];
        assert!(service.state == State::Up || !up, "it does not work yet");
        assert!(up || known.wanted, "a stop is OpenRC's business");
        assert_ne!(known.fallen, Some(!up), "they were told already");
        known.fallen = Some(!up);
        if up {
            self.seen.insert("dependents");
        }
    }

    /// One for each give-up; what is over was told of before, and is over.
    fn alerted(&mut self, world: &World, id: Id, topic: Topic) {
        let service = world.core.directory.get(id).unwrap();
        let known = &mut self.services[service.name.as_str().parse::<usize>().unwrap()];
        match topic {
            Topic::GaveUp => {
                let is_new = !service.on_probation;
                assert!(is_new && matches!(service.state, State::Failed { .. }));
                self.told_of_give_ups += 1;
            }
            Topic::Unhealthy => assert!(!known.alarmed, "it is known that it has failed"),
            Topic::Recovered => {
                assert!(known.alarmed, "nobody was told that it had failed");
                assert_eq!(service.state, State::Up);
                self.seen.insert("recovered");
            }
        }
        known.alarmed = topic != Topic::Recovered;
    }

    /// Numbers without a gap, and nothing twice.
    fn emitted(&mut self, world: &World, event: &event::Event) {
        self.events += 1;
        assert_eq!(event.seq, self.events, "{event:?}");
        let number: usize = event.service.parse().unwrap();
        let told = (event.status.state, event.status.pid, event.status.healthy);
        let known = &mut self.services[number];
        assert_ne!(known.told, Some(told), "told twice: {event:?}");
        known.told = Some(told);
        let is_gave_up = event.status.state == rc_sv_api::State::GaveUp;
        assert_eq!(event.kind == event::Kind::GaveUp, is_gave_up);
        assert_eq!(event.status.since_boot_ns, Some(world.now_ms * 1_000_000));
    }

    fn recorded(&mut self, world: &World, id: Id, what: &Record) {
        let service = world.core.directory.get(id).unwrap();
        let known = &self.services[service.name.as_str().parse::<usize>().unwrap()];
        if let Record::GaveUp(reason) = what {
            self.give_ups += u32::from(service.plan.on_give_up && !service.on_probation);
            self.give_ups_to_tell += u32::from(service.plan.alert && !service.on_probation);
            assert!(matches!(service.state, State::Failed { .. }));
            if reason.starts_with("gave up after") {
                self.seen.insert("gave up");
                let (policy, instance) = (&service.plan.policy, &service.instance);
                let respawns = in_window(known, policy, instance.ended_ms.unwrap());
                assert_eq!(respawns, policy.limit, "gave up too early");
            }
        }
    }
}

/// Nothing is left of an instance, as far as can be known.
fn assert_swept(world: &World, run: u32) {
    let process = &world.processes[&run];
    let known = process.fate.cgroup && process.kill_mode != KillMode::Process;
    assert!(!known || !process.leftovers, "{run} left something");
}

fn in_window(known: &Known, policy: &Policy, now_ms: u64) -> u32 {
    let period = policy.period.as_millis() as u64;
    let recent = known.respawns.iter().filter(|at| now_ms - **at < period);
    recent.count() as u32
}
