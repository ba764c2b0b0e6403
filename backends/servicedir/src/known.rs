//! What was seen of services at the last look, so that the next one takes few system calls.
//!
//! Supervisors and `rc-sv-exec` do not change a file, they replace it. So what is still the same
//! file still says the same.

use crate::changes::Changes;
use crate::observed::Observed;
use crate::supervise::living;
use crate::watch::is_over;
use nix::sys::stat::FileStat;
use rc_sv_api::{Error, Result, ServiceName};
use rc_sv_exec::run::record::Record;
use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// So many descriptors are kept open in a process that is not ours.
const MOST_HELD: usize = 32;

/// In nanoseconds, and twice the longest tick by which a kernel counts the times of files. Of files
/// that replace each other within a tick, one can look like another.
const TICK: i128 = 20_000_000;

/// What is known of services.
#[derive(Debug, Default)]
pub(crate) struct Known {
    services: HashMap<ServiceName, Seen>,
    /// How many descriptors are held open.
    held: usize,
    /// There since something was looked at twice.
    changes: Option<Changes>,
}

/// What is known of one service.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// What its supervisor has written.
    pub(crate) observed: Option<Read<Observed>>,
    /// What `rc-sv-exec` has written.
    pub(crate) record: Option<Read<Record>>,
    /// It has a supervisor, and both files say the same as long as nothing changes.
    is_settled: bool,
    /// The FIFO of its supervisor.
    supervisor: Option<OwnedFd>,
    /// Its process.
    process: Option<(i32, OwnedFd)>,
}

/// What was read from a file.
#[derive(Debug)]
pub(crate) struct Read<T> {
    from: Edition,
    content: T,
}

/// One of the files that have a name one after the other: its inode, and when it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Edition {
    inode: u64,
    written_ns: i128,
}

impl Known {
    /// Takes in what has changed since the last look; `alive` is the FIFO of all supervisors.
    pub(crate) fn refresh(&mut self, alive: &str) {
        let Some(changes) = &mut self.changes else {
            return;
        };
        if let Some(changed) = changes.take(alive) {
            for service in changed {
                if let Some(seen) = self.services.get_mut(&service) {
                    seen.is_settled = false;
                }
            }
            return;
        }
        self.changes = None;
        for seen in self.services.values_mut() {
            seen.is_settled = false;
        }
    }

    /// What both files of a supervised service say, if that is known without a look at them.
    pub(crate) fn settled(&self, service: &ServiceName) -> Option<(Observed, Record)> {
        let seen = self.services.get(service).filter(|seen| seen.is_settled)?;
        let (observed, record) = (seen.observed.as_ref()?, seen.record.as_ref()?);
        Some((observed.content, record.content.clone()))
    }

    /// Watches the directories of a service that was looked at before; a look after this may
    /// settle it.
    pub(crate) fn watch(&mut self, service: &ServiceName, supervise: &Path, own: &Path) -> bool {
        let is_known = |seen: &Seen| seen.observed.is_some() && seen.record.is_some();
        if !self.services.get(service).is_some_and(is_known) {
            return false;
        }
        if self.changes.is_none() {
            self.changes = Changes::new();
        }
        let changes = self.changes.as_mut();
        changes.is_some_and(|changes| changes.watch(service, supervise, own))
    }

    /// It has a supervisor, and was watched before it was looked at.
    pub(crate) fn settle(&mut self, service: &ServiceName) {
        if let Some(seen) = self.services.get_mut(service) {
            seen.is_settled = true;
        }
    }

    /// The content of `file`: as it was read before where it is the same one, else by `read`.
    ///
    /// # Errors
    /// Those of `read`.
    pub(crate) fn content<T: Clone>(
        &mut self,
        service: &ServiceName,
        file: &FileStat,
        place: fn(&mut Seen) -> &mut Option<Read<T>>,
        read: impl FnOnce() -> Result<Option<T>>,
    ) -> Result<Option<T>> {
        let from = Edition::of(file);
        let seen = self
            .services
            .get_mut(service)
            .and_then(|it| place(it).as_ref());
        if let Some(seen) = seen.filter(|it| it.from == from) {
            return Ok(Some(seen.content.clone()));
        }
        let is_final = from.is_final(SystemTime::now());
        let content = read()?;
        *place(self.seen(service)) = match &content {
            Some(content) if is_final => Some(Read {
                from,
                content: content.clone(),
            }),
            _ => None,
        };
        Ok(content)
    }

    /// Whether the service has a supervisor; `open` opens its FIFO.
    ///
    /// # Errors
    /// Those of `open`, or the kernel does not say.
    pub(crate) fn supervised(
        &mut self,
        service: &ServiceName,
        open: impl FnOnce() -> Result<Option<OwnedFd>>,
    ) -> Result<bool> {
        let failed = |cause| Error::io(format_args!("look at the supervisor of {service}"), &cause);
        let supervisor = self.services.get_mut(service).map(|it| &mut it.supervisor);
        if let Some(held @ Some(_)) = supervisor {
            // One that nobody reads is as good as a process that has ended: poll tells at once.
            if let Some(fifo) = held {
                if !is_over(fifo).map_err(failed)? {
                    return Ok(true);
                }
            }
            // Another supervisor may have another FIFO.
            *held = None;
            self.held -= 1;
        }
        let Some(fifo) = open()? else {
            return Ok(false);
        };
        if self.held < MOST_HELD {
            self.seen(service).supervisor = Some(fifo);
            self.held += 1;
        }
        Ok(true)
    }

    /// Whether the process of the service with this pid lives; a zombie does not.
    ///
    /// # Errors
    /// The kernel does not say.
    pub(crate) fn lives(&mut self, service: &ServiceName, pid: i32) -> Result<bool> {
        let failed = |cause| Error::io(format_args!("look at process {pid}"), &cause);
        let process = self.services.get_mut(service).map(|it| &mut it.process);
        if let Some(process @ Some(_)) = process {
            if let Some((of, pidfd)) = process {
                if *of == pid && !is_over(pidfd).map_err(failed)? {
                    return Ok(true);
                }
            }
            // Another one may have the number by now.
            *process = None;
            self.held -= 1;
        }
        let Some(pidfd) = living(pid).map_err(failed)? else {
            return Ok(false);
        };
        if self.held < MOST_HELD {
            self.seen(service).process = Some((pid, pidfd));
            self.held += 1;
        }
        Ok(true)
    }

    /// The service is gone.
    pub(crate) fn forget(&mut self, service: &ServiceName) {
        if let Some(seen) = self.services.remove(service) {
            self.held -= usize::from(seen.process.is_some());
            self.held -= usize::from(seen.supervisor.is_some());
        }
    }

    fn seen(&mut self, service: &ServiceName) -> &mut Seen {
        self.services.entry(service.clone()).or_default()
    }
}

impl Edition {
    fn of(file: &FileStat) -> Edition {
        let seconds = i128::from(file.st_mtime);
        Edition {
            inode: file.st_ino,
            written_ns: seconds * 1_000_000_000 + i128::from(file.st_mtime_nsec),
        }
    }

    /// Whether no later file can look like it.
    fn is_final(self, now: SystemTime) -> bool {
        let now = now.duration_since(UNIX_EPOCH);
        now.is_ok_and(|now| now.as_nanos() as i128 - self.written_ns > TICK)
    }
}

#[cfg(test)]
#[path = "known_tests.rs"]
mod tests;
