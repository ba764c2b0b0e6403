//! What a service tells: the status, and the lines for people.

use super::service::Service;
use super::state::{Part, State};
use super::Now;
use rc_sv_api::exit::Exit;
use rc_sv_api::policy::Cause;
use rc_sv_api::{duration, signal, Code, Error, Status};
use std::time::Duration;

/// The longest line in a status, in bytes.
const LONGEST_LINE: usize = 143;

impl Service {
    /// One snapshot.
    pub(super) fn status(&self, now: Now) -> Status {
        let reported = self.state.reported();
        let (since_ms, since_real_ns) = self.since;
        let up_for = now.boot_ms.saturating_sub(since_ms);
        let streak = self.history.streak();
        // The plan of one that never failed is not looked at: a list is long.
        let calm = streak > 0
            && self.state == State::Up
            && Duration::from_millis(up_for) >= self.plan.policy.reset_after;
        Status {
            state: reported,
            wanted_up: Some(self.want_up),
            ready: Some(self.state == State::Up),
            healthy: self.watch.as_ref().and_then(|watch| watch.is_healthy()),
            pid: self.instance.pid.filter(|_| self.instance.is_live()),
            supervisor_pid: None,
            since_real_ns: Some(since_real_ns),
            since_boot_ns: Some(since_ms.saturating_mul(1_000_000)),
            restarts: Some(self.restarts),
            failures: if calm { 0 } else { streak },
            last_exit: self.last_exit,
            next_restart_ms: match self.state {
                State::Waiting { until } => Some(left(until, now).try_into().unwrap_or(u32::MAX)),
                _ => None,
            },
            detail: shortened(self.detail(now)),
        }
    }

    /// How the last instance ended.
    pub(super) fn end_line(&self) -> String {
        let reason = self.reason.as_deref();
        match (self.instance.cause, self.last_exit, &self.note) {
            (Cause::Timeout | Cause::Watchdog | Cause::Unhealthy, ..) => {
                reason.unwrap_or_default().to_string()
            }
            (_, Some(Exit::NotRun(_)), Some(note)) => note.to_string(),
            (_, exit, _) if self.instance.awaits_script => {
                format!("the runscript: {}", exit.unwrap_or(Exit::Unknown))
            }
            (_, exit, _) => {
                let exit = exit.unwrap_or(Exit::Unknown);
                reason.map_or_else(|| exit.to_string(), |reason| format!("{exit}; {reason}"))
            }
        }
    }

    /// Why it was given up at `now_ms`.
    pub(super) fn gave_up_line(&self, now_ms: u64) -> String {
        let end = self.end_line();
        shortened(self.history.gave_up_line(&self.plan.policy, now_ms, &end))
    }

    /// Why it failed for good.
    pub(super) fn permanent_line(&self) -> String {
        let end = self.end_line();
        shortened(if self.instance.permanent {
            format!("failed for good: {end}, and the finish command exited 125")
        } else {
            format!("failed for good: {end}")
        })
    }

    /// The answer to a start that has failed.
    pub(super) fn start_error(&self) -> Error {
        let end = self.end_line();
        let mut error = match (self.instance.cause, self.last_exit) {
            (Cause::Timeout, _) => Error::new(Code::Timeout, end),
            (_, Some(Exit::NotRun(errno))) => Error {
                os_errno: errno,
                ..Error::new(Code::Failed, end)
            },
            (Cause::Itself, _) if self.instance.executed => {
                Error::new(Code::Failed, format!("{end} before it was ready"))
            }
            (Cause::Itself, _) if self.instance.awaits_script => Error::new(Code::Failed, end),
            (Cause::Itself, _) => Error::new(Code::Failed, format!("{end} before it was executed")),
            (Cause::Watchdog | Cause::Unhealthy, _) => Error::new(Code::Failed, end),
        };
        if self.state == State::Stuck {
            error.message += &format!("; {}", self.survivor_line());
        }
        error
    }

    /// The answer to somebody for whom what survived the KILL is in the way.
    pub(super) fn stuck_error(&self, code: Code) -> Error {
        Error::new(code, self.survivor_line())
    }

    fn survivor_line(&self) -> String {
        match (self.instance.is_live(), self.instance.pid) {
            (true, Some(pid)) => format!("still running: pid {pid} does not die"),
            (true, None) => "its main process is still being made".to_string(),
            (false, _) => "still running: processes that it left do not die".to_string(),
        }
    }

    fn detail(&self, now: Now) -> String {
        let note = self.note.as_deref().unwrap_or_default();
        match self.state {
            State::Waiting { until } => {
                let pause = duration::show(Duration::from_millis(left(until, now)));
                let policy = &self.plan.policy;
                let count = match policy.limit {
                    0 => format!("{}, without a limit", self.history.streak()),
                    limit => format!("{} of {limit}", self.history.in_window(policy, now.boot_ms)),
                };
                let colon = if note.is_empty() { "" } else { ": " };
                format!("restarting in {pause} ({count}){colon}{note}")
            }
            State::Stopping { rung, until } => self.stopping_line(rung, left(until, now)),
            State::Leaving { until } => self.leaving_line(left(until, now)),
            State::Finishing { part, .. } => match part {
                Part::Sweep => "killing what it left".to_string(),
                Part::Hook | Part::KilledHook => "running the finish command".to_string(),
            },
            State::Stuck => self.survivor_line(),
            State::Failed { until: Some(until) } => {
                let pause = duration::show(Duration::from_millis(left(until, now)));
                format!("one more try in {pause}: {note}")
            }
            State::Down | State::Failed { until: None } => note.to_string(),
            State::Starting { .. } if self.instance.awaits_script => "running the runscript".into(),
            State::Starting { .. } | State::Up => self.watch_line(),
        }
    }

    /// What is known of one that runs.
    fn watch_line(&self) -> String {
        let Some(watch) = &self.watch else {
            return String::new();
        };
        let said = watch.status.as_deref().unwrap_or_default();
        match (
            watch.sick_line().or_else(|| watch.blind_line()),
            watch.reloading,
        ) {
            (Some(line), _) => line,
            (None, true) if said.is_empty() => "reloading".to_string(),
            (None, true) => format!("reloading: {said}"),
            (None, false) => said.to_string(),
        }
    }

    fn leaving_line(&self, left_ms: u64) -> String {
        let left = duration::show(Duration::from_millis(left_ms));
        match (self.instance.cause, self.reason.as_deref()) {
            (Cause::Watchdog | Cause::Unhealthy, Some(reason)) => reason.to_string(),
            _ => format!("it says that it ends; else it is stopped in {left}"),
        }
    }

    fn stopping_line(&self, rung: Option<u8>, left_ms: u64) -> String {
        let name = |rung: u8| {
            let step = self.plan.ladder.rungs().get(usize::from(rung));
            step.map_or("KILL".to_string(), |step| signal::name(step.signal))
        };
        match rung {
            None => "everything was killed".to_string(),
            Some(rung) => {
                let (sent, next) = (name(rung), name(rung.saturating_add(1)));
                let left = duration::show(Duration::from_millis(left_ms));
                format!("sent {sent}, {next} follows in {left}")
            }
        }
    }
}

fn left(until: u64, now: Now) -> u64 {
    until.saturating_sub(now.boot_ms)
}

/// Cuts a line where a character ends.
fn shortened(mut line: String) -> String {
    if line.len() > LONGEST_LINE {
        let end = (0..=LONGEST_LINE).rfind(|at| line.is_char_boundary(*at));
        line.truncate(end.unwrap_or(0));
    }
    line
}
