//! Values: how the text of an administrator becomes what a setting wants.

use crate::duration;
use crate::exit::ExitSet;
use crate::key::{Key, Kind};
use crate::ladder::Ladder;
use crate::{signal, size, words};

/// The value of one setting, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Bytes without NUL, as written.
    Text(Vec<u8>),
    /// A number: flags are 0 or 1, durations milliseconds, sizes bytes, factors thousandths, signals their
    /// number.
    Int(i64),
    /// Byte strings without NUL.
    List(Vec<Vec<u8>>),
}

/// Parses the non-empty text of an administrator as `key` wants it.
///
/// # Errors
/// The words for what would be right.
pub fn parse(key: &Key, value: &[u8]) -> std::result::Result<Value, String> {
    if value.contains(&0) {
        return Err("free of NUL bytes".into());
    }
    match key.kind {
        Kind::Text => return Ok(Value::Text(value.to_vec())),
        Kind::Path if value.starts_with(b"/") => return Ok(Value::Text(value.to_vec())),
        Kind::Path => return Err("an absolute path".into()),
        Kind::Command => return words::split(value).map(Value::List),
        Kind::List => return Ok(Value::List(vec![value.to_vec()])),
        _ => {}
    }
    let text = std::str::from_utf8(value)
        .map_err(|_| "UTF-8".to_string())?
        .trim();
    match key.kind {
        Kind::Flag => flag(text),
        Kind::Count(max) => number(text, 0, i64::from(max)),
        Kind::Number(min, max) => number(text, min, max),
        Kind::Factor => factor(text),
        Kind::Duration(unit) => Ok(Value::Int(duration::parse(text, unit)?.as_millis() as i64)),
        Kind::Size => size::parse(text).map(Value::Int),
        Kind::Umask => umask(text),
        Kind::Signal => match signal::parse(text) {
            Some(number) => Ok(Value::Int(i64::from(number))),
            None => Err("a signal such as TERM or 15".into()),
        },
        Kind::Ladder => Ladder::parse(text, signal::TERM).map(|_| Value::Text(text.into())),
        Kind::Exits => ExitSet::parse(text).map(|_| Value::Text(text.into())),
        Kind::Choice(words) if words.contains(&text) => Ok(Value::Text(text.into())),
        Kind::Choice(words) => Err(format!("one of {}", words.join(", "))),
        Kind::Text | Kind::Path | Kind::Command | Kind::List => unreachable!("handled above"),
    }
}

/// The spellings that OpenRC's `yesno` takes (sh/functions.sh).
fn flag(text: &str) -> std::result::Result<Value, String> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" | "on" | "1" | "y" => Ok(Value::Int(1)),
        "no" | "false" | "off" | "0" | "n" => Ok(Value::Int(0)),
        _ => Err("yes or no".into()),
    }
}

fn number(text: &str, min: i64, max: i64) -> std::result::Result<Value, String> {
    match text.parse::<i64>() {
        Ok(number) if (min..=max).contains(&number) => Ok(Value::Int(number)),
        _ => Err(format!("a whole number from {min} to {max}")),
    }
}

fn factor(text: &str) -> std::result::Result<Value, String> {
    match text.parse::<f64>() {
        Ok(factor) if (1.0..=100.0).contains(&factor) => {
            Ok(Value::Int((factor * 1000.0).round() as i64))
        }
        _ => Err("a factor from 1 to 100, such as 2 or 1.5".into()),
    }
}

fn umask(text: &str) -> std::result::Result<Value, String> {
    match i64::from_str_radix(text, 8) {
        Ok(mask) if (0..=0o777).contains(&mask) => Ok(Value::Int(mask)),
        _ => Err("an octal mask such as 022".into()),
    }
}
