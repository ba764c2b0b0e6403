//! Reading a resolved spec into what a child needs.

use super::steps::Identity;
use crate::rlimit::Rlimit;
use crate::{environment, ioprio};
use rc_sv_api::{Error, Result, Settings};
use std::ffi::CString;
use std::fmt::Display;

/// A text as the system takes it.
pub(super) fn text(spec: &dyn Settings, key: &str) -> Result<Option<CString>> {
    spec.text(key).map(|text| owned(key, text)).transpose()
}

/// A number that fits its type.
pub(super) fn number<N: TryFrom<i64>>(spec: &dyn Settings, key: &str) -> Result<Option<N>> {
    let fit = |number: i64| N::try_from(number).map_err(|_| bad(key, number, "in range"));
    spec.int(key).map(fit).transpose()
}

/// A text in a format of its own.
pub(super) fn parsed<T>(
    spec: &dyn Settings,
    key: &str,
    parse: impl Fn(&str) -> std::result::Result<T, String>,
) -> Result<Option<T>> {
    let parse = |text: &[u8]| {
        let text = String::from_utf8_lossy(text);
        parse(&text).map_err(|wanted| bad(key, &text, wanted))
    };
    spec.text(key).map(parse).transpose()
}

/// The program and its arguments.
pub(super) fn command(spec: &dyn Settings, key: &str) -> Result<Vec<CString>> {
    let words = list(spec, key, |word| owned(key, word))?;
    match words.first() {
        Some(program) if program.as_bytes().starts_with(b"/") => Ok(words),
        Some(program) => Err(bad(key, program.to_string_lossy(), "an absolute path")),
        None => Err(Error::invalid(format!("{key}: must name a program"))),
    }
}

pub(super) fn variables(spec: &dyn Settings) -> Result<Vec<CString>> {
    list(spec, "environment", |variable| {
        match environment::split(variable) {
            Some(_) => owned("environment", variable),
            None => Err(bad(
                "environment",
                String::from_utf8_lossy(variable),
                "NAME=value",
            )),
        }
    })
}

/// The list of processes of each captured cgroup of version 1.
pub(super) fn cgroups_v1(spec: &dyn Settings) -> Result<Vec<CString>> {
    list(spec, "cgroups_v1", |dir| {
        owned("cgroups_v1", &[dir, b"/cgroup.procs"].concat())
    })
}

pub(super) fn rlimits(spec: &dyn Settings) -> Result<Vec<Rlimit>> {
    list(spec, "rlimits", |text| {
        let wanted = || bad("rlimits", String::from_utf8_lossy(text), "NUMBER=SOFT:HARD");
        Rlimit::parse(text).ok_or_else(wanted)
    })
}

pub(super) fn ioprio(spec: &dyn Settings) -> Result<Option<i32>> {
    parsed(spec, "rc_supervise_ionice", ioprio::parse)
}

pub(super) fn identity(spec: &dyn Settings) -> Result<Identity> {
    // The others are resolved from it.
    if spec.text("command_user").is_some() {
        return Err(Error::invalid("command_user: the spec is not resolved"));
    }
    let group = |text: &[u8]| {
        let number = std::str::from_utf8(text)
            .ok()
            .and_then(|text| text.parse().ok());
        number.ok_or_else(|| bad("groups", String::from_utf8_lossy(text), "a number"))
    };
    let groups = match spec.list("groups") {
        Some(_) => Some(list(spec, "groups", group)?),
        None => None,
    };
    Ok(Identity {
        groups,
        gid: number(spec, "gid")?,
        uid: number(spec, "uid")?,
    })
}

fn list<T>(spec: &dyn Settings, key: &str, parse: impl Fn(&[u8]) -> Result<T>) -> Result<Vec<T>> {
    spec.list(key)
        .unwrap_or_default()
        .into_iter()
        .map(parse)
        .collect()
}

fn owned(key: &str, text: &[u8]) -> Result<CString> {
    CString::new(text).map_err(|_| bad(key, String::from_utf8_lossy(text), "free of NUL bytes"))
}

fn bad(key: &str, value: impl Display, wanted: impl Display) -> Error {
    Error::invalid(format!("{key}={:?}: must be {wanted}", value.to_string()))
}
