//! Cutting bytes into lines.

/// Where the first line of `bytes` ends: how much of them it is without its newline, and how much
/// with it. A line that is longer than `bound` is cut there, into lines without a newline of
/// their own. `None`: the line is not complete, and may still become so. Where no more bytes will
/// come it is complete as it is.
pub fn first(bytes: &[u8], bound: usize, is_end: bool) -> Option<(usize, usize)> {
    let window = &bytes[..bytes.len().min(bound + 1)];
    match window.iter().position(|byte| *byte == b'\n') {
        Some(end) => Some((end, end + 1)),
        None if bytes.len() > bound => Some((bound, bound)),
        None if is_end && !bytes.is_empty() => Some((bytes.len(), bytes.len())),
        None => None,
    }
}

/// How many lines there are, the last one also without a newline.
pub fn count(bytes: &[u8]) -> u64 {
    let newlines = bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
    newlines + u64::from(bytes.last().is_some_and(|last| *last != b'\n'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_end_at_newlines_bounds_and_the_end() {
        assert_eq!(first(b"ab\ncd", 8, false), Some((2, 3)));
        assert_eq!(first(b"\n", 8, false), Some((0, 1)));
        assert_eq!(first(b"ab", 8, false), None);
        assert_eq!(first(b"ab", 8, true), Some((2, 2)));
        assert_eq!(first(b"", 8, true), None);
        assert_eq!(first(b"abcd", 4, false), None);
        assert_eq!(first(b"abcd\n", 4, false), Some((4, 5)));
        assert_eq!(first(b"abcde", 4, false), Some((4, 4)));
        assert_eq!(
            (count(b""), count(b"a"), count(b"a\n"), count(b"a\nb")),
            (0, 1, 1, 2)
        );
    }

    proptest! {
        #[test]
        fn nothing_is_lost_however_it_arrives(
            bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..200),
            bound in 1usize..20,
            steps in proptest::collection::vec(1usize..30, 1..40),
        ) {
            let (mut arrived, mut at, mut out) = (0, 0, Vec::new());
            for step in steps.into_iter().chain([bytes.len()]) {
                arrived = (arrived + step).min(bytes.len());
                let is_end = arrived == bytes.len();
                while let Some((content, whole)) = first(&bytes[at..arrived], bound, is_end) {
                    prop_assert!(whole > 0 && content <= bound);
                    out.extend_from_slice(&bytes[at..at + whole]);
                    at += whole;
                }
            }
            prop_assert_eq!(out, bytes);
        }
    }
}
