//! An ELF file that calls itself a module, and the description of its note.

#![no_main]

use libfuzzer_sys::fuzz_target;
use nix::sys::memfd::{memfd_create, MFdFlags};
use rc_sv_api::abi::note::{decode, DESCRIPTION_SIZE};
use rc_sv_fuzz::{bounded, one_line};
use rc_sv_loader::note;
use std::cell::RefCell;
use std::fs::File;
use std::os::unix::fs::FileExt;

thread_local! {
    static FILE: RefCell<File> = RefCell::new(File::from(
        memfd_create(c"module", MFdFlags::MFD_CLOEXEC).expect("a file in memory"),
    ));
}

fuzz_target!(|bytes: &[u8]| {
    let read = FILE.with_borrow(|file| {
        file.set_len(0).expect("an empty file");
        file.write_all_at(bytes, 0).expect("a file");
        // The cache keeps what was read, in pieces.
        bounded(64 * bytes.len() + 65_536, || note::read(file, "probe"))
    });
    match read {
        Ok(identity) => assert_eq!((identity.name.as_str(), identity.abi >> 16), ("probe", 1)),
        Err(why) => one_line(&why),
    }
    match bounded(4096, || decode(bytes)) {
        Ok(identity) => {
            assert_eq!(bytes.len(), DESCRIPTION_SIZE);
            assert!(rc_sv_api::name::is_module_name(identity.name.as_bytes()));
        }
        Err(why) => one_line(&why),
    }
});
