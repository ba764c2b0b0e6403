//! What a killed supervisor leaves to the next one: an alert whose command has not ended (first byte
//! `a`), and the page of a service, with the words of its processes and commands (`p`).

#![no_main]

use libfuzzer_sys::fuzz_target;
use rc_sv_fuzz::bounded;
use rc_sv_internal::supervisor::fuzzed;

fuzz_target!(|input: &[u8]| {
    let Some((kind, bytes)) = input.split_first() else {
        return;
    };
    match kind {
        b'a' => alert(bytes),
        // All that is read of it has its place there.
        b'p' => bounded(64 * 1024 + 4 * bytes.len(), || fuzzed::page(bytes)),
        _ => {}
    }
});

fn alert(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let Some((alert, again)) = bounded(4 * text.len() + 4096, || fuzzed::owed(text)) else {
        return;
    };
    assert_eq!(again, text, "two texts for one alert");
    assert!(!alert.reason.contains('\0'), "no environment takes it");
}
