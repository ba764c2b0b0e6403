//! A thousand services of one contender, killed all at once: how long until all are back, and is
//! each back exactly once?
//!
//! The floor runs beside each contender and is measured in turn with it.

use std::collections::BTreeSet;

use crate::contender::{Contender, Floor};
use crate::figure::{Figure, Unit};
use crate::stamps::Stamps;
use crate::{clock, memory, process, Result};

/// Services.
pub const SERVICES: u32 = 1_000;
/// Storms of each contender, and as many of the floor beside it.
const ROUNDS: usize = 5;
/// As for single restarts.
const UPTIME: u64 = clock::SECOND * 11 / 10;
/// Longest storm, in seconds.
const LONG: u64 = 20;

/// The name of this section.
pub const SECTION: &str = "storm";
/// How long the start of all took.
pub const STARTED: &str = "start of 1,000";
/// How many did not come back.
pub const LOST: &str = "lost";
/// How many came back more than once, or run more than once.
pub const DOUBLED: &str = "doubled";

/// The figures of one contender beside `floor`, which runs already. `meanwhile` is called when
/// all are up.
pub fn measure(
    stamps: &mut Stamps,
    floor: &Floor,
    contender: &mut dyn Contender,
    meanwhile: &mut dyn FnMut() -> Result<Vec<Figure>>,
) -> Result<Vec<Figure>> {
    let name = contender.name();
    let (started, result) = clock::time(|| contender.start(stamps, SERVICES));
    result?;
    let mut figures = vec![Figure::ns(STARTED, name, &[started])];
    figures.extend(memory::figure(stamps, contender)?);
    figures.extend(meanwhile()?);
    let mut floor_times = Vec::new();
    let mut times = Vec::new();
    let (mut lost, mut doubled) = (0, 0);
    for _ in 0..ROUNDS {
        floor_times.push(storm(stamps, floor)?.ns);
        let storm = storm(stamps, contender)?;
        times.push(storm.ns);
        lost += storm.lost;
        doubled += storm.doubled;
    }
    doubled += strangers(stamps)?;
    figures.push(Figure::ns(SECTION, floor_name(name), &floor_times));
    figures.push(Figure::ns(SECTION, name, &times));
    figures.push(Figure::one(LOST, name, Unit::Count, lost));
    figures.push(Figure::one(DOUBLED, name, Unit::Count, doubled));
    contender.stop(stamps)?;
    Ok(figures)
}

/// The name of the floor beside that contender.
pub fn floor_name(contender: &str) -> String {
    format!("floor beside {contender}")
}

struct Storm {
    ns: u64,
    lost: u64,
    doubled: u64,
}

fn storm(stamps: &mut Stamps, contender: &dyn Contender) -> Result<Storm> {
    let old: Vec<_> = contender
        .numbers()
        .filter_map(|number| stamps.latest(number))
        .collect();
    let youngest = old.iter().map(|stamp| stamp.ns).max().unwrap_or(0);
    // Nothing died, so nothing may come up.
    let mut doubled = stamps.pass(youngest + UPTIME)?;
    let mut missing: BTreeSet<u32> = contender.numbers().collect();
    let from = clock::now();
    let deadline = from + LONG * clock::SECOND;
    for stamp in old {
        process::kill_now(stamp.pid)?;
    }
    let mut last = from;
    while !missing.is_empty() {
        let Some(stamp) = stamps.next(deadline)? else {
            break;
        };
        if !missing.remove(&stamp.number) {
            doubled += 1;
        }
        last = last.max(stamp.ns);
    }
    Ok(Storm {
        ns: last - from,
        lost: missing.len() as u64,
        doubled,
    })
}

/// Daemons that run, but are not the latest of any service: copies too many.
fn strangers(stamps: &Stamps) -> Result<u64> {
    let known: BTreeSet<i32> = stamps.all().map(|stamp| stamp.pid).collect();
    Ok(process::called("stamp")?.difference(&known).count() as u64)
}
