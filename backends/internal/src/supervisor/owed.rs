//! Alerts whose command has not ended: each in a file of its service's directory, written before the
//! core's decision is, so that a killed supervisor's successor runs it once.

use rc_sv_api::Result;
use rc_sv_exec::alert::{Alert, Topic};
use rc_sv_exec::place::Dir;
use rc_sv_exec::run::record;

const TOPICS: [Topic; 3] = [Topic::GaveUp, Topic::Unhealthy, Topic::Recovered];

/// What a file begins with.
const MARK: &str = "rc-sv alert 1";

/// What an alert may say of the service's result.
const RESULTS: [&str; 4] = ["start-limit-hit", "unhealthy", "timeout", "watchdog"];

/// One alert, and what had been told of all services when it was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owed {
    pub alert: Alert,
    pub emitted: u64,
}

/// What its command leaves in its word.
pub(super) fn number(alert: &Alert) -> u32 {
    (alert.real_ns / 1_000_000) as u32
}

impl Owed {
    /// Writes it down, instead of an earlier one about the same.
    pub(super) fn write(&self, dir: &Dir) -> Result<()> {
        let text = self.encode();
        dir.replace(&name(self.alert.topic), 0o600, text.as_bytes())
    }

    /// Those of a service, the oldest first. What is damaged is none.
    pub(super) fn all(dir: &Dir) -> Vec<Owed> {
        let mut all: Vec<Owed> = TOPICS
            .iter()
            .filter_map(|topic| read(dir, *topic))
            .collect();
        all.sort_by_key(|owed| owed.alert.real_ns);
        all
    }

    fn encode(&self) -> String {
        let Alert {
            topic,
            reason,
            exit,
            result,
            restarts,
            real_ns,
        } = &self.alert;
        let exit = record::exit_text(*exit);
        let (topic, emitted) = (topic.word(), self.emitted);
        let result = result.unwrap_or("-");
        // The last one may contain anything.
        format!("{MARK}\n{topic}\n{emitted}\n{exit}\n{result}\n{restarts}\n{real_ns}\n{reason}")
    }

    fn decode(text: &str) -> Option<Owed> {
        let mut lines = text.splitn(8, '\n');
        (lines.next()? == MARK).then_some(())?;
        let topic = Topic::of_word(lines.next()?)?;
        let emitted = lines.next()?.parse().ok()?;
        let exit = record::exit_of(lines.next()?)?;
        let result = match lines.next()? {
            "-" => None,
            word => Some(*RESULTS.iter().find(|known| **known == word)?),
        };
        let restarts = lines.next()?.parse().ok()?;
        let real_ns = lines.next()?.parse().ok()?;
        let reason = lines.next()?.to_string();
        let alert = Alert {
            topic,
            reason,
            exit,
            result,
            restarts,
            real_ns,
        };
        // What cannot be told is damaged, as is what is not written like that.
        let owed = Owed { alert, emitted };
        (!owed.alert.reason.contains('\0') && owed.encode() == text).then_some(owed)
    }
}

/// It was told, or cannot be: its file goes, unless another one is owed about the same.
pub(super) fn settle(dir: &Dir, topic: Topic, told: u32) {
    if read(dir, topic).is_none_or(|owed| number(&owed.alert) == told) {
        // What cannot be removed is told once more, and not forgotten.
        let _ = dir.remove(&name(topic));
    }
}

/// Nothing is owed of this service any more.
pub(super) fn forget(dir: &Dir) {
    for topic in TOPICS {
        let _ = dir.remove(&name(topic));
    }
}

fn name(topic: Topic) -> String {
    format!("alert-{}", topic.word())
}

fn read(dir: &Dir, topic: Topic) -> Option<Owed> {
    let bytes = dir.read(&name(topic)).ok()??;
    let owed = Owed::decode(std::str::from_utf8(&bytes).ok()?)?;
    (owed.alert.topic == topic).then_some(owed)
}

/// What fuzz/ calls.
#[cfg(fuzzing)]
pub mod fuzzed {
    use super::Owed;
    use rc_sv_exec::alert::Alert;

    /// Reads an alert; it, and how it is written again.
    pub fn again(text: &str) -> Option<(Alert, String)> {
        let owed = Owed::decode(text)?;
        let again = owed.encode();
        Some((owed.alert, again))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rc_sv_api::exit::Exit;

    #[test]
    fn what_is_written_is_read() {
        let exits = [
            None,
            Some(Exit::Code(3)),
            Some(Exit::Signal(9)),
            Some(Exit::Dumped(11)),
            Some(Exit::NotRun(2)),
            Some(Exit::Unknown),
        ];
        for (exit, result) in exits
            .into_iter()
            .zip(RESULTS.map(Some).into_iter().chain([None; 2]))
        {
            let owed = Owed {
                alert: Alert {
                    topic: Topic::GaveUp,
                    reason: "a reason\nof two lines".into(),
                    exit,
                    result,
                    restarts: 7,
                    real_ns: -5,
                },
                emitted: u64::MAX,
            };
            let text = owed.encode();
            assert_eq!(Owed::decode(&text), Some(owed));
            let damaged = [text.replace("\n7\n", "\n+7\n"), format!("{text}\0")];
            assert_eq!(damaged.map(|text| Owed::decode(&text)), [None, None]);
            for end in 0..text.len() - 24 {
                assert_eq!(Owed::decode(&text[..end]), None, "{end}");
            }
        }
    }
}
