//! Stories of the simulated world, drawn from the bytes of fuzz/: each byte decides one thing, so
//! that a small change of the bytes is a small change of the story. (The generators of proptest
//! would reject most bytes, and wait for better ones when there are no more.)

use super::fate::{Act, Fate, Flavour};
use super::world::{plan, told, SERVICES};
use crate::core::{KillMode, Plan, Word};
use std::time::Duration;

/// More acts take long and find nothing new.
const MOST_ACTS: usize = 60;

/// Tells the story in `bytes`, to its end; panics where an invariant breaks.
pub(in crate::core) fn tell(bytes: &[u8]) {
    let mut chance = Chance(bytes);
    let plans = (0..SERVICES).map(|_| chance.plan()).collect();
    let fates = (0..1 + chance.below(11)).map(|_| chance.fate()).collect();
    let mut acts = Vec::new();
    while acts.len() < MOST_ACTS && !chance.0.is_empty() {
        acts.push(chance.act());
    }
    told((plans, fates, acts));
}

/// What decides: zero for ever, when all bytes are used.
struct Chance<'a>(&'a [u8]);

impl Chance<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    fn below(&mut self, end: u8) -> u8 {
        self.byte() % end
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::from(self.byte()) % all.len()]
    }

    /// Mostly soon, sometimes late, seldom never.
    fn moment(&mut self) -> Option<u64> {
        let (kind, wait) = (self.byte(), u64::from(self.byte()));
        match kind {
            0..=127 => Some(wait % 20),
            128..=191 => Some(wait * 16),
            192..=239 => Some(4_000 + wait * 150),
            240..=255 => None,
        }
    }

    fn plan(&mut self) -> Plan {
        let max = (1 + self.below(5)).to_string();
        let mut settings = vec![
            (
                "rc_supervise_policy",
                self.one_of(&["always", "on-success", "on-failure", "on-abnormal", "no"]),
            ),
            ("respawn_delay", self.one_of(&["0", "0.01", "0.5", "7"])),
            ("respawn_max", &max),
            ("respawn_period", self.one_of(&["1", "60", "10m"])),
            ("rc_supervise_min_interval", self.one_of(&["0", "1"])),
            ("rc_supervise_reset_after", "20"),
            ("rc_supervise_prevent_codes", "78"),
            ("timeout_ready", self.one_of(&["2s", "15s"])),
        ];
        let optional: [(&str, &[&str]); 12] = [
            ("rc_supervise_propagate", &["yes"]),
            ("rc_supervise_respawn", &["script"]),
            ("rc_supervise_on_give_up", &["/bin/alert"]),
            ("rc_supervise_alert", &["/bin/mail"]),
            ("notify", &["socket:ready"]),
            ("rc_supervise_ready", &["tcp:80"]),
            ("rc_supervise_unhealthy", &["/bin/unhealthy"]),
            ("rc_supervise_health_timeout", &["2"]),
            ("rc_supervise_watchdog", &["3"]),
            ("rc_supervise_retry_after", &["3", "9", "1"]),
            ("rc_supervise_alternate", &["other"]),
            (
                "rc_supervise_health",
                &[
                    "tcp:80 interval=3 timeout=1 failures=2; hook failures=1",
                    "tcp:1 interval=5 timeout=8 failures=1; tcp:2 interval=4 failures=1 action=exec",
                    "tcp:1 interval=1 failures=2 within=5 successes=2 start=3s action=alert",
                ],
            ),
        ];
        for (name, values) in optional {
            if self.byte() >= 128 {
                settings.push((name, self.one_of(values)));
            }
        }
        let both = |name: &str| settings.iter().any(|(known, _)| *known == name);
        if both("notify") && both("rc_supervise_ready") {
            settings.retain(|(name, _)| *name != "notify");
        }
        *plan(&settings)
    }

    fn fate(&mut self) -> Fate {
        Fate {
            spawn_ms: self.moment().unwrap_or(0),
            spawns: self.byte() < 230,
            exec_ms: self.moment(),
            executes: self.byte() < 230,
            life: match self.byte() {
                0..=200 => Some((self.moment().unwrap_or(0), self.one_of(&[0, 1, 3, 78]))),
                _ => None,
            },
            term_ms: self.moment(),
            kill_ms: self.moment(),
            leaves: (self.byte() >= 180).then(|| self.moment()),
            cgroup: self.byte() >= 128,
            hook: match self.byte() {
                0..=200 => Some((u64::from(self.byte()) * 16, self.one_of(&[0, 1, 125]))),
                _ => None,
            },
            hook_runs: self.byte() < 230,
            hook_kill_ms: self.moment(),
            says: (0..self.below(5))
                .map(|_| (self.moment().unwrap_or(0), self.word()))
                .collect(),
            moves: match self.byte() {
                0..=200 => None,
                _ => self.moment(),
            },
            look_ms: self.moment(),
            looks: self.below(10),
            twice: self.byte() >= 180,
        }
    }

    fn word(&mut self) -> Word {
        let millis = Duration::from_millis(u64::from(self.byte()) * 64);
        match self.below(11) {
            0 => Word::NeverReady("it cannot"),
            1 => Word::Reloading,
            2 => Word::Stopping,
            3 => Word::Status("busy".into()),
            4 => Word::Errno(5),
            5 => Word::Extend(millis),
            6 => Word::Alive,
            7 => Word::Trigger,
            8 => Word::Watchdog(millis / 2),
            9 => Word::Starved,
            _ => Word::Ready,
        }
    }

    fn flavour(&mut self) -> Flavour {
        Flavour {
            ladder: self.byte(),
            kill_mode: self.one_of(&[KillMode::Mixed, KillMode::Group, KillMode::Process]),
            finish: self.byte() >= 128,
        }
    }

    fn act(&mut self) -> Act {
        let service = usize::from(self.below(SERVICES as u8));
        match self.below(17) {
            0..=3 => Act::Start(service, self.flavour()),
            4 | 5 => Act::Stop(service),
            6 => Act::Restart(service, Some(self.flavour())),
            7 => Act::Restart(service, None),
            8 => Act::Signal(service, i32::from(self.below(67)) - 1),
            9 => Act::Forget(service),
            10 => Act::Echo(self.byte().into()),
            11 if self.byte() >= 250 => Act::Shutdown,
            12 => Act::Suspend(self.moment().unwrap_or(200_000)),
            13 => Act::Renew(service, self.flavour()),
            _ => Act::Pass(self.moment().unwrap_or(200_000)),
        }
    }
}
