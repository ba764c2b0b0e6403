//! Waiting until a watched service that a person was told is unhealthy works again. Who watches may
//! be killed and know nothing of it then, so the same checks are made here, while it lasts.

use super::alarm::{self, Matter};
use super::lock::{Byte, Locks};
use super::record::{self, Phase};
use super::signals::{is_ending, Signals, Woken};
use super::vigil::Looks;
use super::{respawn, Call};
use crate::check::Check;
use crate::place::Dir;
use crate::{clock, spec_file, watched};
use rc_sv_api::{Error, Result, Settings};
use std::time::Duration;

/// When who watches said last that it is unhealthy, by the clock since boot.
const NAME: &str = "sick";

/// The longest pause of who watches, beside that of a check: monit's own default.
const LOOK: Duration = Duration::from_secs(30);

/// Notes that who watches says so now.
///
/// # Errors
/// The file cannot be written.
pub(super) fn note(dir: &Dir) -> Result<()> {
    dir.replace(NAME, 0o600, clock::boot_ms().to_string().as_bytes())
}

/// Waits, and tells, if nobody else does.
pub(super) fn wait(call: &Call, locks: &Locks, signals: &Signals) -> Result<u8> {
    let spec = spec_file::read(&call.dir)?;
    let spec = spec.settings();
    let pause = longest(spec)?;
    let mut known = None;
    let mut looks: Option<Looks> = None;
    while is_raised(call, spec)? {
        let now = clock::boot_ms();
        let pid = watched::running(&call.dir, spec).map(|found| found.instance.pid);
        if pid != known {
            known = pid;
            looks = pid.map(|pid| Looks::new(spec, pid)).transpose()?;
            looks.iter_mut().for_each(|looks| looks.check(now));
        }
        let is_healthy = looks.as_mut().is_some_and(|looks| {
            looks.go_on(now);
            looks.are_healthy() == Some(true)
        });
        if is_healthy && is_quiet(&call.dir, pause)? && tell(call, locks, spec)? {
            break;
        }
        let due = looks.as_ref().and_then(Looks::deadline);
        let left = due.map_or(pause, |due| {
            Duration::from_millis(due.saturating_sub(clock::boot_ms()))
        });
        let wanted: Vec<_> = looks.iter().flat_map(Looks::descriptors).collect();
        let woken = signals.wait_any(&wanted, Some(left.min(pause)));
        match woken.map_err(|cause| Error::io("wait", &cause))? {
            Woken::Signal(number) if is_ending(number) => break,
            Woken::Signal(_) | Woken::Ready | Woken::Late => {}
        }
    }
    Ok(0)
}

/// Whether a person still waits for good news, of a service that is to run.
fn is_raised(call: &Call, spec: &dyn Settings) -> Result<bool> {
    let is_up = record::read(&call.dir)?
        .is_some_and(|record| !matches!(record.phase, Phase::Down | Phase::Failed));
    let raised = alarm::raised(&call.dir, spec)?;
    Ok(is_up && raised.is_some_and(|alarm| alarm.of == Matter::Sick))
}

/// Whether who watches has had time to say so again, and has not.
fn is_quiet(dir: &Dir, pause: Duration) -> Result<bool> {
    let said = dir.read(NAME)?.unwrap_or_default();
    let said: u64 = String::from_utf8_lossy(&said).parse().unwrap_or(0);
    let quiet = 2 * pause + LOOK;
    Ok(u128::from(clock::boot_ms().saturating_sub(said)) >= quiet.as_millis())
}

/// `false`: somebody is at work on the service.
fn tell(call: &Call, locks: &Locks, spec: &dyn Settings) -> Result<bool> {
    let is_mine = locks.try_take(Byte::Run);
    if !is_mine.map_err(|cause| Error::io("lock the service", &cause))? {
        return Ok(false);
    }
    let told = respawn::tell_well(call, spec);
    locks.release(Byte::Run);
    told.map(|()| true)
}

/// The longest pause between two checks.
fn longest(spec: &dyn Settings) -> Result<Duration> {
    let checks = Check::all(spec)?;
    let pauses = checks.iter().map(|check| check.rules.interval);
    Ok(pauses.max().unwrap_or(LOOK).max(Duration::from_secs(1)))
}
