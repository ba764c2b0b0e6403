//! What a service says, and when it is ready.

use super::service::{Service, Turn};
use super::state::{Asked, State};
use super::watch::{Watch, Watchdog};
use super::{Effect, Look, Ready, Word};
use rc_sv_api::duration;
use rc_sv_api::policy::Cause;
use rc_sv_exec::check::{Change, Checkup, Outcome, Todo, Trial};
use rc_sv_exec::stop::LONGEST_STOP;
use std::time::Duration;

/// How long one that can never become ready has for ending by itself, which tells more.
const LAST_WORDS: Duration = Duration::from_secs(1);

impl Service {
    /// Takes in what instance `run`, the current one, says.
    pub(super) fn said(&mut self, turn: &mut Turn<'_>, word: Word) {
        if !self.instance.is_live() || self.instance.not_run.is_some() {
            return;
        }
        // Who talks was executed, whatever the order in which that is told.
        if word != Word::Starved {
            self.executed(turn);
        }
        match word {
            Word::Ready if matches!(self.state, State::Starting { .. }) => self.become_ready(turn),
            Word::Ready => self.watch().reloading = false,
            Word::NeverReady(why) => self.never_ready(turn, why),
            Word::Reloading => self.watch().reloading = self.state == State::Up,
            Word::Stopping => self.leaves(turn),
            Word::Status(line) => self.watch().status = Some(line).filter(|line| !line.is_empty()),
            Word::Errno(errno) => self.fails(errno),
            Word::Starved => self.starved(),
            Word::Extend(wait) => self.extend(turn, wait),
            Word::Alive => self.is_alive(turn),
            Word::Trigger if self.state == State::Up => self.bark(turn, "asked for it"),
            Word::Trigger => {}
            Word::Watchdog(interval) => self.set_watchdog(turn, interval),
        }
    }

    /// The program is executed: the service is ready, or that is waited for now.
    pub(super) fn await_ready(&mut self, turn: &mut Turn<'_>) {
        match self.plan.ready {
            Ready::Executed => self.become_ready(turn),
            Ready::Told => {}
            Ready::Answers => {
                self.watch().trial = Some(Trial::new(turn.now.boot_ms));
                self.look(turn);
            }
        }
    }

    /// It does its work.
    fn become_ready(&mut self, turn: &mut Turn<'_>) {
        self.enter(turn, State::Up);
        self.note = None;
        self.reason = None;
        self.asked = Asked::No;
        self.answer_all(turn, &Ok(()));
        if let Some(watch) = &mut self.watch {
            watch.trial = None;
        }
        let interval = self.plan.care.as_ref().and_then(|care| care.watchdog);
        let early = self.watch.as_ref().and_then(|watch| watch.watchdog);
        // What it said itself meanwhile goes before the spec.
        let interval = early.map(|early| early.interval).or(interval);
        self.set_watchdog(turn, interval.unwrap_or_default());
        self.begin_checks(turn);
        self.rise(turn);
    }

    /// Begins its checks anew, as the plan has them now.
    pub(super) fn begin_checks(&mut self, turn: &mut Turn<'_>) {
        let rules = self.plan.care.as_ref().map(|care| care.checks.as_slice());
        let now_ms = turn.now.boot_ms;
        let checkups: Vec<Checkup> = rules
            .unwrap_or_default()
            .iter()
            .map(|rules| Checkup::new(*rules, now_ms))
            .collect();
        if !checkups.is_empty() || self.watch.is_some() {
            self.watch().checkups = checkups;
        }
    }

    /// A look at whether it is ready is due, or takes too long.
    pub(super) fn look(&mut self, turn: &mut Turn<'_>) {
        let (id, run, look) = (turn.id, self.instance.run, Look::Ready);
        let Some(trial) = self.watch.as_mut().and_then(|watch| watch.trial.as_mut()) else {
            return;
        };
        match trial.elapsed(turn.now.boot_ms) {
            Todo::Nothing => {}
            Todo::Begin => turn.effects.push(Effect::Probe { id, run, look }),
            Todo::GiveUp => {
                turn.effects.push(Effect::KillProbe { id, run, look });
                let limit = duration::show(Trial::TIMEOUT);
                let found = format!("no answer within {limit}");
                self.watch().findings.keep(look, found);
            }
        }
    }

    /// What a look at whether it is ready has found.
    pub(super) fn looked(&mut self, turn: &mut Turn<'_>, outcome: Outcome, found: String) {
        let watch = self.watch();
        let Some(trial) = watch.trial.as_mut() else {
            return;
        };
        match trial.ended(outcome, turn.now.boot_ms) {
            Change::Well => self.become_ready(turn),
            Change::Sick => watch.findings.keep(Look::Ready, found),
            Change::None => {}
        }
    }

    /// Why it is not ready in time.
    pub(super) fn late_reason(&self) -> String {
        let limit = duration::show(self.plan.ready_timeout);
        if !self.instance.executed {
            return format!("the program was not executed within {limit}");
        }
        let (found, status) = match &self.watch {
            Some(watch) => (watch.findings.of(Look::Ready), watch.status.as_deref()),
            None => ("", None),
        };
        match (found, status.unwrap_or_default()) {
            ("", "") => format!("not ready within {limit}"),
            ("", said) => format!("not ready within {limit}: {said}"),
            (found, _) => format!("not ready within {limit}: {found}"),
        }
    }

    /// What is known of the instance beyond its life; made where it is missing.
    pub(super) fn watch(&mut self) -> &mut Watch {
        self.watch.get_or_insert_default()
    }

    fn never_ready(&mut self, turn: &mut Turn<'_>, why: &'static str) {
        let State::Starting { until } = self.state else {
            return;
        };
        self.instance.cause = Cause::Timeout;
        self.reason = Some(format!("it can never become ready: {why}").into());
        let until = until.min(turn.after(LAST_WORDS));
        self.enter(turn, State::Starting { until });
    }

    /// It says that it is about to end.
    fn leaves(&mut self, turn: &mut Turn<'_>) {
        if matches!(self.state, State::Up) {
            self.leave(turn);
        }
    }

    /// What it fails by. It is told where its end is.
    fn fails(&mut self, errno: i32) {
        if self.instance.cause == Cause::Itself {
            let error = std::io::Error::from_raw_os_error(errno);
            self.reason = Some(rc_sv_api::Error::io("it says", &error).message.into());
        }
    }

    /// The kernel has killed it.
    fn starved(&mut self) {
        if self.instance.cause == Cause::Itself {
            let reason = rc_sv_exec::cgroup::limits::STARVED;
            self.reason = Some(reason.into());
            self.note = Some(reason.into());
        }
    }

    fn extend(&mut self, turn: &mut Turn<'_>, wait: Duration) {
        let wanted = turn.after(wait);
        let total = self.plan.ladder.total().saturating_mul(LONGEST_STOP);
        let total = u64::try_from(total.as_millis()).unwrap_or(u64::MAX);
        let begun = self.instance.leaves_ms.unwrap_or(turn.now.boot_ms);
        let longest = wanted.min(begun.saturating_add(total));
        match &mut self.state {
            State::Starting { until } => *until = wanted.max(*until),
            State::Leaving { until } => *until = longest.max(*until),
            State::Stopping {
                until,
                rung: Some(_),
            } => *until = longest.max(*until),
            _ => {}
        }
    }

    fn is_alive(&mut self, turn: &mut Turn<'_>) {
        let watchdog = self
            .watch
            .as_mut()
            .and_then(|watch| watch.watchdog.as_mut());
        if let (Some(watchdog), State::Up) = (watchdog, self.state) {
            watchdog.until = turn.after(watchdog.interval);
        }
    }

    /// From readiness on it has to say that it is alive this often; before, it is only kept.
    pub(super) fn set_watchdog(&mut self, turn: &mut Turn<'_>, interval: Duration) {
        let until = match self.state {
            State::Up => turn.after(interval),
            State::Starting { .. } => u64::MAX,
            _ => return,
        };
        if !interval.is_zero() {
            self.watch().watchdog = Some(Watchdog { interval, until });
        } else if let Some(watch) = &mut self.watch {
            watch.watchdog = None;
        }
    }

    /// It missed its watchdog.
    pub(super) fn bark(&mut self, turn: &mut Turn<'_>, why: &str) {
        self.instance.cause = Cause::Watchdog;
        self.reason = Some(format!("missed its watchdog: {why}").into());
        turn.record(super::Record::Sick(
            self.reason.as_deref().unwrap_or_default().into(),
        ));
        let signal = self.plan.watchdog_signal();
        self.leave(turn);
        self.send_main(turn, signal);
    }
}
