//! `facility.level` of syslog(3), as logger(1) has it.

const FACILITIES: [(&str, u8); 20] = [
    ("kern", 0),
    ("user", 1),
    ("mail", 2),
    ("daemon", 3),
    ("auth", 4),
    ("syslog", 5),
    ("lpr", 6),
    ("news", 7),
    ("uucp", 8),
    ("cron", 9),
    ("authpriv", 10),
    ("ftp", 11),
    ("local0", 16),
    ("local1", 17),
    ("local2", 18),
    ("local3", 19),
    ("local4", 20),
    ("local5", 21),
    ("local6", 22),
    ("local7", 23),
];

const LEVELS: [&str; 8] = [
    "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug",
];

/// The number in front of a message: eight times the facility, and the level.
///
/// # Errors
/// The words for what would be right.
pub(super) fn parse(text: &str) -> Result<u8, String> {
    let wanted = || "facility.level, such as daemon.info or local0.notice".to_string();
    let (facility, level) = text.split_once('.').ok_or_else(wanted)?;
    let (_, number) = FACILITIES
        .into_iter()
        .find(|(name, _)| *name == facility)
        .ok_or_else(wanted)?;
    let level = LEVELS.iter().position(|name| *name == level);
    Ok(number * 8 + level.ok_or_else(wanted)? as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_syslog() {
        for (text, number) in [
            ("kern.emerg", 0),
            ("daemon.info", libc::LOG_DAEMON | libc::LOG_INFO),
            ("local7.debug", libc::LOG_LOCAL7 | libc::LOG_DEBUG),
            ("authpriv.err", libc::LOG_AUTHPRIV | libc::LOG_ERR),
        ] {
            assert_eq!(parse(text).map(i32::from), Ok(number), "{text}");
        }
        for text in [
            "",
            "daemon",
            "daemon.",
            ".info",
            "Daemon.info",
            "local8.info",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
