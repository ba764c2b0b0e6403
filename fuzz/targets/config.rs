//! The files of the administrator: rc-sv.toml (first byte `g`), and the file of a service.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rc_sv_fuzz::{bounded, one_line};
use rc_sv_loader::config::fuzzed::settings;
use std::path::Path;

fuzz_target!(|input: &[u8]| {
    let Some((kind, bytes)) = input.split_first() else {
        return;
    };
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let path = Path::new("/etc/rc-sv.toml");
    let most = 1024 * bytes.len() + (1 << 20);
    match bounded(most, || settings(path, text, *kind == b'g')) {
        Ok(spec) => spec.iter().for_each(|(name, _)| {
            assert!(rc_sv_api::key::find(name).is_some(), "{name} is no setting");
        }),
        Err(error) => {
            one_line(&error.message);
            let rest = error.message.strip_prefix("/etc/rc-sv.toml:");
            let line = rest.and_then(|rest| rest.split_once(':'));
            let line: usize = line.expect("a line").0.parse().expect("its number");
            assert!((1..=text.matches('\n').count() + 1).contains(&line));
        }
    }
});
