//! What people want meanwhile: commands of rc-sv-loader, which are not waited for.

use std::fs::File;
use std::io::{Read, Seek};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::ledger::{Ledger, UPGRADED};
use crate::scene::{loader, pass, Scene, Wanted};
use crate::Result;

/// Longer than the longest ladder and a start together.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Start,
    Stop,
    Restart,
}

/// Of whom something is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    Service(usize, What),
    /// That guardian and supervisor execute their program again.
    Upgrade,
}

/// A command that runs.
pub struct Order {
    pub whose: Whose,
    child: Child,
    said: File,
    until: Instant,
}

/// How it ended.
pub enum Done {
    Well,
    /// With this line.
    Badly(String),
    /// It was killed because it took too long.
    Hung,
}

impl Order {
    /// Begins `command`; `None` where the system has no room for one more process.
    pub fn begin(whose: Whose, mut command: Command, said: File) -> Option<Order> {
        let stderr = said.try_clone().ok()?;
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.stderr(stderr).spawn().ok()?;
        Some(Order {
            whose,
            child,
            said,
            until: Instant::now() + PATIENCE,
        })
    }

    /// How it has ended, if it has.
    pub fn look(&mut self) -> Result<Option<Done>> {
        let ended = self
            .child
            .try_wait()
            .map_err(|error| format!("wait: {error}"))?;
        let Some(status) = ended else {
            if Instant::now() < self.until {
                return Ok(None);
            }
            let _ = self.child.kill().and_then(|()| self.child.wait());
            return Ok(Some(Done::Hung));
        };
        if status.success() {
            return Ok(Some(Done::Well));
        }
        let mut text = String::new();
        let read = self
            .said
            .rewind()
            .and_then(|()| self.said.read_to_string(&mut text));
        read.map_err(|error| format!("what a command said: {error}"))?;
        let line = text.lines().last().unwrap_or("nothing").to_string();
        Ok(Some(Done::Badly(line)))
    }
}

impl Scene {
    /// Orders something of a service that is not waited for; whether there was room for that.
    pub fn order(&mut self, service: usize, what: What) -> Result<bool> {
        let name = &self.names[service];
        let command = match what {
            What::Start => self.start_command(service),
            What::Stop => loader(["stop", name]),
            What::Restart => loader(["restart", name]),
        };
        let begun = self.begin(Whose::Service(service, what), command)?;
        if begun {
            self.wanted[service] = Wanted::Unknown;
        }
        Ok(begun)
    }

    /// Has the supervisor's program take its own place; whether there was room for that.
    pub fn upgrade(&mut self) -> Result<bool> {
        self.begin(Whose::Upgrade, loader(["upgrade"]))
    }

    fn begin(&mut self, whose: Whose, command: Command) -> Result<bool> {
        let name = match whose {
            Whose::Service(service, _) => &self.names[service],
            Whose::Upgrade => "upgrade",
        };
        let path = format!("/campaign/said.{name}");
        let said = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)
            .map_err(|error| format!("{path}: {error}"))?;
        let order = Order::begin(whose, command, said);
        let begun = order.is_some();
        self.orders.extend(order);
        Ok(begun)
    }

    /// Looks at the orders: those that are done are noted.
    pub fn look_at_orders(&mut self, ledger: &mut Ledger) -> Result<()> {
        for mut order in std::mem::take(&mut self.orders) {
            let Some(done) = order.look()? else {
                self.orders.push(order);
                continue;
            };
            let Whose::Service(service, what) = order.whose else {
                upgraded(done, ledger);
                continue;
            };
            let name = &self.names[service];
            self.wanted[service] = match (done, what) {
                (Done::Well, What::Stop) => {
                    if let Some(left) = self.living(service) {
                        ledger.defect(format!("{name}: runs as {left} after its stop"));
                    }
                    Wanted::Down
                }
                (Done::Well, _) => Wanted::Up,
                (Done::Badly(line), _) => {
                    ledger.failed(&line.replace(name.as_str(), "SERVICE"));
                    Wanted::Unknown
                }
                (Done::Hung, what) => {
                    ledger.defect(format!("{name}: {what:?} takes for ever"));
                    Wanted::Unknown
                }
            };
        }
        Ok(())
    }

    pub fn settle_orders(&mut self, ledger: &mut Ledger) -> Result<()> {
        while !self.orders.is_empty() {
            self.look_at_orders(ledger)?;
            pass(Duration::from_millis(5));
        }
        Ok(())
    }
}

/// Takes in how an upgrade went. It may fail while something is scarce, or somebody is killed; that
/// everything goes on all the same is seen in the calm.
fn upgraded(done: Done, ledger: &mut Ledger) {
    match done {
        Done::Well => ledger.count(UPGRADED),
        Done::Badly(line) => ledger.failed(&line),
        Done::Hung => ledger.defect("an upgrade takes for ever".to_string()),
    }
}
