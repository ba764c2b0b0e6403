//! Sizes as an administrator writes them.

/// Parses `4096`, `16K`, `10M` or `2G` into bytes; K is 1024, as everywhere in OpenRC's world of
/// cgroups and ulimits.
///
/// # Errors
/// The words for what would be right.
pub fn parse(text: &str) -> Result<i64, String> {
    let wanted = || "a size such as 4096, 16K, 10M or 2G".to_string();
    let text = text.trim();
    let (number, shift) = match text.as_bytes().last() {
        Some(b'k' | b'K') => (&text[..text.len() - 1], 10),
        Some(b'm' | b'M') => (&text[..text.len() - 1], 20),
        Some(b'g' | b'G') => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wanted());
    }
    let number: i64 = number.parse().map_err(|_| wanted())?;
    number.checked_mul(1 << shift).ok_or_else(wanted)
}

/// A size for people: `512 B`, `3 KiB`, `10 MiB`, `2 GiB`, rounded down.
pub fn show(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match UNITS.into_iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{} {name}", bytes / unit),
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_numbers_and_units() {
        for (text, bytes) in [
            ("0", 0),
            ("4096", 4096),
            ("16K", 16_384),
            (" 10m ", 10 << 20),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
        assert_eq!(parse("2G"), Ok(2 << 30));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "K",
            "-1",
            "+1",
            "1.5M",
            "1T",
            "1 K x",
            "99999999999G",
            "1KB",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn shown_in_the_largest_unit_that_fits() {
        let shown = [0, 1023, 1024, 10 << 20, 3 << 30].map(show);
        assert_eq!(shown, ["0 B", "1023 B", "1 KiB", "10 MiB", "3 GiB"]);
    }
}
