//! The record: what `rc-sv-exec` knows of a service, beyond the life of its processes.
//!
//! A file of a few lines in the service's directory, each a name and its value, replaced as a
//! whole. Modules read it for their status. It lies on a file system in memory, so its times are
//! of the running boot.

#[cfg(fuzzing)]
pub mod fuzzed;
mod telling;
mod text;
mod wishes;

use crate::cgroup::limits::STARVED;
use crate::clock;
use crate::place::Dir;
use rc_sv_api::exit::Exit;
use rc_sv_api::policy::{Cause, History, Policy};
use rc_sv_api::{Code, Error, Result, Settings};
use std::io::Read;

pub(super) use wishes::{is_wanted_down, script_ended, wants_script};
pub use wishes::{want_down, want_script};

/// The name of the file in a service's directory.
pub const NAME: &str = "record";

/// Where a process that became the program, or failed to, leaves why: it may be another user by
/// then, so the file is opened before.
pub(super) const FAILURE: &str = "failure";

/// A larger record is none of ours: its longest part is one number for each of 1,000 respawns.
const MAX_SIZE: u64 = 64 << 10;

/// The longest line for people, in bytes: that of a status.
const LONGEST_NOTE: usize = 143;

/// How the note begins while the program has said why it fails.
pub(super) const SAYS: &str = "it says";

/// What a service is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// It waits for its next run, at [`Record::next_ms`], or for its first.
    #[default]
    Waiting,
    /// It runs, or is about to be executed.
    Running,
    /// Its main process ended, which nobody has dealt with yet.
    Ended,
    /// It is cleared up after its end.
    Finishing,
    /// It is down, and nobody wants it up.
    Down,
    /// It failed too often, or for good.
    Failed,
}

/// What is known of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// What it is doing.
    pub phase: Phase,
    /// The pid of the main process of this run, or of the last one.
    pub pid: Option<i32>,
    /// Respawns since a person asked for the service.
    pub restarts: u32,
    /// When the phase began: CLOCK_REALTIME in nanoseconds.
    pub since_real_ns: i64,
    /// The same: CLOCK_BOOTTIME in milliseconds.
    pub since_ms: u64,
    /// When the last run began: CLOCK_BOOTTIME in milliseconds.
    pub began_ms: u64,
    /// From when on this run is a long one: CLOCK_BOOTTIME in milliseconds.
    pub calm_ms: u64,
    /// When the next run begins: CLOCK_BOOTTIME in milliseconds.
    pub next_ms: Option<u64>,
    /// Whether the program is ready; `None` where it is as soon as it is executed.
    pub ready: Option<bool>,
    /// Until when it may take to become ready, where it has asked for more time: CLOCK_BOOTTIME in
    /// milliseconds.
    pub ready_until_ms: Option<u64>,
    /// Whether its health checks pass, where that is known.
    pub healthy: Option<bool>,
    /// Why it was ended, where somebody has ended it; then the note has the words.
    pub cause: Cause,
    /// It was killed by the kernel, for want of memory.
    pub starved: bool,
    /// How many the kernel had killed so in its cgroup when the run began, where somebody counts.
    pub memory_kills: Option<u64>,
    /// It was given up, and this is one more try.
    pub probation: bool,
    /// How the main process ended last.
    pub last_exit: Option<Exit>,
    /// How many respawns are allowed; 0 for any number.
    pub limit: u32,
    /// How many of them there were, as the policy counts them.
    pub count: u32,
    /// What the policy remembers.
    pub history: History,
    /// One line for people: which limits of the run have no effect.
    pub limits: String,
    /// One line for people: why it failed, or how it ended.
    pub note: String,
}

/// The record of the service with this directory; `None` when it was not run since a person asked
/// for it.
///
/// # Errors
/// It is not safe, cannot be read, or is none.
pub fn read(dir: &Dir) -> Result<Option<Record>> {
    let Some(bytes) = contents(dir, NAME)? else {
        return Ok(None);
    };
    let mut record = parse(&bytes).ok_or_else(|| {
        let path = dir.path().join(NAME);
        let message = format!("{}: is no record of rc-sv", path.display());
        Error::new(Code::Protocol, message)
    })?;
    if record.phase == Phase::Running {
        let failure = contents(dir, FAILURE)?.unwrap_or_default();
        if let Some((errno, message)) = text::decode_failure(&failure) {
            record.phase = Phase::Ended;
            record.last_exit = Some(Exit::NotRun(errno));
            record.note = shortened(&message);
        }
    }
    Ok(Some(record))
}

/// The record in the bytes of its file. Unlike [`read`] it does not know of a program that could not
/// be executed a moment ago.
pub fn parse(bytes: &[u8]) -> Option<Record> {
    text::decode(bytes)
}

/// Forgets what went wrong before, and that nobody wanted the service up. For a start that a
/// person asked for, of a service that does not run.
///
/// # Errors
/// The files cannot be removed.
pub fn forget(dir: &Dir) -> Result<()> {
    [wishes::DOWN, NAME, wishes::RENEW]
        .into_iter()
        .try_for_each(|name| dir.remove(name))
}

/// Notes that the service runs, which a person has started, and this module has not; `pid` where it
/// is known.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn note_run(dir: &Dir, spec: &dyn Settings, pid: Option<i32>) -> Result<()> {
    let mut record = Record::default();
    record.begin(&Policy::from_settings(spec), false);
    record.pid = pid;
    record.write(dir)
}

impl Record {
    /// Begins a run of this process; one that had to wait for its time is a respawn.
    /// `is_awaited`: this process's parent knows when it is ready.
    pub(super) fn begin(&mut self, policy: &Policy, is_awaited: bool) {
        self.ready = is_awaited.then_some(false);
        self.ready_until_ms = None;
        self.healthy = None;
        self.cause = Cause::Itself;
        self.starved = false;
        self.probation |= self.phase == Phase::Failed;
        let was_waiting = self.next_ms.take().is_some();
        self.restarts = self.restarts.saturating_add(u32::from(was_waiting));
        self.enter(Phase::Running);
        self.note.clear();
        self.pid = i32::try_from(std::process::id()).ok();
        self.began_ms = self.since_ms;
        let calm = u64::try_from(policy.reset_after.as_millis()).unwrap_or(u64::MAX);
        self.calm_ms = self.began_ms.saturating_add(calm);
    }

    /// Whether there is to be no other run, unless a person asks for it.
    pub(super) fn is_final(&self) -> bool {
        match self.phase {
            Phase::Down => true,
            Phase::Failed => self.next_ms.is_none(),
            _ => false,
        }
    }

    /// How the run ended, which does not run any more, where nobody has dealt with that yet: a
    /// supervisor was killed, or somebody else has seen it.
    pub(super) fn forgotten_end(&self) -> Option<Exit> {
        match self.phase {
            Phase::Running => Some(Exit::Unknown),
            Phase::Ended | Phase::Finishing => Some(self.last_exit.unwrap_or(Exit::Unknown)),
            // Whoever waited for the next run may have been killed then.
            Phase::Waiting | Phase::Down | Phase::Failed => None,
        }
    }

    /// Whether the start that a person asked for has failed.
    pub(super) fn is_failed_start(&self) -> bool {
        let has_failed =
            matches!(self.last_exit, Some(Exit::NotRun(_))) || self.ready == Some(false);
        self.restarts == 0 && has_failed
    }

    /// systemd's word for why it was given up, where how it ended does not tell.
    pub(super) fn result(&self) -> Option<&'static str> {
        match self.note.starts_with("gave up") {
            true => Some("start-limit-hit"),
            false => self.cause.result(),
        }
    }

    /// How the last run ended, in words.
    pub(super) fn end_line(&self) -> String {
        match self.last_exit {
            _ if self.cause != Cause::Itself => self.note.clone(),
            _ if self.starved => STARVED.into(),
            Some(Exit::NotRun(_)) if !self.note.is_empty() => self.note.clone(),
            exit => {
                let exit = exit.unwrap_or(Exit::Unknown);
                match self.note.starts_with(SAYS) {
                    true => format!("{exit}; {}", self.note),
                    false => exit.to_string(),
                }
            }
        }
    }

    /// Takes over what the policy says of how often it was respawned.
    pub(super) fn counted(&mut self, policy: &Policy, now_ms: u64) {
        self.limit = policy.limit;
        self.count = self.history.in_window(policy, now_ms);
    }

    /// Takes over which limits have no effect. `false`: that was known.
    pub(super) fn limit(&mut self, line: &str) -> bool {
        let line = shortened(line);
        let is_new = self.limits != line;
        self.limits = line;
        is_new
    }

    /// Sets the line for people.
    pub(super) fn say(&mut self, line: &str) {
        self.note = shortened(line);
    }

    /// It is ended for this cause.
    pub(super) fn fail(&mut self, cause: Cause, line: &str) {
        self.cause = cause;
        self.say(line);
    }

    /// Enters a phase.
    pub(super) fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.since_ms = clock::boot_ms();
        self.since_real_ns = clock::real_ns();
    }

    /// Replaces the file.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn write(&self, dir: &Dir) -> Result<()> {
        dir.replace(NAME, 0o600, self.text().as_bytes())
    }

    /// What is in the file; [`parse`] reads it.
    pub(super) fn text(&self) -> String {
        text::encode(self)
    }
}

/// How something ended, if it has, in a word or two.
pub fn exit_text(exit: Option<Exit>) -> String {
    text::exit_text(exit)
}

/// The same, read; `None`: it makes no sense.
pub fn exit_of(words: &str) -> Option<Option<Exit>> {
    text::exit_of(words)
}

/// What a process that cannot become the program leaves behind.
pub(super) fn failure(errno: i32, message: &str) -> String {
    text::encode_failure(errno, &shortened(message))
}

fn contents(dir: &Dir, name: &str) -> Result<Option<Vec<u8>>> {
    let failed = |error: Error| {
        let path = dir.path().join(name);
        let message = format!("{}: {}", path.display(), error.message);
        Error { message, ..error }
    };
    let file = match dir.open_private(name) {
        Err(error) if error.code == Code::NotFound => return Ok(None),
        file => file.map_err(failed)?,
    };
    let mut bytes = Vec::new();
    let read = file.take(MAX_SIZE).read_to_end(&mut bytes);
    read.map_err(|cause| failed(Error::io("read", &cause)))?;
    Ok(Some(bytes))
}

/// One line, cut where a character ends.
pub(super) fn shortened(line: &str) -> String {
    let mut line: String = line
        .chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .collect();
    if line.len() > LONGEST_NOTE {
        let end = (0..=LONGEST_NOTE).rfind(|at| line.is_char_boundary(*at));
        line.truncate(end.unwrap_or(0));
    }
    line
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
