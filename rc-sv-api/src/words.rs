//! Splitting a command line into words, without a shell: quotes and backslashes, no expansion.

/// Splits `line` as a POSIX shell would split it if nothing were ever expanded: blanks separate,
/// `'…'`, `"…"` and `\x` quote. `$`, globs and `~` stay as they are.
///
/// # Errors
/// The words for what is wrong: an open quote or a trailing backslash.
pub fn split(line: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut bytes = line.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b' ' | b'\t' | b'\n' => words.extend(word.take()),
            b'\'' => single_quoted(&mut bytes, word.get_or_insert_default())?,
            b'"' => double_quoted(&mut bytes, word.get_or_insert_default())?,
            b'\\' => match bytes.next() {
                Some(b'\n') => {}
                Some(next) => word.get_or_insert_default().push(next),
                None => return Err("a command line that does not end in a backslash".into()),
            },
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Ok(words)
}

fn single_quoted(bytes: &mut impl Iterator<Item = u8>, word: &mut Vec<u8>) -> Result<(), String> {
    loop {
        match bytes.next() {
            Some(b'\'') => return Ok(()),
            Some(byte) => word.push(byte),
            None => return Err("a command line in which each ' is closed".into()),
        }
    }
}

fn double_quoted(bytes: &mut impl Iterator<Item = u8>, word: &mut Vec<u8>) -> Result<(), String> {
    let open = || "a command line in which each \" is closed".to_string();
    loop {
        match bytes.next().ok_or_else(open)? {
            b'"' => return Ok(()),
            b'\\' => match bytes.next().ok_or_else(open)? {
                b'\n' => {}
                byte @ (b'"' | b'\\' | b'$' | b'`') => word.push(byte),
                byte => word.extend([b'\\', byte]),
            },
            byte => word.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_as_a_shell_sees_them() {
        let line = br#"one "two three" 'four  five' \$x a\ b *.c "" "q\"q" 'a'"b"c "\n""#;
        let expected: [&[u8]; 10] = [
            b"one",
            b"two three",
            b"four  five",
            b"$x",
            b"a b",
            b"*.c",
            b"",
            b"q\"q",
            b"abc",
            b"\\n",
        ];
        assert_eq!(split(line).unwrap(), expected);
        assert_eq!(split(b" \t\n").unwrap(), Vec::<Vec<u8>>::new());
        assert_eq!(
            split(b"\xff 'a\nb'").unwrap(),
            [b"\xff".to_vec(), b"a\nb".to_vec()]
        );
    }

    #[test]
    fn what_is_open_is_refused() {
        for line in ["'a", "\"a", "a\\", "\"a\\"] {
            assert!(split(line.as_bytes()).is_err(), "{line:?}");
        }
    }
}
