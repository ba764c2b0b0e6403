//! Health checks and what shows readiness, as an administrator writes them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rc_sv_api::Spec;
use rc_sv_exec::check::{Check, Target};
use rc_sv_fuzz::{bounded, one_line};
use std::time::Duration;

fuzz_target!(|text: &[u8]| {
    let mut spec = Spec::default();
    if spec.set("rc_supervise_health", text, "fuzz").is_err() {
        return;
    }
    match bounded(64 * text.len() + 16_384, || Check::all(spec.settings())) {
        Ok(checks) => {
            assert!(checks.len() <= 16);
            for check in &checks {
                let rules = &check.rules;
                let shortest = Duration::from_millis(10);
                assert!(rules.interval >= shortest && rules.timeout >= shortest);
                assert!(rules.failures > 0 && rules.successes > 0 && rules.within <= 64);
                assert!(rules.within == 0 || rules.failures <= rules.within);
                again(&check.target);
            }
        }
        Err(error) => one_line(&error.message),
    }
    match bounded(64 * text.len() + 4096, || Target::parse(text)) {
        Ok(target) => again(&target),
        Err(wanted) => one_line(&wanted),
    }
});

/// What can be written in one way is read in that way.
fn again(target: &Target) {
    match target {
        Target::Tcp(_) | Target::Http(_) => {
            let written = target.to_string();
            let read = Target::parse(written.as_bytes());
            assert_eq!(read.as_ref(), Ok(target), "{written}");
        }
        Target::Exec(words) => assert!(words[0].starts_with(b"/")),
        Target::Unix(path) => assert!(path.is_absolute()),
        Target::Hook | Target::Memory(_) => {}
    }
}
