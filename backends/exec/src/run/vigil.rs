//! Looking after a program beyond its life: whether it becomes ready, whether it still works, and
//! what follows where it does not.
//!
//! Whoever waits for its end waits for this as well. The spec is that of the run: what is changed
//! meanwhile holds from the next one on.

mod alerts;
mod care;
mod dependents;
mod leaving;
mod looks;
mod speech;
mod tellers;

use super::alarm::{self, Alarm};
use super::record::{self, Record};
use super::{background, Call};
use crate::cgroup::Cgroup;
use crate::check::Check;
use crate::clock;
use crate::launch::Running;
use crate::process;
use crate::readiness::{self, Readiness};
use crate::sd_notify::{Message, Phase, Watchdog};
pub(super) use looks::Looks;
use looks::News;
use nix::poll::PollFlags;
use nix::sys::inotify::Inotify;
use rc_sv_api::{duration, Result, Settings};
use speech::Speech;
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Child;
use std::time::Duration;

/// How long one that can never become ready has for ending by itself, which tells more.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A program that is looked after.
pub(super) struct Vigil<'a> {
    call: &'a Call,
    spec: &'a dyn Settings,
    pid: i32,
    /// The process that was begun, which leads a session; the same, unless it has named another.
    leader: i32,
    cgroup: Option<Cgroup>,
    speech: Speech,
    stage: Stage,
    looks: Looks<'a>,
    /// Tells of changes of its pid file, until that names it.
    changes: Option<Inotify>,
    /// How often it has to say that it is alive once it is ready; zero for not at all.
    interval: Duration,
    /// When it has to say so next.
    alive_until: Option<u64>,
    /// The command about its being unhealthy, and how long it may take.
    reaction: Option<(Running, u64)>,
    /// Of what a person was alerted, and when that is over if nothing happens before.
    alarm: Option<Alarm>,
    over_at: Option<u64>,
    /// Those who alert, and who tell the services that need it.
    tellers: Vec<(Child, OwnedFd)>,
}

/// Where it is. Times are milliseconds of CLOCK_BOOTTIME.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It has to become ready until then.
    Starting { until: u64 },
    /// It can never become ready, and has until then to end by itself.
    Lost { until: u64 },
    /// It is ready.
    Up,
    /// It is ended when the command about it has ended, or then.
    Reacting { until: u64 },
    /// It is to end by itself; else it is ended then.
    Leaving { until: u64, longest: u64 },
    /// It was told to end, in every way.
    Told,
}

/// Whether somebody has to look after the program of this spec.
///
/// # Errors
/// What it says of that makes no sense.
pub(super) fn is_needed(spec: &dyn Settings) -> Result<bool> {
    Ok(Readiness::of(spec)? != Readiness::Executed || !Check::all(spec)?.is_empty())
}

impl<'a> Vigil<'a> {
    /// Looks after the program that is about to be executed as this process.
    pub(super) fn begin(call: &'a Call, spec: &'a dyn Settings, pid: i32) -> Result<Vigil<'a>> {
        let mut vigil = Vigil::new(call, spec, pid)?;
        match Readiness::of(spec)? {
            Readiness::Executed => vigil.is_up(clock::boot_ms()),
            _ => vigil.await_ready(readiness::timeout(spec)),
        }
        Ok(vigil)
    }

    /// Looks after a program that an earlier process has looked after. `is_heard`: it can still
    /// say something.
    pub(super) fn resume(
        call: &'a Call,
        spec: &'a dyn Settings,
        pid: i32,
        is_heard: bool,
    ) -> Result<Vigil<'a>> {
        let mut vigil = Vigil::new(call, spec, pid)?;
        let record = record::read(&call.dir)?;
        let is_ready = record.is_none_or(|record| record.ready != Some(false));
        let can_become = is_heard || matches!(Readiness::of(spec)?, Readiness::Answers(_));
        match is_ready || !can_become {
            true => vigil.is_up(clock::boot_ms()),
            false => vigil.await_ready(readiness::timeout(spec)),
        }
        Ok(vigil)
    }

    fn new(call: &'a Call, spec: &'a dyn Settings, pid: i32) -> Result<Vigil<'a>> {
        let cgroup = spec.text("cgroup");
        Ok(Vigil {
            call,
            spec,
            pid,
            leader: pid,
            cgroup: cgroup.map(|path| Cgroup::in_service(Path::new(OsStr::from_bytes(path)))),
            speech: Speech::default(),
            stage: Stage::Told,
            looks: Looks::new(spec, pid)?,
            changes: None,
            interval: spec.duration("rc_supervise_watchdog").unwrap_or_default(),
            alive_until: None,
            reaction: None,
            alarm: alarm::raised(&call.dir, spec)?,
            over_at: None,
            tellers: Vec::new(),
        })
    }

    fn await_ready(&mut self, limit: Duration) {
        let now_ms = clock::boot_ms();
        let until = after(now_ms, limit);
        self.stage = Stage::Starting { until };
        self.looks.await_ready(now_ms);
        self.changes = background::changes(self.spec).ok().flatten();
        // It runs already, and has perhaps written its own before that was watched.
        self.see_pid_file(now_ms);
    }

    /// When something is due; milliseconds of CLOCK_BOOTTIME.
    pub(super) fn deadline(&self) -> Option<u64> {
        let stage = match self.stage {
            Stage::Starting { until }
            | Stage::Lost { until }
            | Stage::Reacting { until }
            | Stage::Leaving { until, .. } => Some(until),
            Stage::Up | Stage::Told => None,
        };
        let reaction = self.reaction.as_ref().map(|(_, until)| *until);
        let all = [
            stage,
            self.looks.deadline(),
            self.alive_until,
            reaction,
            self.over_at,
        ];
        all.into_iter().flatten().min()
    }

    /// What is waited for.
    pub(super) fn descriptors(&self) -> impl Iterator<Item = (BorrowedFd<'_>, PollFlags)> {
        let reaction = self.reaction.as_ref();
        let reaction = reaction.map(|(running, _)| (running.as_fd(), PollFlags::POLLIN));
        let changes = self.changes.as_ref();
        let changes = changes.map(|changes| (changes.as_fd(), PollFlags::POLLIN));
        let tellers = self.tellers.iter();
        let tellers = tellers.map(|(_, pidfd)| (pidfd.as_fd(), PollFlags::POLLIN));
        let looks = self.looks.descriptors();
        looks.chain(reaction).chain(changes).chain(tellers)
    }

    /// Takes in what it said.
    pub(super) fn hear(&mut self, words: &Message) {
        let now_ms = clock::boot_ms();
        self.speaks(words);
        if let Some(interval) = words.watchdog_interval {
            self.interval = interval;
            if self.stage == Stage::Up {
                self.is_alive(now_ms);
            }
        }
        if let Some(wait) = words.extend {
            self.extend(after(now_ms, wait));
        }
        match (words.phase, self.stage) {
            (Some(Phase::Ready), Stage::Starting { .. } | Stage::Lost { .. }) => {
                self.is_ready(now_ms);
            }
            (Some(Phase::Stopping), Stage::Up) => self.leaves(now_ms),
            _ => {}
        }
        match (words.watchdog, self.stage) {
            (Some(Watchdog::Alive), Stage::Up) => self.is_alive(now_ms),
            (Some(Watchdog::Trigger), Stage::Up) => self.bark(now_ms, "asked for it"),
            _ => {}
        }
    }

    /// Takes in that it cannot say anything any more.
    pub(super) fn hears_no_more(&mut self) {
        if let Stage::Starting { until } = self.stage {
            let until = until.min(after(clock::boot_ms(), LAST_WORDS));
            self.stage = Stage::Lost { until };
        }
    }

    /// Does what is due, and takes in what has come.
    pub(super) fn go_on(&mut self) {
        let now_ms = clock::boot_ms();
        self.see_reaction(now_ms);
        self.see_tellers();
        self.see_alarm(now_ms);
        self.see_pid_file(now_ms);
        for news in self.looks.go_on(now_ms) {
            match news {
                News::Ready => self.is_ready(now_ms),
                // What was found is nothing of the program: it is looked at from now on.
                News::Sick(_) | News::Well { .. } if process::runs_this_program(self.pid) => {
                    self.looks.check(now_ms);
                }
                News::Sick(index) if self.stage == Stage::Up => self.sicken(index, now_ms),
                News::Sick(_) => {}
                News::Well { again } => self.recover(again, now_ms),
                News::Sight => self.tell_state(),
            }
        }
        if self.alive_until.is_some_and(|until| until <= now_ms) {
            let limit = duration::show(self.interval);
            self.bark(now_ms, &format!("no sign of life for {limit}"));
        }
        match self.stage {
            Stage::Starting { until } if until <= now_ms => self.is_late(),
            Stage::Lost { until } if until <= now_ms => self
                .overdue("it can never become ready: it closed its descriptor without a newline"),
            Stage::Reacting { until } | Stage::Leaving { until, .. } if until <= now_ms => {
                self.end();
            }
            _ => {}
        }
    }

    fn see_pid_file(&mut self, now_ms: u64) {
        let Some(changes) = &self.changes else {
            return;
        };
        while changes.read_events().is_ok_and(|events| !events.is_empty()) {}
        if background::names(self.spec, self.pid) {
            self.is_ready(now_ms);
        }
    }

    fn is_ready(&mut self, now_ms: u64) {
        // Whatever answers, it is not the program that is not there yet.
        if self.note(|record| record.ready = Some(true)) {
            self.is_up(now_ms);
        }
    }

    fn is_up(&mut self, now_ms: u64) {
        self.stage = Stage::Up;
        self.changes = None;
        self.looks.check(now_ms);
        self.is_alive(now_ms);
        self.watch_alarm(now_ms);
        self.rise();
    }

    fn is_alive(&mut self, now_ms: u64) {
        let is_wanted = !self.interval.is_zero();
        self.alive_until = is_wanted.then(|| after(now_ms, self.interval));
    }

    fn tell(&self, line: &str) {
        (self.call.warn)(&format!("{}: {line}", self.call.service));
    }

    /// Changes the record of this run. `false`: its program is not there yet, or no more.
    fn note(&self, change: impl FnOnce(&mut Record)) -> bool {
        let is_this = |record: &Record| {
            record.phase == record::Phase::Running && record.pid == Some(self.pid)
        };
        let record = record::read(&self.call.dir);
        let Some(record) = record.unwrap_or_default().filter(is_this) else {
            return false;
        };
        let mut changed = record.clone();
        change(&mut changed);
        if changed != record {
            self.call.warn_of(changed.write(&self.call.dir));
        }
        true
    }
}

impl Drop for Vigil<'_> {
    fn drop(&mut self) {
        if let Some((running, _)) = &self.reaction {
            running.kill();
        }
    }
}

fn after(now_ms: u64, wait: Duration) -> u64 {
    now_ms.saturating_add(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX))
}
