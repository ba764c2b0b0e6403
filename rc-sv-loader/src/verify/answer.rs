//! One answer of the module: what it is, and whether the rules hold. Nothing here is unsafe.

use super::report::{wrong, Objection};
use super::rules;
use rc_sv_api::abi::convert;
use rc_sv_api::abi::types::{rc_sv_error, rc_sv_result};

/// What a call answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub result: i32,
    pub text: String,
}

impl Answer {
    /// The answer for the report.
    pub fn shown(&self) -> String {
        format!("answered {} ({})", self.result, self.text)
    }
}

/// A struct of the host with some bytes behind it that nobody may write.
#[repr(C)]
pub(super) struct Guarded<T> {
    pub value: T,
    behind: [u8; 64],
}

impl<T> Guarded<T> {
    const PATTERN: [u8; 64] = [0xa5; 64];

    pub fn new(value: T) -> Guarded<T> {
        Guarded {
            value,
            behind: Self::PATTERN,
        }
    }

    /// Whether the bytes behind are untouched after `call`.
    ///
    /// # Errors
    /// The objection.
    pub fn check(&self, call: &str, what: &str) -> Result<(), Objection> {
        if self.behind == Self::PATTERN {
            return Ok(());
        }
        let size = size_of::<T>();
        Err(wrong(format!(
            "{call} wrote beyond the host's {what} of {size} bytes"
        )))
    }
}

/// Makes one call with a place for its error, and judges what came back.
pub(super) fn judge(
    name: &str,
    call: impl FnOnce(*mut rc_sv_error) -> rc_sv_result,
) -> Result<Answer, Objection> {
    let mut error = Guarded::new(convert::empty_error());
    let result = call(&mut error.value);
    error.check(name, "error")?;
    rules::check_result(result)
        .and_then(|()| rules::check_error(result, &error.value))
        .map_err(|why| wrong(format!("{name} {why}")))?;
    let text = convert::error_from_raw(result, &error.value, name).message;
    let text = if result < 0 { text } else { "done".into() };
    Ok(Answer { result, text })
}
