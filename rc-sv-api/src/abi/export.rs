//! From `impl Backend` to a module: the table, the note and the entry.
#![allow(unsafe_code)]

use super::constants::{RC_SV_ABI, RC_SV_MAGIC};
use super::layout;
use super::slots::*;
use super::types::{rc_sv_backend, rc_sv_error, rc_sv_status};
use crate::backend::Backend;
use std::mem::size_of;

/// Makes the module of a backend: the exported entry, the table and the ELF note.
///
/// The optional methods that the backend has follow its name; the slots of the others are NULL.
/// ```ignore
/// rc_sv_api::export_backend!(Internal: restart, signal, forget, list);
/// ```
/// A module must unwind, so that the panic guard works: `panic = "abort"` does not compile.
#[macro_export]
macro_rules! export_backend {
    ($backend:ty $(: $($slot:ident),* $(,)?)?) => {
        #[cfg(panic = "abort")]
        compile_error!("a module of rc-sv must be built with panic = \"unwind\"");

        #[allow(unsafe_code)]
        const _: () = {
            use $crate::abi;
            use $crate::Backend;
            const NAME: [u8; <$backend>::NAME.len() + 1] = abi::nul_terminated(<$backend>::NAME);
            const VERSION: [u8; <$backend>::VERSION.len() + 1] =
                abi::nul_terminated(<$backend>::VERSION);
            const DESCRIPTION: [u8; <$backend>::DESCRIPTION.len() + 1] =
                abi::nul_terminated(<$backend>::DESCRIPTION);
            #[allow(unused_mut)]
            const SLOTS: abi::Slots = {
                let mut slots = abi::Slots::NONE;
                $($(slots.$slot = true;)*)?
                slots
            };
            static TABLE: abi::Table =
                abi::backend_table::<$backend>(&NAME, &VERSION, &DESCRIPTION, SLOTS);

            #[used]
            #[link_section = ".note.rc_sv"]
            static NOTE: abi::note::Note = abi::note::Note::new(<$backend>::NAME, <$backend>::CAPS);

            #[no_mangle]
            extern "C" fn rc_sv_backend_entry_v1(host_abi: u32) -> *const abi::types::rc_sv_backend {
                TABLE.for_host(host_abi)
            }
        };
    };
}

/// Which optional slots a backend fills.
#[derive(Clone, Copy)]
#[allow(missing_docs)]
pub struct Slots {
    pub attach: bool,
    pub detach: bool,
    pub restart: bool,
    pub reload: bool,
    pub signal: bool,
    pub wait: bool,
    pub forget: bool,
    pub list: bool,
    pub watch: bool,
}

impl Slots {
    /// None of them.
    pub const NONE: Slots = Slots {
        attach: false,
        detach: false,
        restart: false,
        reload: false,
        signal: false,
        wait: false,
        forget: false,
        list: false,
        watch: false,
    };
}

/// A table that can be a static.
#[repr(transparent)]
pub struct Table(rc_sv_backend);

// SAFETY: the table is never written, and its pointers point to statics.
unsafe impl Sync for Table {}

impl Table {
    /// The table for a host of ABI `host_abi`, or NULL for another major.
    pub fn for_host(&'static self, host_abi: u32) -> *const rc_sv_backend {
        if host_abi >> 16 == RC_SV_ABI >> 16 {
            &self.0
        } else {
            std::ptr::null()
        }
    }
}

/// `text` with its NUL; `N` is its length plus one.
pub const fn nul_terminated<const N: usize>(text: &str) -> [u8; N] {
    let bytes = text.as_bytes();
    assert!(bytes.len() + 1 == N);
    let mut terminated = [0; N];
    let mut at = 0;
    while at < bytes.len() {
        assert!(bytes[at] != 0, "a module's texts contain no NUL");
        terminated[at] = bytes[at];
        at += 1;
    }
    terminated
}

macro_rules! slot {
    ($filled:expr, $function:expr) => {
        if $filled {
            Some($function)
        } else {
            None
        }
    };
}

/// The table of backend `B`. The texts are NUL-terminated.
pub const fn backend_table<B: Backend>(
    name: &'static [u8],
    version: &'static [u8],
    description: &'static [u8],
    slots: Slots,
) -> Table {
    Table(rc_sv_backend {
        magic: RC_SV_MAGIC,
        struct_size: size_of::<rc_sv_backend>() as u32,
        abi: RC_SV_ABI,
        status_size: size_of::<rc_sv_status>() as u16,
        error_size: size_of::<rc_sv_error>() as u16,
        layout: layout::CURRENT,
        caps: B::CAPS.0,
        name: name.as_ptr().cast(),
        version: version.as_ptr().cast(),
        description: description.as_ptr().cast(),
        open: Some(open::<B>),
        close: Some(close::<B>),
        probe: Some(probe::<B>),
        start: Some(start::<B>),
        stop: Some(stop::<B>),
        status: Some(status::<B>),
        attach: slot!(slots.attach, attach::<B>),
        detach: slot!(slots.detach, detach::<B>),
        restart: slot!(slots.restart, restart::<B>),
        reload: slot!(slots.reload, reload::<B>),
        signal: slot!(slots.signal, signal::<B>),
        wait: slot!(slots.wait, wait::<B>),
        forget: slot!(slots.forget, forget::<B>),
        list: slot!(slots.list, list::<B>),
        watch_open: slot!(slots.watch, watch_open::<B>),
        watch_next: slot!(slots.watch, watch_next::<B>),
        watch_close: slot!(slots.watch, watch_close),
        query: None,
    })
}
