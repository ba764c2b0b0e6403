//! A record as it is told to people and programs.

use super::{shortened, Phase, Record};
use rc_sv_api::{duration, State, Status};
use std::time::Duration;

impl Record {
    /// As it is told to others, at `now_ms` of CLOCK_BOOTTIME.
    pub fn status(&self, now_ms: u64) -> Status {
        let next = match self.phase {
            Phase::Waiting => Some(self.next_ms.unwrap_or(0)),
            Phase::Failed => self.next_ms,
            _ => None,
        };
        let left = next.unwrap_or(0).saturating_sub(now_ms);
        let is_calm = self.phase == Phase::Running && now_ms >= self.calm_ms;
        Status {
            state: match self.phase {
                Phase::Waiting => State::Backoff,
                Phase::Running if self.ready == Some(false) => State::Starting,
                Phase::Running => State::Up,
                Phase::Ended | Phase::Finishing => State::Stopping,
                Phase::Down => State::Down,
                Phase::Failed => State::GaveUp,
            },
            wanted_up: Some(self.phase != Phase::Down),
            ready: self.ready.filter(|_| self.phase == Phase::Running),
            healthy: self.healthy.filter(|_| self.phase == Phase::Running),
            pid: self.pid.filter(|_| self.phase == Phase::Running),
            since_real_ns: Some(self.since_real_ns),
            since_boot_ns: Some(self.since_ms.saturating_mul(1_000_000)),
            restarts: Some(self.restarts),
            failures: if is_calm { 0 } else { self.history.streak() },
            last_exit: self.last_exit,
            next_restart_ms: next.map(|_| left.try_into().unwrap_or(u32::MAX)),
            detail: self.detail(left),
            ..Status::default()
        }
    }

    fn detail(&self, left: u64) -> String {
        match self.phase {
            Phase::Waiting => {
                let pause = duration::show(Duration::from_millis(left));
                let count = match self.limit {
                    0 => format!("{}, without a limit", self.history.streak()),
                    limit => format!("{} of {limit}", self.count),
                };
                let colon = if self.note.is_empty() { "" } else { ": " };
                shortened(&format!(
                    "restarting in {pause} ({count}){colon}{}",
                    self.note
                ))
            }
            Phase::Running if self.ready == Some(false) && self.note.is_empty() => {
                "it has not said yet that it is ready".into()
            }
            Phase::Ended | Phase::Finishing => "clearing up after its end".into(),
            Phase::Failed if self.next_ms.is_some() => {
                let pause = duration::show(Duration::from_millis(left));
                shortened(&format!("one more try in {pause}: {}", self.note))
            }
            Phase::Running if !self.limits.is_empty() && !self.note.is_empty() => {
                format!("{}; {}", self.note, self.limits)
            }
            Phase::Running if !self.limits.is_empty() => self.limits.clone(),
            Phase::Running | Phase::Down | Phase::Failed => self.note.clone(),
        }
    }
}
