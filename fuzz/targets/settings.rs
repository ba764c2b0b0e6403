//! Values of settings as an administrator writes them: durations, sizes, signals, ladders, exits,
//! words. The first byte chooses the setting.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rc_sv_api::exit::{Exit, ExitSet};
use rc_sv_api::key::{self, Key, Kind};
use rc_sv_api::ladder::Ladder;
use rc_sv_api::{duration, signal, value, words, Value};
use rc_sv_fuzz::{bounded, one_line};
use std::sync::LazyLock;
use std::time::Duration;

static KEYS: LazyLock<Vec<&Key>> = LazyLock::new(|| key::all().collect());

fuzz_target!(|input: &[u8]| {
    let Some((first, bytes)) = input.split_first() else {
        return;
    };
    let key = KEYS[usize::from(*first) % KEYS.len()];
    // Each word is a vector of its own.
    let parsed = match bounded(64 * bytes.len() + 8192, || value::parse(key, bytes)) {
        Ok(parsed) => parsed,
        Err(wanted) => return one_line(&wanted),
    };
    match (key.kind, parsed) {
        (Kind::Command, Value::List(list)) => {
            let line = list.iter().map(|word| quoted(word)).collect::<Vec<_>>();
            assert_eq!(words::split(&line.join(&b' ')), Ok(list), "other words");
        }
        (Kind::Duration(unit), Value::Int(millis)) => {
            let wait = Duration::from_millis(millis.try_into().expect("not negative"));
            assert!(wait <= duration::MAX);
            assert_eq!(duration::parse(&format!("{millis}ms"), unit), Ok(wait));
        }
        (Kind::Count(most), Value::Int(number)) => assert!((0..=most.into()).contains(&number)),
        (Kind::Number(least, most), Value::Int(number)) => {
            assert!((least..=most).contains(&number))
        }
        (Kind::Factor, Value::Int(factor)) => assert!((1_000..=100_000).contains(&factor)),
        (Kind::Flag, Value::Int(flag)) => assert!((0..=1).contains(&flag)),
        (Kind::Umask, Value::Int(mask)) => assert!((0..=0o777).contains(&mask)),
        (Kind::Size, Value::Int(size)) => assert!(size >= 0),
        (Kind::Signal, Value::Int(number)) => {
            let number = i32::try_from(number).expect("a signal");
            assert_eq!(signal::parse(&signal::name(number)), Some(number));
        }
        (Kind::Ladder, Value::Text(text)) => ladder(&text),
        (Kind::Exits, Value::Text(text)) => exits(&text),
        (Kind::Choice(choices), Value::Text(text)) => {
            assert!(choices.iter().any(|choice| choice.as_bytes() == text));
        }
        (Kind::Path, Value::Text(text)) => assert!(text.starts_with(b"/")),
        (Kind::Text, Value::Text(text)) => assert_eq!(text, bytes),
        (Kind::List, Value::List(list)) => assert_eq!(list, [bytes]),
        (kind, value) => panic!("{kind:?} became {value:?}"),
    }
});

/// A word in quotes, as for a shell.
fn quoted(word: &[u8]) -> Vec<u8> {
    let mut quoted = b"'".to_vec();
    for byte in word {
        match byte {
            b'\'' => quoted.extend(br"'\''"),
            byte => quoted.push(*byte),
        }
    }
    quoted.push(b'\'');
    quoted
}

fn ladder(text: &[u8]) {
    let text = std::str::from_utf8(text).expect("it was a ladder");
    let ladder = Ladder::parse(text, signal::TERM).expect("it was a ladder");
    let rungs = ladder.rungs();
    assert!((1..=16).contains(&rungs.len()) && ladder.total() <= duration::MAX * 16);
    let words = rungs
        .iter()
        .map(|rung| format!("{}/{}ms", signal::name(rung.signal), rung.wait.as_millis()));
    let again = words.collect::<Vec<_>>().join("/");
    assert_eq!(Ladder::parse(&again, signal::TERM), Ok(ladder), "{again}");
}

fn exits(text: &[u8]) {
    let text = std::str::from_utf8(text).expect("it was a set");
    let set = ExitSet::parse(text).expect("it was a set");
    let codes = (0..=u8::MAX).filter(|code| set.contains(Exit::Code(*code)));
    let signals = (0..=u8::MAX).filter(|number| set.contains(Exit::Signal(*number)));
    let words = codes.map(|code| code.to_string());
    let words: Vec<String> = words
        .chain(signals.map(|it| signal::name(it.into())))
        .collect();
    let again = ExitSet::parse(&words.join(",")).expect("words of ours");
    for byte in 0..=u8::MAX {
        for exit in [Exit::Code(byte), Exit::Signal(byte), Exit::Dumped(byte)] {
            assert_eq!(
                set.contains(exit),
                again.contains(exit),
                "{exit:?} of {text:?}"
            );
        }
    }
}
