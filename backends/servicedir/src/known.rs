//! What was seen of services at the last look, so that the next one takes few system calls.
//!
//! Supervisors and `rc-sv-exec` do not change a file, they replace it. So what is still the same
//! file still says the same.

use crate::observed::Observed;
use crate::supervise::living;
use crate::watch::is_over;
use nix::sys::stat::FileStat;
use rc_sv_api::{Error, Result, ServiceName};
use rc_sv_exec::run::record::Record;
use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::time::{SystemTime, UNIX_EPOCH};

/// So many descriptors are kept open in a process that is not ours.
const MOST_HELD: usize = 16;

/// In nanoseconds, and twice the longest tick by which a kernel counts the times of files. Of files
/// that replace each other within a tick, one can look like another.
const TICK: i128 = 20_000_000;

/// What is known of services.
#[derive(Debug, Default)]
pub(crate) struct Known {
    services: HashMap<ServiceName, Seen>,
    /// How many processes are held open.
    held: usize,
}

/// What is known of one service.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// What its supervisor has written.
    pub(crate) observed: Option<Read<Observed>>,
    /// What `rc-sv-exec` has written.
    pub(crate) record: Option<Read<Record>>,
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
        let process = self.services.remove(service).and_then(|it| it.process);
        self.held -= usize::from(process.is_some());
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
mod tests {
    use super::*;
    use nix::sys::stat::stat;
    use std::fs::{self, File};
    use std::path::Path;
    use std::process::Command;
    use std::time::Duration;

    fn foo() -> ServiceName {
        ServiceName::new(b"foo").unwrap()
    }

    /// How often a record was read for as many looks at the file.
    fn reads(known: &mut Known, file: &Path, looks: usize) -> usize {
        let mut reads = 0;
        for _ in 0..looks {
            let found = stat(file).unwrap();
            let read = || {
                reads += 1;
                Ok(Some(Record::default()))
            };
            let record = known.content(&foo(), &found, |it| &mut it.record, read);
            assert_eq!(record.unwrap(), Some(Record::default()));
        }
        reads
    }

    #[test]
    fn a_file_is_read_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("record");
        let aside = directory.path().join("aside");
        let mut known = Known::default();
        let hour_ago = SystemTime::now() - Duration::from_secs(3600);
        for _ in 0..2 {
            // The first one still is there, so its inode is not used again.
            let file = File::create(&aside).unwrap();
            file.set_modified(hour_ago).unwrap();
            let _first = File::open(&path);
            fs::rename(&aside, &path).unwrap();
            assert_eq!(reads(&mut known, &path, 3), 1);
        }
        known.forget(&foo());
        assert_eq!(reads(&mut known, &path, 2), 1);
    }

    #[test]
    fn a_file_of_this_moment_is_not_trusted() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("record");
        let file = File::create(&path).unwrap();
        // By a clock that was set back.
        file.set_modified(SystemTime::now() + Duration::from_secs(3600))
            .unwrap();
        assert_eq!(reads(&mut Known::default(), &path, 3), 3);
        let edition = Edition::of(&stat(&path).unwrap());
        let written = UNIX_EPOCH + Duration::from_nanos(edition.written_ns as u64);
        assert!(!edition.is_final(written + Duration::from_millis(20)));
        assert!(edition.is_final(written + Duration::from_millis(21)));
    }

    #[test]
    fn a_process_lives_until_it_ends() {
        let mut known = Known::default();
        let mut child = Command::new("sleep").arg("4242").spawn().unwrap();
        let pid = child.id() as i32;
        for _ in 0..2 {
            assert!(known.lives(&foo(), pid).unwrap());
            assert_eq!(known.held, 1);
        }
        // Another number: the process is another one.
        assert!(known.lives(&foo(), std::process::id() as i32).unwrap());
        assert!(known.lives(&foo(), pid).unwrap());
        assert_eq!(known.held, 1);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!known.lives(&foo(), pid).unwrap());
        assert_eq!(known.held, 0);
    }

    #[test]
    fn few_processes_are_held() {
        let mut known = Known::default();
        let own = std::process::id() as i32;
        let name = |number: usize| ServiceName::new(format!("s{number}").as_bytes()).unwrap();
        for number in 0..2 * MOST_HELD {
            assert!(known.lives(&name(number), own).unwrap());
        }
        assert_eq!(known.held, MOST_HELD);
        (0..2 * MOST_HELD).for_each(|number| known.forget(&name(number)));
        assert_eq!(known.held, 0);
    }
}
