//! Memory of the supervising processes, and what they do while there is nothing to do.

use crate::contender::Contender;
use crate::figure::{Figure, Unit};
use crate::stamps::Stamps;
use crate::{clock, process, Result};

/// Proportional set size.
pub const PSS: &str = "memory, PSS";
/// Pages that nobody shares.
pub const PRIVATE: &str = "memory, private";

/// How often ours are run in [`IDLE_SECONDS`] in which nothing happens.
pub const IDLE: &str = "idle";
/// Longer than any timer that could tick.
pub const IDLE_SECONDS: u64 = 10;

/// The name of a figure in any section.
pub fn name(contender: &str, services: usize) -> String {
    format!("{contender}, {services}")
}

/// With 1 and with 100 services.
pub fn measure(stamps: &mut Stamps, contender: &mut dyn Contender) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for count in [1, 100] {
        contender.start(stamps, count)?;
        figures.extend(figure(stamps, contender)?);
        if contender.name() == "internal" {
            figures.push(idle(stamps, contender)?);
        }
        contender.stop(stamps)?;
    }
    Ok(figures)
}

/// Those that rest already. The others are measured with few services only, by `restart`.
fn idle(stamps: &mut Stamps, contender: &dyn Contender) -> Result<Figure> {
    let before = process::switches(&contender.supervisors()?)?;
    stamps.pass(clock::in_seconds(IDLE_SECONDS))?;
    let switches = process::switches(&contender.supervisors()?)?.saturating_sub(before);
    let name = name(contender.name(), contender.numbers().len());
    Ok(Figure::one(IDLE, name, Unit::Count, switches))
}

/// With those that run, while they do nothing.
pub fn figure(stamps: &mut Stamps, contender: &dyn Contender) -> Result<[Figure; 2]> {
    stamps.pass(clock::now() + contender.rests_after())?;
    let memory = process::memory(&contender.supervisors()?)?;
    let name = name(contender.name(), contender.numbers().len());
    Ok([
        Figure::one(PSS, &name, Unit::Kb, memory.pss),
        Figure::one(PRIVATE, &name, Unit::Kb, memory.private),
    ])
}
