//! TAI64N labels, as the suites write them: seconds since 1970 TAI plus 2^62, and nanoseconds.

use std::time::{SystemTime, UNIX_EPOCH};

/// A label of a suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tai64n {
    label: u64,
    nanoseconds: u32,
}

impl Tai64n {
    /// The label at the beginning of `bytes`; `None` when they are too few.
    pub fn decode(bytes: &[u8]) -> Option<Tai64n> {
        let (label, rest) = bytes.split_first_chunk()?;
        let (nanoseconds, _) = rest.split_first_chunk()?;
        Some(Tai64n {
            label: u64::from_be_bytes(*label),
            nanoseconds: u32::from_be_bytes(*nanoseconds),
        })
    }

    /// CLOCK_REALTIME in nanoseconds, for a suite whose labels are `offset` seconds ahead. `None`
    /// for what is no time of this clock: before 1970, or later than `now`.
    pub fn real_ns(self, offset: u64, now: SystemTime) -> Option<i64> {
        let seconds = self.label.checked_sub((1 << 62) + offset)?;
        let seconds = i64::try_from(seconds).ok()?;
        let ns = seconds.checked_mul(1_000_000_000)?;
        let ns = ns.checked_add(self.nanoseconds.into())?;
        let now = now.duration_since(UNIX_EPOCH).ok()?.as_nanos();
        (i128::from(ns) <= now as i128).then_some(ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn label(seconds: u64, nanoseconds: u32) -> Tai64n {
        let bytes = [
            &(seconds + (1 << 62)).to_be_bytes()[..],
            &nanoseconds.to_be_bytes(),
        ]
        .concat();
        Tai64n::decode(&bytes).unwrap()
    }

    #[test]
    fn the_offset_is_that_of_the_suite() {
        let now = UNIX_EPOCH + Duration::from_secs(2_000);
        assert_eq!(label(1_010, 5).real_ns(10, now), Some(1_000_000_000_005));
        assert_eq!(label(1_037, 0).real_ns(37, now), Some(1_000_000_000_000));
    }

    #[test]
    fn what_cannot_be_is_not_told() {
        let now = UNIX_EPOCH + Duration::from_secs(2_000);
        assert_eq!(label(2_011, 0).real_ns(10, now), None, "in the future");
        assert_eq!(label(9, 0).real_ns(10, now), None, "before 1970");
        let last = Tai64n {
            label: u64::MAX,
            nanoseconds: u32::MAX,
        };
        assert_eq!(last.real_ns(10, now), None);
        assert_eq!(Tai64n::decode(&[0; 11]), None);
    }
}
