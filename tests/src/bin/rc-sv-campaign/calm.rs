//! Between the storms: whether everything is as it is wanted.

use std::fs::{self, File};
use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::daemon::ARGUMENT;
use crate::growth::WHO;
use crate::ledger::{Ledger, LEFT_ALONE, UPGRADED};
use crate::order::What;
use crate::process::{self, Identity};
use crate::scene::{has_cgroup, left, loader, pass, report, Scene, Wanted, CALM};
use crate::Result;

/// How long everything may take to be in order again.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long what a service has left may take to go.
const PATIENCE_WITH_LEFTOVERS: Duration = Duration::from_secs(10);

impl Scene {
    /// Waits until everything is in order, and says what is not. From now on nothing happens but
    /// what is necessary for that; when it returns, services may end by themselves again.
    pub fn calm(&mut self, ledger: &mut Ledger) -> Result<()> {
        File::create(CALM).map_err(|error| format!("{CALM}: {error}"))?;
        ledger.calms += 1;
        let until = Instant::now() + PATIENCE;
        self.settle_orders(ledger)?;
        self.revive(until)?;
        // Once is enough: nothing goes wrong any more.
        for service in 0..self.names.len() {
            if self.wanted[service] == Wanted::Unknown {
                while !self.order(service, What::Start)? {
                    pass(Duration::from_millis(20));
                }
            }
        }
        let failed = ledger.said.values().sum::<u64>();
        self.settle_orders(ledger)?;
        if ledger.said.values().sum::<u64>() != failed {
            let unknown = self
                .wanted
                .iter()
                .filter(|wanted| **wanted == Wanted::Unknown);
            let count = unknown.count();
            ledger.defect(format!(
                "{count} starts fail when nothing is scarce any more"
            ));
        }
        for service in 0..self.names.len() {
            self.await_order(service, until, ledger);
        }
        self.await_end_of_leftovers(ledger);
        self.look_at_supervisor(until, ledger);
        self.upgrade_in_calm(until, ledger)?;
        fs::remove_file(CALM).map_err(|error| format!("{CALM}: {error}"))
    }

    /// When nothing is scarce and nobody is killed an upgrade works, and all services go on.
    fn upgrade_in_calm(&mut self, until: Instant, ledger: &mut Ledger) -> Result<()> {
        let living = |scene: &Scene| -> Vec<_> {
            let all = 0..scene.names.len();
            all.map(|service| scene.living(service)).collect()
        };
        let (before, supervisor) = (living(self), self.supervisor());
        let upgraded = |ledger: &Ledger| ledger.done.get(UPGRADED).copied();
        let count = upgraded(ledger);
        while !self.upgrade()? {
            pass(Duration::from_millis(20));
        }
        self.settle_orders(ledger)?;
        if upgraded(ledger) == count {
            ledger.defect("an upgrade fails when nothing is scarce any more".to_string());
        } else if self.supervisor() == supervisor {
            ledger.defect("the supervisor is the same after an upgrade".to_string());
        }
        if living(self) != before {
            ledger.defect("an upgrade disturbs services".to_string());
        }
        for service in 0..self.names.len() {
            self.await_order(service, until, ledger);
        }
        self.look_at_supervisor(until, ledger);
        Ok(())
    }

    /// Waits until a service is as it is wanted, and stays so.
    fn await_order(&self, service: usize, until: Instant, ledger: &mut Ledger) {
        let name = &self.names[service];
        loop {
            let found = self.is_in_order(service);
            match found {
                Ok(()) => break,
                Err(what) if Instant::now() >= until => {
                    ledger.defect(format!("{name}: {what}"));
                    break;
                }
                Err(_) => pass(Duration::from_millis(20)),
            }
        }
        if self.instances(service).1 {
            ledger.defect(format!("{name}: doubled: {}", report(name).display()));
        }
    }

    fn is_in_order(&self, service: usize) -> Result<()> {
        let (instances, _) = self.instances(service);
        let alive = process::living(&instances, &self.names[service]);
        let name = &self.names[service];
        let output = loader(["status", name]).output();
        let line = output.map_err(|error| format!("status: {error}"))?.stdout;
        let line = String::from_utf8_lossy(&line).trim().to_string();
        let says = |pid: i32| {
            let words = format!("  pid {pid}  ");
            line.contains("  up  ") && line.contains(&words)
        };
        match (self.wanted[service], alive.as_slice()) {
            (Wanted::Up, [one]) if Some(one) == instances.last() && says(one.pid) => Ok(()),
            (Wanted::Up, []) => Err(format!("lost: {line:?}")),
            (Wanted::Down, []) if !line.contains("  up  ") => Ok(()),
            (Wanted::Unknown, _) => Err(format!("cannot be started: {line:?}")),
            (wanted, alive) => {
                let started = instances.len();
                Err(format!(
                    "{started} starts, wanted {wanted:?}, runs as {alive:?}: {line:?}"
                ))
            }
        }
    }

    /// Neither zombies, nor more descriptors, nor more memory than at its first look.
    fn look_at_supervisor(&mut self, until: Instant, ledger: &mut Ledger) {
        loop {
            let found = self.supervisor_is_well(ledger);
            match found {
                Ok(()) => return,
                Err(what) if Instant::now() >= until => return ledger.defect(what),
                Err(_) => pass(Duration::from_millis(100)),
            }
        }
    }

    fn supervisor_is_well(&mut self, ledger: &mut Ledger) -> Result<()> {
        let (guardian, supervisor) = (self.guardian(), self.supervisor());
        for name in ["rc-sv-guardian", "rc-sv-supervisor"] {
            match process::called(name).len() {
                1 => {}
                count => return Err(format!("there are {count} {name}")),
            }
        }
        for (index, who) in WHO.into_iter().enumerate() {
            let one = [guardian, supervisor][index].ok_or(format!("the {who} is lost"))?;
            let all = process::all().into_iter();
            let zombies = all.filter(|(_, parent, state, _)| *parent == one.pid && *state == 'Z');
            match zombies.count() {
                0 => {}
                count => return Err(format!("{count} zombies of the {who}")),
            }
            let held = process::holdings(one.pid).ok_or(format!("the {who} is lost"))?;
            ledger.growth.look(index, held, self.names.len())?;
        }
        Ok(())
    }

    /// When supervisor and guardian are both gone, somebody has to begin others, which take over
    /// what runs.
    fn revive(&mut self, until: Instant) -> Result<()> {
        while self.guardian().is_none() && self.supervisor().is_none() {
            if Instant::now() >= until {
                return Err("nobody can begin a supervisor".to_string());
            }
            let mut command = Command::new("/usr/libexec/rc-sv/rc-sv-supervisor");
            let begun = command.arg("--daemon").status();
            begun.map_err(|error| format!("begin a supervisor: {error}"))?;
        }
        Ok(())
    }

    /// Waits until nothing runs any more that an earlier instance has left. What has no cgroup and
    /// stays is counted, and killed: where a supervisor was killed before it had noted which process it
    /// had made, and on older kernels, nobody can know whose group it is.
    fn await_end_of_leftovers(&self, ledger: &mut Ledger) {
        let until = Instant::now() + PATIENCE_WITH_LEFTOVERS;
        let mut left = self.left_over();
        while !left.is_empty() && Instant::now() < until {
            pass(Duration::from_millis(20));
            left = self.left_over();
        }
        for (service, pid, line) in left {
            match has_cgroup(service) {
                true => ledger.defect(format!("left over: {line}")),
                false => ledger.count(LEFT_ALONE),
            }
            Identity::of(pid).map(|one| one.signal(Signal::SIGKILL));
        }
    }

    /// What services have left, and is not a child of the instance that runs: of which one, pid and
    /// command line.
    fn left_over(&self) -> Vec<(usize, i32, String)> {
        let all = process::all().into_iter();
        let running = all.filter(|(_, _, state, _)| *state != 'Z');
        let left = running.filter_map(|(pid, parent, _, line)| {
            let is_of = |service: &usize| line.contains(&left(&self.names[*service]));
            let service = (0..self.names.len()).find(is_of)?;
            let is_its = self.living(service).is_some_and(|one| one.pid == parent);
            (!is_its).then_some((service, pid, line))
        });
        left.collect()
    }

    /// Stops everything; nothing may be left.
    pub fn end(&mut self, ledger: &mut Ledger) -> Result<()> {
        File::create(CALM).map_err(|error| format!("{CALM}: {error}"))?;
        for service in 0..self.names.len() {
            let (instances, _) = self.instances(service);
            let exits = instances.len() - process::living(&instances, &self.names[service]).len();
            let up = u64::from(self.wanted[service] == Wanted::Up);
            ledger.starts += instances.len() as u64;
            ledger.exits += exits as u64;
            if instances.len() as u64 != exits as u64 + up {
                let name = &self.names[service];
                ledger.defect(format!("{name}: {} starts, {exits} exits", instances.len()));
            }
            if up == 1 {
                self.order(service, What::Stop)?;
            }
        }
        self.settle_orders(ledger)?;
        let down = self.wanted.iter().filter(|wanted| **wanted == Wanted::Down);
        if down.count() != self.names.len() {
            ledger.defect("a last stop fails".to_string());
        }
        let both = [self.guardian(), self.supervisor()];
        both[0].map(|guardian| guardian.signal(Signal::SIGTERM));
        let is_left = || both.into_iter().flatten().any(Identity::is_alive);
        let until = Instant::now() + PATIENCE;
        while is_left() && Instant::now() < until {
            pass(Duration::from_millis(20));
        }
        let instances = process::all().into_iter();
        let instances =
            instances.filter(|(_, _, state, line)| *state != 'Z' && line.contains(ARGUMENT));
        let instances = instances.map(|(.., line)| line);
        // Nobody may know whose group is left of one that was adopted, see above.
        let (excused, of_services): (Vec<_>, Vec<_>) =
            (self.left_over().into_iter()).partition(|(service, ..)| !has_cgroup(*service));
        excused.iter().for_each(|_| ledger.count(LEFT_ALONE));
        let left: Vec<_> = instances
            .chain(of_services.into_iter().map(|(.., line)| line))
            .collect();
        if !left.is_empty() || is_left() {
            ledger.defect(format!("left over: {left:?}, supervisor: {}", is_left()));
        }
        Ok(())
    }
}
