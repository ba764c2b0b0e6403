//! What goes wrong.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::chance::Chance;
use crate::clock;
use crate::ledger::{Ledger, BOTH_KILLED};
use crate::order::What;
use crate::process;
use crate::scarcity::{Kind, Scarcity};
use crate::scene::Scene;
use crate::storm::Undo;
use crate::Result;

/// What goes wrong, or is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Kill,
    KillMany,
    Stop,
    StopSupervisor,
    KillSupervisor,
    KillGuardian,
    KillBoth,
    KillLogger,
    Order(What),
    /// The clock on the wall jumps.
    Clock,
    Scarce(Kind),
}

/// How often each comes, of so many.
const FREQUENCIES: [(u64, Fault); 12] = [
    (180, Fault::Kill),
    (6, Fault::KillMany),
    (20, Fault::Stop),
    (2, Fault::StopSupervisor),
    (1, Fault::KillSupervisor),
    (1, Fault::KillGuardian),
    (1, Fault::KillBoth),
    (6, Fault::KillLogger),
    (2, Fault::Order(What::Upgrade)),
    (12, Fault::Order(What::Start)),
    (12, Fault::Order(What::Stop)),
    (12, Fault::Order(What::Restart)),
];

/// So long after a supervisor was killed the next one knows everything.
const SETTLED: Duration = Duration::from_secs(1);

/// How often something becomes scarce, in per cent.
const SCARCE: u64 = 4;

/// The same for jumps of the clock.
const CLOCK: u64 = 3;

impl Fault {
    /// One by chance.
    pub fn any(chance: &mut Chance, sets_clock: bool) -> Fault {
        if sets_clock && chance.percent(CLOCK) {
            return Fault::Clock;
        }
        if chance.percent(SCARCE) {
            return Fault::Scarce(chance.one_of(&Kind::ALL));
        }
        let sum = FREQUENCIES.iter().map(|(share, _)| share).sum();
        let mut drawn = chance.below(sum);
        for (share, fault) in FREQUENCIES {
            if drawn < share {
                return fault;
            }
            drawn -= share;
        }
        Fault::Kill
    }

    /// Does it; what has to be undone later, and when.
    pub fn strike(
        self,
        scene: &mut Scene,
        chance: &mut Chance,
        ledger: &mut Ledger,
        is_scarce: bool,
    ) -> Result<Option<Undo>> {
        let service = chance.below(scene.names.len() as u64) as usize;
        let kills = matches!(
            self,
            Fault::KillSupervisor | Fault::KillGuardian | Fault::KillBoth
        );
        if kills && is_scarce && !scene.is_harsh {
            return Ok(None);
        }
        if kills {
            scene.killed = Some(Instant::now());
        }
        match self {
            Fault::Kill => {
                let signal = chance.one_of(&[Signal::SIGKILL, Signal::SIGKILL, Signal::SIGABRT]);
                let struck = scene.living(service).is_some_and(|one| one.signal(signal));
                if struck {
                    ledger.count("services killed");
                }
            }
            Fault::KillMany => {
                for service in 0..scene.names.len() {
                    let hit = chance.percent(50);
                    if hit
                        && scene
                            .living(service)
                            .is_some_and(|one| one.signal(Signal::SIGKILL))
                    {
                        ledger.count("services killed, half of them at once");
                    }
                }
            }
            Fault::Stop => {
                let Some(one) = scene.living(service) else {
                    return Ok(None);
                };
                if one.signal(Signal::SIGSTOP) {
                    ledger.count("services stopped and continued");
                    return Ok(Some(Undo::Continue(one)));
                }
            }
            Fault::StopSupervisor => {
                let Some(one) = scene.supervisor() else {
                    return Ok(None);
                };
                if one.signal(Signal::SIGSTOP) {
                    ledger.count("supervisor stopped and continued");
                    return Ok(Some(Undo::Continue(one)));
                }
            }
            Fault::KillSupervisor => {
                if scene
                    .supervisor()
                    .is_some_and(|one| one.signal(Signal::SIGKILL))
                {
                    ledger.count("supervisor killed");
                }
            }
            Fault::KillGuardian => {
                if scene
                    .guardian()
                    .is_some_and(|one| one.signal(Signal::SIGKILL))
                {
                    ledger.count("guardian killed");
                }
            }
            Fault::KillBoth => {
                let both = [scene.supervisor(), scene.guardian()];
                let killed = both.into_iter().flatten();
                if killed.filter(|one| one.signal(Signal::SIGKILL)).count() == 2 {
                    ledger.count(BOTH_KILLED);
                }
            }
            Fault::KillLogger => {
                let all = process::all().into_iter();
                let loggers = all.filter(|(_, _, _, line)| line.contains("rc-sv-logger"));
                let pids: Vec<i32> = loggers.map(|(pid, ..)| pid).collect();
                if pids.is_empty() {
                    return Ok(None);
                }
                let one = process::Identity::of(chance.one_of(&pids));
                if one.is_some_and(|one| one.signal(Signal::SIGKILL)) {
                    ledger.count("loggers killed");
                }
            }
            Fault::Order(what) => {
                if scene.orders.iter().any(|order| order.service == service) {
                    return Ok(None);
                }
                if scene.order(service, what)? {
                    ledger.count(format!("orders to {what:?}").to_lowercase());
                }
            }
            Fault::Clock => {
                let far = chance.one_of(&[1, 60, 3_600, 86_400, 40_000_000]);
                let seconds = if chance.percent(50) { far } else { -far };
                clock::jump(seconds)?;
                ledger.count("jumps of the clock, and back");
                return Ok(Some(Undo::Clock(seconds)));
            }
            Fault::Scarce(kind) => {
                if [scene.guardian(), scene.supervisor()].contains(&None) {
                    // A supervisor that is stopped becomes the guardian when it is continued, and
                    // the next one begins then.
                    scene.killed = Some(Instant::now());
                }
                let is_settled = scene.killed.is_none_or(|when| when.elapsed() >= SETTLED);
                let is_possible = kind != Kind::Processes || scene.limits_pids;
                let wanted = is_possible && !is_scarce && (is_settled || scene.is_harsh);
                let Some(supervisor) = scene.supervisor().filter(|_| wanted) else {
                    return Ok(None);
                };
                match Scarcity::begin(kind, supervisor.pid) {
                    // It was killed just now.
                    Err(_) if !supervisor.is_alive() => {}
                    begun => {
                        let scarcity = begun?;
                        ledger.count(kind.name());
                        return Ok(Some(Undo::Enough(scarcity)));
                    }
                }
            }
        }
        Ok(None)
    }
}
