//! What runs inside of the lab: all measurements, one after the other.

use crate::contender::{Contender, Floor, Internal, Suite, SuperviseDaemon};
use crate::figure::Figure;
use crate::rest::Rest;
use crate::stamps::Stamps;
use crate::{control, memory, monit, openrc, pace, restart, storm, suites, Result};

/// The name of the floor to which all others are compared.
pub const FLOOR: &str = "floor, fork";
/// The floor of the storms.
pub const FAST_FLOOR: &str = "floor, vfork";

/// Numbers of services of one contender.
const RANGE: u32 = 10_000;

/// A part of the measurements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Single restarts.
    Restart,
    /// Memory with few services.
    Memory,
    /// 1,000 services.
    Storm,
    /// rc-service.
    OpenRc,
    /// rc-sv-loader, the module, sizes.
    Control,
    /// s6, runit, daemontools.
    Suites,
    /// monit.
    Monit,
}

impl Part {
    /// All of them, in their order.
    pub const ALL: [Part; 7] = [
        Part::Memory,
        Part::Restart,
        Part::Storm,
        Part::OpenRc,
        Part::Control,
        Part::Suites,
        Part::Monit,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Part::Restart => "restart",
            Part::Memory => "memory",
            Part::Storm => "storm",
            Part::OpenRc => "openrc",
            Part::Control => "control",
            Part::Suites => "suites",
            Part::Monit => "monit",
        }
    }

    /// The part of that name.
    pub fn from_name(name: &str) -> Option<Part> {
        Part::ALL.into_iter().find(|part| part.name() == name)
    }
}

/// Measures these parts; without `with_rc_sv` the floors and the others only. `say` is told what
/// is going on.
pub fn run(with_rc_sv: bool, parts: &[Part], say: &dyn Fn(&str)) -> Result<Vec<Figure>> {
    let mut stamps = Stamps::new().map_err(|error| format!("the FIFO: {error}"))?;
    let _rest = Rest::new()?;
    let mut figures = Vec::new();
    for part in parts {
        say(part.name());
        figures.extend(match part {
            Part::Restart => restart::measure(&mut stamps, &mut all(with_rc_sv))?,
            Part::Memory => memories(&mut stamps, with_rc_sv)?,
            Part::Storm => storms(&mut stamps, with_rc_sv, say)?,
            Part::OpenRc => openrc::measure(&mut stamps, 11 * RANGE, with_rc_sv)?,
            Part::Control if with_rc_sv => {
                // The storms have it already.
                let mut figures = match parts.contains(&Part::Storm) {
                    true => Vec::new(),
                    false => control::many(&mut stamps, 3 * RANGE)?,
                };
                figures.extend(control::measure(&mut stamps, 12 * RANGE)?);
                figures.extend(pace::measure(&mut stamps, 12 * RANGE + 10)?);
                figures
            }
            Part::Suites if with_rc_sv => suites::measure(&mut stamps, 13 * RANGE, say)?,
            Part::Monit if with_rc_sv => monit::measure(&mut stamps, 14 * RANGE)?,
            Part::Control | Part::Suites | Part::Monit => Vec::new(),
        });
    }
    Ok(figures)
}

fn memories(stamps: &mut Stamps, with_rc_sv: bool) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for contender in &mut peers(with_rc_sv) {
        figures.extend(memory::measure(stamps, &mut **contender)?);
    }
    Ok(figures)
}

fn storms(stamps: &mut Stamps, with_rc_sv: bool, say: &dyn Fn(&str)) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    let mut floor = Floor::new(FAST_FLOOR, "vfork", RANGE);
    floor.start(stamps, storm::SERVICES)?;
    let contenders = std::iter::once(threads()).chain(peers(with_rc_sv));
    for contender in &mut contenders.collect::<Vec<_>>() {
        // s6 pauses for a second whatever happens.
        if !contender.is_prompt() {
            continue;
        }
        let name = contender.name();
        say(&format!("storm: {name}"));
        let mut meanwhile = || match name {
            "internal" => control::lists(storm::SERVICES),
            _ => Ok(Vec::new()),
        };
        let contender = &mut **contender;
        figures.extend(storm::measure(stamps, &floor, contender, &mut meanwhile)?);
    }
    floor.stop(stamps)?;
    Ok(figures)
}

/// All contenders, as they are new.
fn all(with_rc_sv: bool) -> Vec<Box<dyn Contender>> {
    let early = Floor::new("floor, vfork before reaping", "early", 2 * RANGE);
    let mut all: Vec<Box<dyn Contender>> = vec![
        Box::new(Floor::new(FLOOR, "fork", 0)),
        Box::new(Floor::new(FAST_FLOOR, "vfork", RANGE)),
        Box::new(early),
        threads(),
    ];
    all.extend(peers(with_rc_sv));
    all
}

/// What spawning in threads of its own gains or costs.
fn threads() -> Box<dyn Contender> {
    Box::new(Floor::new("floor, vfork in threads", "threads", 9 * RANGE))
}

/// All contenders but the floors.
fn peers(with_rc_sv: bool) -> Vec<Box<dyn Contender>> {
    let mut peers: Vec<Box<dyn Contender>> = Vec::new();
    if with_rc_sv {
        peers.push(Box::new(Internal::new(3 * RANGE)));
    }
    peers.push(Box::new(SuperviseDaemon::new(4 * RANGE)));
    peers.push(Box::new(Suite::runit(5 * RANGE)));
    peers.push(Box::new(Suite::daemontools(6 * RANGE)));
    peers.push(Box::new(Suite::s6_ready(7 * RANGE)));
    peers.push(Box::new(Suite::s6(8 * RANGE)));
    peers
}
