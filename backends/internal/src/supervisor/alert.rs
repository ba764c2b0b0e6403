//! Running the commands that alert people. Nothing waits for them, but none is forgotten: each is owed
//! ([`super::owed`]) until its command has ended.
//!
//! Those of one service run one after the other, so that nobody hears of an end before the beginning;
//! and only a few at a time, because services fail together.

use super::adopt::Fate;
use super::errand::Errand;
use super::owed::{self, Owed};
use super::reactor::{Kind, Token};
use super::state_file::Who;
use super::Supervisor;
use crate::core::Id;
use rc_sv_api::exit::Exit;
use rc_sv_api::{Code, Error, Result, ServiceName, Spec};
use rc_sv_exec::alert::{self, Alert, Topic};
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
    topic: Option<Topic>,
    /// What it leaves word with.
    number: u32,
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

    /// By which the end of the next one is told.
    fn token(&mut self) -> Token {
        self.serial = self.serial.wrapping_add(1);
        Token::new(Kind::Alert, 0, self.serial)
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
    /// Writes down that a person is to be alerted, before anything else is known of it.
    pub(super) fn owe(&mut self, id: Id, alert: &Alert) {
        let owed = Owed {
            alert: alert.clone(),
            emitted: self.core.emitted(),
        };
        let written = self.directory(id).and_then(|dir| owed.write(&dir));
        if let Err(error) = written {
            self.warn(id, &error.message);
        }
    }

    /// Goes on with the alerts of an earlier supervisor. What it knew of the service was kept when
    /// `emitted` events had been told; what it had not come to keep is decided again.
    pub(super) fn adopt_alerts(&mut self, id: Id, emitted: u64) -> Result<()> {
        let (Some(service), dir) = (self.core.name(id).cloned(), self.directory(id)?) else {
            return Ok(());
        };
        let state = self.slots.of(id).state.as_ref();
        let word = state.and_then(|state| state.left(Who::Alert));
        let mut all = Owed::all(&dir);
        if let Some(word) = word {
            let is_it = |owed: &Owed| owed::number(&owed.alert) == word.number;
            let topic = all.iter().find(|owed| is_it(owed));
            let topic = topic.map(|owed| owed.alert.topic);
            all.retain(|owed| !is_it(owed));
            match self.fate_of(id, Who::Alert, word)? {
                Fate::Lives(who, pidfd) => {
                    let limit_ms = limit_ms(&self.read_spec(id)?);
                    let token = self.alerts.token();
                    let errand = self.adopt_errand((who, pidfd), token, limit_ms)?;
                    self.alerts.running.push(Running {
                        id,
                        service: service.clone(),
                        topic,
                        number: word.number,
                        errand,
                    });
                }
                Fate::Ended(_) | Fate::NeverMade => {
                    if let Some(topic) = topic {
                        owed::settle(&dir, topic, word.number);
                    }
                }
            }
        }
        for Owed { alert, emitted: at } in all {
            if at > emitted {
                owed::settle(&dir, alert.topic, owed::number(&alert));
                continue;
            }
            let service = service.clone();
            self.alerts
                .waiting
                .push_back(Waiting { id, service, alert });
        }
        self.begin_alerts();
        Ok(())
    }

    /// Leaves word for those that have not come to do so.
    pub(super) fn leave_words_of_alerts(&mut self) {
        for running in &self.alerts.running {
            if let (Some(left), Some(state)) = (
                running.errand.word(running.number),
                &self.slots.of(running.id).state,
            ) {
                state.leave_late(Who::Alert, left);
            }
        }
    }

    /// It was told, or cannot be.
    fn settle_alert(&mut self, id: Id, topic: Topic, number: u32) {
        if let Ok(dir) = self.directory(id) {
            owed::settle(&dir, topic, number);
        }
    }

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
            let (id, topic) = (next.id, next.alert.topic);
            let number = owed::number(&next.alert);
            if let Err(error) = self.begin_alert(next) {
                self.settle_alert(id, topic, number);
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
        let number = owed::number(&alert);
        let token = self.alerts.token();
        let word = (id, Who::Alert, number);
        let errand = self.begin_errand(launch, token, limit_ms(&spec), word)?;
        let running = Running {
            id,
            service,
            topic: Some(alert.topic),
            number,
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
        if let Some(topic) = ended.topic {
            self.settle_alert(ended.id, topic, ended.number);
        }
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

/// How long the command may take.
fn limit_ms(spec: &Spec) -> u64 {
    let limit = alert::timeout(spec.settings()).as_millis();
    u64::try_from(limit).unwrap_or(u64::MAX)
}
