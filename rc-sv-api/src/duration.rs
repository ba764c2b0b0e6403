//! Durations as an administrator writes them.

use std::time::Duration;

/// What a number without a unit means for a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds, as nearly everywhere in OpenRC.
    Seconds,
    /// Milliseconds, as in the `timeout_*` variables of OpenRC's s6 support.
    Millis,
}

/// Longest accepted duration: a year. Longer ones are typing errors, and sums cannot overflow.
pub const MAX: Duration = Duration::from_secs(366 * 24 * 3600);

/// Parses `10`, `1.5`, `500ms`, `10s`, `5m`, `2h` or `1d`; the suffixes of OpenRC 0.63
/// (src/shared/misc.c) and days.
///
/// # Errors
/// The words for what would be right.
pub fn parse(text: &str, unit: Unit) -> Result<Duration, String> {
    let text = text.trim();
    let digits = text.len()
        - text
            .trim_start_matches(|c: char| c.is_ascii_digit() || c == '.')
            .len();
    let (number, suffix) = text.split_at(digits);
    let millis_each: f64 = match (suffix, unit) {
        ("", Unit::Seconds) | ("s", _) => 1e3,
        ("", Unit::Millis) | ("ms", _) => 1.0,
        ("m", _) => 60e3,
        ("h", _) => 3_600e3,
        ("d", _) => 86_400e3,
        _ => return Err(wanted(unit)),
    };
    let number: f64 = number.parse().map_err(|_| wanted(unit))?;
    let millis = number * millis_each;
    if !(0.0..=MAX.as_millis() as f64).contains(&millis) {
        return Err("a duration of at most 366 days".to_string());
    }
    Ok(Duration::from_millis(millis.round() as u64))
}

/// A duration for people: `0 ms`, `480 ms`, `1.5 s`, `40 s`, `2 min 30 s`, `20 min`, `2 h`, `5 d`.
pub fn show(duration: Duration) -> String {
    let millis = duration.as_millis();
    let (value, unit) = match millis {
        0..=999 => (millis, "ms"),
        1_000..=9_900 if millis.div_ceil(100) % 10 != 0 => {
            let tenths = millis.div_ceil(100);
            return format!("{}.{} s", tenths / 10, tenths % 10);
        }
        1_000..=119_999 => (millis.div_ceil(1_000), "s"),
        120_000..=599_999 if millis / 1_000 % 60 > 0 => {
            let seconds = millis / 1_000;
            return format!("{} min {} s", seconds / 60, seconds % 60);
        }
        120_000..=7_199_999 => (millis / 60_000, "min"),
        7_200_000..=172_799_999 => (millis / 3_600_000, "h"),
        _ => (millis / 86_400_000, "d"),
    };
    format!("{value} {unit}")
}

fn wanted(unit: Unit) -> String {
    let plain = match unit {
        Unit::Seconds => "seconds",
        Unit::Millis => "milliseconds",
    };
    format!("a duration such as 500ms, 10s, 5m or 1h (a plain number means {plain})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_numbers_and_units() {
        let cases = [
            ("0", 0),
            ("10", 10_000),
            ("1.5", 1_500),
            ("500ms", 500),
            ("2m", 120_000),
        ];
        for (text, millis) in cases {
            assert_eq!(
                parse(text, Unit::Seconds),
                Ok(Duration::from_millis(millis)),
                "{text}"
            );
        }
        assert_eq!(parse("250", Unit::Millis), Ok(Duration::from_millis(250)));
        assert_eq!(parse("1d", Unit::Millis), Ok(Duration::from_secs(86_400)));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "s",
            "-1",
            "1x",
            "1..2",
            "1 s x",
            "999999999999",
            "nan",
            "inf",
        ] {
            assert!(parse(text, Unit::Seconds).is_err(), "{text:?}");
        }
    }

    #[test]
    fn shown_in_the_largest_sensible_unit() {
        let cases = [
            (480, "480 ms"),
            (1_000, "1 s"),
            (1_500, "1.5 s"),
            (1_999, "2 s"),
            (3_010, "3.1 s"),
            (9_901, "10 s"),
            (39_100, "40 s"),
            (150_000, "2 min 30 s"),
            (180_999, "3 min"),
            (600_000, "10 min"),
            (750_000, "12 min"),
        ];
        for (millis, shown) in cases {
            assert_eq!(show(Duration::from_millis(millis)), shown);
        }
    }
}
