//! A module in Rust of ABI 1.1, compiled by tests/tests/abi_minors.rs with a copy of rc-sv-api whose
//! structs have grown: it runs with a host of ABI 1.0. Not a test of the workspace.

mod echo;

use rc_sv_api::abi::constants::*;
use rc_sv_api::abi::types::*;
use rc_sv_api::abi::{convert, sizes, table};
use std::ffi::{c_char, CStr};
use std::mem::size_of;
use std::ptr::{addr_of_mut, null, null_mut};

extern "C" {
    fn rc_sv_backend_entry_v1(host_abi: u32) -> *const rc_sv_backend;
}

/// The greeting is "hello", and the service is "foo".
unsafe extern "C" fn text(
    _host: *const rc_sv_host,
    _spec: *const rc_sv_spec,
    key: *const c_char,
) -> *const c_char {
    // SAFETY: a module hands in a text.
    match unsafe { CStr::from_ptr(key) }.to_bytes() {
        b"greeting" => c"hello".as_ptr(),
        b"service" => c"foo".as_ptr(),
        _ => null(),
    }
}

#[test]
fn it_runs_with_a_host_of_1_0_and_with_nothing_shorter() {
    const OF_1_0: u32 = 0x1_0000;
    assert_eq!(size_of::<rc_sv_host>(), sizes::HOST + size_of::<rc_sv_op>());
    // No byte more than a host of 1.0 has.
    let mut words = vec![0u64; sizes::HOST / size_of::<u64>()];
    let host: *mut rc_sv_host = words.as_mut_ptr().cast();
    let mut instance = null_mut();
    let mut error = convert::empty_error();
    let mut status = convert::empty_status();
    // SAFETY: only what a host of 1.0 has is written; everything handed over is ours and lives on.
    unsafe {
        addr_of_mut!((*host).abi).write(OF_1_0);
        addr_of_mut!((*host).spec_str).write(Some(text));
        let table = table::check(rc_sv_backend_entry_v1(OF_1_0), "echo").unwrap().raw;
        let open = table.open.unwrap();
        addr_of_mut!((*host).struct_size).write(sizes::HOST as u32 - 1);
        assert_eq!(open(host, &mut instance, &mut error), RC_SV_E_ABI);
        addr_of_mut!((*host).struct_size).write(sizes::HOST as u32);
        assert_eq!(open(host, &mut instance, &mut error), RC_SV_OK);
        let spec = host.cast_const().cast();
        let answer = table.status.unwrap()(instance, spec, &mut status, &mut error);
        assert_eq!(answer, RC_SV_OK);
        table.close.unwrap()(instance);
    }
    assert_eq!(convert::status_from_raw(&status).detail, "hello");
}
