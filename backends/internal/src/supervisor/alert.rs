//! Running the commands that alert people. Nothing waits for them.
//!
//! Those of one service run one after the other, so that nobody hears of an end before the beginning;
//! and only a few at a time, because services fail together.

use super::errand::Errand;
use super::reactor::{Kind, Token};
use super::Supervisor;
use crate::core::Id;
use rc_sv_api::exit::Exit;
use rc_sv_api::{Code, Error, Result, ServiceName};
use rc_sv_exec::alert::{self, Alert};
use std::collections::VecDeque;

/// How many run at the same time.
const MOST: usize = 16;

/// All alerts that are on their way.
#[derive(Default)]
pub(super) struct Alerts {
    /// How many there were.
    serial: u32,
    running: Vec<Running>,
    waiting: VecDeque<Waiting>,
}

/// One that has to wait for its turn.
struct Waiting {
    id: Id,
    service: ServiceName,
    alert: Alert,
}

/// One whose command runs.
struct Running {
    id: Id,
    service: ServiceName,
    errand: Errand,
}

impl Running {
    /// One that was killed holds nobody up any more.
    fn until(&self) -> Option<u64> {
        self.errand.until()
    }
}

impl Alerts {
    /// When [`Supervisor::kill_late_alerts`] is to be called.
    pub(super) fn deadline(&self) -> Option<u64> {
        self.running.iter().filter_map(Running::until).min()
    }

    /// The next one whose turn it is.
    fn next(&mut self) -> Option<Waiting> {
        let running = || self.running.iter().filter(|it| it.until().is_some());
        if running().count() >= MOST {
            return None;
        }
        let is_free = |waiting: &Waiting| running().all(|it| it.service != waiting.service);
        let found = self.waiting.iter().position(is_free)?;
        self.waiting.remove(found)
    }
}

impl Supervisor {
    /// Alerts a person, now or as soon as it is the turn of this.
    pub(super) fn alert(&mut self, id: Id, alert: Alert) {
        if let Some(service) = self.core.name(id).cloned() {
            // One of each kind is enough: the newer one is true.
            let same = |it: &Waiting| it.service == service && it.alert.topic == alert.topic;
            self.alerts.waiting.retain(|waiting| !same(waiting));
            self.alerts
                .waiting
                .push_back(Waiting { id, service, alert });
            self.begin_alerts();
        }
    }

    fn begin_alerts(&mut self) {
        while let Some(next) = self.alerts.next() {
            let id = next.id;
            if let Err(error) = self.begin_alert(next) {
                self.warn(id, &format!("{}: {}", alert::COMMAND, error.message));
            }
        }
    }

    fn begin_alert(&mut self, next: Waiting) -> Result<()> {
        let Waiting { id, service, alert } = next;
        if self.core.name(id) != Some(&service) {
            return Err(Error::new(
                Code::NotFound,
                "the service was forgotten meanwhile",
            ));
        }
        let spec = self.read_spec(id)?;
        let output = self.last_lines(id);
        let mut launch = alert.launch(spec.settings(), &output)?;
        self.lead_hook(id, &mut launch)?;
        let limit = alert::timeout(spec.settings()).as_millis();
        let limit_ms = u64::try_from(limit).unwrap_or(u64::MAX);
        self.alerts.serial = self.alerts.serial.wrapping_add(1);
        let token = Token::new(Kind::Alert, 0, self.alerts.serial);
        let errand = self.begin_errand(launch, token, limit_ms)?;
        let running = Running {
            id,
            service,
            errand,
        };
        self.alerts.running.push(running);
        Ok(())
    }

    /// Kills those that take too long, with what they started, as far as it stayed in their groups.
    pub(super) fn kill_late_alerts(&mut self, now_ms: u64) {
        let mut late = Vec::new();
        for running in &mut self.alerts.running {
            if running.errand.kill_late(now_ms) {
                late.push(running.id);
            }
        }
        for id in late {
            self.warn(id, &format!("{}: killed, it took too long", alert::COMMAND));
        }
        self.begin_alerts();
    }

    /// Takes in that one ended.
    pub(super) fn alert_ended(&mut self, which: Token) {
        let is_it = |running: &Running| running.errand.token() == which;
        let Some(found) = self.alerts.running.iter().position(is_it) else {
            return;
        };
        let Some(end) = self.alerts.running[found].errand.end(&mut self.afterlife) else {
            return;
        };
        let ended = self.alerts.running.swap_remove(found);
        self.reactor.remove(&ended.errand);
        let failed = match end {
            Err(error) => Some(error.message),
            Ok(Exit::Code(0)) => None,
            // That it was killed was told then.
            Ok(exit) => ended.until().map(|_| exit.to_string()),
        };
        if let Some(why) = failed {
            self.warn(ended.id, &format!("{}: {why}", alert::COMMAND));
        }
        self.begin_alerts();
    }
}
