//! What crosses the pipe between the loader and the process in which a module runs.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rc_sv_fuzz::{bounded, one_line};
use rc_sv_loader::reply::fuzzed::decode;
use rc_sv_loader::Call;

fuzz_target!(|bytes: &[u8]| {
    // A word is a length of four bytes, and may become a vector, twice while that grows.
    let most = 64 * bytes.len() + 65_536;
    match bounded(most, || Call::decode(bytes)) {
        Ok(call) => {
            let again = Call::decode(&call.encode()).expect("a call of ours");
            assert_eq!(again.encode(), call.encode(), "a call that changes");
        }
        Err(error) => one_line(&error.message),
    }
    match bounded(most, || decode(bytes)) {
        Ok(reply) => {
            let encoded = reply.encode();
            let again = decode(&encoded[4..]).expect("a reply of ours");
            assert_eq!(again.encode(), encoded, "a reply that changes");
        }
        Err(error) => one_line(&error.message),
    }
});
