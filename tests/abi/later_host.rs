//! A host of ABI 1.1, compiled by tests/tests/abi_minors.rs with a copy of rc-sv-api whose structs have
//! grown: it runs the module of ABI 1.0 in the file $MODULE. Not a test of the workspace.

use rc_sv_api::abi::constants::*;
use rc_sv_api::abi::types::*;
use rc_sv_api::abi::{convert, foreign, table, ENTRY};
use std::ffi::{c_char, c_int, c_void, CString};
use std::mem::{size_of, MaybeUninit};
use std::ptr::{null, null_mut};

extern "C" {
    fn dlopen(path: *const c_char, flags: c_int) -> *mut c_void;
    fn dlsym(library: *mut c_void, symbol: *const c_char) -> *mut c_void;
}

/// A text setting: there is none.
unsafe extern "C" fn no_text(
    _host: *const rc_sv_host,
    _spec: *const rc_sv_spec,
    _key: *const c_char,
) -> *const c_char {
    null()
}

#[test]
fn the_module_runs_and_what_is_new_is_not_there() {
    const NOW: c_int = 2;
    let text = |text: &str| CString::new(text).unwrap();
    let path = text(&std::env::var("MODULE").unwrap());
    // SAFETY: a trusted module; the type of its entry is fixed by the ABI.
    let theirs: *const rc_sv_backend = unsafe {
        let library = dlopen(path.as_ptr(), NOW);
        let entry = dlsym(library, text(ENTRY).as_ptr());
        assert!(!library.is_null() && !entry.is_null());
        std::mem::transmute::<*mut c_void, extern "C" fn(u32) -> *const rc_sv_backend>(entry)(
            RC_SV_ABI,
        )
    };
    assert_eq!(RC_SV_ABI, 0x1_0001, "this host is the later one");
    // SAFETY: what the entry of a module returned, which is never unloaded.
    let (size, table) = unsafe { ((*theirs).struct_size as usize, table::check(theirs, "kept")) };
    let table = table.unwrap().raw;
    assert_eq!(size + size_of::<rc_sv_op>(), size_of::<rc_sv_backend>());
    assert!(table.pause.is_none(), "the module ends before this slot");
    assert!(table.query.is_none() && table.signal.is_some());

    // SAFETY: slots and pointers may be zero.
    let mut host: rc_sv_host = unsafe { MaybeUninit::zeroed().assume_init() };
    host.struct_size = size_of::<rc_sv_host>() as u32;
    host.abi = RC_SV_ABI;
    host.spec_str = Some(no_text);
    let mut instance = null_mut();
    let mut error = convert::empty_error();
    let mut status = convert::empty_status();
    let mut caps = 0;
    // SAFETY: everything handed over is ours and lives on.
    unsafe {
        assert_eq!(table.open.unwrap()(&host, &mut instance, &mut error), RC_SV_OK);
        assert_eq!(table.probe.unwrap()(instance, &mut caps, &mut error), RC_SV_OK);
        let answer = table.status.unwrap()(instance, null(), &mut status, &mut error);
        assert_eq!(answer, RC_SV_OK);
        table.close.unwrap()(instance);
    }
    assert_eq!(caps, RC_SV_CAP_OWNS_PROCESS | RC_SV_CAP_SIGNAL);
    assert_eq!(status.state, RC_SV_STATE_UNMANAGED);
}

#[test]
fn a_command_of_1_0_is_whole_and_a_shorter_one_is_refused() {
    let argv = [null()];
    let mut command = rc_sv_cmd {
        struct_size: (size_of::<rc_sv_cmd>() - size_of::<u64>()) as u32,
        flags: 0,
        argv: argv.as_ptr(),
        envp: null(),
        cwd: null(),
        input: null(),
        input_len: 0,
        timeout_ms: 7,
        reserved: 0,
        later: u64::MAX,
    };
    // SAFETY: the struct is ours and not shorter than it says.
    unsafe {
        let read = foreign::command(&command).unwrap();
        assert_eq!((read.timeout_ms, read.later), (7, 0), "what it ends before is not read");
        command.struct_size -= 1;
        assert!(foreign::command(&command).is_err());
        assert!(foreign::command(null()).is_err());
    }
}
