//! What happens after a run.

use super::{Policy, When};
use crate::duration;
use crate::exit::Exit;
use std::collections::VecDeque;
use std::time::Duration;

/// What the policy has to remember of one service. Cleared by a start that a person asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// When the respawns within the window were decided: milliseconds of the caller's clock.
    respawns: VecDeque<u64>,
    /// Respawns since the last run of at least `reset_after`.
    streak: u32,
}

impl History {
    /// Respawns since the last run that was long enough.
    pub fn streak(&self) -> u32 {
        self.streak
    }

    /// Respawns that count against the limit at `now` (ms).
    pub fn in_window(&self, policy: &Policy, now: u64) -> u32 {
        let period = policy.period.as_millis() as u64;
        let recent = self
            .respawns
            .iter()
            .filter(|at| now.saturating_sub(**at) < period);
        recent.count() as u32
    }

    /// What has to be kept beyond the life of a process: when respawns were decided, and the streak.
    pub fn parts(&self) -> (Vec<u64>, u32) {
        (self.respawns.iter().copied().collect(), self.streak)
    }

    /// A history of what [`History::parts`] gave.
    pub fn from_parts(respawns: Vec<u64>, streak: u32) -> History {
        History {
            respawns: respawns.into(),
            streak,
        }
    }

    /// Why a service is given up at `now`, for people. `end` says how it ended.
    pub fn gave_up_line(&self, policy: &Policy, now: u64, end: &str) -> String {
        let period = policy.period.as_millis() as u64;
        let recent = |at: &&u64| now.saturating_sub(**at) < period;
        let restarts = self.in_window(policy, now);
        let oldest = self.respawns.iter().find(recent).copied().unwrap_or(now);
        let took = Duration::from_millis(now.saturating_sub(oldest));
        let took = match took.as_secs() {
            0..120 => duration::show(took),
            seconds => format!("{seconds} s"),
        };
        let plural = if restarts == 1 { "" } else { "s" };
        format!("gave up after {restarts} restart{plural} in {took}: {end}")
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = History::default();
    }
}

/// How one run of a service ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// How the main process ended.
    pub exit: Exit,
    /// Why the supervisor ended it, if it did.
    pub cause: Cause,
    /// How long the main process ran.
    pub lasted: Duration,
    /// The finish command exited 125: never again.
    pub permanent: bool,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cause {
    /// The main process ended by itself, or was killed by somebody else.
    #[default]
    Itself,
    /// It did not become ready, or did not stop, in time.
    Timeout,
    /// It missed its watchdog.
    Watchdog,
    /// Its health checks failed.
    Unhealthy,
}

impl Cause {
    /// systemd's word for what the end of the main process does not tell.
    pub fn result(self) -> Option<&'static str> {
        match self {
            Cause::Itself => None,
            Cause::Timeout => Some("timeout"),
            Cause::Watchdog => Some("watchdog"),
            Cause::Unhealthy => Some("unhealthy"),
        }
    }
}

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is respawned after this pause.
    Respawn(Duration),
    /// It stays down; that is no failure.
    Down,
    /// It has failed too often.
    GiveUp,
    /// It has failed for good.
    Permanent,
}

/// Decides what happens after `run` at `now` (milliseconds of a monotonic clock), and remembers
/// it. `chance` is any random number; it only moves the pause within its jitter.
pub fn judge(policy: &Policy, history: &mut History, run: &Run, now: u64, chance: u32) -> Verdict {
    if run.permanent || policy.prevent.contains(run.exit) {
        return Verdict::Permanent;
    }
    let clean = is_clean(policy, run);
    if !policy.force.contains(run.exit) && !wants_respawn(policy.when, run, clean) {
        return if clean {
            Verdict::Down
        } else {
            Verdict::Permanent
        };
    }
    let healthy = run.lasted >= policy.reset_after;
    if healthy {
        history.streak = 0;
    }
    let period = policy.period.as_millis() as u64;
    history
        .respawns
        .retain(|at| now.saturating_sub(*at) < period);
    if policy.limit != 0 && history.respawns.len() >= policy.limit as usize {
        return Verdict::GiveUp;
    }
    if policy.limit != 0 {
        history.respawns.push_back(now);
    }
    let pause = if healthy {
        policy.delay_after_reset
    } else {
        policy.pause(history.streak)
    };
    history.streak = history.streak.saturating_add(1);
    let earliest = policy.min_interval.saturating_sub(run.lasted);
    Verdict::Respawn(jittered(pause, policy.jitter_percent, chance).max(earliest))
}

fn is_clean(policy: &Policy, run: &Run) -> bool {
    run.cause == Cause::Itself && (run.exit.is_clean() || policy.success.contains(run.exit))
}

/// The table of `Restart=` in systemd.service(5).
fn wants_respawn(when: When, run: &Run, clean: bool) -> bool {
    let by_signal = run.cause == Cause::Itself && run.exit.signal().is_some() && !clean;
    match when {
        When::Always => true,
        When::OnSuccess => clean,
        When::OnFailure => !clean,
        When::OnAbnormal => by_signal || run.cause != Cause::Itself,
        When::OnAbort => by_signal,
        When::No => false,
    }
}

pub(super) fn jittered(pause: Duration, percent: u8, chance: u32) -> Duration {
    let swing = f64::from(chance) / f64::from(u32::MAX) * 2.0 - 1.0;
    pause.mul_f64(1.0 + swing * f64::from(percent.min(100)) / 100.0)
}
