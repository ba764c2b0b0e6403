//! Telling OpenRC, through its own library (`librc.so.1`), so that `rc-status` and `rc-service`
//! show the truth.

use rc_sv_api::{Result, ServiceName};
use std::ffi::CStr;
use std::path::Path;
use std::time::SystemTime;

/// OpenRC's state of services. Not for several threads: librc is not made for them.
#[derive(Debug)]
pub struct State(std::marker::PhantomData<*const ()>);

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
    /// Loads librc. `None` when it is not installed, or when its state directory is not `svcdir`
    /// (librc takes `RC_SVCDIR` from the environment since OpenRC 0.62, and knows one only
    /// before): then there is no OpenRC to tell.
    pub fn open(_svcdir: &Path) -> Option<State> {
        None
    }

    /// Records a spawn: the supervisor's pid file, start time, number of respawns and pid.
    ///
    /// # Errors
    /// OpenRC's state could not be written.
    pub fn record_spawn(&self, _service: &ServiceName, _spawn: &Spawn<'_>) -> Result<()> {
        Ok(())
    }

    /// Removes the pid of the main process: it ended.
    ///
    /// # Errors
    /// OpenRC's state could not be written.
    pub fn clear_child(&self, _service: &ServiceName) -> Result<()> {
        Ok(())
    }

    /// Marks the service stopped. Never while [`is_locked`].
    ///
    /// # Errors
    /// OpenRC's state could not be written.
    pub fn mark_stopped(&self, _service: &ServiceName) -> Result<()> {
        Ok(())
    }

    /// Marks the service stopped and failed, as supervise-daemon does when it gives up. Never
    /// while [`is_locked`].
    ///
    /// # Errors
    /// OpenRC's state could not be written.
    pub fn mark_failed(&self, _service: &ServiceName) -> Result<()> {
        Ok(())
    }
}

/// Whether an openrc-run works on `service` now: it holds `SVCDIR/exclusive/<service>` locked,
/// and will overwrite the state when it is done. Takes no lock itself, so it disturbs nobody.
///
/// # Errors
/// The file or `/proc/locks` cannot be read.
pub fn is_locked(_svcdir: &Path, _service: &ServiceName) -> Result<bool> {
    Ok(false)
}
