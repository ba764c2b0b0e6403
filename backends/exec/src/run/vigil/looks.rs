//! Looking at a program from the outside: whether it is ready, and its checks. What is found is
//! news; what follows from that, others decide.

use crate::cgroup::Cgroup;
use crate::check::{
    are_healthy, Change, Check, Checkup, Findings, Found, Look, Outcome, Target, Todo, Trial, Wait,
};
use crate::readiness::Readiness;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use rc_sv_api::{duration, Result, Settings};
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::run) enum News {
    /// It is ready.
    Ready,
    /// A check says that it is unhealthy from now on.
    Sick(usize),
    /// A check says that it is healthy; `again`: it had said that it is not.
    Well {
        /// It had said that it is unhealthy.
        again: bool,
    },
    /// A check could not be made, or can be made again.
    Sight,
}

/// The looks at one run of a program.
pub(in crate::run) struct Looks<'a> {
    spec: &'a dyn Settings,
    pid: i32,
    cgroup: Option<Cgroup>,
    ready: Readiness,
    checks: Vec<Check>,
    trial: Option<Trial>,
    checkups: Vec<Checkup>,
    /// Those that are being made.
    made: Vec<(Whose, Look)>,
    findings: Findings<Whose>,
    /// Which check could not be made, and why.
    blind: Option<String>,
}

/// For whom a look is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Trial,
    Checkup(usize),
}

impl<'a> Looks<'a> {
    /// Nothing is looked at yet.
    pub(in crate::run) fn new(spec: &'a dyn Settings, pid: i32) -> Result<Looks<'a>> {
        let cgroup = spec.text("cgroup");
        Ok(Looks {
            spec,
            pid,
            cgroup: cgroup.map(|path| Cgroup::in_service(Path::new(OsStr::from_bytes(path)))),
            ready: Readiness::of(spec)?,
            checks: Check::all(spec)?,
            trial: None,
            checkups: Vec::new(),
            made: Vec::new(),
            findings: Findings::default(),
            blind: None,
        })
    }

    /// Another process is the main one.
    pub(super) fn follow(&mut self, pid: i32) {
        self.pid = pid;
    }

    /// Looks from now on whether it is ready, if that is how it shows.
    pub(super) fn await_ready(&mut self, now_ms: u64) {
        let is_looked_at = matches!(self.ready, Readiness::Answers(_));
        self.trial = is_looked_at.then(|| Trial::new(now_ms));
    }

    /// It is ready: makes the checks from now on.
    pub(in crate::run) fn check(&mut self, now_ms: u64) {
        self.trial = None;
        let checks = self.checks.iter();
        self.checkups = checks
            .map(|check| Checkup::new(check.rules, now_ms))
            .collect();
    }

    /// Does not look any more.
    pub(super) fn end(&mut self) {
        for (_, look) in &self.made {
            look.kill();
        }
        self.trial = None;
        self.checkups.clear();
    }

    /// The check that says so.
    pub(super) fn check_of(&self, index: usize) -> (&Check, String) {
        let found = self.findings.of(Whose::Checkup(index));
        let line = self.checkups.get(index).map(|it| it.sick_line(found));
        (&self.checks[index], line.unwrap_or_default())
    }

    /// All its checks.
    pub(super) fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// Whether all checks pass; `None` while that is not known.
    pub(in crate::run) fn are_healthy(&self) -> Option<bool> {
        are_healthy(&self.checkups)
    }

    /// What the last look found at whether it is ready, if anything.
    pub(super) fn found(&self) -> Option<&str> {
        Some(self.findings.of(Whose::Trial)).filter(|found| !found.is_empty())
    }

    /// Which check could not be made, and why.
    pub(super) fn blind_line(&self) -> Option<&str> {
        self.blind.as_deref()
    }

    /// When something is due.
    pub(in crate::run) fn deadline(&self) -> Option<u64> {
        let trial = self.trial.and_then(|trial| trial.deadline());
        let checks = self.checkups.iter().filter_map(Checkup::deadline);
        checks.chain(trial).min()
    }

    /// What is waited for.
    pub(in crate::run) fn descriptors(&self) -> impl Iterator<Item = (BorrowedFd<'_>, PollFlags)> {
        self.made
            .iter()
            .map(|(_, look)| (look.as_fd(), flags(look)))
    }

    /// Does what is due, and takes in what has come.
    pub(in crate::run) fn go_on(&mut self, now_ms: u64) -> Vec<News> {
        let mut news = Vec::new();
        let mut index = 0;
        while let Some((whose, look)) = self.made.get_mut(index) {
            let whose = *whose;
            let over = is_ready(look).then(|| look.go_on()).flatten();
            match over {
                None => index += 1,
                Some(found) => {
                    self.made.swap_remove(index);
                    news.extend(self.over(whose, found, now_ms));
                }
            }
        }
        if let Some(todo) = self.trial.as_mut().map(|trial| trial.elapsed(now_ms)) {
            news.extend(self.act(Whose::Trial, todo, now_ms));
        }
        for index in 0..self.checkups.len() {
            let checkup = &mut self.checkups[index];
            let was = checkup.is_healthy();
            let (todo, change) = checkup.elapsed(now_ms);
            news.extend(of_check(index, was, change));
            news.extend(self.act(Whose::Checkup(index), todo, now_ms));
        }
        let blind = self.blind();
        if blind != self.blind {
            self.blind = blind;
            news.push(News::Sight);
        }
        news
    }

    fn blind(&self) -> Option<String> {
        let line = |(index, checkup): (usize, &Checkup)| {
            checkup.blind_line(self.findings.of(Whose::Checkup(index)))
        };
        self.checkups.iter().enumerate().find_map(line)
    }

    /// Does what a check or the trial asks for.
    fn act(&mut self, whose: Whose, todo: Todo, now_ms: u64) -> Option<News> {
        match todo {
            Todo::Nothing => return None,
            Todo::Begin => {}
            Todo::GiveUp => {
                let count = self.checkups.len();
                let found = match whose {
                    Whose::Trial => format!("no answer within {}", duration::show(Trial::TIMEOUT)),
                    Whose::Checkup(index) => self.checkups[index].late_line(index, count),
                };
                self.findings.keep(whose, found);
                let index = self.made.iter().position(|(of, _)| *of == whose)?;
                // A command that is killed ends a little later.
                let is_over = self.made[index].1.kill();
                if !is_over {
                    return None;
                }
                self.made.swap_remove(index);
                let nothing = (Outcome::Unknown, String::new());
                return self.over(whose, nothing, now_ms);
            }
        }
        let target: &Target = match (whose, &self.ready) {
            (Whose::Checkup(index), _) => &self.checks[index].target,
            (Whose::Trial, Readiness::Answers(target)) => target,
            (Whose::Trial, _) => return None,
        };
        match Look::begin(
            self.spec,
            target,
            Some(self.pid),
            self.cgroup.as_ref(),
            None,
        ) {
            Ok(look) => {
                self.made.push((whose, look));
                None
            }
            Err(found) => self.over(whose, found, now_ms),
        }
    }

    /// Takes in that a look is over.
    fn over(&mut self, whose: Whose, (outcome, found): Found, now_ms: u64) -> Option<News> {
        // What was given up has been told, and is killed.
        let (news, is_new) = match whose {
            Whose::Trial => {
                let trial = self.trial.as_mut()?;
                let is_new = trial.deadline().is_some();
                let change = trial.ended(outcome, now_ms);
                ((change == Change::Well).then_some(News::Ready), is_new)
            }
            Whose::Checkup(index) => {
                let checkup = self.checkups.get_mut(index)?;
                let (was, is_new) = (checkup.is_healthy(), checkup.deadline().is_some());
                let change = checkup.ended(outcome, now_ms);
                (of_check(index, was, change), is_new)
            }
        };
        if is_new && outcome != Outcome::Pass {
            self.findings.keep(whose, found);
        }
        news
    }
}

impl Drop for Looks<'_> {
    fn drop(&mut self) {
        self.end();
    }
}

fn of_check(index: usize, was: Option<bool>, change: Change) -> Option<News> {
    match change {
        Change::None => None,
        Change::Sick => Some(News::Sick(index)),
        Change::Well => Some(News::Well {
            again: was == Some(false),
        }),
    }
}

fn flags(look: &Look) -> PollFlags {
    match look.wait() {
        Wait::Readable => PollFlags::POLLIN,
        Wait::Writable => PollFlags::POLLOUT,
    }
}

fn is_ready(look: &Look) -> bool {
    let mut fds = [PollFd::new(look.as_fd(), flags(look))];
    poll(&mut fds, PollTimeout::ZERO) == Ok(1)
}
