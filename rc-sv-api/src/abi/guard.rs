//! The panic guard: no Rust panic leaves a module.

use crate::error::{Code, Error, Result};
use std::any::Any;
use std::panic::{catch_unwind, AssertUnwindSafe};

/// Runs `call`; a panic in it becomes [`Code::Panic`] with its text.
pub(super) fn guard<T>(call: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|payload| {
        let message = format!("the module panicked: {}", text_of(&*payload));
        discard(payload);
        Err(Error::new(Code::Panic, message))
    })
}

/// Drops a payload, which may panic again, and again.
fn discard(mut payload: Box<dyn Any + Send>) {
    for _ in 0..3 {
        match catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            Ok(()) => return,
            Err(next) => payload = next,
        }
    }
    // A leak is the better end.
    std::mem::forget(payload);
}

fn text_of(payload: &(dyn Any + Send)) -> &str {
    match (
        payload.downcast_ref::<&str>(),
        payload.downcast_ref::<String>(),
    ) {
        (Some(text), _) => text,
        (_, Some(text)) => text,
        _ => "no text",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_become_errors_with_their_text() {
        let error = guard::<()>(|| panic!("number {}", 7)).unwrap_err();
        assert_eq!(
            (error.code, error.message.as_str()),
            (Code::Panic, "the module panicked: number 7")
        );
        let error = guard::<()>(|| std::panic::panic_any(7u8)).unwrap_err();
        assert_eq!(error.message, "the module panicked: no text");
        assert_eq!(guard(|| Ok(3)), Ok(3));
    }

    #[test]
    fn a_payload_that_panics_when_it_is_dropped_stays_inside() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("again");
            }
        }
        let error = guard::<()>(|| std::panic::panic_any(Bomb)).unwrap_err();
        assert_eq!(error.message, "the module panicked: no text");
    }
}
