//! Telling OpenRC what became of a service, so that `rc-status` and `rc-service` show the truth.

mod librc;
mod local_time;
mod lock;

use crate::place::Dir;
use crate::stat::Stat;
use librc::Librc;
use rc_sv_api::{Code, Error, Result, ServiceName};
use std::ffi::{CStr, CString};
use std::fs::{metadata, read_to_string};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

pub use lock::{is_locked, watch_locks};

/// A value of ours beside `child_pid`: the pid, and when that process began, in clock ticks since boot.
/// By it another process of that number is known later.
const CHILD_BEGAN: &CStr = c"child_began";

/// OpenRC's state of services, through its own library `librc.so.1`. Not for several threads:
/// that library is not made for them.
#[derive(Debug)]
pub struct State {
    librc: Librc,
    svcdir: PathBuf,
}

/// A spawn, as OpenRC records it.
#[derive(Clone, Copy, Debug)]
pub struct Spawn<'a> {
    /// The program.
    pub exec: &'a CStr,
    /// A file with the pid of the *supervisor*: the process whose death means that nobody looks
    /// after the service.
    pub pidfile: &'a CStr,
    /// When it was spawned.
    pub at: SystemTime,
    /// How many respawns there were; 0 for the first spawn.
    pub respawns: u32,
    /// The pid of the main process.
    pub pid: i32,
}

impl State {
    /// Loads librc. `None` when it is not installed, or when its state directory is not `svcdir`:
    /// then there is no OpenRC to tell. Since OpenRC 0.56 librc takes its directory from
    /// `RC_SVCDIR` in the environment of this process; before, it knows `/run/openrc` only.
    pub fn open(svcdir: &Path) -> Option<State> {
        let librc = Librc::load()?;
        let same = match (metadata(librc.svcdir()), metadata(svcdir)) {
            (Ok(its), Ok(ours)) => (its.dev(), its.ino()) == (ours.dev(), ours.ino()),
            _ => false,
        };
        same.then(|| State {
            librc,
            svcdir: svcdir.to_path_buf(),
        })
    }

    /// Records a spawn: the supervisor's pid file, the start time, the number of respawns and the
    /// pid. The first is recorded once, and lost when the service is marked stopped.
    ///
    /// # Errors
    /// OpenRC's state could not be written.
    pub fn record_spawn(&self, service: &ServiceName, spawn: &Spawn<'_>) -> Result<()> {
        let name = name(service)?;
        // Without arguments: librc up to 0.63 adds one more entry with each call otherwise.
        let recorded = self
            .svcdir
            .join("daemons")
            .join(service.as_str())
            .join("001");
        if !recorded.exists() {
            let set = self.librc.daemon_set(&name, spawn.exec, spawn.pidfile);
            check(set, service, "the daemon")?;
        }
        self.record_time(service, spawn.at, spawn.respawns)?;
        // Before the pid, so that who finds that finds this, too.
        let began = Stat::of(spawn.pid).map(|stat| format!("{} {}", spawn.pid, stat.began));
        self.set(service, &name, CHILD_BEGAN, began.ok().as_deref())?;
        self.set(service, &name, c"child_pid", Some(&spawn.pid.to_string()))
    }

    /// Records when the service was spawned last, and the number of respawns.
    ///
    /// # Errors
    /// OpenRC's state could not be written.
    pub fn record_time(&self, service: &ServiceName, at: SystemTime, respawns: u32) -> Result<()> {
        let name = name(service)?;
        let time = local_time::stamp(at);
        self.set(service, &name, c"start_time", Some(&time))?;
        self.set(service, &name, c"start_count", Some(&respawns.to_string()))
    }

    /// Removes the pid of the main process: it ended.
    ///
    /// # Errors
    /// OpenRC's state could not be written.
    pub fn clear_child(&self, service: &ServiceName) -> Result<()> {
        let name = name(service)?;
        self.set(service, &name, c"child_pid", None)?;
        self.set(service, &name, CHILD_BEGAN, None)
    }

    /// Marks the service started, which was marked failed. That has lost which module has it, without
    /// which a stop would be OpenRC's own: it is recorded again. Never while [`is_locked`].
    ///
    /// # Errors
    /// OpenRC's state could not be written.
    pub fn mark_started(&self, service: &ServiceName) -> Result<()> {
        let record = Dir::path_of_service(&self.svcdir, service);
        let module = read_to_string(record.join("module")).unwrap_or_default();
        let name = name(service)?;
        // One that only watches the service has a second word.
        if let Some(module) = module.lines().next().filter(|line| !line.contains(' ')) {
            self.set(service, &name, c"rcsv_module", Some(module))?;
        }
        check(
            self.librc.mark(&name, librc::STARTED),
            service,
            "that it is started",
        )
    }

    /// Marks the service stopped. Never while [`is_locked`].
    ///
    /// # Errors
    /// OpenRC's state could not be written.
    pub fn mark_stopped(&self, service: &ServiceName) -> Result<()> {
        let marked = self.librc.mark(&name(service)?, librc::STOPPED);
        check(marked, service, "that it is stopped")
    }

    /// Marks the service stopped and failed, as supervise-daemon does when it gives up: `openrc`
    /// then does not start it again by itself. Never while [`is_locked`].
    ///
    /// # Errors
    /// OpenRC's state could not be written.
    pub fn mark_failed(&self, service: &ServiceName) -> Result<()> {
        self.mark_stopped(service)?;
        let marked = self.librc.mark(&name(service)?, librc::FAILED);
        check(marked, service, "that it failed")
    }

    /// Whether OpenRC takes the service for started.
    ///
    /// # Errors
    /// The name has no C string.
    pub fn is_started(&self, service: &ServiceName) -> Result<bool> {
        Ok(self.librc.state(&name(service)?) & librc::STARTED != 0)
    }

    /// A value that was recorded for the service, such as `child_pid`.
    ///
    /// # Errors
    /// A name has no C string.
    pub fn value(&self, service: &ServiceName, key: &CStr) -> Result<Option<Vec<u8>>> {
        Ok(self.librc.value_get(&name(service)?, key))
    }

    fn set(
        &self,
        service: &ServiceName,
        name: &CStr,
        key: &CStr,
        value: Option<&str>,
    ) -> Result<()> {
        let value = value.map(CString::new).transpose().unwrap_or_default();
        let set = self.librc.value_set(name, key, value.as_deref());
        check(set, service, &key.to_string_lossy())
    }
}

fn name(service: &ServiceName) -> Result<CString> {
    CString::new(service.as_str()).map_err(|_| Error::invalid("service: contains a NUL byte"))
}

fn check(done: bool, service: &ServiceName, what: &str) -> Result<()> {
    if done {
        return Ok(());
    }
    let message = format!("{service}: librc cannot record {what} in OpenRC's state directory");
    Err(Error::new(Code::Io, message))
}
