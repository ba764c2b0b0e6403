//! With `--features abi-check`: the layout of the structs of the ABI by abi_stable, as they are beside
//! those of 1.0. `build.rs` makes both from the sources.
#![cfg(feature = "abi-check")]
#![allow(unsafe_code)] // What abi_stable derives.

use abi_stable::abi_stability::abi_checking::check_layout_compatibility;
use abi_stable::StableAbi;

macro_rules! types {
    ($name:ident) => {
        #[allow(missing_docs, non_camel_case_types, dead_code, clippy::all)]
        mod $name {
            include!(concat!(env!("OUT_DIR"), "/", stringify!($name), ".rs"));
        }
    };
}
types!(released);
types!(today);
types!(swapped);

macro_rules! compare {
    ($($name:ident)*) => {
        [$((
            stringify!($name),
            check_layout_compatibility(released::$name::LAYOUT, today::$name::LAYOUT),
        ),)*]
    };
}

#[test]
fn the_structs_of_today_have_the_layout_of_those_of_1_0() {
    let compared = compare!(rc_sv_error rc_sv_status rc_sv_event rc_sv_req rc_sv_cmd rc_sv_output
        rc_sv_host rc_sv_backend);
    for (name, result) in compared {
        if let Err(difference) = result {
            panic!("{name} differs from that of ABI 1.0: {difference}");
        }
    }
}

#[test]
fn two_fields_that_are_swapped_are_found_out_in_whatever_holds_them() {
    let status = (
        released::rc_sv_status::LAYOUT,
        swapped::rc_sv_status::LAYOUT,
    );
    let backend = (
        released::rc_sv_backend::LAYOUT,
        swapped::rc_sv_backend::LAYOUT,
    );
    for (released, swapped) in [status, backend] {
        let difference = check_layout_compatibility(released, swapped).unwrap_err();
        assert!(difference.to_string().contains("supervisor_pid"));
    }
}
