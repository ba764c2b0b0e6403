//! What every function has in common: it is caught, and its failure is told twice.

use ::rc_sv_loader::Failure;
use rc_sv_api::abi::constants::RC_SV_OK;
use rc_sv_api::abi::types::rc_sv_result;
use rc_sv_api::{Code, Error, Outcome};
use std::any::Any;
use std::cell::RefCell;
use std::ffi::{c_char, CString};
use std::panic::{catch_unwind, set_hook, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    static LAST: RefCell<CString> = RefCell::default();
}

/// What a function answers that did not fail.
pub(crate) fn number(outcome: Outcome) -> rc_sv_result {
    outcome as rc_sv_result
}

/// Runs the body of the function `name`. A failure is remembered as this thread's last one and
/// handed to `tell`.
pub(crate) fn caught(
    name: &str,
    tell: impl FnOnce(&Error),
    body: impl FnOnce() -> Result<Outcome, Failure>,
) -> rc_sv_result {
    be_quiet();
    let done = catch_unwind(AssertUnwindSafe(body));
    let failure = match done {
        Ok(Ok(outcome)) => return number(outcome),
        Ok(Err(failure)) => failure,
        Err(payload) => panicked(name, &*payload).into(),
    };
    let error = Error {
        message: failure.to_string(),
        ..failure.error
    };
    remember(&error.message);
    tell(&error);
    debug_assert_ne!(error.code as rc_sv_result, RC_SV_OK);
    error.code as rc_sv_result
}

/// The same for a function that answers something else, and `otherwise` when it fails.
pub(crate) fn caught_or<T>(name: &str, otherwise: T, body: impl FnOnce() -> Result<T, Error>) -> T {
    let mut answer = otherwise;
    caught(
        name,
        |_| {},
        || {
            answer = body()?;
            Ok(Outcome::Done)
        },
    );
    answer
}

/// This thread's last failure; empty before the first. Valid until the next one.
pub(crate) fn last() -> *const c_char {
    LAST.with(|last| last.borrow().as_ptr())
}

fn remember(message: &str) {
    let line: Vec<u8> = message.bytes().filter(|byte| *byte != 0).collect();
    let line = CString::new(line).unwrap_or_default();
    LAST.with(|last| last.replace(line));
}

fn panicked(name: &str, payload: &(dyn Any + Send)) -> Error {
    let text = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let what = format!("{name}: panicked: {}", text.unwrap_or("no text"));
    Error::new(Code::Panic, what)
}

/// A library does not print, not even when it panics.
fn be_quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| set_hook(Box::new(|_| {})));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CStr;

    fn last_text() -> String {
        // The tests' own: made by `remember`.
        LAST.with(|last| {
            let last: &CStr = &last.borrow();
            last.to_string_lossy().into_owned()
        })
    }

    #[test]
    fn failures_and_panics_become_numbers_and_lines() {
        let mut told = Vec::new();
        let mut call = |body: &dyn Fn() -> Result<Outcome, Failure>| {
            let tell = |error: &Error| told.push(error.message.clone());
            (caught("rc_sv_x", tell, body), last_text())
        };
        assert_eq!(call(&|| Ok(Outcome::Pending)), (1, String::new()));
        let failed = || Err(Failure::of("s6", Error::invalid("no")));
        assert_eq!(call(&failed), (-2, "s6: no".to_string()));
        let panics = "rc_sv_x: panicked: number 7".to_string();
        assert_eq!(call(&|| panic!("number {}", 7)), (-127, panics));
        let odd = "rc_sv_x: panicked: no text".to_string();
        assert_eq!(call(&|| std::panic::panic_any(7u8)), (-127, odd));
        assert_eq!(told.len(), 3);
        assert_eq!(caught_or("rc_sv_x", 5, || panic!("x")), 5);
        assert_eq!(caught_or("rc_sv_x", 5, || Ok(6)), 6);
    }

    #[test]
    fn every_function_is_caught() {
        // These only hand out a pointer.
        let plain = ["rc_sv_version", "rc_sv_last_error", "rc_sv_state_name"];
        let mut count = 0;
        for source in [
            include_str!("ask.rs"),
            include_str!("loader.rs"),
            include_str!("modules.rs"),
            include_str!("order.rs"),
            include_str!("spec.rs"),
            include_str!("watch.rs"),
        ] {
            for start in source.split("extern \"C\" fn ").skip(1) {
                let name = start.split('(').next().unwrap_or_default();
                let word = format!("\"{name}\",");
                let named = start.contains(&format!("({word}"));
                let named = named || start.lines().any(|line| line.trim() == word);
                assert!(named || plain.contains(&name), "{name}");
                count += 1;
            }
        }
        assert!(count > 25, "{count}");
    }
}
