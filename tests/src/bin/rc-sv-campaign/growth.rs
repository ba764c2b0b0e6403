//! Whether guardian and supervisor grow, from the first look to the last. Many processes are both in
//! turn: what one hands on to the next must not grow either.

use std::fmt;

use crate::process::Holdings;
use crate::Result;

/// Who is looked at.
pub const WHO: [&str; 2] = ["guardian", "supervisor"];

/// By how much each may grow, in kB: what an allocator keeps for the next storm.
const MEMORY: u64 = 512;

/// By how many descriptors for each service, at any look: one that was down at the first may be up.
const DESCRIPTORS: usize = 4;

/// From so many looks on, as many services are up in the middle of the first ones as in that of the
/// last ones, or nearly so.
const MANY: usize = 12;

/// What was held at each look.
#[derive(Default)]
pub struct Growth([Vec<Holdings>; 2]);

impl Growth {
    /// Notes a look, unless more is held than may be.
    pub fn look(&mut self, which: usize, held: Holdings, services: usize) -> Result<()> {
        let looks = &mut self.0[which];
        let first = *looks.first().unwrap_or(&held);
        compare(which, first, held, DESCRIPTORS * services)?;
        looks.push(held);
        Ok(())
    }

    /// Compares the last looks with the first ones, where there are enough of both: what grows by
    /// little each time.
    pub fn over_all(&self, services: usize) -> Result<()> {
        for (which, looks) in self.0.iter().enumerate() {
            let third = looks.len() / 3;
            if looks.len() >= MANY {
                let (first, last) = (&looks[..third], &looks[looks.len() - third..]);
                compare(which, middle(first), middle(last), services / 2)?;
            }
        }
        Ok(())
    }
}

fn compare(which: usize, then: Holdings, now: Holdings, more: usize) -> Result<()> {
    let who = WHO[which];
    if now.descriptors > then.descriptors + more {
        let (now, then) = (now.descriptors, then.descriptors);
        return Err(format!("{who}: {now} descriptors, {then} at first"));
    }
    if now.private > then.private + MEMORY {
        let (now, then) = (now.private, then.private);
        return Err(format!("{who}: {now} kB, {then} kB at first"));
    }
    Ok(())
}

/// The medians.
fn middle(looks: &[Holdings]) -> Holdings {
    let mut descriptors: Vec<usize> = looks.iter().map(|held| held.descriptors).collect();
    let mut private: Vec<u64> = looks.iter().map(|held| held.private).collect();
    descriptors.sort_unstable();
    private.sort_unstable();
    Holdings {
        descriptors: descriptors[descriptors.len() / 2],
        private: private[private.len() / 2],
    }
}

impl fmt::Display for Growth {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (who, looks) in WHO.iter().zip(&self.0) {
            if let (Some(first), Some(last)) = (looks.first(), looks.last()) {
                let most = looks.iter().map(|held| held.descriptors).max();
                writeln!(
                    out,
                    "          {who}: {} to {} descriptors, {} at most, {} to {} kB private",
                    first.descriptors,
                    last.descriptors,
                    most.unwrap_or_default(),
                    first.private,
                    last.private
                )?;
            }
        }
        Ok(())
    }
}
