//! What a process may do, and in whose name.

use super::{plain, Errno};
use crate::capability::Iab;

// Where 16-bit user ids came first, the calls for today's have names of their own.
#[cfg(not(any(target_arch = "x86", target_arch = "arm", target_arch = "m68k")))]
use libc::{SYS_setresgid as SETRESGID, SYS_setresuid as SETRESUID};
#[cfg(any(target_arch = "x86", target_arch = "arm", target_arch = "m68k"))]
use libc::{SYS_setresgid32 as SETRESGID, SYS_setresuid32 as SETRESUID};

/// For the next two, as with setresuid(2), this leaves an id as it is.
pub(in super::super) const KEEP: u32 = u32::MAX;

pub(in super::super) fn set_gids(real: u32, effective: u32, saved: u32) -> Result<(), Errno> {
    plain(
        SETRESGID,
        [real, effective, saved, 0, 0].map(|id| id as usize),
    )
    .map(drop)
}

pub(in super::super) fn set_uids(real: u32, effective: u32, saved: u32) -> Result<(), Errno> {
    plain(
        SETRESUID,
        [real, effective, saved, 0, 0].map(|id| id as usize),
    )
    .map(drop)
}

/// Whether the permitted capabilities survive a change from user 0 to another.
pub(in super::super) fn keep_capabilities() -> Result<(), Errno> {
    prctl(libc::PR_SET_KEEPCAPS, 1, 0).map(drop)
}

/// Makes exactly the capabilities of `iab` ambient.
pub(in super::super) fn set_ambient(iab: &Iab) -> Result<(), Errno> {
    prctl(
        libc::PR_CAP_AMBIENT,
        libc::PR_CAP_AMBIENT_CLEAR_ALL as usize,
        0,
    )?;
    let raise = libc::PR_CAP_AMBIENT_RAISE as usize;
    each(iab.ambient, |number| {
        prctl(libc::PR_CAP_AMBIENT, raise, number).map(drop)
    })
}

/// Drops what `iab` blocks and is still there. A capability that this kernel does not know is not.
pub(in super::super) fn drop_bounding(iab: &Iab) -> Result<(), Errno> {
    each(iab.blocked, |number| {
        match prctl(libc::PR_CAPBSET_READ, number, 0) {
            Ok(1) => prctl(libc::PR_CAPBSET_DROP, number, 0).map(drop),
            _ => Ok(()),
        }
    })
}

pub(in super::super) fn set_securebits(bits: u32) -> Result<(), Errno> {
    prctl(libc::PR_SET_SECUREBITS, bits as usize, 0).map(drop)
}

pub(in super::super) fn set_no_new_privs() -> Result<(), Errno> {
    prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0).map(drop)
}

/// Lets nobody but root trace this process, look into its memory or have it dumped.
pub(in super::super) fn set_not_dumpable() -> Result<(), Errno> {
    prctl(libc::PR_SET_DUMPABLE, 0, 0).map(drop)
}

/// Applies `act` to the number of each bit that is set.
pub(in super::super) fn each(
    bits: u64,
    act: impl Fn(usize) -> Result<(), Errno>,
) -> Result<(), Errno> {
    (0..64)
        .filter(|number| bits & 1 << number != 0)
        .try_for_each(act)
}

fn prctl(option: i32, second: usize, third: usize) -> Result<usize, Errno> {
    plain(libc::SYS_prctl, [option as usize, second, third, 0, 0])
}
