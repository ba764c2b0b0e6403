//! Telling a person that a watched service works again. Nobody stays with its process, so somebody
//! waits beside it, as soon as it runs again, until it has been up for long enough.

use super::alarm::{self, Matter};
use super::lock::{Byte, Locks};
use super::record::{self, Phase};
use super::signals::{is_ending, Signals, Woken};
use super::{sickness, Call};
use crate::alert::Topic;
use crate::clock;
use crate::place::Dir;
use crate::spec_file;
use crate::watched;
use rc_sv_api::policy::Policy;
use rc_sv_api::{duration, Error, Result, Settings};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

/// The word by which `recover` knows that it is the one who waits.
pub(super) const WAITS: &str = "wait";

/// Whether a person was told that the service with this directory failed, or is unhealthy, and not
/// yet that this is over: then `rc-sv-exec recover` is to be run as soon as it runs again.
///
/// # Errors
/// The directory cannot be used.
pub fn is_awaited(dir: &Dir, spec: &dyn Settings) -> Result<bool> {
    Ok(alarm::raised(dir, spec)?.is_some())
}

/// Has somebody wait, who is no child of whatever this process becomes.
pub(super) fn begin(call: &Call, spec: &dyn Settings) -> Result<()> {
    if !is_awaited(&call.dir, spec)? {
        return Ok(());
    }
    let ended = recover(call).stdin(Stdio::null()).status();
    ended.map(drop).map_err(failed)
}

/// Makes the process that waits, and leaves it.
pub(super) fn leave(call: &Call) -> Result<u8> {
    let mut command = recover(call);
    command.arg(WAITS).current_dir("/").process_group(0);
    // Who called reads until nobody writes any more.
    command.stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().map(|_| 0).map_err(failed)
}

/// Waits, and tells. One is enough: however often the service is run again, it goes on.
pub(super) fn wait(call: &Call, signals: &Signals) -> Result<u8> {
    let locks = Locks::open(&call.dir)?;
    let is_only = locks.try_take(Byte::Recovery);
    if !is_only.map_err(|cause| Error::io("lock the service", &cause))? {
        return Ok(0);
    }
    loop {
        let spec = spec_file::read(&call.dir)?;
        let spec = spec.settings();
        let raised = alarm::raised(&call.dir, spec)?;
        let Some(alarm) = raised.filter(|alarm| alarm.of == Matter::Failed) else {
            return match raised {
                None => Ok(0),
                Some(_) => sickness::wait(call, &locks, signals),
            };
        };
        let enough = Policy::from_settings(spec).reset_after;
        let lasted = match record::read(&call.dir)? {
            None => return Ok(0),
            Some(record) if matches!(record.phase, Phase::Down | Phase::Failed) => return Ok(0),
            Some(record) if record.phase == Phase::Running => {
                Duration::from_millis(clock::boot_ms().saturating_sub(record.began_ms))
            }
            Some(_) => Duration::ZERO,
        };
        if lasted >= enough && watched::running(&call.dir, spec).is_some() {
            alarm::clear(call)?;
            let line = format!("up for {}", duration::show(enough));
            alarm::begin(call, spec, Topic::Recovered, &line, alarm.exit)?;
            return Ok(0);
        }
        let left = enough.saturating_sub(lasted);
        // One that is dead is missed by who watches it, at some time.
        let left = if left.is_zero() { enough } else { left };
        let woken = signals.wait(None, Some(left.max(LEAST)));
        match woken.map_err(|cause| Error::io("wait", &cause))? {
            Woken::Signal(number) if is_ending(number) => return Ok(0),
            Woken::Signal(_) | Woken::Ready | Woken::Late => {}
        }
    }
}

/// The least time between two looks, where no time counts as a long one.
const LEAST: Duration = Duration::from_millis(100);

fn recover(call: &Call) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.arg("recover").arg(call.dir.path());
    command
}

fn failed(cause: std::io::Error) -> Error {
    Error::io("make a process that waits for the recovery", &cause)
}
