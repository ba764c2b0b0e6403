//! What the ABI demands of every answer, whatever the call was. Pure.

use rc_sv_api::abi::constants::*;
use rc_sv_api::abi::types::{rc_sv_error, rc_sv_event, rc_sv_status};
use rc_sv_api::{Code, State};
use std::ffi::c_char;
use std::mem::size_of;

/// All bits of `rc_sv_status.valid` and of `rc_sv_status.flags` in ABI 1.
const VALID: u32 = 0x07ff;
const FLAGS: u32 = 0x000f;

/// Whether `result` is a number that a module may answer.
pub(super) fn check_result(result: i32) -> Result<(), String> {
    match result {
        RC_SV_OK | RC_SV_PENDING | RC_SV_DELEGATE => Ok(()),
        RC_SV_E_ABI | RC_SV_E_CRASHED => Err(format!("answered {result}, which only a host says")),
        _ if Code::from_raw(result).is_some() => Ok(()),
        _ => Err(format!(
            "answered {result}, which is no number of ABI 1; use RC_SV_OK or RC_SV_E_*"
        )),
    }
}

/// Whether what was left in the host's error after a call that answered `result` fits.
pub(super) fn check_error(result: i32, raw: &rc_sv_error) -> Result<(), String> {
    if raw.struct_size as usize != size_of::<rc_sv_error>() {
        return Err("changed error->struct_size, which is the host's".into());
    }
    if raw.reserved != [0; 2] {
        return Err("wrote into error->reserved, which must stay zero".into());
    }
    let message = text(&raw.message, "error->message")?;
    if result >= 0 {
        return Ok(());
    }
    if raw.code != result {
        let code = raw.code;
        return Err(format!(
            "answered {result}, but set error->code to {code}; they must be the same"
        ));
    }
    if message.is_empty() {
        return Err(format!(
            "answered {result} without a text; say in error->message what is wrong and what \
             would be right"
        ));
    }
    if message.ends_with('.') {
        return Err(format!("its error text ends with a dot: {message:?}"));
    }
    if result == RC_SV_E_PANIC {
        return Err(format!("panicked: {message}"));
    }
    Ok(())
}

/// Whether a snapshot that was filled by a call which succeeded fits.
pub(super) fn check_status(raw: &rc_sv_status) -> Result<(), String> {
    if raw.struct_size as usize != size_of::<rc_sv_status>() {
        return Err("changed status->struct_size, which is the host's".into());
    }
    if raw.reserved0 != 0 || raw.reserved != [0; 6] {
        return Err("wrote into the reserved part of the status, which must stay zero".into());
    }
    if raw.valid & RC_SV_ST_STATE == 0 {
        return Err("did not set RC_SV_ST_STATE in status->valid".into());
    }
    for (what, bits, known) in [("valid", raw.valid, VALID), ("flags", raw.flags, FLAGS)] {
        if bits & !known != 0 {
            let bits = bits & !known;
            return Err(format!(
                "set the bits {bits:#x} in status->{what}, which ABI 1 does not have"
            ));
        }
    }
    if !State::ALL.iter().any(|state| *state as i32 == raw.state) {
        let state = raw.state;
        return Err(format!(
            "set status->state to {state}, which is no RC_SV_STATE_*"
        ));
    }
    for (what, bit, pid) in [
        ("pid", RC_SV_ST_PID, raw.pid),
        ("supervisor_pid", RC_SV_ST_SUPERVISOR, raw.supervisor_pid),
    ] {
        if raw.valid & bit != 0 && pid <= 0 {
            return Err(format!(
                "marked status->{what} valid, but it is {pid}; leave it out when there is none"
            ));
        }
    }
    let exits = RC_SV_EXIT_CODE..=RC_SV_EXIT_UNKNOWN;
    if raw.valid & RC_SV_ST_EXIT != 0 && !exits.contains(&raw.exit_kind) {
        let kind = raw.exit_kind;
        return Err(format!(
            "set status->exit_kind to {kind}, which is no RC_SV_EXIT_*"
        ));
    }
    text(&raw.detail, "status->detail").map(drop)
}

/// Whether an event fits; the service that it is about.
pub(super) fn check_event(raw: &rc_sv_event) -> Result<String, String> {
    if raw.struct_size as usize != size_of::<rc_sv_event>() {
        return Err("changed event->struct_size, which is the host's".into());
    }
    if raw.kind == 0 {
        return Err("left event->kind at 0; use RC_SV_EVENT_*".into());
    }
    let service = text(&raw.service, "event->service")?;
    check_status(&raw.status)?;
    Ok(service)
}

/// The text of a field: NUL-terminated, one line, UTF-8.
fn text(field: &[c_char], what: &str) -> Result<String, String> {
    let Some(end) = field.iter().position(|c| *c == 0) else {
        return Err(format!("left {what} without its NUL"));
    };
    let bytes: Vec<u8> = field[..end].iter().map(|c| *c as u8).collect();
    let Ok(text) = String::from_utf8(bytes) else {
        return Err(format!("wrote into {what} what is not UTF-8"));
    };
    if text.chars().any(char::is_control) {
        return Err(format!("wrote more than one line into {what}: {text:?}"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rc_sv_api::abi::convert;
    use rc_sv_api::{Error, Status};

    fn status(change: impl FnOnce(&mut rc_sv_status)) -> String {
        let mut raw = convert::status_to_raw(&Status::of_state(State::Up));
        change(&mut raw);
        check_status(&raw).expect_err("it must not pass")
    }

    #[test]
    fn what_our_own_side_makes_passes() {
        let error = Error::new(Code::Timeout, "still runs");
        assert_eq!(check_error(-7, &convert::error_to_raw(&error)), Ok(()));
        let raw = convert::status_to_raw(&Status::of_state(State::Up));
        assert_eq!(check_status(&raw), Ok(()));
        assert_eq!(check_result(RC_SV_E_PANIC), Ok(()));
    }

    #[test]
    fn garbage_in_a_status_is_named() {
        assert!(status(|raw| raw.state = 99).contains("state to 99"));
        assert!(status(|raw| raw.valid |= 0x8000).contains("bits 0x8000 in status->valid"));
        assert!(status(|raw| raw.flags = 0x10).contains("bits 0x10 in status->flags"));
        assert!(status(|raw| raw.valid = 0).contains("RC_SV_ST_STATE"));
        assert!(status(|raw| raw.valid |= RC_SV_ST_PID).contains("pid valid, but it is 0"));
        assert!(status(|raw| raw.valid |= RC_SV_ST_EXIT).contains("exit_kind to 0"));
        assert!(status(|raw| raw.detail = [b'x' as c_char; 144]).contains("without its NUL"));
        assert!(status(|raw| raw.detail[0] = 0xff_u8 as c_char).contains("not UTF-8"));
        assert!(status(|raw| raw.reserved[5] = 1).contains("reserved"));
        assert!(status(|raw| raw.struct_size = 8).contains("struct_size"));
    }

    #[test]
    fn errors_need_a_text_and_one_number() {
        let error = |text: &str| convert::error_to_raw(&Error::new(Code::Failed, text));
        let why = |result, raw: &rc_sv_error| check_error(result, raw).unwrap_err();
        assert!(why(-9, &error("")).contains("without a text"));
        assert!(why(-9, &error("no.")).contains("dot"));
        assert!(why(-8, &error("no")).contains("answered -8, but set error->code to -9"));
        let mut two_lines = error("a b");
        two_lines.message[1] = b'\n' as c_char;
        assert!(why(-9, &two_lines).contains("more than one line"));
        assert!(check_result(77).unwrap_err().contains("77"));
        assert!(check_result(RC_SV_E_CRASHED)
            .unwrap_err()
            .contains("only a host"));
    }
}
