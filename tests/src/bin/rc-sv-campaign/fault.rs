//! What goes wrong.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::chance::Chance;
use crate::clock::Jump;
use crate::ledger::{Ledger, ALONE};
use crate::order::{Order, What, Whose};
use crate::process::{self, Identity};
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
    Upgrade,
    Order(What),
    Clock,
    Scarce(Kind),
}

/// How often each comes, of so many.
const FREQUENCIES: [(u64, Fault); 13] = [
    (180, Fault::Kill),
    (6, Fault::KillMany),
    (20, Fault::Stop),
    (2, Fault::StopSupervisor),
    (1, Fault::KillSupervisor),
    (1, Fault::KillGuardian),
    (1, Fault::KillBoth),
    (6, Fault::KillLogger),
    (3, Fault::Upgrade),
    (12, Fault::Order(What::Start)),
    (12, Fault::Order(What::Stop)),
    (12, Fault::Order(What::Restart)),
    (4, Fault::Clock),
];

/// So long after a supervisor was killed the next one knows everything.
const SETTLED: Duration = Duration::from_secs(1);

/// How often something becomes scarce, in per cent.
const SCARCE: u64 = 4;

impl Fault {
    /// One by chance.
    pub fn any(chance: &mut Chance) -> Fault {
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
                let killed = scene.supervisor().into_iter().collect();
                scene.kill(killed, "supervisor killed", ledger);
            }
            Fault::KillGuardian => {
                let killed = scene.guardian().into_iter().collect();
                scene.kill(killed, "guardian killed", ledger);
            }
            Fault::KillBoth => {
                let both = [scene.supervisor(), scene.guardian()];
                let both = both.into_iter().flatten().collect();
                scene.kill(both, "supervisor and guardian killed at once", ledger);
            }
            Fault::KillLogger => {
                let all = process::all().into_iter();
                let loggers = all.filter(|(_, _, _, line)| line.contains("rc-sv-logger"));
                let pids: Vec<i32> = loggers.map(|(pid, ..)| pid).collect();
                if pids.is_empty() {
                    return Ok(None);
                }
                let one = Identity::of(chance.one_of(&pids));
                if one.is_some_and(|one| one.signal(Signal::SIGKILL)) {
                    ledger.count("loggers killed");
                }
            }
            Fault::Upgrade => {
                let is_upgrade = |order: &Order| order.whose == Whose::Upgrade;
                if !scene.orders.iter().any(is_upgrade) && scene.upgrade()? {
                    ledger.count(match is_scarce {
                        true => "orders to upgrade while something is scarce",
                        false => "orders to upgrade",
                    });
                }
            }
            Fault::Clock => {
                if scene.sets_clock && !scene.is_clock_set {
                    scene.is_clock_set = true;
                    ledger.count("jumps of the clock, and back");
                    return Ok(Some(Undo::Back(Jump::begin(chance)?)));
                }
            }
            Fault::Order(what) => {
                let is_its =
                    |order: &Order| matches!(order.whose, Whose::Service(of, _) if of == service);
                if scene.orders.iter().any(is_its) {
                    return Ok(None);
                }
                if scene.order(service, what)? {
                    ledger.count(format!("orders to {what:?}").to_lowercase());
                }
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

impl Scene {
    /// Kills guardian, supervisor or both.
    fn kill(&self, killed: Vec<Identity>, what: &str, ledger: &mut Ledger) {
        let mut both = [self.guardian(), self.supervisor()].into_iter().flatten();
        let is_last = both.all(|one| killed.contains(&one));
        let count = killed.len();
        let gone = killed.into_iter().filter(|one| one.signal(Signal::SIGKILL));
        if gone.count() == count && count > 0 {
            ledger.count(what);
            if is_last {
                ledger.count(ALONE);
            }
        }
    }
}
