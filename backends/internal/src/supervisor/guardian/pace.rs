//! When the next supervisor is begun, after one has died.

use nix::sys::signal::Signal;
use rc_sv_api::exit::Exit;

/// A supervisor that lived for so long did not die of beginning; one that somebody has killed did
/// not either.
const HEALTHY_MS: u64 = 10_000;

/// The pause after the second death in a row, and the longest.
const FIRST_PAUSE_MS: u64 = 100;
const LONGEST_PAUSE_MS: u64 = 5_000;

/// The first one is begun at once.
#[derive(Default)]
pub(super) struct Pace {
    /// How many supervisors died soon, one after the other.
    failures: u32,
    /// When the next one is begun.
    due_ms: u64,
}

impl Pace {
    /// How long until the next one is begun.
    pub(super) fn left_ms(&self, now_ms: u64) -> u64 {
        self.due_ms.saturating_sub(now_ms)
    }

    /// Nothing is to be waited for.
    pub(super) fn hurry(&mut self) {
        self.due_ms = 0;
    }

    /// One has died, so and after so long. The pause until the next is begun.
    pub(super) fn died(&mut self, exit: Exit, lived_ms: u64, now_ms: u64) -> u64 {
        let was_killed = exit == Exit::Signal(Signal::SIGKILL as u8) && lived_ms >= FIRST_PAUSE_MS;
        if lived_ms >= HEALTHY_MS || was_killed {
            self.failures = 0;
        }
        self.failed(now_ms)
    }

    /// None could be made, or it died soon. The pause until the next is begun, which is longer where
    /// one after the other has.
    pub(super) fn failed(&mut self, now_ms: u64) -> u64 {
        let pause = match self.failures {
            0 | 1 => 0,
            more => (FIRST_PAUSE_MS << (more - 2).min(10)).min(LONGEST_PAUSE_MS),
        };
        self.failures = self.failures.saturating_add(1);
        self.due_ms = now_ms + pause;
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEGV: Exit = Exit::Signal(Signal::SIGSEGV as u8);
    const KILL: Exit = Exit::Signal(Signal::SIGKILL as u8);

    #[test]
    fn pauses_grow_while_each_dies_soon() {
        let mut pace = Pace::default();
        let pauses = [0; 10].map(|_| pace.died(SEGV, 1, 1_000));
        assert_eq!(
            pauses,
            [0, 0, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]
        );
        assert_eq!(pace.left_ms(2_000), 4_000);
        pace.hurry();
        assert_eq!(pace.left_ms(2_000), 0);
        assert_eq!(pace.died(SEGV, HEALTHY_MS, 1_000), 0);
    }

    #[test]
    fn who_is_killed_did_not_die_of_beginning() {
        let mut pace = Pace::default();
        for _ in 0..9 {
            assert_eq!(pace.died(KILL, FIRST_PAUSE_MS, 1_000), 0);
        }
        // Unless that is done to each at once.
        let pauses = [0; 3].map(|_| pace.died(KILL, FIRST_PAUSE_MS - 1, 1_000));
        assert_eq!(pauses, [0, 100, 200]);
    }
}
