//! A core on the bench: one service, events by hand, effects as words.

use super::world::plan;
use crate::core::{
    Command, Core, Effect, Event, Found, Hook, Id, Look, Now, Plan, Record, Waiter, Whom, Word,
};
use rc_sv_api::exit::Exit;
use rc_sv_api::{event, signal, Error, ServiceName, State, Status};
use rc_sv_exec::check::Outcome;

/// The middle of the jitter.
const CHANCE: u32 = u32::MAX / 2;

pub(super) fn name(text: &str) -> ServiceName {
    ServiceName::new(text.as_bytes()).unwrap()
}

/// One service called `foo`, events about its latest instance, and what came of the last event.
pub(super) struct Bench {
    pub core: Core,
    pub now_ms: u64,
    pub run: u32,
    /// What everybody was told.
    pub told: Vec<event::Event>,
    plan: Box<Plan>,
}

impl Bench {
    pub(super) fn new(settings: &[(&str, &str)]) -> Bench {
        Bench {
            core: Core::new(),
            now_ms: 1_000_000,
            run: 0,
            told: Vec::new(),
            plan: plan(settings),
        }
    }

    /// One that is up, as instance 1 with pid 101.
    pub(super) fn up(settings: &[(&str, &str)]) -> Bench {
        let mut bench = Bench::new(settings);
        bench.start(1);
        bench.come_up();
        bench
    }

    pub(super) fn now(&self) -> Now {
        Now {
            boot_ms: self.now_ms,
            real_ns: self.now_ms as i64 * 1_000_000 + 7,
            chance: CHANCE,
        }
    }

    /// Takes the event in and tells the effects, separated by commas. What everybody is told is kept.
    pub(super) fn tell(&mut self, event: Event) -> String {
        let mut effects = Vec::new();
        self.core.step(event, self.now(), &mut effects);
        self.words_of(&effects)
    }

    /// Goes on with a service that was restored, and tells the effects.
    pub(super) fn resume(&mut self, id: Id, main: Found, hooks: &[(u32, Hook)]) -> String {
        let mut effects = Vec::new();
        self.core.resume(id, main, hooks, self.now(), &mut effects);
        self.words_of(&effects)
    }

    fn words_of(&mut self, effects: &[Effect]) -> String {
        for effect in effects {
            match effect {
                Effect::Spawn { run, .. } => self.run = *run,
                Effect::Emit(event) => self.told.push((**event).clone()),
                _ => {}
            }
        }
        let is_done = |effect: &&Effect| !matches!(effect, Effect::Emit(_));
        let words: Vec<String> = effects.iter().filter(is_done).map(words).collect();
        words.join(", ")
    }

    pub(super) fn command(&mut self, command: Command, waiter: u64) -> String {
        self.tell(Event::Command {
            service: name("foo"),
            command,
            waiter: Some(Waiter(waiter)),
        })
    }

    pub(super) fn start(&mut self, waiter: u64) -> String {
        self.command(Command::Start(self.plan.clone()), waiter)
    }

    pub(super) fn stop(&mut self, waiter: u64) -> String {
        self.command(Command::Stop, waiter)
    }

    pub(super) fn restart(&mut self, waiter: u64) -> String {
        self.command(Command::Restart(None), waiter)
    }

    pub(super) fn spawned(&mut self) -> String {
        let (id, run) = (self.id(), self.run);
        let pid = 100 + run as i32;
        self.tell(Event::Spawned { id, run, pid })
    }

    pub(super) fn spawn_failed(&mut self) -> String {
        let (id, run, errno) = (self.id(), self.run, 11);
        let message = "cannot fork: Resource temporarily unavailable".to_string();
        self.tell(Event::SpawnFailed {
            id,
            run,
            message,
            errno,
        })
    }

    pub(super) fn executed(&mut self) -> String {
        let (id, run) = (self.id(), self.run);
        self.tell(Event::Executed { id, run })
    }

    pub(super) fn exec_failed(&mut self) -> String {
        let (id, run, errno) = (self.id(), self.run, 2);
        let message = "cannot execute /x: No such file or directory".to_string();
        self.tell(Event::ExecFailed {
            id,
            run,
            message,
            errno,
        })
    }

    pub(super) fn come_up(&mut self) {
        self.spawned();
        self.executed();
    }

    pub(super) fn says(&mut self, word: Word) -> String {
        let (id, run) = (self.id(), self.run);
        self.tell(Event::Said { id, run, word })
    }

    pub(super) fn finds(&mut self, look: Look, outcome: Outcome) -> String {
        let (id, run) = (self.id(), self.run);
        let found = match outcome {
            Outcome::Pass => String::new(),
            Outcome::Fail | Outcome::Unknown => "tcp:80: Connection refused".into(),
        };
        self.tell(Event::Probed {
            id,
            run,
            look,
            outcome,
            found,
        })
    }

    /// The main process ended and left nothing.
    pub(super) fn exited(&mut self, exit: Exit) -> String {
        self.ended(exit, true)
    }

    /// The main process ended and left something.
    pub(super) fn exited_leaving(&mut self, exit: Exit) -> String {
        self.ended(exit, false)
    }

    fn ended(&mut self, exit: Exit, alone: bool) -> String {
        let (id, run) = (self.id(), self.run);
        self.tell(Event::Exited {
            id,
            run,
            exit,
            alone,
        })
    }

    pub(super) fn emptied(&mut self) -> String {
        let (id, run) = (self.id(), self.run);
        self.tell(Event::Emptied { id, run })
    }

    pub(super) fn hook_ended(&mut self, hook: Hook, exit: Exit) -> String {
        let (id, run) = (self.id(), self.run);
        self.tell(Event::HookEnded {
            id,
            run,
            hook,
            exit,
        })
    }

    pub(super) fn hook_failed(&mut self, hook: Hook) -> String {
        let (id, run) = (self.id(), self.run);
        let message = "cannot execute /hook: Permission denied".to_string();
        self.tell(Event::HookFailed {
            id,
            run,
            hook,
            message,
        })
    }

    /// Lets time pass; each deadline within is kept to the millisecond.
    pub(super) fn pass(&mut self, millis: u64) -> String {
        let end = self.now_ms + millis;
        let mut all = Vec::new();
        while let Some(at) = self.core.deadline().filter(|at| *at <= end) {
            self.now_ms = self.now_ms.max(at);
            let done = self.tell(Event::Deadline);
            all.extend((!done.is_empty()).then_some(done));
        }
        self.now_ms = end;
        all.join(", ")
    }

    pub(super) fn id(&self) -> Id {
        self.core.find(&name("foo")).expect("foo is known")
    }

    pub(super) fn status(&self) -> Status {
        self.core.status(self.id(), self.now())
    }

    pub(super) fn state(&self) -> State {
        self.status().state
    }
}

fn words(effect: &Effect) -> String {
    let hook_name = |hook: &Hook| match hook {
        Hook::Finish => "finish",
        Hook::GiveUp => "alert",
        Hook::Alternate => "alternate",
        Hook::Unhealthy => "unhealthy",
        Hook::Script => "script",
    };
    match effect {
        Effect::Spawn { run, .. } => format!("spawn {run}"),
        Effect::Signal {
            run, signal, whom, ..
        } => {
            let whom = match whom {
                Whom::Main => "main",
                Whom::Group => "group",
            };
            format!("{} {whom} {run}", signal::name(*signal))
        }
        Effect::Sweep { run, .. } => format!("sweep {run}"),
        Effect::Reap { run, .. } => format!("reap {run}"),
        Effect::RunHook {
            run,
            hook,
            exit,
            result,
            ..
        } => {
            let result = result.map_or_else(String::new, |result| format!(", {result}"));
            format!("{} {run} ({exit}{result})", hook_name(hook))
        }
        Effect::KillHook { run, hook, .. } => format!("kill {} {run}", hook_name(hook)),
        Effect::Probe { run, look, .. } => format!("look {} {run}", look_name(look)),
        Effect::KillProbe { run, look, .. } => format!("kill {} {run}", look_name(look)),
        Effect::Answer { waiter, result } => match result {
            Ok(()) => format!("{} ok", waiter.0),
            Err(Error { code, message, .. }) => format!("{} {code:?}: {message}", waiter.0),
        },
        Effect::Record { what, .. } => match what {
            Record::Spawned { pid, restarts } => format!("<pid {pid}, {restarts} restarts>"),
            Record::Backoff => "<backoff>".to_string(),
            Record::Down => "<down>".to_string(),
            Record::GaveUp(reason) => format!("<{reason}>"),
            Record::Retried => "<one more try>".to_string(),
            Record::Sick(reason) => format!("<sick: {reason}>"),
            Record::Well => "<well>".to_string(),
        },
        Effect::Dependents { up: false, .. } => "stop dependents".to_string(),
        Effect::Dependents { up: true, .. } => "start dependents".to_string(),
        Effect::Alert { alert, .. } => {
            format!("{} alert ({})", alert.topic.word(), alert.reason)
        }
        Effect::Emit(event) => format!("{:?}", event.kind),
        Effect::Quit => "quit".to_string(),
    }
}

fn look_name(look: &Look) -> String {
    match look {
        Look::Ready => "ready".to_string(),
        Look::Check(index) => format!("check{index}"),
    }
}
