//! Snapshots and events in a message, by way of their C structs.

use crate::wire::{unreadable, Reader, Writer};
use rc_sv_api::abi::constants::*;
use rc_sv_api::abi::convert::{empty_status, status_from_raw, status_to_raw};
use rc_sv_api::event::{Event, Kind};
use rc_sv_api::{Result, Status};

pub(super) fn put_status(to: &mut Writer, status: &Status) {
    let raw = status_to_raw(status);
    to.number(raw.valid);
    to.number(raw.state);
    to.number(raw.flags);
    to.number(raw.pid);
    to.number(raw.supervisor_pid);
    to.number(raw.since_real_ns);
    to.number(raw.since_boot_ns);
    to.number(raw.restarts);
    to.number(raw.failures);
    to.number(raw.exit_kind);
    to.number(raw.exit_value);
    to.number(raw.next_restart_ms);
    to.text(&status.detail);
}

pub(super) fn get_status(from: &mut Reader<'_>) -> Result<Status> {
    let mut raw = empty_status();
    raw.valid = from.number()?;
    raw.state = from.number()?;
    raw.flags = from.number()?;
    raw.pid = from.number()?;
    raw.supervisor_pid = from.number()?;
    raw.since_real_ns = from.number()?;
    raw.since_boot_ns = from.number()?;
    raw.restarts = from.number()?;
    raw.failures = from.number()?;
    raw.exit_kind = from.number()?;
    raw.exit_value = from.number()?;
    raw.next_restart_ms = from.number()?;
    let detail = from.text()?;
    Ok(Status {
        detail,
        ..status_from_raw(&raw)
    })
}

pub(super) fn put_event(to: &mut Writer, event: &Event) {
    to.number(event.kind as u32);
    to.number(event.seq);
    to.text(&event.service);
    put_status(to, &event.status);
}

pub(super) fn get_event(from: &mut Reader<'_>) -> Result<Event> {
    Ok(Event {
        kind: match from.number::<u32>()? {
            RC_SV_EVENT_STATE => Kind::State,
            RC_SV_EVENT_HEALTH => Kind::Health,
            RC_SV_EVENT_GAVE_UP => Kind::GaveUp,
            RC_SV_EVENT_SUPERVISOR_LOST => Kind::SupervisorLost,
            RC_SV_EVENT_LOG_LINE => Kind::LogLine,
            _ => return Err(unreadable()),
        },
        seq: from.number()?,
        service: from.text()?,
        status: get_status(from)?,
    })
}
