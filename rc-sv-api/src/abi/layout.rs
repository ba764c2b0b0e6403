//! The layout lock: nothing in `types.rs` changes by accident.
//!
//! The source of `types.rs`, without comments and white space, is hashed while compiling and
//! compared with [`RC_SV_LAYOUT_1_0`]. So a swapped, widened, inserted or renamed field, a changed
//! parameter and a new slot do not compile until somebody looked here. Then:
//!
//! - An out-struct (error, status, event) is frozen for the whole of major 1. Put it back; new
//!   facts travel in `reserved` fields, in `detail` or through `query`.
//! - A table or in-struct may only grow at its end. Append the field, raise
//!   `RC_SV_ABI_MINOR` and `RC_SV_ABI`, add `RC_SV_LAYOUT_1_<minor>` with the hash that the compiler
//!   finds (it stands in decimal in its complaint about the array of the wrong size), point
//!   [`CURRENT`] to it, add it to [`literal`] and to `cbindgen.toml`, and run `make headers`. Keep
//!   the old literals: modules built with them stay valid.
//! - Anything else breaks modules that exist, and needs a new major and a new entry symbol.
//!
//! Who only writes a new literal is found out by `tests/tests/abi_lock.rs`, which compares with
//! what is kept of ABI 1.0 in `tests/abi/1.0`.

use super::constants::{RC_SV_ABI, RC_SV_ABI_MAJOR, RC_SV_ABI_MINOR};
use super::types::{rc_sv_backend, rc_sv_error, rc_sv_event, rc_sv_host, rc_sv_req, rc_sv_status};
use std::mem::{offset_of, size_of};

/// The hash of `types.rs` of ABI 1.0.
pub const RC_SV_LAYOUT_1_0: u64 = 0x1100_163e_50e4_f2fd;

/// The literal of the current minor.
pub const CURRENT: u64 = RC_SV_LAYOUT_1_0;

/// The literal that a module of ABI 1.`minor` states, where this version knows it.
pub fn literal(minor: u32) -> Option<u64> {
    match minor {
        0 => Some(RC_SV_LAYOUT_1_0),
        _ => None,
    }
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// FNV-1a, 64 bits, over `source` without white space and without comments.
#[allow(long_running_const_eval)]
const fn hash_of_code(source: &[u8]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut at = 0;
    while at < source.len() {
        let comment = at + 1 < source.len() && source[at] == b'/' && source[at + 1] == b'/';
        if comment {
            while at < source.len() && source[at] != b'\n' {
                at += 1;
            }
        } else {
            if !is_space(source[at]) {
                hash ^= source[at] as u64;
                hash = hash.wrapping_mul(0x0000_0100_0000_01b3);
            }
            at += 1;
        }
    }
    hash
}

const OF_TYPES: u64 = hash_of_code(include_bytes!("types.rs"));

const _: () = assert!(
    OF_TYPES == CURRENT,
    "the C ABI in rc-sv-api/src/abi/types.rs was changed. Frozen are rc_sv_error, rc_sv_status and \
     rc_sv_event: put them back. Everything else may only grow at the end of a struct: then raise \
     RC_SV_ABI_MINOR and RC_SV_ABI, add RC_SV_LAYOUT_1_<minor> with the size that is found in the \
     error about an array below, name it in CURRENT, literal() and cbindgen.toml, and run `make \
     headers`. The reasons are at the top of rc-sv-api/src/abi/layout.rs"
);
// On a 64-bit machine the compiler's complaint about this line names the new hash.
const _: [(); CURRENT as usize] = [(); OF_TYPES as usize];
const _: () = assert!(RC_SV_ABI == (RC_SV_ABI_MAJOR << 16) | RC_SV_ABI_MINOR);
const _: () = assert!(size_of::<rc_sv_error>() == 256, "frozen in ABI 1");
const _: () = assert!(size_of::<rc_sv_status>() == 256, "frozen in ABI 1");
const _: () = assert!(size_of::<rc_sv_event>() == 512, "frozen in ABI 1");
const _: () = assert!(offset_of!(rc_sv_error, message) == 24, "frozen in ABI 1");
const _: () = assert!(
    offset_of!(rc_sv_status, since_real_ns) == 24,
    "frozen in ABI 1"
);
const _: () = assert!(offset_of!(rc_sv_status, detail) == 112, "frozen in ABI 1");
const _: () = assert!(offset_of!(rc_sv_event, status) == 256, "frozen in ABI 1");
const _: () = assert!(size_of::<rc_sv_req>() >= 24, "in-structs only grow");
const _: () = assert!(offset_of!(rc_sv_backend, name) == 32, "tables only grow");
const _: () = assert!(offset_of!(rc_sv_host, ctx) == 8, "tables only grow");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_literal_is_the_hash_of_the_types() {
        assert_eq!(OF_TYPES, CURRENT);
        assert_eq!(literal(RC_SV_ABI_MINOR), Some(CURRENT));
    }

    #[test]
    fn comments_and_white_space_do_not_count_but_everything_else_does() {
        let locked = hash_of_code(b"pub a: u32,\n// x\npub b: u64,");
        assert_eq!(locked, hash_of_code(b"pub a : u32, /// y\n\tpub b: u64,"));
        for other in [
            "pub b: u64,pub a: u32,",
            "pub a: u64,pub b: u64,",
            "pub a: u32,pub c: u64,",
        ] {
            assert_ne!(locked, hash_of_code(other.as_bytes()), "{other}");
        }
    }
}
