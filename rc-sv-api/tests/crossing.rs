//! A backend in Rust, reached through the C table by a host in Rust: every slot, every kind of
//! answer, NULL everywhere, and panics.
//!
//! All of it is a host, and keeps the contract of `types.rs`: one reason for every unsafe block.
#![allow(unsafe_code, missing_docs, clippy::undocumented_unsafe_blocks)]

mod echo;

use rc_sv_api::abi::types::*;
use rc_sv_api::abi::{constants::*, convert, table};
use rc_sv_api::{Code, Request, State};
use std::ffi::{c_char, c_int, c_void, CStr, CString};
use std::ptr::{null, null_mut};

extern "C" {
    fn rc_sv_backend_entry_v1(host_abi: u32) -> *const rc_sv_backend;
}

unsafe extern "C" fn log(_: *const rc_sv_host, level: i32, message: *const c_char) {
    assert_eq!((level, unsafe { CStr::from_ptr(message) }), (6, c"opened"));
}
unsafe extern "C" fn spec_str(
    _: *const rc_sv_host,
    spec: *const rc_sv_spec,
    key: *const c_char,
) -> *const c_char {
    match (spec.is_null(), unsafe { CStr::from_ptr(key) }.to_bytes()) {
        (true, b"greeting") => c"hello".as_ptr(),
        (false, b"service") => c"foo".as_ptr(),
        _ => null(),
    }
}
struct Texts([*const c_char; 4]);
unsafe impl Sync for Texts {}
static ARGV: Texts = Texts([
    c"/bin/x".as_ptr(),
    c"a\nb".as_ptr(),
    c"\xff".as_ptr(),
    null(),
]);
unsafe extern "C" fn spec_list(
    _: *const rc_sv_host,
    _: *const rc_sv_spec,
    key: *const c_char,
    n: *mut usize,
) -> *const *const c_char {
    if unsafe { CStr::from_ptr(key) } != c"argv" {
        return null();
    }
    unsafe { *n = 3 };
    ARGV.0.as_ptr()
}
unsafe extern "C" fn spec_int(
    _: *const rc_sv_host,
    _: *const rc_sv_spec,
    key: *const c_char,
    out: *mut i64,
) -> i32 {
    let known = unsafe { CStr::from_ptr(key) } == c"umask";
    if known {
        unsafe { *out = 18 };
    }
    i32::from(known)
}
unsafe extern "C" fn spec_next(
    _: *const rc_sv_host,
    _: *const rc_sv_spec,
    previous: *const c_char,
) -> *const c_char {
    if previous.is_null() {
        return c"argv".as_ptr();
    }
    match unsafe { CStr::from_ptr(previous) }.to_bytes() {
        b"argv" => c"service".as_ptr(),
        b"service" => c"umask".as_ptr(),
        _ => null(),
    }
}

fn host() -> rc_sv_host {
    rc_sv_host {
        struct_size: size_of::<rc_sv_host>() as u32,
        abi: RC_SV_ABI,
        ctx: null_mut(),
        log: Some(log),
        spec_str: Some(spec_str),
        spec_list: Some(spec_list),
        spec_int: Some(spec_int),
        spec_next: Some(spec_next),
        run: None,
        emit: None,
        query: None,
    }
}

/// Opens the backend, hands it to `test`, closes it.
fn opened(test: impl FnOnce(&rc_sv_backend, *mut rc_sv_instance, *const rc_sv_spec)) {
    let host = host();
    let table = unsafe { table::check(rc_sv_backend_entry_v1(RC_SV_ABI), "echo") }
        .unwrap()
        .raw;
    let mut instance = null_mut();
    let mut error = convert::empty_error();
    assert_eq!(
        unsafe { table.open.unwrap()(&host, &mut instance, &mut error) },
        RC_SV_OK
    );
    test(&table, instance, (&raw const host).cast());
    unsafe { table.close.unwrap()(instance) };
}

fn message(error: &rc_sv_error, result: i32) -> String {
    convert::error_from_raw(result, error, "call").message
}

#[test]
fn the_table_states_what_the_backend_is() {
    let table = unsafe { table::check(rc_sv_backend_entry_v1(RC_SV_ABI), "echo") }.unwrap();
    assert_eq!(
        (table.version, table.description),
        ("1.2.3", "says what it hears")
    );
    assert_eq!(table.raw.caps, 0x0101);
    let raw = table.raw;
    assert!(raw.signal.is_some() && raw.list.is_some() && raw.watch_next.is_some());
    assert!(raw.attach.is_none() && raw.restart.is_none() && raw.query.is_none());
    assert!(unsafe { rc_sv_backend_entry_v1(2 << 16) }.is_null());
    assert!(!unsafe { rc_sv_backend_entry_v1(RC_SV_ABI + 9) }.is_null());
}

#[test]
fn settings_options_and_answers_cross() {
    opened(|table, instance, spec| unsafe {
        let mut error = convert::empty_error();
        assert_eq!(
            table.start.unwrap()(instance, spec, null(), &mut error),
            RC_SV_OK
        );
        let request = convert::request_to_raw(&Request {
            nowait: true,
            ..Request::default()
        });
        assert_eq!(
            table.start.unwrap()(instance, spec, &request, &mut error),
            RC_SV_PENDING
        );
        let result = table.stop.unwrap()(instance, spec, null(), &mut error);
        assert_eq!(
            (result, message(&error, result).as_str()),
            (RC_SV_E_FAILED, "it will not die")
        );
        let mut status = convert::empty_status();
        assert_eq!(
            table.status.unwrap()(instance, spec, &mut status, null_mut()),
            RC_SV_OK
        );
        let status = convert::status_from_raw(&status);
        assert_eq!(
            (status.state, status.pid, status.detail.as_str()),
            (State::Up, Some(42), "hello")
        );
        let mut caps = 0;
        assert_eq!(
            table.probe.unwrap()(instance, &mut caps, null_mut()),
            RC_SV_OK
        );
        assert_eq!(caps, 0x0101);
    });
}

#[test]
fn a_panic_stays_inside_and_breaks_the_instance_only() {
    opened(|table, instance, spec| unsafe {
        let mut error = convert::empty_error();
        let request = convert::request_to_raw(&Request {
            signal: 9,
            ..Request::default()
        });
        let result = table.signal.unwrap()(instance, spec, &request, &mut error);
        assert_eq!(result, RC_SV_E_PANIC);
        assert_eq!(message(&error, result), "the module panicked: signal 9");
        let mut status = convert::empty_status();
        let result = table.status.unwrap()(instance, spec, &mut status, &mut error);
        assert_eq!(
            message(&error, result),
            "the module panicked in an earlier call"
        );
    });
    opened(|table, instance, spec| unsafe {
        assert_eq!(
            table.start.unwrap()(instance, spec, null(), null_mut()),
            RC_SV_OK
        );
    });
}

#[test]
fn null_is_an_error_or_nothing_never_a_crash() {
    opened(|table, instance, spec| unsafe {
        let mut error = convert::empty_error();
        for (instance, spec) in [(null_mut(), spec), (instance, null())] {
            let result = table.stop.unwrap()(instance, spec, null(), &mut error);
            assert_eq!(result, RC_SV_E_INVALID);
        }
        assert_eq!(
            table.status.unwrap()(instance, spec, null_mut(), null_mut()),
            RC_SV_OK
        );
        assert_eq!(
            table.list.unwrap()(instance, None, null_mut(), null_mut()),
            RC_SV_E_INVALID
        );
        table.close.unwrap()(null_mut());
        table.watch_close.unwrap()(instance, null_mut());
        assert_eq!(
            table.open.unwrap()(null(), null_mut(), &mut error),
            RC_SV_E_INVALID
        );
    });
}

#[test]
fn a_list_ends_when_the_host_has_enough() {
    unsafe extern "C" fn second(
        user: *mut c_void,
        name: *const c_char,
        _: *const rc_sv_status,
    ) -> i32 {
        let names = unsafe { &mut *user.cast::<Vec<CString>>() };
        names.push(unsafe { CStr::from_ptr(name) }.to_owned());
        i32::from(names.len() == 2)
    }
    opened(|table, instance, _| unsafe {
        let mut names: Vec<CString> = Vec::new();
        let user = (&raw mut names).cast();
        assert_eq!(
            table.list.unwrap()(instance, Some(second), user, null_mut()),
            RC_SV_OK
        );
        assert_eq!(names, [c"a".to_owned(), c"b".to_owned()]);
    });
}

#[test]
fn events_come_one_by_one() {
    opened(|table, instance, spec| unsafe {
        let (mut watch, mut fd, mut event) = (null_mut(), -1 as c_int, convert::empty_event());
        let open = table.watch_open.unwrap();
        assert_eq!(
            open(instance, spec, &mut watch, &mut fd, null_mut()),
            RC_SV_OK
        );
        assert_eq!(fd, 7);
        let next = table.watch_next.unwrap();
        assert_eq!(next(instance, watch, &mut event, null_mut()), RC_SV_OK);
        assert_eq!(convert::event_from_raw(&event).unwrap().service, "foo");
        assert_eq!(next(instance, watch, &mut event, null_mut()), RC_SV_PENDING);
        table.watch_close.unwrap()(instance, watch);
    });
}

/// A copy of the table, changed by `change`, must be refused with `why`.
fn refused(change: impl FnOnce(&mut rc_sv_backend), why: &str) {
    let mut table = unsafe { *rc_sv_backend_entry_v1(RC_SV_ABI) };
    change(&mut table);
    let error = unsafe { table::check(&table, "echo") }.err().expect(why);
    assert_eq!(error.code, Code::Abi);
    assert!(
        error.message.contains(why),
        "{:?} lacks {why:?}",
        error.message
    );
}

#[test]
fn broken_tables_are_refused_each_by_its_own_words() {
    refused(|table| table.magic = 1, "starts with 0x00000001");
    refused(|table| table.struct_size = 8, "has 8 bytes");
    refused(|table| table.struct_size = 1 << 20, "has 1048576 bytes");
    refused(
        |table| table.abi = 2 << 16,
        "it has ABI 2.0; this host needs 1.x",
    );
    refused(
        |table| table.status_size = 300,
        "its rc_sv_status has 300 bytes",
    );
    refused(
        |table| table.error_size = 64,
        "its rc_sv_error has 64 bytes",
    );
    refused(|table| table.layout = 5, "its layout is 0x0000000000000005");
    refused(|table| table.name = null(), "its name is NULL");
    refused(|table| table.name = c"other".as_ptr(), "that of \"other\"");
    refused(
        |table| table.version = c"1\n2".as_ptr(),
        "its version is not one line",
    );
    refused(
        |table| table.description = null(),
        "its description is NULL",
    );
    refused(
        |table| table.start = None,
        "its mandatory slot start is NULL",
    );
    refused(|table| table.watch_next = None, "but not all");
    assert!(unsafe { table::check(null(), "echo") }.is_err());
}

#[test]
fn a_table_without_optional_slots_is_a_table() {
    let mut table = unsafe { *rc_sv_backend_entry_v1(RC_SV_ABI) };
    table.struct_size = std::mem::offset_of!(rc_sv_backend, attach) as u32;
    table.layout = 0;
    let checked = unsafe { table::check(&table, "echo") }.unwrap();
    assert!(checked.raw.signal.is_none() && checked.raw.list.is_none());
}
