//! The core of `internal`: the bytes draw plans, fates of processes and acts of people, and the
//! witness of the core's own tests asserts every invariant after every step.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|chance: &[u8]| rc_sv_internal::core::fuzzed::tell(chance));
