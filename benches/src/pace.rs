//! What the tests of `internal` cannot ask of a busy machine: that it is prompt where it should be.

use crate::contender::internal::{loader, service};
use crate::contender::{succeed, STAMP};
use crate::control::timed;
use crate::figure::Figure;
use crate::stamps::Stamps;
use crate::{clock, process, Result};

/// The name of this section.
pub const SECTION: &str = "pace of internal";

/// What is measured, with the longest that is prompt, in milliseconds.
pub const RESPAWN: (&str, f64) = ("respawn by default after a healthy run", 500.0);
/// How much later than it may the next start comes.
pub const INTERVAL: (&str, f64) = ("shortest interval, 300 ms, beyond it", 10.0);
/// A process that is stopped by a signal has to be woken up for its end.
pub const STOPPED: (&str, f64) = ("stop of a process that is stopped by STOP", 100.0);
/// Whoever comes second waits for what was begun, and for nothing else. KILL comes after 1 s.
pub const TWICE: (&str, f64) = ("two stops at once, beyond their 1 s", 100.0);

/// Of each.
const ROUNDS: usize = 10;
/// Longest wait for anything, in seconds.
const LONG: u64 = 10;
const MILLISECOND: u64 = clock::SECOND / 1_000;

/// One service after the other.
pub fn measure(stamps: &mut Stamps, number: u32) -> Result<Vec<Figure>> {
    let mut samples = vec![
        (RESPAWN, respawns(stamps, number)?),
        (INTERVAL, intervals(stamps, number)?),
    ];
    let (mut woken, mut twice) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        woken.push(stop_of_stopped(stamps, number)?);
        twice.push(two_stops(stamps, number)?);
    }
    samples.extend([(STOPPED, woken), (TWICE, twice)]);
    let figures = samples.iter();
    Ok(figures
        .map(|((name, _), samples)| Figure::ns(SECTION, *name, samples))
        .collect())
}

fn respawns(stamps: &mut Stamps, number: u32) -> Result<Vec<u64>> {
    start(stamps, number, &[("RCSV_rc_supervise_reset_after", "1")])?;
    let mut samples = Vec::new();
    for _ in 0..ROUNDS {
        stamps.pass(clock::now() + clock::SECOND * 11 / 10)?;
        let begun = clock::now();
        let next = kill(stamps, number)?;
        samples.push(next.saturating_sub(begun));
    }
    stop(stamps, number)?;
    Ok(samples)
}

fn intervals(stamps: &mut Stamps, number: u32) -> Result<Vec<u64>> {
    const SHORTEST: u64 = 300 * MILLISECOND;
    let settings = [
        ("RCSV_respawn_delay", "0"),
        ("RCSV_respawn_max", "0"),
        ("RCSV_rc_supervise_jitter", "0"),
        ("RCSV_rc_supervise_min_interval", "300ms"),
    ];
    let mut last = start(stamps, number, &settings)?;
    let mut samples = Vec::new();
    for _ in 0..ROUNDS {
        let next = kill(stamps, number)?;
        let gap = next.saturating_sub(last);
        // From spawn to spawn; a first instruction may come a little later than another one.
        if gap + 5 * MILLISECOND < SHORTEST {
            return Err(format!("started again after {} ms", gap / MILLISECOND));
        }
        samples.push(gap.saturating_sub(SHORTEST));
        last = next;
    }
    stop(stamps, number)?;
    Ok(samples)
}

fn stop_of_stopped(stamps: &mut Stamps, number: u32) -> Result<u64> {
    start(stamps, number, &[])?;
    process::pause(pid(stamps, number)?)?;
    stop(stamps, number)
}

/// CONT ends nothing.
fn two_stops(stamps: &mut Stamps, number: u32) -> Result<u64> {
    start(stamps, number, &[("RCSV_retry", "CONT/1/KILL/5")])?;
    let name = service(number);
    let begun = clock::now();
    let mut first = loader("stop", &name)
        .spawn()
        .map_err(|error| format!("rc-sv-loader: {error}"))?;
    let second = succeed(&mut loader("stop", &name));
    let status = first.wait().map_err(|error| error.to_string())?;
    let took = clock::now() - begun;
    second?;
    stamps.forget(number..number + 1);
    if !status.success() {
        return Err(format!("the first of two stops: {status}"));
    }
    Ok(took.saturating_sub(clock::SECOND))
}

/// Starts the service; the time of its first instruction.
fn start(stamps: &mut Stamps, number: u32, settings: &[(&str, &str)]) -> Result<u64> {
    let mut command = loader("start", &service(number));
    command
        .args(["--", STAMP])
        .env("STAMP", number.to_string())
        .env("RCSV_rc_supervise_module", "internal")
        .envs(settings.iter().copied());
    succeed(&mut command)?;
    Ok(stamps.of(number, clock::in_seconds(LONG))?.ns)
}

fn stop(stamps: &mut Stamps, number: u32) -> Result<u64> {
    let took = timed(&mut loader("stop", &service(number)))?;
    stamps.forget(number..number + 1);
    Ok(took)
}

/// Kills its process; the time of the first instruction of the next one.
fn kill(stamps: &mut Stamps, number: u32) -> Result<u64> {
    process::kill_now(pid(stamps, number)?)?;
    Ok(stamps.of(number, clock::in_seconds(LONG))?.ns)
}

fn pid(stamps: &Stamps, number: u32) -> Result<i32> {
    let stamp = stamps.latest(number);
    stamp
        .map(|stamp| stamp.pid)
        .ok_or_else(|| "the service is not up".to_string())
}
