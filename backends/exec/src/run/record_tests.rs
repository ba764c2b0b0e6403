use super::*;
use proptest::prelude::*;
use rc_sv_api::{ServiceName, State};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

fn any_exit() -> impl Strategy<Value = Option<Exit>> {
    prop_oneof![
        Just(None),
        Just(Some(Exit::Unknown)),
        any::<u8>().prop_map(|code| Some(Exit::Code(code))),
        any::<u8>().prop_map(|number| Some(Exit::Signal(number))),
        any::<u8>().prop_map(|number| Some(Exit::Dumped(number))),
        any::<i32>().prop_map(|errno| Some(Exit::NotRun(errno))),
    ]
}

fn any_record() -> impl Strategy<Value = Record> {
    let phase = (0..6usize).prop_map(|index| {
        [
            Phase::Waiting,
            Phase::Running,
            Phase::Ended,
            Phase::Finishing,
            Phase::Down,
            Phase::Failed,
        ][index]
    });
    let times = any::<(i64, u64, u64, u64, Option<u64>)>();
    let counts = any::<(u32, u32, u32, u32)>();
    let respawns = prop::collection::vec(any::<u64>(), 0..20);
    let pid = prop::option::of(2..i32::MAX);
    let ready = any::<(Option<bool>, Option<bool>, bool)>();
    let cause = (0..4usize).prop_map(|index| {
        [
            Cause::Itself,
            Cause::Timeout,
            Cause::Watchdog,
            Cause::Unhealthy,
        ][index]
    });
    (
        phase,
        times,
        counts,
        any_exit(),
        respawns,
        pid,
        (ready, cause, any::<(bool, Option<u64>, Option<u64>)>()),
        (".{0,200}", ".{0,200}"),
    )
        .prop_map(
            |(phase, times, counts, last_exit, respawns, pid, (known, cause, memory), lines)| {
                let (starved, memory_kills, ready_until_ms) = memory;
                let (ready, healthy, probation) = known;
                let (since_real_ns, since_ms, began_ms, calm_ms, next_ms) = times;
                let (restarts, limit, count, streak) = counts;
                Record {
                    phase,
                    pid,
                    restarts,
                    since_real_ns,
                    since_ms,
                    began_ms,
                    calm_ms,
                    next_ms,
                    ready,
                    ready_until_ms,
                    healthy,
                    cause,
                    starved,
                    memory_kills,
                    probation,
                    last_exit,
                    limit,
                    count,
                    history: History::from_parts(respawns, streak),
                    limits: shortened(&lines.0),
                    note: shortened(&lines.1),
                }
            },
        )
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(record in any_record()) {
        prop_assert_eq!(text::decode(text::encode(&record).as_bytes()), Some(record));
    }

    #[test]
    fn nothing_else_is_decoded(mut bytes in prop::collection::vec(any::<u8>(), 0..400), at in any::<prop::sample::Index>(), record in any_record()) {
        if let Some(decoded) = text::decode(&bytes) {
            prop_assert_eq!(text::encode(&decoded).into_bytes(), bytes.clone());
        }
        // One damaged byte makes another record, or none.
        bytes = text::encode(&record).into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1;
        if let Some(decoded) = text::decode(&bytes) {
            prop_assert_eq!(text::encode(&decoded).into_bytes(), bytes.clone());
        }
    }
}

fn place() -> (tempfile::TempDir, Dir) {
    let svcdir = tempfile::tempdir().unwrap();
    fs::set_permissions(svcdir.path(), Permissions::from_mode(0o755)).unwrap();
    let service = ServiceName::new(b"foo").unwrap();
    let dir = Dir::make_service(svcdir.path(), &service).unwrap();
    (svcdir, dir)
}

#[test]
fn a_record_that_is_missing_or_foreign() {
    let (_svcdir, dir) = place();
    assert_eq!(read(&dir).unwrap(), None);
    dir.replace(NAME, 0o600, b"rc-sv record 2\n").unwrap();
    let error = read(&dir).unwrap_err();
    assert!(
        error
            .message
            .ends_with("/rc-sv/foo/record: is no record of rc-sv"),
        "{error}"
    );
    dir.replace(NAME, 0o644, b"").unwrap();
    assert_eq!(read(&dir).unwrap_err().code, Code::Permission);
    // Longer than any of ours.
    dir.replace(NAME, 0o600, &vec![b'1'; 2 * MAX_SIZE as usize])
        .unwrap();
    assert_eq!(read(&dir).unwrap_err().code, Code::Protocol);
}

#[test]
fn a_person_who_asks_makes_everything_as_new() {
    let (_svcdir, dir) = place();
    let record = Record {
        restarts: 3,
        ..Record::default()
    };
    record.write(&dir).unwrap();
    want_down(&dir).unwrap();
    assert!(is_wanted_down(&dir).unwrap());
    assert_eq!(read(&dir).unwrap(), Some(record));
    forget(&dir).unwrap();
    forget(&dir).unwrap();
    assert!(!is_wanted_down(&dir).unwrap());
    assert_eq!(read(&dir).unwrap(), None);
}

#[test]
fn a_program_that_was_not_executed_has_ended() {
    let (_svcdir, dir) = place();
    let mut record = Record::default();
    record.enter(Phase::Running);
    record.write(&dir).unwrap();
    dir.replace(FAILURE, 0o600, b"").unwrap();
    assert_eq!(read(&dir).unwrap().unwrap().phase, Phase::Running);
    let text = failure(2, "cannot execute /x\ny");
    dir.replace(FAILURE, 0o600, text.as_bytes()).unwrap();
    let record = read(&dir).unwrap().unwrap();
    assert_eq!(
        (record.phase, record.last_exit),
        (Phase::Ended, Some(Exit::NotRun(2)))
    );
    assert_eq!(record.end_line(), "cannot execute /x?y");
    // Of another run.
    Record::default().write(&dir).unwrap();
    assert_eq!(read(&dir).unwrap().unwrap().last_exit, None);
}

#[test]
fn a_status_tells_what_is_known() {
    let mut record = Record {
        pid: Some(77),
        restarts: 3,
        since_ms: 5_000,
        next_ms: Some(9_000),
        last_exit: Some(Exit::Code(3)),
        limit: 10,
        count: 3,
        history: History::from_parts(vec![1, 2, 3], 3),
        note: "exited 3".into(),
        ..Record::default()
    };
    let status = record.status(6_000);
    assert_eq!((status.state, status.pid), (State::Backoff, None));
    assert_eq!(status.next_restart_ms, Some(3_000));
    assert_eq!((status.restarts, status.failures), (Some(3), 3));
    assert_eq!(status.detail, "restarting in 3 s (3 of 10): exited 3");
    record.phase = Phase::Running;
    record.calm_ms = 60_000;
    let status = record.status(6_000);
    assert_eq!(
        (status.state, status.pid, status.failures),
        (State::Up, Some(77), 3)
    );
    assert_eq!(status.next_restart_ms, None);
    assert_eq!(record.status(60_000).failures, 0);
    record.ready = Some(false);
    assert_eq!(
        (record.status(0).state, record.status(0).ready),
        (State::Starting, Some(false))
    );
    record.ready = Some(true);
    assert_eq!(
        (record.status(0).state, record.status(0).ready),
        (State::Up, Some(true))
    );
    record.phase = Phase::Failed;
    assert_eq!(record.status(0).ready, None);
    let status = record.status(6_000);
    assert_eq!(
        (status.state, status.wanted_up),
        (State::GaveUp, Some(true))
    );
    assert_eq!(status.detail, "one more try in 3 s: exited 3");
    assert_eq!(status.next_restart_ms, Some(3_000));
    record.next_ms = None;
    assert_eq!(record.status(6_000).detail, "exited 3");
}
