//! The time in front of a line.

/// How long it is, with the blank after it.
pub const LENGTH: usize = 28;

/// `real_ns` after 1970 as in RFC 3339, in UTC and to the microsecond, and a blank. Times before
/// 1970 and after 9999 are the first and last that can be told.
pub fn put(real_ns: i64, out: &mut Vec<u8>) {
    const LAST: i64 = 253_402_300_799;
    let micros = real_ns.max(0) / 1_000;
    let (seconds, micros) = match micros / 1_000_000 {
        seconds if seconds > LAST => (LAST, 999_999),
        seconds => (seconds, micros % 1_000_000),
    };
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    let text =
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z ");
    out.extend_from_slice(text.as_bytes());
}

/// Year, month and day of a number of days after 1970; from days to eras of 400 years, which
/// begin in March, so that the leap day is the last one of a year.
fn date(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stamp(real_ns: i64) -> String {
        let mut out = Vec::new();
        put(real_ns, &mut out);
        assert_eq!(out.len(), LENGTH);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn known_times() {
        assert_eq!(stamp(0), "1970-01-01T00:00:00.000000Z ");
        assert_eq!(
            stamp(951_782_400_000_001_999),
            "2000-02-29T00:00:00.000001Z "
        );
        assert_eq!(
            stamp(1_795_361_130_123_456_789),
            "2026-11-22T15:25:30.123456Z "
        );
        assert_eq!(stamp(i64::MIN), stamp(0));
        assert_eq!(stamp(i64::MAX), "2262-04-11T23:47:16.854775Z ");
    }

    proptest! {
        #[test]
        fn later_is_greater(a in 0..i64::MAX, b in 0..i64::MAX) {
            prop_assert_eq!((a / 1_000).cmp(&(b / 1_000)), stamp(a).cmp(&stamp(b)));
        }
    }
}
