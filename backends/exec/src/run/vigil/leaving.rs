//! How long a program has to become ready or to end, and its end.

use super::{after, Stage, Vigil};
use crate::instance::Instance;
use crate::stop::{Stop, KILL_WAIT, LONGEST_STOP};
use rc_sv_api::Error;

impl Vigil<'_> {
    /// It is to end by itself, within the time of the first rung.
    pub(super) fn leaves(&mut self, now_ms: u64) {
        let ladder = Stop::from_settings(self.spec).ladder;
        let wait = ladder.rungs().first().map_or(KILL_WAIT, |rung| rung.wait);
        let until = after(now_ms, wait);
        let longest = after(now_ms, ladder.total().saturating_mul(LONGEST_STOP));
        self.look_away(Stage::Leaving { until, longest });
    }

    /// It needs more time.
    pub(super) fn extend(&mut self, until: u64) {
        match &mut self.stage {
            Stage::Starting { until: limit } if until > *limit => {
                *limit = until;
                self.note(|record| record.ready_until_ms = Some(until));
            }
            Stage::Leaving {
                until: limit,
                longest,
            } => *limit = until.min(*longest).max(*limit),
            _ => {}
        }
    }

    /// Ends it, whatever it is doing.
    pub(super) fn end(&mut self) {
        self.look_away(Stage::Told);
        let ended = Instance::of(self.pid)
            .and_then(|instance| Stop::from_settings(self.spec).end(&instance));
        let pid = self.pid;
        let named = |cause| Error::io(format_args!("end process {pid}"), &cause);
        self.call.warn_of(ended.map_err(named));
    }

    pub(super) fn look_away(&mut self, stage: Stage) {
        self.stage = stage;
        self.looks.end();
        self.alive_until = None;
        self.over_at = None;
    }
}
