//! What /proc tells about processes.

use std::fmt;
use std::fs;
use std::str::FromStr;

use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;

use crate::daemon::ARGUMENT;
use crate::Result;

/// A process: a pid, which is used again soon, and when it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    pub pid: i32,
    /// In ticks of the kernel.
    begun: u64,
}

/// What a process holds.
#[derive(Clone, Copy, Debug)]
pub struct Holdings {
    pub descriptors: usize,
    /// Memory that nobody shares, in kB.
    pub private: u64,
}

impl Identity {
    /// This process.
    pub fn of_self() -> Result<Identity> {
        let pid = i32::try_from(std::process::id()).map_err(|error| error.to_string())?;
        Identity::of(pid).ok_or_else(|| "/proc/self/stat: cannot be read".to_string())
    }

    /// The living process that has this pid now.
    pub fn of(pid: i32) -> Option<Identity> {
        let (_, state, begun) = stat(pid)?;
        (!matches!(state, 'Z' | 'X')).then_some(Identity { pid, begun })
    }

    pub fn is_alive(self) -> bool {
        Identity::of(self.pid) == Some(self)
    }

    /// Sends a signal; whether the process was there.
    pub fn signal(self, signal: Signal) -> bool {
        self.is_alive() && kill(Pid::from_raw(self.pid), signal).is_ok()
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.pid, self.begun)
    }
}

impl FromStr for Identity {
    type Err = String;

    fn from_str(text: &str) -> Result<Identity> {
        let parse = || {
            let (pid, begun) = text.split_once(' ')?;
            Some(Identity {
                pid: pid.parse().ok()?,
                begun: begun.parse().ok()?,
            })
        };
        parse().ok_or_else(|| format!("{text:?}: no pid and beginning"))
    }
}

/// Those instances of a service that live. Where pids are scarce one comes again within a tick: two
/// that look the same are two that began, of which one can live, or another service's does.
pub fn living(all: &[Identity], service: &str) -> Vec<Identity> {
    let words = format!("{ARGUMENT} {service} ");
    let is_its = |one: &Identity| command_line(one.pid).is_some_and(|line| line.contains(&words));
    let mut alive: Vec<_> = all.iter().copied().filter(is_its).collect();
    alive.retain(|one| one.is_alive());
    alive.dedup();
    alive
}

/// The parent, the state and the beginning.
fn stat(pid: i32) -> Option<(i32, char, u64)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(") ")?;
    let fields: Vec<&str> = fields.split(' ').collect();
    Some((
        fields.get(1)?.parse().ok()?,
        fields.first()?.chars().next()?,
        fields.get(19)?.parse().ok()?,
    ))
}

/// All processes: pid, parent, state, command line with blanks.
pub fn all() -> Vec<(i32, i32, char, String)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid: i32| {
        let (parent, state, _) = stat(pid)?;
        Some((pid, parent, state, command_line(pid)?))
    })
    .collect()
}

/// With blanks, also after the last word.
fn command_line(pid: i32) -> Option<String> {
    let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    Some(String::from_utf8_lossy(&line).replace('\0', " "))
}

/// The processes of this name, cut to the length that the kernel keeps, which are no child of one
/// of that name: that is one which is about to become something else. Whoever asks for an upgrade by
/// the same program is none of them.
pub fn called(name: &str) -> Vec<Identity> {
    const KEPT: usize = 15;
    let is_called = |pid: i32| {
        let own = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        own.trim_end() == &name[..name.len().min(KEPT)]
    };
    let all = all().into_iter();
    let called = all.filter(|(pid, parent, _, line)| {
        is_called(*pid) && !is_called(*parent) && !line.contains(" --upgrade")
    });
    called.filter_map(|(pid, ..)| Identity::of(pid)).collect()
}

/// What a process holds; `None` when it is gone.
pub fn holdings(pid: i32) -> Option<Holdings> {
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count();
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let field = |name: &str| -> u64 {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let word = line.and_then(|rest| rest.split_whitespace().next());
        word.and_then(|word| word.parse().ok()).unwrap_or(0)
    };
    Some(Holdings {
        descriptors,
        private: field("Private_Clean:") + field("Private_Dirty:"),
    })
}
