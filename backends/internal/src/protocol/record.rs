//! A snapshot of a service as bytes, and lists of them.

use super::{malformed, put_text, shortened, Reader};
use rc_sv_api::event::{Event, Kind};
use rc_sv_api::exit::Exit;
use rc_sv_api::{Result, ServiceName, State, Status};

/// The longest detail that a snapshot carries, in bytes; that of the C ABI.
const MAX_DETAIL: usize = 143;

// Which members are there. Flags have their value in the bit above.
const WANTED: u32 = 1 << 0;
const READY: u32 = 1 << 2;
const HEALTHY: u32 = 1 << 4;
const PID: u32 = 1 << 6;
const SUPERVISOR: u32 = 1 << 7;
const SINCE_REAL: u32 = 1 << 8;
const SINCE_BOOT: u32 = 1 << 9;
const RESTARTS: u32 = 1 << 10;
const EXIT: u32 = 1 << 11;
const NEXT: u32 = 1 << 12;

/// Adds the snapshot of `service` to a list.
pub fn put_entry(list: &mut Vec<u8>, service: &ServiceName, status: &Status) {
    put_text(list, service.as_str());
    put(list, status);
}

/// The snapshots of a list, in its order, until one is malformed.
pub fn entries(list: &[u8]) -> impl Iterator<Item = Result<(ServiceName, Status)>> + '_ {
    let mut reader = Some(Reader(list));
    std::iter::from_fn(move || {
        let current = reader.as_mut().filter(|reader| !reader.0.is_empty())?;
        let entry = take_entry(current);
        if entry.is_err() {
            reader = None;
        }
        Some(entry)
    })
}

fn take_entry(reader: &mut Reader<'_>) -> Result<(ServiceName, Status)> {
    let service = ServiceName::new(reader.text()?.as_bytes())?;
    Ok((service, take(reader)?))
}

/// Adds an event.
pub(super) fn put_event(packet: &mut Vec<u8>, event: &Event) {
    packet.extend(event.seq.to_le_bytes());
    packet.push(event.kind as u32 as u8);
    put_text(packet, &event.service);
    put(packet, &event.status);
}

pub(super) fn take_event(reader: &mut Reader<'_>) -> Result<Event> {
    let (seq, kind) = (reader.u64()?, u32::from(reader.u8()?));
    let kind = Kind::ALL.into_iter().find(|known| *known as u32 == kind);
    let kind = kind.ok_or_else(|| malformed("there is no such event"))?;
    let (service, status) = take_entry(reader)?;
    Ok(Event {
        kind,
        seq,
        service: service.to_string(),
        status,
    })
}

pub(super) fn put(packet: &mut Vec<u8>, status: &Status) {
    let flag = |bit: u32, value: Option<bool>| match value {
        None => 0,
        Some(value) => bit | (u32::from(value) * (bit << 1)),
    };
    let given = |bit: u32, given: bool| if given { bit } else { 0 };
    let valid = flag(WANTED, status.wanted_up)
        | flag(READY, status.ready)
        | flag(HEALTHY, status.healthy)
        | given(PID, status.pid.is_some())
        | given(SUPERVISOR, status.supervisor_pid.is_some())
        | given(SINCE_REAL, status.since_real_ns.is_some())
        | given(SINCE_BOOT, status.since_boot_ns.is_some())
        | given(RESTARTS, status.restarts.is_some())
        | given(EXIT, status.last_exit.is_some())
        | given(NEXT, status.next_restart_ms.is_some());
    let (kind, value) = status.last_exit.map_or((0, 0), exit_to_numbers);
    packet.extend(valid.to_le_bytes());
    packet.push(status.state as i32 as u8);
    packet.push(kind);
    packet.extend(value.to_le_bytes());
    packet.extend(status.pid.unwrap_or(0).to_le_bytes());
    packet.extend(status.supervisor_pid.unwrap_or(0).to_le_bytes());
    packet.extend(status.since_real_ns.unwrap_or(0).to_le_bytes());
    packet.extend(status.since_boot_ns.unwrap_or(0).to_le_bytes());
    packet.extend(status.restarts.unwrap_or(0).to_le_bytes());
    packet.extend(status.failures.to_le_bytes());
    packet.extend(status.next_restart_ms.unwrap_or(0).to_le_bytes());
    put_text(packet, shortened(&status.detail, MAX_DETAIL));
}

pub(super) fn take(reader: &mut Reader<'_>) -> Result<Status> {
    let valid = reader.u32()?;
    let flag = |bit: u32| (valid & bit != 0).then_some(valid & (bit << 1) != 0);
    let state = State::from_raw(i32::from(reader.u8()?));
    let (kind, value) = (reader.u8()?, reader.i32()?);
    fn member<T>(valid: u32, bit: u32, value: T) -> Option<T> {
        (valid & bit != 0).then_some(value)
    }
    Ok(Status {
        state,
        wanted_up: flag(WANTED),
        ready: flag(READY),
        healthy: flag(HEALTHY),
        last_exit: match member(valid, EXIT, ()) {
            Some(()) => Some(exit_from_numbers(kind, value)?),
            None => None,
        },
        pid: member(valid, PID, reader.i32()?),
        supervisor_pid: member(valid, SUPERVISOR, reader.i32()?),
        since_real_ns: member(valid, SINCE_REAL, reader.i64()?),
        since_boot_ns: member(valid, SINCE_BOOT, reader.u64()?),
        restarts: member(valid, RESTARTS, reader.u32()?),
        failures: reader.u32()?,
        next_restart_ms: member(valid, NEXT, reader.u32()?),
        detail: reader.text()?.to_string(),
    })
}

fn exit_to_numbers(exit: Exit) -> (u8, i32) {
    match exit {
        Exit::Code(code) => (1, i32::from(code)),
        Exit::Signal(number) => (2, i32::from(number)),
        Exit::Dumped(number) => (3, i32::from(number)),
        Exit::NotRun(errno) => (4, errno),
        Exit::Unknown => (5, 0),
    }
}

fn exit_from_numbers(kind: u8, value: i32) -> Result<Exit> {
    let byte = || u8::try_from(value).map_err(|_| malformed("an exit is out of range"));
    match kind {
        1 => Ok(Exit::Code(byte()?)),
        2 => Ok(Exit::Signal(byte()?)),
        3 => Ok(Exit::Dumped(byte()?)),
        4 => Ok(Exit::NotRun(value)),
        _ => Ok(Exit::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Reply, MAX_REPLY};
    use super::*;
    use proptest::prelude::*;

    fn exits() -> impl Strategy<Value = Exit> {
        prop_oneof![
            any::<u8>().prop_map(Exit::Code),
            any::<u8>().prop_map(Exit::Signal),
            any::<u8>().prop_map(Exit::Dumped),
            any::<i32>().prop_map(Exit::NotRun),
            Just(Exit::Unknown),
        ]
    }

    prop_compose! {
        fn statuses()(
            state in prop::sample::select(&State::ALL[..]),
            flags: (Option<bool>, Option<bool>, Option<bool>),
            pids: (Option<i32>, Option<i32>),
            since: (Option<i64>, Option<u64>),
            counts: (Option<u32>, u32, Option<u32>),
            last_exit in prop::option::of(exits()),
            detail in "\\PC{0,35}",
        ) -> Status {
            Status {
                state,
                wanted_up: flags.0,
                ready: flags.1,
                healthy: flags.2,
                pid: pids.0,
                supervisor_pid: pids.1,
                since_real_ns: since.0,
                since_boot_ns: since.1,
                restarts: counts.0,
                failures: counts.1,
                last_exit,
                next_restart_ms: counts.2,
                detail,
            }
        }
    }

    proptest! {
        #[test]
        fn lists_come_back_as_they_were(all in prop::collection::vec(statuses(), 0..5)) {
            let mut list = Vec::new();
            let name = |index| ServiceName::new(format!("s{index}").as_bytes()).unwrap();
            for (index, status) in all.iter().enumerate() {
                put_entry(&mut list, &name(index), status);
            }
            let read: Vec<_> = entries(&list).collect();
            prop_assert_eq!(read.len(), all.len());
            for (index, (entry, status)) in read.into_iter().zip(all).enumerate() {
                prop_assert_eq!(entry, Ok((name(index), status)));
            }
        }

        #[test]
        fn events_come_back_as_they_were(
            seq: u64,
            kind in prop::sample::select(&Kind::ALL[..]),
            status in statuses(),
        ) {
            let service = "s".repeat(200);
            let reply = Reply::Event(Event { kind, seq, service, status });
            let packet = reply.encode(5);
            prop_assert!(packet.len() <= MAX_REPLY);
            prop_assert_eq!(Reply::decode(&packet), Ok((reply, 5)));
        }

        #[test]
        fn a_damaged_list_ends_with_an_error(bytes: Vec<u8>) {
            let read: Vec<_> = entries(&bytes).collect();
            prop_assert!(read.iter().rev().skip(1).all(Result::is_ok));
        }
    }
}
