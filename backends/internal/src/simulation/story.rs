//! What a simulation tells: a line for each moment.

use crate::core::{Core, Id, Now, Waiter};
use rc_sv_api::{duration, Error, State};
use std::time::Duration;

/// After so many lines only the last one is of interest.
pub(super) const MOST_LINES: usize = 60;

/// Who asked for the start, and who for the stop.
pub(super) const STARTER: Waiter = Waiter(1);
pub(super) const STOPPER: Waiter = Waiter(2);

/// What is told.
#[derive(Default)]
pub(super) struct Story {
    lines: Vec<String>,
    /// What has happened at the present moment.
    moment: Vec<String>,
    last: Option<(State, u32)>,
    left_out: u32,
}

impl Story {
    /// All lines.
    pub(super) fn told(self) -> Vec<String> {
        self.lines
    }

    /// Adds what happens at the present moment.
    pub(super) fn add(&mut self, what: String) {
        self.moment.push(what);
    }

    /// Notes what has changed.
    pub(super) fn look(&mut self, core: &Core, id: Id, now: Now) {
        let status = core.status(id, now);
        let restarts = status.restarts.unwrap_or_default();
        let before = self.last.replace((status.state, restarts));
        if before == self.last {
            return;
        }
        let exit = status.last_exit.map(|exit| exit.to_string());
        // How it ended is told where it waits; without a pause it does not.
        let has_waited = matches!(before, Some((State::Backoff | State::GaveUp, _)));
        self.moment.push(match status.state {
            State::Starting if restarts == 0 => "starting".to_string(),
            State::Starting if has_waited => format!("starting, restart {restarts}"),
            State::Starting => {
                format!("{}; starting, restart {restarts}", exit.unwrap_or_default())
            }
            State::Backoff => format!("{}; {}", exit.unwrap_or_default(), status.detail),
            State::GaveUp => status.detail,
            other if status.detail.is_empty() => other.name().to_string(),
            other => format!("{}: {}", other.name(), status.detail),
        });
    }

    /// Somebody is answered.
    pub(super) fn answered(&mut self, waiter: Waiter, result: Result<(), Error>) {
        let who = if waiter == STARTER { "start" } else { "stop" };
        self.moment.push(match result {
            Ok(()) => format!("the {who} is done"),
            Err(error) => format!("the {who} fails: {error}"),
        });
    }

    /// The present moment, which is over.
    pub(super) fn end_of_moment(&mut self, now_ms: u64) {
        if self.moment.is_empty() {
            return;
        }
        let seconds = Duration::from_millis(now_ms).as_secs_f64();
        let line = format!("{seconds:>9.3} s  {}", self.moment.join("; "));
        self.moment.clear();
        if self.lines.len() == MOST_LINES {
            // The last one is kept.
            self.lines.pop();
            self.left_out += 1;
        }
        self.lines.push(line);
    }

    /// Nothing is told any more.
    pub(super) fn end(&mut self, now_ms: u64) {
        self.end_of_moment(now_ms);
        if self.left_out > 0 {
            let last = self.lines.len() - 1;
            let line = format!("{:>11}  {} more such lines", "...", self.left_out);
            self.lines.insert(last, line);
        }
    }

    /// It goes on for longer than `horizon`.
    pub(super) fn goes_on(&mut self, horizon: Duration) {
        let (state, restarts) = self.last.unwrap_or_default();
        let (state, after) = (state.name(), duration::show(horizon));
        self.lines.push(format!(
            "and so on: {state} after {after}, with {restarts} restarts"
        ));
    }
}
