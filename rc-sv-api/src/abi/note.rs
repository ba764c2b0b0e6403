//! The ELF note by which a host knows a module without running it.

use super::constants::RC_SV_ABI;
use super::types::{rc_sv_error, rc_sv_status};
use crate::backend::Caps;
use std::mem::size_of;

/// The section of the note.
pub const SECTION: &str = ".note.rc_sv";
/// The vendor name of the note, without padding.
pub const VENDOR: &str = "rc-sv";
/// The type of the note.
pub const TYPE: u32 = 1;
/// Size of the description: ABI, two sizes, capabilities in two halves, name.
pub const DESCRIPTION_SIZE: usize = 48;

/// The note as it stands in the file. `RC_SV_NOTE` in the C header makes the same bytes.
#[repr(C, align(4))]
pub struct Note {
    namesz: u32,
    descsz: u32,
    kind: u32,
    vendor: [u8; 8],
    abi: u32,
    status_size: u16,
    error_size: u16,
    caps_low: u32,
    caps_high: u32,
    name: [u8; 32],
}

impl Note {
    /// The note of a module.
    pub const fn new(name: &str, caps: Caps) -> Note {
        let bytes = name.as_bytes();
        assert!(
            !bytes.is_empty() && bytes.len() <= 32,
            "a module's name has 1 to 32 bytes"
        );
        let mut padded = [0; 32];
        let mut at = 0;
        while at < bytes.len() {
            padded[at] = bytes[at];
            at += 1;
        }
        Note {
            namesz: 6,
            descsz: DESCRIPTION_SIZE as u32,
            kind: TYPE,
            vendor: *b"rc-sv\0\0\0",
            abi: RC_SV_ABI,
            status_size: size_of::<rc_sv_status>() as u16,
            error_size: size_of::<rc_sv_error>() as u16,
            caps_low: caps.0 as u32,
            caps_high: (caps.0 >> 32) as u32,
            name: padded,
        }
    }
}

/// What a note says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Name of the module.
    pub name: String,
    /// ABI with which it was built.
    pub abi: u32,
    /// Its size of `rc_sv_status`.
    pub status_size: u16,
    /// Its size of `rc_sv_error`.
    pub error_size: u16,
    /// What it can do at best.
    pub caps: Caps,
}

/// Decodes the description of a note in the byte order of this machine.
///
/// # Errors
/// What is wrong with it, in words.
pub fn decode(description: &[u8]) -> Result<Identity, String> {
    if description.len() != DESCRIPTION_SIZE {
        let size = description.len();
        return Err(format!(
            "the note has {size} bytes where {DESCRIPTION_SIZE} are due"
        ));
    }
    let word = |at: usize| {
        let bytes = [at, at + 1, at + 2, at + 3].map(|index| description[index]);
        u32::from_ne_bytes(bytes)
    };
    let half = |at: usize| u16::from_ne_bytes([description[at], description[at + 1]]);
    let name = description[16..]
        .split(|byte| *byte == 0)
        .next()
        .unwrap_or_default();
    if !crate::name::is_module_name(name) {
        return Err(format!(
            "the note names {:?}",
            String::from_utf8_lossy(name)
        ));
    }
    Ok(Identity {
        name: String::from_utf8_lossy(name).into_owned(),
        abi: word(0),
        status_size: half(4),
        error_size: half(6),
        caps: Caps(u64::from(word(8)) | u64::from(word(12)) << 32),
    })
}

const _: () = assert!(size_of::<Note>() == 12 + 8 + DESCRIPTION_SIZE);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_are_decoded_or_refused() {
        let mut bytes = Vec::new();
        bytes.extend(RC_SV_ABI.to_ne_bytes());
        bytes.extend([256u16.to_ne_bytes(), 256u16.to_ne_bytes()].concat());
        bytes.extend([0x8001u32.to_ne_bytes(), 1u32.to_ne_bytes()].concat());
        bytes.extend(b"internal");
        bytes.resize(DESCRIPTION_SIZE, 0);
        let identity = decode(&bytes).unwrap();
        assert_eq!(
            (identity.name.as_str(), identity.abi),
            ("internal", RC_SV_ABI)
        );
        assert_eq!(identity.caps, Caps(0x1_0000_8001));
        assert!(decode(&bytes[1..]).is_err());
        bytes[16] = b'/';
        assert!(decode(&bytes).is_err());
    }
}
