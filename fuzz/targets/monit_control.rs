//! Control files of monit: those that an administrator gives (first byte `g`), and words as they are
//! quoted for it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rc_sv_fuzz::{bounded, one_line};
use rc_sv_monit::control_file::{given, quote};

const PATH: &str = "/etc/conf.d/monit-files/foo";

fuzz_target!(|input: &[u8]| {
    let Some((kind, bytes)) = input.split_first() else {
        return;
    };
    match kind {
        b'g' => take(bytes),
        _ => write(bytes),
    }
});

fn take(text: &[u8]) {
    match bounded(64 * text.len() + 4096, || given::accept(PATH, "foo", text)) {
        Ok(accepted) => {
            assert_eq!(accepted.names, ["foo"]);
            let whole = String::from_utf8_lossy(text);
            let added = accepted
                .text
                .strip_prefix(&*whole)
                .expect("it is as it was given");
            assert!(added.ends_with(&format!("group {}\n", accepted.marker)));
        }
        Err(error) => {
            one_line(&error.message);
            let rest = error
                .message
                .strip_prefix(PATH)
                .and_then(|it| it.strip_prefix(": line "));
            let line = rest
                .and_then(|rest| rest.split_once(':'))
                .expect("a line")
                .0;
            let line: usize = line.parse().expect("its number");
            let lines = text.iter().filter(|byte| **byte == b'\n').count() + 1;
            assert!((1..=lines).contains(&line), "line {line} of {lines}");
        }
    }
}

fn write(word: &[u8]) {
    match bounded(16 * word.len() + 4096, || quote::word("it", word)) {
        Ok(quoted) => {
            assert!(quoted.len() <= quote::WORD_MAX);
            let inner = quoted
                .strip_prefix('\'')
                .and_then(|it| it.strip_suffix('\''));
            assert_eq!(read(inner.expect("quotes")), word, "it does not come back");
        }
        Err(error) => one_line(&error.message),
    }
    let words: Vec<Vec<u8>> = word.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect();
    match quote::command("it", &words) {
        Ok(quoted) => {
            assert!(words.len() <= quote::WORDS_MAX && quoted.len() <= quote::WORD_MAX);
            assert_eq!(quoted.matches('"').count(), 2, "{quoted}");
            assert_eq!(quoted.matches('\'').count(), 2 * words.len(), "{quoted}");
        }
        Err(error) => one_line(&error.message),
    }
}

/// As monit reads what is between quotes: `\0xHH` is a byte.
fn read(quoted: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = quoted;
    while let Some(first) = rest.chars().next() {
        rest = match rest.strip_prefix("\\0x") {
            Some(after) => {
                bytes.push(u8::from_str_radix(&after[..2], 16).expect("two digits"));
                &after[2..]
            }
            None => {
                assert!(!"'\"\\ #".contains(first), "{first:?} is not harmless");
                bytes.push(u8::try_from(first).expect("a harmless byte"));
                &rest[1..]
            }
        };
    }
    bytes
}
