//! How long a service is gone: from kill -9 of a daemon that had been up for long, to the first
//! instruction of its successor.
//!
//! All contenders run side by side, each with several services, and are measured in turn. So the
//! daemons are old enough for each suite not to pause, and what disturbs disturbs all.

use crate::contender::Contender;
use crate::figure::{Figure, Unit};
use crate::stamps::{Stamp, Stamps};
use crate::{clock, memory, process, Result};

/// Kills of each contender.
const ROUNDS: usize = 200;
/// Services of a contender that restarts at once, and of one that takes its time.
const POOL: u32 = 12;
const LARGE_POOL: u32 = 24;
/// All suites pause after daemons that lived for less than a second.
const UPTIME: u64 = clock::SECOND * 11 / 10;
/// Between two kills: what the last one left to do is done by then.
const GAP: u64 = clock::SECOND / 125;
/// Longest restart, in seconds.
const LONG: u64 = 10;
/// How long wake-ups are counted, in seconds: the one place where time itself is measured.
const WINDOW: u64 = 3;

/// Kills of each contender after a rest, and how long nothing happens before.
const RESTED_ROUNDS: usize = 30;
const REST: u64 = clock::SECOND * 5 / 2;

/// The name of the section of restarts after a rest: caches are cold, and what gives memory back
/// when it is idle has done so.
pub const RESTED: &str = "restart after a rest";
/// The name of this section.
pub const SECTION: &str = "restart";
/// The name of the section of wake-ups.
pub const IDLE: &str = "idle wake-ups";

/// A service whose successor is not there yet.
struct Kill {
    contender: usize,
    old: Stamp,
    from: u64,
}

/// Starts all, counts wake-ups, measures, with the memory after that, and stops all.
pub fn measure(stamps: &mut Stamps, contenders: &mut [Box<dyn Contender>]) -> Result<Vec<Figure>> {
    for contender in contenders.iter_mut() {
        let pool = if contender.is_prompt() {
            POOL
        } else {
            LARGE_POOL
        };
        contender.start(stamps, pool)?;
    }
    let mut figures = idle(stamps, contenders)?;
    let samples = rounds(stamps, contenders, ROUNDS, 0)?;
    let rested = rounds(stamps, contenders, RESTED_ROUNDS, REST)?;
    for (section, samples) in [(SECTION, samples), (RESTED, rested)] {
        for (contender, samples) in contenders.iter().zip(samples) {
            figures.push(Figure::ns(section, contender.name(), &samples));
        }
    }
    for contender in contenders {
        figures.extend(memory::figure(stamps, &**contender)?);
        contender.stop(stamps)?;
    }
    Ok(figures)
}

fn idle(stamps: &mut Stamps, contenders: &[Box<dyn Contender>]) -> Result<Vec<Figure>> {
    // What starts left to do is done by then.
    stamps.pass(clock::now() + REST)?;
    let mut before = Vec::new();
    for contender in contenders {
        before.push(process::switches(&contender.supervisors()?)?);
    }
    stamps.pass(clock::in_seconds(WINDOW))?;
    let mut figures = Vec::new();
    for (contender, before) in contenders.iter().zip(before) {
        let switches = process::switches(&contender.supervisors()?)? - before;
        let rate = switches as f64 / WINDOW as f64;
        figures.push(Figure::new(
            IDLE,
            contender.name(),
            Unit::PerSecond,
            vec![rate],
        ));
    }
    Ok(figures)
}

/// Kills a service of each contender in each round; rounds are `rest` apart. Per contender, in
/// nanoseconds.
fn rounds(
    stamps: &mut Stamps,
    contenders: &[Box<dyn Contender>],
    count: usize,
    rest: u64,
) -> Result<Vec<Vec<u64>>> {
    let mut samples = vec![Vec::with_capacity(count); contenders.len()];
    let mut open: Vec<Kill> = Vec::new();
    let mut next = clock::now();
    for round in 0..count {
        next += rest;
        for turn in 0..contenders.len() {
            // Not always behind the same neighbour.
            let stride = if round % 2 == 0 {
                1
            } else {
                contenders.len() - 1
            };
            let index = (round + turn * stride) % contenders.len();
            let contender = &contenders[index];
            let old = oldest(stamps, &**contender, &open)?;
            let when = next.max(old.ns + UPTIME);
            while take(stamps, &mut open, &mut samples, when)? {}
            let from = clock::now();
            process::kill_now(old.pid)?;
            open.push(Kill {
                contender: index,
                old,
                from,
            });
            if contender.is_prompt() {
                close(stamps, &mut open, &mut samples, index, contender.name())?;
            }
            next = clock::now() + GAP;
        }
    }
    while let Some(kill) = open.first() {
        let (index, name) = (kill.contender, contenders[kill.contender].name());
        close(stamps, &mut open, &mut samples, index, name)?;
    }
    Ok(samples)
}

/// Waits until no service of that contender is open.
fn close(
    stamps: &mut Stamps,
    open: &mut Vec<Kill>,
    samples: &mut [Vec<u64>],
    index: usize,
    name: &str,
) -> Result<()> {
    let deadline = clock::in_seconds(LONG);
    while open.iter().any(|kill| kill.contender == index) {
        if !take(stamps, open, samples, deadline)? {
            return Err(format!("{name}: no restart after {LONG} s"));
        }
    }
    Ok(())
}

/// The service of the contender that runs for the longest time.
fn oldest(stamps: &Stamps, contender: &dyn Contender, open: &[Kill]) -> Result<Stamp> {
    let running = |stamp: &Stamp| !open.iter().any(|kill| kill.old == *stamp);
    let stamps = contender
        .numbers()
        .filter_map(|number| stamps.latest(number));
    let oldest = stamps.filter(running).min_by_key(|stamp| stamp.ns);
    oldest.ok_or_else(|| format!("{}: all services are down", contender.name()))
}

/// Takes one stamp; false at the deadline.
fn take(
    stamps: &mut Stamps,
    open: &mut Vec<Kill>,
    samples: &mut [Vec<u64>],
    deadline: u64,
) -> Result<bool> {
    let Some(stamp) = stamps.next(deadline)? else {
        return Ok(false);
    };
    let kill = open.iter().position(|kill| kill.old.number == stamp.number);
    let kill = kill.ok_or_else(|| format!("service {} was started twice", stamp.number))?;
    let kill = open.remove(kill);
    samples[kill.contender].push(stamp.ns - kill.from);
    Ok(true)
}
