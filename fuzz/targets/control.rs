//! Packets of the control socket: requests, answers, and the list in its memory file.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rc_sv_fuzz::{bounded, one_line};
use rc_sv_internal::protocol::{record, Reply, Request, MAX_REPLY, MAX_REQUEST};

fuzz_target!(|packet: &[u8]| {
    let most = 8 * packet.len() + 4096;
    match bounded(most, || Request::decode(packet)) {
        Ok((request, id)) => {
            assert!(packet.len() <= MAX_REQUEST);
            assert_eq!(request.encode(id), packet, "two packets for one request");
        }
        Err((error, _)) => one_line(&error.message),
    }
    match bounded(most, || Reply::decode(packet)) {
        Ok((reply, id)) => is_stable(&reply, id),
        Err(error) => one_line(&error.message),
    }
    let list = bounded(most, || rewritten(packet));
    assert_eq!(rewritten(&list), list, "a list that changes");
});

/// Texts are cut and members that are not there are left out, but only once.
fn is_stable(reply: &Reply, id: u64) {
    let packet = reply.encode(id);
    assert!(packet.len() <= MAX_REPLY);
    let (again, same_id) = Reply::decode(&packet).expect("an answer of ours");
    assert_eq!(same_id, id);
    assert_eq!(again.encode(id), packet, "an answer that changes");
}

/// The entries of a list up to the first that is malformed, as a list.
fn rewritten(list: &[u8]) -> Vec<u8> {
    let mut rewritten = Vec::new();
    for entry in record::entries(list) {
        match entry {
            Ok((service, status)) => record::put_entry(&mut rewritten, &service, &status),
            Err(error) => one_line(&error.message),
        }
    }
    rewritten
}
