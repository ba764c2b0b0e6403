//! The last lines of an output, for people.

/// Most bytes that are shown.
pub const MOST: usize = 16 << 10;

/// Whole lines from the end of `bytes`, at most [`MOST`] bytes: text without control characters but
/// newlines and tabs, in which what is no UTF-8 is replaced. `begins`: nothing comes before.
pub fn lines(bytes: &[u8], begins: bool) -> String {
    let start = bytes.len().saturating_sub(MOST);
    let cut = start > 0 || !begins;
    let mut tail = &bytes[start..];
    if cut {
        // What is left of the first line says little.
        let first = tail.iter().position(|byte| *byte == b'\n');
        tail = first.map_or(tail, |first| &tail[first + 1..]);
    }
    let shown = |c: char| match c {
        '\n' | '\t' => c,
        c if c.is_control() => '\u{fffd}',
        c => c,
    };
    let text = String::from_utf8_lossy(tail);
    let mut text: String = text.chars().filter(|c| *c != '\r').map(shown).collect();
    while text.ends_with('\n') {
        text.pop();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_lines_for_people() {
        assert_eq!(lines(b"a\nb\n", true), "a\nb");
        assert_eq!(lines(b"alf\nb\n", false), "b");
        assert_eq!(lines(b"one line", false), "one line");
        assert_eq!(lines(b"a\x1b[0m\r\n\xff", true), "a\u{fffd}[0m\n\u{fffd}");
    }

    #[test]
    fn nothing_controls_a_terminal() {
        let all: Vec<u8> = (0..=255).collect();
        let text = lines(&all, true);
        assert!(text
            .chars()
            .all(|c| !c.is_control() || c == '\n' || c == '\t'));
    }

    #[test]
    fn no_more_than_people_read() {
        let text = lines(&b"0123456\n".repeat(4_000), true);
        assert!(
            text.len() < MOST && text.len() > MOST - 16,
            "{}",
            text.len()
        );
        assert!(text.starts_with("0123456\n"));
    }
}
