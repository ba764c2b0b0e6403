//! Words as monit's control file takes them (src/l.l and Util_handleEscapes of monit 5.25 to 6.0).
//!
//! Quoting as people do it is unsafe: monit strips every quote and blank at both ends of a word,
//! and a quote inside ends it. What is not harmless is therefore written as `\0xHH`.

use rc_sv_api::{Error, Result};

/// The most words of a command, the program among them.
pub const WORDS_MAX: usize = 63;
/// The longest word, as written; monit's buffer is 16 KiB.
pub const WORD_MAX: usize = 16_000;

/// `word` in single quotes: for a path, an expression, or an argument inside a command.
///
/// # Errors
/// It holds a control character, which would forge lines of monit's log, or is too long. `what`
/// says what it is.
pub fn word(what: &str, word: &[u8]) -> Result<String> {
    if let Some(byte) = word.iter().find(|byte| **byte < 0x20 || **byte == 0x7f) {
        return Err(Error::invalid(format!(
            "{what} contains the control character 0x{byte:02X}, which monit cannot take"
        )));
    }
    let mut quoted = String::with_capacity(word.len() + 2);
    quoted.push('\'');
    for byte in word {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => quoted.push(char::from(*byte)),
            b'_' | b'.' | b'/' | b',' | b':' | b'=' | b'@' | b'+' | b'-' => {
                quoted.push(char::from(*byte));
            }
            _ => quoted.push_str(&format!("\\0x{byte:02X}")),
        }
    }
    quoted.push('\'');
    if quoted.len() > WORD_MAX {
        return Err(too_long(what));
    }
    Ok(quoted)
}

/// A whole command in double quotes.
///
/// # Errors
/// As [`word`]; it has more than [`WORDS_MAX`] words, or its program is no absolute path.
pub fn command(what: &str, words: &[Vec<u8>]) -> Result<String> {
    if words.len() > WORDS_MAX {
        return Err(Error::invalid(format!(
            "{what} has {} words; monit takes at most {WORDS_MAX}",
            words.len()
        )));
    }
    if words
        .first()
        .is_none_or(|program| program.first() != Some(&b'/'))
    {
        return Err(Error::invalid(format!(
            "{what} must begin with an absolute path"
        )));
    }
    let words: Vec<String> = words
        .iter()
        .map(|each| word(what, each))
        .collect::<Result<_>>()?;
    let quoted = format!("\"{}\"", words.join(" "));
    if quoted.len() > WORD_MAX {
        return Err(too_long(what));
    }
    Ok(quoted)
}

/// The name of a service or of a check, in double quotes.
///
/// # Errors
/// monit could not show or find it: names there are without regard to case, and may be part of
/// XML and of paths.
pub fn name(name: &str) -> Result<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.+-".contains(&byte);
    if name.is_empty() || name.len() > 200 || !name.bytes().all(plain) {
        return Err(Error::invalid(format!(
            "monit takes no service called {name:?}: letters, digits and _ . + - are possible, up to 200"
        )));
    }
    Ok(format!("\"{name}\""))
}

fn too_long(what: &str) -> Error {
    Error::invalid(format!("{what} is too long for monit, which takes 16 KiB"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_harmless_is_written_in_hexadecimal() {
        assert_eq!(word("it", b"/run/foo.pid").unwrap(), "'/run/foo.pid'");
        assert_eq!(word("it", b"").unwrap(), "''");
        assert_eq!(
            word("it", b"a 'b' \"c\" \\n #\xff").unwrap(),
            "'a\\0x20\\0x27b\\0x27\\0x20\\0x22c\\0x22\\0x20\\0x5Cn\\0x20\\0x23\\0xFF'"
        );
    }

    #[test]
    fn commands_have_limits_and_begin_with_a_path() {
        let words = |list: &[&str]| {
            list.iter()
                .map(|it| it.as_bytes().to_vec())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            command("it", &words(&["/bin/echo", "a b"])).unwrap(),
            "\"'/bin/echo' 'a\\0x20b'\""
        );
        let refused = |list: &[Vec<u8>]| command("it", list).unwrap_err().message;
        assert_eq!(
            refused(&words(&["echo"])),
            "it must begin with an absolute path"
        );
        assert_eq!(refused(&[]), "it must begin with an absolute path");
        assert!(refused(&vec![b"/x".to_vec(); 64]).contains("64 words"));
        assert!(refused(&[b"/x".to_vec(), vec![b'a'; 16_001]]).contains("too long"));
        assert!(refused(&[b"/x\n".to_vec()]).contains("0x0A"));
    }

    #[test]
    fn names_are_those_that_monit_can_find_again() {
        assert_eq!(name("net.eth0").unwrap(), "\"net.eth0\"");
        for bad in ["", "a b", "a/b", "a<b", "ä", "a\"b"] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
    }
}
