//! What is kept of a service in files: the spec, the record of rc-sv-exec, why a program was not
//! executed, the instance, what the next supervisor has to know; what one guardian hands to the next;
//! and what the kernel says of a process. The first byte says which.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rc_sv_exec::instance::fuzzed as instance;
use rc_sv_exec::run::record::fuzzed as record;
use rc_sv_exec::spec_file;
use rc_sv_exec::stat::Stat;
use rc_sv_fuzz::{bounded, one_line};

fuzz_target!(|input: &[u8]| {
    let Some((kind, bytes)) = input.split_first() else {
        return;
    };
    let text = String::from_utf8_lossy(bytes);
    match kind {
        b's' => spec(bytes),
        b'S' => spec(&sealed(bytes)),
        b'r' => of_record(bytes),
        b'f' => {
            if let Some((errno, message)) = record::decode_failure(bytes) {
                assert_eq!(record::encode_failure(errno, &message).as_bytes(), bytes);
            }
        }
        b'i' => of_instance(&text),
        b'I' => of_instance(&format!("{text} {}", rc_sv_exec::instance::boot_id())),
        b'p' => {
            let _ = bounded(1024, || Stat::parse(&text));
        }
        b'c' => {
            if let Some(again) = rc_sv_internal::core::fuzzed::resumed(bytes) {
                let same = rc_sv_internal::core::fuzzed::resumed(&again);
                assert_eq!(same, Some(again), "two forms for one service");
            }
        }
        b'g' => {
            let limit = 64 * bytes.len() + 4096;
            if let Some(again) = bounded(limit, || {
                rc_sv_internal::supervisor::fuzzed::handed_over(bytes)
            }) {
                assert!(rc_sv_internal::supervisor::fuzzed::handed_over(&again).is_some());
            }
        }
        _ => {}
    }
});

fn spec(bytes: &[u8]) {
    // Of a list of empty items each byte becomes a vector.
    match bounded(64 * bytes.len() + 4096, || spec_file::decode(bytes)) {
        Ok(spec) => {
            let again = spec_file::encode(spec.settings()).expect("a spec that was read");
            assert_eq!(again, bytes, "two files for one spec");
        }
        Err(error) => one_line(&error.message),
    }
}

/// A spec file with this between its magic and its checksum, which nobody finds by chance.
fn sealed(settings: &[u8]) -> Vec<u8> {
    let mut bytes = b"rc-sv spec 1\0".to_vec();
    bytes.extend(settings);
    let sum = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    bytes.extend(format!("end\0{sum:016x}\0").into_bytes());
    bytes
}

fn of_record(bytes: &[u8]) {
    let Some(decoded) = bounded(16 * bytes.len() + 4096, || record::decode(bytes)) else {
        return;
    };
    assert_eq!(
        record::encode(&decoded).as_bytes(),
        bytes,
        "two texts for one record"
    );
    for now_ms in [0, decoded.since_ms, u64::MAX] {
        let status = decoded.status(now_ms);
        assert!(status.detail.len() <= 143 && !status.detail.contains(char::is_control));
    }
}

fn of_instance(text: &str) {
    if let Some(found) = bounded(1024, || instance::parse(text)) {
        assert!(found.pid > 1);
        let again = instance::text(&found);
        assert!(again.len() <= 128, "it is read up to there");
        assert_eq!(instance::parse(&again), Some(found));
    }
}
