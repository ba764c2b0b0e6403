//! What crosses comes out as it went in, or is contained.

use super::*;

#[test]
fn a_full_status_survives_the_crossing() {
    for exit in [
        Exit::Code(3),
        Exit::Signal(9),
        Exit::Dumped(11),
        Exit::NotRun(2),
        Exit::Unknown,
    ] {
        let status = Status {
            state: State::Backoff,
            wanted_up: Some(true),
            ready: Some(false),
            healthy: None,
            pid: Some(17),
            supervisor_pid: Some(1),
            since_real_ns: Some(-5),
            since_boot_ns: Some(9),
            restarts: Some(3),
            failures: 2,
            last_exit: Some(exit),
            next_restart_ms: Some(4000),
            detail: "restarting in 4 s (3 of 10)".into(),
        };
        assert_eq!(status_from_raw(&status_to_raw(&status)), status);
    }
    let empty = Status::default();
    assert_eq!(status_from_raw(&status_to_raw(&empty)), empty);
}

#[test]
fn long_texts_are_cut_at_a_character_and_stay_one_line() {
    let error = Error::invalid(format!("a\nb{}", "ü".repeat(200)));
    let raw = error_to_raw(&error);
    let back = error_from_raw(error.code as i32, &raw, "start");
    assert!(back.message.starts_with("a bü") && back.message.len() <= 231);
    assert_eq!(raw.message[231], 0);
}

#[test]
fn foreign_nonsense_is_contained() {
    let mut raw = empty_error();
    raw.message.fill(b'x' as c_char);
    assert_eq!(error_from_raw(-9, &raw, "stop").message.len(), 232);
    assert_eq!(error_from_raw(-77, &raw, "stop").code, Code::Protocol);
    let silent = error_from_raw(-9, &empty_error(), "stop");
    assert_eq!(silent.message, "stop failed without a message");
    let mut status = empty_status();
    status.valid = u32::MAX;
    status.exit_kind = RC_SV_EXIT_CODE;
    status.exit_value = 4711;
    assert_eq!(status_from_raw(&status).last_exit, None);
}

#[test]
fn requests_and_events_survive_the_crossing() {
    let request = Request {
        nowait: true,
        timeout: Some(Duration::from_millis(1500)),
        signal: 1,
        want_state: State::Up,
        ..Request::default()
    };
    assert_eq!(request_from_raw(&request_to_raw(&request)), request);
    let status = Status::of_state(State::GaveUp);
    let event = Event {
        kind: Kind::GaveUp,
        seq: 7,
        service: "foo".into(),
        status,
    };
    assert_eq!(event_from_raw(&event_to_raw(&event)), Some(event));
    assert_eq!(event_from_raw(&empty_event()), None);
}
