//! One service: what the core remembers of it.
//!
//! Its transitions are in `commands` (somebody wants something), `script` (what may come before a
//! main process), `life` (what happens to it), `stop` (the ladder) and `finish` (what comes after the
//! end).

use super::alarm::Alarm;
use super::emit::Told;
use super::instance::Instance;
use super::state::{Asked, State};
use super::watch::Watch;
use super::{Effect, Hook, Id, Now, Plan, Waiter};
use rc_sv_api::exit::Exit;
use rc_sv_api::policy::History;
use rc_sv_api::{Error, ServiceName};

/// One service.
#[derive(Debug)]
pub(super) struct Service {
    pub name: ServiceName,
    pub plan: Box<Plan>,
    pub want_up: bool,
    pub state: State,
    /// When the reported state changed: CLOCK_BOOTTIME in ms, CLOCK_REALTIME in ns.
    pub since: (u64, i64),
    pub asked: Asked,
    /// They wait for it to be up if it is wanted up, else for it to be down.
    pub waiters: Vec<Waiter>,
    pub history: History,
    /// Respawns since somebody started it.
    pub restarts: u32,
    pub instance: Instance,
    /// The spec was made since the last spawn.
    pub has_new_spec: bool,
    pub last_exit: Option<Exit>,
    /// What there is to say about the last end besides `last_exit`.
    pub note: Option<Box<str>>,
    /// Why the current or last instance was ended, or never became ready.
    pub reason: Option<Box<str>>,
    /// What is known of the current instance beyond its life.
    pub watch: Option<Box<Watch>>,
    /// It was given up before, and this is one more try.
    pub on_probation: bool,
    /// Commands that run and that nothing waits for.
    pub alerts: Vec<Alert>,
    /// Of what a person was alerted who has not been told that it is over.
    pub alarm: Option<Alarm>,
    /// Whether those that need it were stopped; not known at first.
    pub has_fallen: Option<bool>,
    /// What the timer of the service is set to.
    pub armed: Option<u64>,
    /// What others were told last.
    pub told: Told,
}

/// A command that runs while its service does whatever it does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Alert {
    /// About which instance.
    pub run: u32,
    pub hook: Hook,
    /// When it is killed; `None` when it was, and has not ended yet.
    pub until: Option<u64>,
}

/// One service's part of one step.
pub(super) struct Turn<'a> {
    pub id: Id,
    pub now: Now,
    /// The number of the last instance of all services.
    pub runs: &'a mut u32,
    /// The number of the last event that others were told.
    pub emitted: &'a mut u64,
    pub effects: &'a mut Vec<Effect>,
}

impl Service {
    /// A service that is down.
    pub(super) fn new(name: ServiceName, plan: Box<Plan>, now: Now) -> Service {
        Service {
            name,
            plan,
            want_up: false,
            state: State::Down,
            since: (now.boot_ms, now.real_ns),
            asked: Asked::No,
            waiters: Vec::new(),
            history: History::default(),
            restarts: 0,
            instance: Instance::none(),
            has_new_spec: true,
            last_exit: None,
            note: None,
            reason: None,
            watch: None,
            on_probation: false,
            alerts: Vec::new(),
            alarm: None,
            has_fallen: None,
            armed: None,
            told: Told::default(),
        }
    }

    /// When something has to be done about it, if nothing happens before.
    pub(super) fn wake(&self) -> Option<u64> {
        let alert = self.alerts.iter().filter_map(|alert| alert.until);
        let watch = self.watch.as_ref().and_then(|watch| watch.deadline());
        self.state
            .until()
            .into_iter()
            .chain(alert)
            .chain(watch)
            .chain(self.over_at())
            .min()
    }

    /// Changes the state.
    pub(super) fn enter(&mut self, turn: &mut Turn<'_>, state: State) {
        if self.state.reported() != state.reported() {
            self.since = (turn.now.boot_ms, turn.now.real_ns);
        }
        self.state = state;
        self.watch_alarm(turn);
        match state {
            State::Starting { .. } | State::Up => {}
            // It may still say what it is doing.
            State::Leaving { .. } | State::Stopping { .. } => self.look_away(turn),
            _ => {
                self.look_away(turn);
                self.watch = None;
            }
        }
    }

    /// Orders an instance. Nothing of the one before is left but its zombie.
    pub(super) fn spawn(&mut self, turn: &mut Turn<'_>) {
        self.look_away(turn);
        self.watch = None;
        *turn.runs = turn.runs.wrapping_add(1).max(1);
        let run = *turn.runs;
        self.instance = Instance::ordered(run, turn.now.boot_ms);
        self.reason = None;
        let until = turn.after(self.plan.ready_timeout);
        self.enter(turn, State::Starting { until });
        match self.plan.script && !self.has_new_spec {
            true => self.run_script(turn),
            false => self.order(turn),
        }
    }

    /// Orders the main process of the instance.
    pub(super) fn order(&mut self, turn: &mut Turn<'_>) {
        self.has_new_spec = false;
        let run = self.instance.run;
        turn.effects.push(Effect::Spawn { id: turn.id, run });
    }

    /// Tells all waiters the same.
    pub(super) fn answer_all(&mut self, turn: &mut Turn<'_>, result: &Result<(), Error>) {
        for waiter in std::mem::take(&mut self.waiters) {
            turn.answer(Some(waiter), result.clone());
        }
    }
}

impl Turn<'_> {
    /// The time `wait` from now, in milliseconds of CLOCK_BOOTTIME.
    pub(super) fn after(&self, wait: std::time::Duration) -> u64 {
        let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        self.now.boot_ms.saturating_add(wait)
    }

    /// Answers, where there is somebody to be answered.
    pub(super) fn answer(&mut self, waiter: Option<Waiter>, result: Result<(), Error>) {
        self.effects.extend(Effect::answer(waiter, result));
    }
}
