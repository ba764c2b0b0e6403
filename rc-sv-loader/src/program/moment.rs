//! Points in time, for people and for programs.

use nix::time::{clock_gettime, ClockId};
use rc_sv_api::Status;
use std::time::Duration;

/// This moment by two clocks, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// CLOCK_REALTIME.
    pub real: i64,
    /// CLOCK_BOOTTIME.
    pub boot: u64,
}

impl Now {
    /// Reads the clocks.
    pub fn read() -> Now {
        let read = |clock| clock_gettime(clock).map_or(Duration::ZERO, Duration::from);
        let real = read(ClockId::CLOCK_REALTIME).as_nanos();
        let boot = read(ClockId::CLOCK_BOOTTIME).as_nanos();
        Now {
            real: i64::try_from(real).unwrap_or(i64::MAX),
            boot: boot as u64,
        }
    }

    /// How long `status` has had its state: by the clock that nobody sets, where it is known.
    pub fn lasted(&self, status: &Status) -> Option<Duration> {
        let nanos = match (status.since_boot_ns, status.since_real_ns) {
            (Some(since), _) => self.boot.saturating_sub(since),
            (None, Some(since)) => u64::try_from(self.real.saturating_sub(since)).unwrap_or(0),
            (None, None) => return None,
        };
        Some(Duration::from_nanos(nanos))
    }

    /// Since when `status` has had its state, by CLOCK_REALTIME.
    pub fn since(&self, status: &Status) -> Option<i64> {
        let by_boot = || Some(self.real - i64::try_from(self.lasted(status)?.as_nanos()).ok()?);
        status.since_real_ns.or_else(by_boot)
    }
}

/// `2026-11-22T11:20:45.123Z` for nanoseconds since the epoch.
pub fn rfc3339(nanos: i64) -> String {
    let millis = nanos.div_euclid(1_000_000);
    let (days, rest) = (millis.div_euclid(86_400_000), millis.rem_euclid(86_400_000));
    let (year, month, day) = date(days);
    let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60);
    let (second, milli) = (rest / 1000 % 60, rest % 1000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

/// The Gregorian date of a number of days since 1970-01-01 (Howard Hinnant's civil_from_days).
fn date(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(
            rfc3339(1_795_346_445_123_456_789),
            "2026-11-22T11:20:45.123Z"
        );
        assert_eq!(rfc3339(951_782_400_000_000_000), "2000-02-29T00:00:00.000Z");
        assert_eq!(rfc3339(-1_000_000), "1969-12-31T23:59:59.999Z");
        assert_eq!(
            rfc3339(4_107_542_399_000_000_000),
            "2100-02-28T23:59:59.000Z"
        );
    }

    #[test]
    fn the_clock_that_nobody_sets_goes_first() {
        let now = Now {
            real: 5_000_000_000,
            boot: 3_000_000_000,
        };
        let boot = Status {
            since_boot_ns: Some(1_000_000_000),
            ..Status::default()
        };
        assert_eq!(now.lasted(&boot), Some(Duration::from_secs(2)));
        assert_eq!(now.since(&boot), Some(3_000_000_000));
        let real = Status {
            since_real_ns: Some(9_000_000_000),
            ..Status::default()
        };
        assert_eq!(
            now.lasted(&real),
            Some(Duration::ZERO),
            "the clock was set back"
        );
        assert_eq!(now.since(&real), Some(9_000_000_000));
        assert_eq!(now.lasted(&Status::default()), None);
    }
}
