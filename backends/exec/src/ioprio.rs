//! I/O priorities.

/// Names of the classes by number (ionice(1)).
const CLASSES: [&[&str]; 4] = [
    &["none"],
    &["realtime", "real-time", "rt"],
    &["best-effort", "besteffort", "be"],
    &["idle"],
];

/// Parses `CLASS` or `CLASS:LEVEL` into the number that ioprio_set(2) takes. As with OpenRC's
/// `--ionice`, the class is 0 to 3 and a missing level is 0, the highest; names of classes are
/// understood too. The classes none and idle have no levels.
///
/// # Errors
/// The words for what would be right.
pub(crate) fn parse(text: &str) -> Result<i32, String> {
    let text = text.trim();
    let (class, level) = text.split_once(':').unwrap_or((text, "0"));
    let by_name = CLASSES.iter().position(|names| names.contains(&class));
    let by_number = class.parse().ok().filter(|number| *number < CLASSES.len());
    let level = level.parse::<usize>().ok().filter(|level| *level <= 7);
    match (by_number.or(by_name), level) {
        (Some(0), Some(_)) => Ok(0),
        // OpenRC's start-stop-daemon and supervise-daemon give idle the level 7.
        (Some(3), Some(_)) => Ok(3 << 13 | 7),
        (Some(class), Some(level)) => Ok((class << 13 | level) as i32),
        _ => Err("a class (0 none, 1 realtime, 2 best-effort, 3 idle), \
                  or class:level with a level from 0 to 7"
            .into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_and_levels() {
        let cases = [
            ("0", 0),
            ("none:5", 0),
            ("1", 1 << 13),
            ("rt:3", 1 << 13 | 3),
            ("2:7", 2 << 13 | 7),
            ("best-effort:0", 2 << 13),
            ("idle", 3 << 13 | 7),
        ];
        for (text, number) in cases {
            assert_eq!(parse(text), Ok(number), "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "4", "2:8", "2:", ":3", "2:-1", "fast", "2:3:4"] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_parsed_or_refused(text in "[a-z0-9_,:!^%x ]{0,20}|.{0,20}") {
            if let Err(wanted) = parse(&text) {
                proptest::prop_assert!(!wanted.is_empty());
            }
        }
    }
}
