//! Reading a module's note without running the module.

mod bytes;

use bytes::Bytes;
use object::elf::{FileHeader32, FileHeader64, PT_LOAD};
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader};
use object::{Endianness, ReadCache, ReadRef};
use rc_sv_api::abi::constants::RC_SV_ABI_MAJOR;
use rc_sv_api::abi::note::{self, Identity};
use rc_sv_api::abi::types::{rc_sv_error, rc_sv_status};
use std::fs::File;
use std::mem::size_of;

/// Reads the note of the module `name` and checks it, as far as that goes without loading it.
///
/// # Errors
/// The rest of a sentence about the file: what is wrong with it.
pub fn read(file: &File, name: &str) -> Result<Identity, String> {
    let bytes = Bytes::of(file).map_err(|error| format!("cannot be read: {error}"))?;
    let cache = ReadCache::new(bytes);
    let data = &cache;
    let start = data.read_bytes_at(0, 20).map_err(|()| not_elf())?;
    check_machine(start)?;
    let found = match start[4] {
        1 => description::<FileHeader32<Endianness>>(data)?,
        _ => description::<FileHeader64<Endianness>>(data)?,
    };
    let identity = note::decode(&found)?;
    check(&identity, name)?;
    Ok(identity)
}

/// An ABI for people: `1.0`.
pub fn abi_text(abi: u32) -> String {
    format!("{}.{}", abi >> 16, abi & 0xffff)
}

fn check(identity: &Identity, name: &str) -> Result<(), String> {
    if identity.name != name {
        return Err(format!(
            "its note is that of {:?}, not of {name:?}",
            identity.name
        ));
    }
    if identity.abi >> 16 != RC_SV_ABI_MAJOR {
        let abi = abi_text(identity.abi);
        return Err(format!(
            "has ABI {abi}; this host needs {RC_SV_ABI_MAJOR}.x"
        ));
    }
    let sizes = (
        usize::from(identity.status_size),
        usize::from(identity.error_size),
    );
    if sizes != (size_of::<rc_sv_status>(), size_of::<rc_sv_error>()) {
        let (status, error) = sizes;
        return Err(format!(
            "its note has sizes {status} and {error}, which are not those of ABI 1"
        ));
    }
    Ok(())
}

/// Whether the first 20 bytes of the file are those of an ELF file for this machine.
fn check_machine(start: &[u8]) -> Result<(), String> {
    if start[..4] != *b"\x7fELF" {
        return Err(not_elf());
    }
    let class: u8 = if cfg!(target_pointer_width = "64") {
        2
    } else {
        1
    };
    let order: u8 = if cfg!(target_endian = "little") { 1 } else { 2 };
    let machine = u16::from_ne_bytes([start[18], start[19]]);
    if start[4] == class && start[5] == order && OWN_MACHINE.is_none_or(|own| own == machine) {
        return Ok(());
    }
    let bits = if start[4] == 1 { 32 } else { 64 };
    let machine = match start[5] == order {
        true => machine,
        false => machine.swap_bytes(),
    };
    let known = MACHINES.iter().find(|(_, number)| *number == machine);
    let theirs = known.map_or(format!("machine {machine}"), |(name, _)| {
        (*name).to_string()
    });
    Err(format!(
        "is built for {theirs} ({bits} bits), not for {}",
        std::env::consts::ARCH
    ))
}

/// ELF's numbers of architectures, by Rust's names.
const MACHINES: [(&str, u16); 10] = [
    ("x86", 3),
    ("m68k", 4),
    ("powerpc", 20),
    ("powerpc64", 21),
    ("s390x", 22),
    ("arm", 40),
    ("x86_64", 62),
    ("aarch64", 183),
    ("riscv64", 243),
    ("loongarch64", 258),
];

/// The number of this machine, where it is known.
const OWN_MACHINE: Option<u16> = {
    let own = std::env::consts::ARCH.as_bytes();
    let mut index = 0;
    loop {
        if index == MACHINES.len() {
            break None;
        }
        let (name, number) = MACHINES[index];
        if same(name.as_bytes(), own) {
            break Some(number);
        }
        index += 1;
    }
};

const fn same(left: &[u8], right: &[u8]) -> bool {
    let mut index = 0;
    while index < left.len() && index < right.len() && left[index] == right[index] {
        index += 1;
    }
    left.len() == right.len() && index == left.len()
}

/// The description of the note in a file whose class is that of `Elf`.
fn description<'data, Elf: FileHeader<Endian = Endianness>>(
    data: impl ReadRef<'data>,
) -> Result<Vec<u8>, String> {
    let damaged = || "is truncated or damaged".to_string();
    let header = Elf::parse(data).map_err(|_| damaged())?;
    let endian = header.endian().map_err(|_| damaged())?;
    let length = data.len().map_err(|()| damaged())?;
    // Loading a file that ends before its segments do would be deadly.
    for segment in header
        .program_headers(endian, data)
        .map_err(|_| damaged())?
    {
        let end: u64 = segment
            .p_offset(endian)
            .into()
            .saturating_add(segment.p_filesz(endian).into());
        if segment.p_type(endian) == PT_LOAD && end > length {
            return Err(damaged());
        }
    }
    let sections = header.sections(endian, data).map_err(|_| damaged())?;
    let Some((_, section)) = sections.section_by_name(endian, note::SECTION.as_bytes()) else {
        return Err(format!(
            "has no note {}: it is no module of rc-sv",
            note::SECTION
        ));
    };
    first_description(section.data(endian, data).map_err(|_| damaged())?)
}

/// The description of the first note that is ours.
fn first_description(mut notes: &[u8]) -> Result<Vec<u8>, String> {
    while let Some(note) = RawNote::first(notes) {
        if note.vendor.strip_suffix(b"\0") == Some(note::VENDOR.as_bytes())
            && note.kind == note::TYPE
        {
            return Ok(note.description.to_vec());
        }
        notes = note.rest;
    }
    let section = note::SECTION;
    Err(format!(
        "its section {section} holds no note of {}",
        note::VENDOR
    ))
}

/// One note of a section, and what follows it.
struct RawNote<'a> {
    vendor: &'a [u8],
    kind: u32,
    description: &'a [u8],
    rest: &'a [u8],
}

impl RawNote<'_> {
    fn first(notes: &[u8]) -> Option<RawNote<'_>> {
        let word = |at: usize| {
            let bytes = notes.get(at..at + 4)?;
            Some(u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
        };
        let (vendor_size, size, kind) = (word(0)? as usize, word(4)? as usize, word(8)?);
        let vendor = notes.get(12..)?.get(..vendor_size)?;
        let begin = 12usize.checked_add(vendor_size.checked_next_multiple_of(4)?)?;
        let description = notes.get(begin..)?.get(..size)?;
        let end = begin.checked_add(size.checked_next_multiple_of(4)?)?;
        let rest = notes.get(end..).unwrap_or_default();
        Some(RawNote {
            vendor,
            kind,
            description,
            rest,
        })
    }
}

fn not_elf() -> String {
    "is no ELF file".to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rc_sv_api::Caps;

    fn raw_note(vendor: &[u8], kind: u32, description: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for word in [vendor.len() as u32, description.len() as u32, kind] {
            bytes.extend(word.to_ne_bytes());
        }
        for part in [vendor, description] {
            bytes.extend(part);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        bytes
    }

    #[test]
    fn our_note_is_found_among_others() {
        let ours = raw_note(b"rc-sv\0", 1, b"ours.");
        let other = raw_note(b"GNU\0", 1, b"xyz");
        assert_eq!(
            first_description(&[other.clone(), ours.clone()].concat()).unwrap(),
            b"ours."
        );
        let none = "its section .note.rc_sv holds no note of rc-sv";
        for notes in [
            other,
            raw_note(b"rc-sv\0", 2, b"x"),
            Vec::new(),
            ours[..14].to_vec(),
        ] {
            assert_eq!(first_description(&notes).unwrap_err(), none);
        }
        let mut huge = ours;
        huge[0..4].fill(0xff);
        assert_eq!(first_description(&huge).unwrap_err(), none);
    }

    #[test]
    fn lies_of_a_note_are_named() {
        let identity = Identity {
            name: "a".into(),
            abi: 0x1_0000,
            status_size: 256,
            error_size: 256,
            caps: Caps(0),
        };
        assert_eq!(check(&identity, "a"), Ok(()));
        let why = |identity: Identity| check(&identity, "a").unwrap_err();
        let other = Identity {
            name: "b".into(),
            ..identity.clone()
        };
        assert_eq!(why(other), "its note is that of \"b\", not of \"a\"");
        let newer = Identity {
            abi: 0x2_0003,
            ..identity.clone()
        };
        assert_eq!(why(newer), "has ABI 2.3; this host needs 1.x");
        let sizes = Identity {
            error_size: 7,
            ..identity
        };
        assert_eq!(
            why(sizes),
            "its note has sizes 256 and 7, which are not those of ABI 1"
        );
    }

    #[test]
    fn files_for_other_machines_are_named() {
        let mut start = [0; 20];
        start[..4].copy_from_slice(b"\x7fELF");
        (start[4], start[5], start[18]) = (1, 1, 40);
        let why = check_machine(&start).unwrap_err();
        assert_eq!(
            why,
            format!(
                "is built for arm (32 bits), not for {}",
                std::env::consts::ARCH
            )
        );
        (start[4], start[5], start[18], start[19]) = (2, 2, 0, 22);
        assert!(check_machine(&start)
            .unwrap_err()
            .starts_with("is built for s390x (64 bits)"));
        assert_eq!(check_machine(&[0; 20]).unwrap_err(), "is no ELF file");
    }
}
