//! How many lines are written in a second.

/// The limit, and what was left out because of it.
#[derive(Clone, Debug, Default)]
pub struct Rate {
    limit: u32,
    /// When the second began, in milliseconds from anywhere.
    since_ms: u64,
    count: u32,
    left_out: u64,
}

impl Rate {
    /// `limit` lines in each second; 0 is without a limit.
    pub fn new(limit: u32) -> Rate {
        Rate {
            limit,
            ..Rate::default()
        }
    }

    /// Whether one more line is written at `now_ms`.
    pub fn allows(&mut self, now_ms: u64) -> bool {
        if now_ms.saturating_sub(self.since_ms) >= 1_000 {
            self.since_ms = now_ms;
            self.count = 0;
        }
        if self.limit > 0 && self.count >= self.limit {
            self.left_out += 1;
            return false;
        }
        self.count += 1;
        true
    }

    /// What is to be said of lines that were left out, when their second is over.
    pub fn words(&mut self, now_ms: u64) -> Option<String> {
        if self.due().is_none_or(|due| now_ms < due) {
            return None;
        }
        let (count, limit) = (std::mem::take(&mut self.left_out), self.limit);
        Some(format!(
            "{count} lines left out: more than {limit} in a second"
        ))
    }

    /// When there is something to be said, if no more lines come.
    pub fn due(&self) -> Option<u64> {
        (self.left_out > 0).then(|| self.since_ms + 1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_line_is_written_or_counted(
            limit in 0u32..5,
            steps in proptest::collection::vec(0u64..700, 0..100),
        ) {
            let mut rate = Rate::new(limit);
            let (mut now, mut written, mut told) = (1_000, 0u64, 0u64);
            let number = |rate: &mut Rate, now| {
                let words = rate.words(now)?;
                words.split(' ').next().unwrap().parse::<u64>().ok()
            };
            for step in &steps {
                now += step;
                told += number(&mut rate, now).unwrap_or(0);
                written += u64::from(rate.allows(now));
            }
            told += number(&mut rate, now + 1_000).unwrap_or(0);
            prop_assert_eq!(written + told, steps.len() as u64);
            prop_assert!(limit > 0 || told == 0);
            prop_assert_eq!(rate.due(), None);
        }

        #[test]
        fn a_second_has_no_more_than_its_limit(limit in 1u32..5, lines in 0u32..20) {
            let mut rate = Rate::new(limit);
            let allowed = (0..lines).filter(|_| rate.allows(5_000)).count() as u32;
            prop_assert_eq!(allowed, lines.min(limit));
        }
    }
}
