//! Exchanging a file for a new one: `log` becomes `log.1`, that becomes `log.2`, and so on.

use super::Kept;
use std::time::Duration;

/// Whether a file of this size and age is exchanged before more is written to it.
pub fn is_due(kept: &Kept, size: u64, age: Duration) -> bool {
    let is_full = kept.max_size > 0 && size >= kept.max_size;
    let is_old = !kept.max_age.is_zero() && age >= kept.max_age;
    size > 0 && (is_full || is_old)
}

/// What is renamed, in this order, so that the number 1 is free or, with `keep` 0, the file itself
/// goes: pairs of numbers, in which 0 is the file. Up to the first number that is free all move up
/// by one, and the last one is overwritten where none is. Whoever is killed in between has lost
/// nothing, and is done with the rest the next time.
pub fn renames(keep: u32, is_taken: impl Fn(u32) -> bool) -> Vec<(u32, u32)> {
    let free = (1..=keep).find(|number| !is_taken(*number)).unwrap_or(keep);
    (0..free).rev().map(|number| (number, number + 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn full_old_and_empty_files() {
        let kept = Kept {
            max_size: 10,
            max_age: Duration::from_secs(5),
            ..Kept::default()
        };
        let young = Duration::ZERO;
        assert!(!is_due(&kept, 9, young));
        assert!(is_due(&kept, 10, young));
        assert!(is_due(&kept, 1, kept.max_age));
        assert!(!is_due(&kept, 0, kept.max_age));
        assert!(!is_due(&Kept::default(), u64::MAX, Duration::MAX));
    }

    #[test]
    fn gaps_are_filled_and_the_oldest_goes() {
        assert_eq!(renames(3, |_| false), [(0, 1)]);
        assert_eq!(renames(3, |number| number == 1), [(1, 2), (0, 1)]);
        assert_eq!(renames(2, |_| true), [(1, 2), (0, 1)]);
        assert_eq!(renames(0, |_| true), []);
    }

    proptest! {
        #[test]
        fn whoever_is_killed_loses_only_what_is_too_old(
            keep in 1u32..6,
            cuts in proptest::collection::vec(0usize..8, 1..30),
        ) {
            let mut files = BTreeMap::new();
            let mut newest = 0u32;
            for cut in cuts {
                newest += u32::from(!files.contains_key(&0));
                files.entry(0).or_insert(newest);
                let plan = renames(keep, |number| files.contains_key(&number));
                for (from, to) in plan.into_iter().take(cut) {
                    let moved = files.remove(&from).unwrap();
                    files.insert(to, moved);
                }
                let ages: Vec<u32> = files.values().copied().collect();
                prop_assert!(ages.windows(2).all(|pair| pair[0] > pair[1]), "{:?}", ages);
                prop_assert_eq!(ages.len() as u32, ages[0] - ages.last().unwrap() + 1);
                prop_assert!(ages[0] == newest && ages.len() as u32 >= newest.min(keep));
            }
        }
    }
}
