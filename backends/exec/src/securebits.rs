//! Securebits: how the kernel treats user 0.

/// Names and bits (linux/securebits.h, as setpriv(1) and capsh(1) print them).
const NAMES: [(&str, u32); 8] = [
    ("noroot", 1 << 0),
    ("noroot_locked", 1 << 1),
    ("no_setuid_fixup", 1 << 2),
    ("no_setuid_fixup_locked", 1 << 3),
    ("keep_caps", 1 << 4),
    ("keep_caps_locked", 1 << 5),
    ("no_cap_ambient_raise", 1 << 6),
    ("no_cap_ambient_raise_locked", 1 << 7),
];

/// Parses a number as strtoul(3) takes it (decimal, `0x…` or octal with a leading 0), which is
/// OpenRC's format, or names joined by commas.
///
/// # Errors
/// The words for what would be right.
pub(crate) fn parse(text: &str) -> Result<u32, String> {
    let text = text.trim();
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        return number(text).ok_or_else(|| wanted(text));
    }
    text.split(',').try_fold(0, |bits, word| {
        let name = word.trim().replace('-', "_");
        let known = NAMES.iter().find(|(known, _)| *known == name);
        known.map(|(_, bit)| bits | bit).ok_or_else(|| wanted(word))
    })
}

fn number(text: &str) -> Option<u32> {
    let parsed = match text.strip_prefix('0') {
        None => text.parse(),
        Some("") => Ok(0),
        Some(rest) => match rest.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16),
            None => u32::from_str_radix(rest, 8),
        },
    };
    parsed.ok().filter(|bits| *bits < 1 << NAMES.len())
}

fn wanted(word: &str) -> String {
    let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
    format!(
        "a number from 0 to 255 or some of {}; {word:?} is none",
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names() {
        for text in [
            "47",
            "0x2f",
            "057",
            "noroot,noroot_locked,no-setuid-fixup,no_setuid_fixup_locked,keep_caps_locked",
        ] {
            assert_eq!(parse(text), Ok(0x2f), "{text}");
        }
        assert_eq!(parse("0"), Ok(0));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "nope", "256", "0x", "08", "1,2", "noroot,", "-1"] {
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
