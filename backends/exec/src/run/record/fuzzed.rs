//! What fuzz/ calls besides.

use super::{text, Record};

/// The record in `bytes`.
pub fn decode(bytes: &[u8]) -> Option<Record> {
    text::decode(bytes)
}

/// A record as text.
pub fn encode(record: &Record) -> String {
    text::encode(record)
}

/// Why a program was not executed, from what it left.
pub fn decode_failure(bytes: &[u8]) -> Option<(i32, String)> {
    text::decode_failure(bytes)
}

/// What a program that was not executed leaves.
pub fn encode_failure(errno: i32, message: &str) -> String {
    text::encode_failure(errno, message)
}
