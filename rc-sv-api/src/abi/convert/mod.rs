//! Conversions between the types of the ABI and those of Rust. Pure; nothing here is unsafe.

use super::constants::*;
use super::types::{rc_sv_error, rc_sv_event, rc_sv_req, rc_sv_status};
use crate::backend::Request;
use crate::error::{Code, Error};
use crate::event::{Event, Kind};
use crate::exit::Exit;
use crate::status::{State, Status};
use std::ffi::c_char;
use std::mem::size_of;
use std::time::Duration;

/// An error as a host hands it in: empty, with its size.
pub fn empty_error() -> rc_sv_error {
    rc_sv_error {
        struct_size: size_of::<rc_sv_error>() as u32,
        code: RC_SV_OK,
        os_errno: 0,
        exit_status: -1,
        reserved: [0; 2],
        message: [0; 232],
    }
}

/// A status as a host hands it in: empty, with its size.
pub fn empty_status() -> rc_sv_status {
    rc_sv_status {
        struct_size: size_of::<rc_sv_status>() as u32,
        valid: 0,
        state: RC_SV_STATE_UNKNOWN,
        flags: 0,
        pid: 0,
        supervisor_pid: 0,
        since_real_ns: 0,
        since_boot_ns: 0,
        restarts: 0,
        failures: 0,
        exit_kind: 0,
        exit_value: 0,
        next_restart_ms: 0,
        reserved0: 0,
        reserved: [0; 6],
        detail: [0; 144],
    }
}

/// An event as a host hands it in: empty, with its size.
pub fn empty_event() -> rc_sv_event {
    rc_sv_event {
        struct_size: size_of::<rc_sv_event>() as u32,
        kind: 0,
        seq: 0,
        service: [0; 240],
        status: empty_status(),
    }
}

/// An error for the other side. A message that is too long is cut at a character.
pub fn error_to_raw(error: &Error) -> rc_sv_error {
    let mut raw = empty_error();
    raw.code = error.code as i32;
    raw.os_errno = error.os_errno;
    put_text(&mut raw.message, &one_line(&error.message));
    raw
}

/// The failure that the other side reported with `result`. Without a message, `operation` names it.
pub fn error_from_raw(result: i32, raw: &rc_sv_error, operation: &str) -> Error {
    let text = text_of(&raw.message);
    let (code, message) = match Code::from_raw(result) {
        Some(code) if text.is_empty() => (code, format!("{operation} failed without a message")),
        Some(code) => (code, one_line(&text)),
        None => (
            Code::Protocol,
            format!("{operation} answered the unknown number {result}"),
        ),
    };
    Error {
        code,
        os_errno: raw.os_errno,
        message,
    }
}

/// A status for the other side.
pub fn status_to_raw(status: &Status) -> rc_sv_status {
    let mut raw = empty_status();
    raw.state = status.state as i32;
    raw.valid = RC_SV_ST_STATE | RC_SV_ST_DETAIL;
    let mut flag = |value: Option<bool>, valid: u32, bit: u32| {
        if let Some(value) = value {
            raw.valid |= valid;
            raw.flags |= if value { bit } else { 0 };
        }
    };
    flag(status.wanted_up, RC_SV_ST_WANT, RC_SV_SF_WANT_UP);
    flag(status.ready, RC_SV_ST_READY, RC_SV_SF_READY);
    flag(status.healthy, RC_SV_ST_HEALTH, RC_SV_SF_HEALTHY);
    if let Some(pid) = status.pid {
        raw.valid |= RC_SV_ST_PID;
        raw.pid = pid;
    }
    if let Some(pid) = status.supervisor_pid {
        raw.valid |= RC_SV_ST_SUPERVISOR;
        raw.supervisor_pid = pid;
    }
    if let Some(since) = status.since_real_ns {
        raw.valid |= RC_SV_ST_SINCE;
        raw.since_real_ns = since;
    }
    raw.since_boot_ns = status.since_boot_ns.unwrap_or(0);
    if let Some(restarts) = status.restarts {
        raw.valid |= RC_SV_ST_RESTARTS;
        raw.restarts = restarts;
        raw.failures = status.failures;
    }
    if let Some(exit) = status.last_exit {
        raw.valid |= RC_SV_ST_EXIT;
        (raw.exit_kind, raw.exit_value) = exit_to_raw(exit);
    }
    if let Some(millis) = status.next_restart_ms {
        raw.valid |= RC_SV_ST_NEXT;
        raw.next_restart_ms = millis;
    }
    put_text(&mut raw.detail, &one_line(&status.detail));
    raw
}

/// A status from the other side. Fields that are not marked valid are `None`.
pub fn status_from_raw(raw: &rc_sv_status) -> Status {
    let has = |bit: u32| raw.valid & bit != 0;
    let flag = |valid: u32, bit: u32| has(valid).then_some(raw.flags & bit != 0);
    Status {
        state: if has(RC_SV_ST_STATE) {
            State::from_raw(raw.state)
        } else {
            State::Unknown
        },
        wanted_up: flag(RC_SV_ST_WANT, RC_SV_SF_WANT_UP),
        ready: flag(RC_SV_ST_READY, RC_SV_SF_READY),
        healthy: flag(RC_SV_ST_HEALTH, RC_SV_SF_HEALTHY),
        pid: has(RC_SV_ST_PID).then_some(raw.pid),
        supervisor_pid: has(RC_SV_ST_SUPERVISOR).then_some(raw.supervisor_pid),
        since_real_ns: has(RC_SV_ST_SINCE).then_some(raw.since_real_ns),
        since_boot_ns: (raw.since_boot_ns != 0).then_some(raw.since_boot_ns),
        restarts: has(RC_SV_ST_RESTARTS).then_some(raw.restarts),
        failures: if has(RC_SV_ST_RESTARTS) {
            raw.failures
        } else {
            0
        },
        last_exit: if has(RC_SV_ST_EXIT) {
            exit_from_raw(raw)
        } else {
            None
        },
        next_restart_ms: has(RC_SV_ST_NEXT).then_some(raw.next_restart_ms),
        detail: if has(RC_SV_ST_DETAIL) {
            one_line(&text_of(&raw.detail))
        } else {
            String::new()
        },
    }
}

/// An event for the other side.
pub fn event_to_raw(event: &Event) -> rc_sv_event {
    let mut raw = empty_event();
    raw.kind = event.kind as u32;
    raw.seq = event.seq;
    put_text(&mut raw.service, &event.service);
    raw.status = status_to_raw(&event.status);
    raw
}

/// An event from the other side, or `None` for a kind that this version does not know.
pub fn event_from_raw(raw: &rc_sv_event) -> Option<Event> {
    let kind = match raw.kind {
        RC_SV_EVENT_STATE => Kind::State,
        RC_SV_EVENT_HEALTH => Kind::Health,
        RC_SV_EVENT_GAVE_UP => Kind::GaveUp,
        RC_SV_EVENT_SUPERVISOR_LOST => Kind::SupervisorLost,
        RC_SV_EVENT_LOG_LINE => Kind::LogLine,
        _ => return None,
    };
    let service = text_of(&raw.service);
    Some(Event {
        kind,
        seq: raw.seq,
        service,
        status: status_from_raw(&raw.status),
    })
}

/// The options of a call for the other side.
pub fn request_to_raw(request: &Request) -> rc_sv_req {
    let flag = |on: bool, bit: u32| if on { bit } else { 0 };
    rc_sv_req {
        struct_size: size_of::<rc_sv_req>() as u32,
        flags: flag(request.nowait, RC_SV_RQ_NOWAIT)
            | flag(request.force, RC_SV_RQ_FORCE)
            | flag(request.dry_run, RC_SV_RQ_DRY_RUN)
            | flag(request.from_supervisor, RC_SV_RQ_FROM_SUPERVISOR),
        timeout_ms: request.timeout.map_or(0, |timeout| {
            u32::try_from(timeout.as_millis())
                .unwrap_or(u32::MAX)
                .max(1)
        }),
        signo: request.signal,
        want_state: request.want_state as i32,
        reserved: 0,
    }
}

/// The options of a call from the other side.
pub fn request_from_raw(raw: &rc_sv_req) -> Request {
    let has = |bit: u32| raw.flags & bit != 0;
    Request {
        nowait: has(RC_SV_RQ_NOWAIT),
        force: has(RC_SV_RQ_FORCE),
        dry_run: has(RC_SV_RQ_DRY_RUN),
        from_supervisor: has(RC_SV_RQ_FROM_SUPERVISOR),
        timeout: (raw.timeout_ms != 0).then(|| Duration::from_millis(raw.timeout_ms.into())),
        signal: raw.signo,
        want_state: State::from_raw(raw.want_state),
    }
}

fn exit_to_raw(exit: Exit) -> (i32, i32) {
    match exit {
        Exit::Code(code) => (RC_SV_EXIT_CODE, code.into()),
        Exit::Signal(number) => (RC_SV_EXIT_SIGNAL, number.into()),
        Exit::Dumped(number) => (RC_SV_EXIT_DUMPED, number.into()),
        Exit::NotRun(errno) => (RC_SV_EXIT_NOT_RUN, errno),
        Exit::Unknown => (RC_SV_EXIT_UNKNOWN, 0),
    }
}

fn exit_from_raw(raw: &rc_sv_status) -> Option<Exit> {
    let small = || u8::try_from(raw.exit_value).ok();
    match raw.exit_kind {
        RC_SV_EXIT_CODE => small().map(Exit::Code),
        RC_SV_EXIT_SIGNAL => small().map(Exit::Signal),
        RC_SV_EXIT_DUMPED => small().map(Exit::Dumped),
        RC_SV_EXIT_NOT_RUN => Some(Exit::NotRun(raw.exit_value)),
        _ => Some(Exit::Unknown),
    }
}

/// Writes `text` and a NUL, cut at a character if need be.
pub fn put_text(field: &mut [c_char], text: &str) {
    let mut end = text.len().min(field.len() - 1);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    field.fill(0);
    for (to, from) in field.iter_mut().zip(text[..end].bytes()) {
        *to = from as c_char;
    }
}

/// The text up to the first NUL, or all of the field: a foreign one may lack it.
fn text_of(field: &[c_char]) -> String {
    let bytes: Vec<u8> = field
        .iter()
        .take_while(|c| **c != 0)
        .map(|c| *c as u8)
        .collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Control characters, above all line ends, become blanks.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests;
