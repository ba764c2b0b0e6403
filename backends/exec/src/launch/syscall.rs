//! The system calls of a child, as safe functions: arguments are checked by their types. They
//! neither allocate nor panic, so they can be used between clone3 and execve.
//!
//! They are raw, because the C library's setuid(2) and the like would signal all threads of the
//! process, and in a child only one of them is left. Linux 5.9 is needed (close_range).

#![allow(unsafe_code)]

mod privilege;

pub(super) use privilege::{
    drop_bounding, each, keep_capabilities, set_ambient, set_gids, set_no_new_privs,
    set_not_dumpable, set_securebits, set_uids, KEEP,
};

use crate::rlimit::Rlimit;
use libc::c_long;
use std::ffi::CStr;
use std::io;
use std::os::fd::RawFd;

/// The number of a system call's failure.
pub(super) type Errno = i32;

// Where 16-bit user ids came first, the calls for today's have names of their own.
#[cfg(not(any(target_arch = "x86", target_arch = "arm", target_arch = "m68k")))]
use libc::SYS_setgroups as SETGROUPS;
#[cfg(any(target_arch = "x86", target_arch = "arm", target_arch = "m68k"))]
use libc::SYS_setgroups32 as SETGROUPS;

pub(super) fn own_pid() -> usize {
    plain(libc::SYS_getpid, [0; 5]).unwrap_or(0)
}

pub(super) fn parent() -> usize {
    plain(libc::SYS_getppid, [0; 5]).unwrap_or(0)
}

/// CLOCK_BOOTTIME in milliseconds.
pub(super) fn boot_ms() -> Result<u64, Errno> {
    let mut time = [0isize; 2];
    let arguments = [
        libc::CLOCK_BOOTTIME as usize,
        time.as_mut_ptr() as usize,
        0,
        0,
        0,
    ];
    // SAFETY: writes two words, seconds and nanoseconds.
    unsafe { call(libc::SYS_clock_gettime, arguments) }?;
    let [seconds, nanoseconds] = time.map(|part| part as u64);
    Ok(seconds * 1_000 + nanoseconds / 1_000_000)
}

pub(super) fn new_session() {
    plain(libc::SYS_setsid, [0; 5]).unwrap_or(0);
}

pub(super) fn set_nice(level: i32) -> Result<(), Errno> {
    let arguments = [libc::PRIO_PROCESS as usize, 0, level as usize, 0, 0];
    plain(libc::SYS_setpriority, arguments).map(drop)
}

pub(super) fn set_ioprio(priority: i32) -> Result<(), Errno> {
    const IOPRIO_WHO_PROCESS: usize = 1;
    plain(
        libc::SYS_ioprio_set,
        [IOPRIO_WHO_PROCESS, 0, priority as usize, 0, 0],
    )
    .map(drop)
}

pub(super) fn set_rlimit(limit: &Rlimit) -> Result<(), Errno> {
    let new = [limit.soft, limit.hard];
    let arguments = [0, limit.resource as usize, new.as_ptr() as usize, 0, 0];
    // SAFETY: reads `new`, which has the layout of `struct rlimit64`.
    unsafe { call(libc::SYS_prlimit64, arguments) }.map(drop)
}

pub(super) fn set_umask(mask: u32) {
    plain(libc::SYS_umask, [mask as usize, 0, 0, 0, 0]).unwrap_or(0);
}

pub(super) fn change_root(path: &CStr) -> Result<(), Errno> {
    with_path(libc::SYS_chroot, path)
}

pub(super) fn change_directory(path: &CStr) -> Result<(), Errno> {
    with_path(libc::SYS_chdir, path)
}

pub(super) fn set_groups(groups: &[u32]) -> Result<(), Errno> {
    // SAFETY: reads as many numbers as are there.
    unsafe { call(SETGROUPS, [groups.len(), groups.as_ptr() as usize, 0, 0, 0]) }.map(drop)
}

/// The effective, permitted and inheritable capabilities of this process.
#[derive(Clone, Copy)]
pub(super) struct Sets {
    pub(super) effective: u64,
    pub(super) permitted: u64,
    pub(super) inheritable: u64,
}

/// `_LINUX_CAPABILITY_VERSION_3` and this process.
const CAPABILITY_HEADER: [u32; 2] = [0x2008_0522, 0];

pub(super) fn capabilities() -> Result<Sets, Errno> {
    let (mut header, mut data) = (CAPABILITY_HEADER, [0u32; 6]);
    let arguments = [
        header.as_mut_ptr() as usize,
        data.as_mut_ptr() as usize,
        0,
        0,
        0,
    ];
    // SAFETY: two arrays with the layout of the header and of two data structs, as version 3 says.
    unsafe { call(libc::SYS_capget, arguments) }?;
    let [e0, p0, i0, e1, p1, i1] = data.map(u64::from);
    Ok(Sets {
        effective: e0 | e1 << 32,
        permitted: p0 | p1 << 32,
        inheritable: i0 | i1 << 32,
    })
}

pub(super) fn set_capabilities(sets: Sets) -> Result<(), Errno> {
    let mut header = CAPABILITY_HEADER;
    let Sets {
        effective: e,
        permitted: p,
        inheritable: i,
    } = sets;
    let data = [
        e as u32,
        p as u32,
        i as u32,
        (e >> 32) as u32,
        (p >> 32) as u32,
        (i >> 32) as u32,
    ];
    let arguments = [
        header.as_mut_ptr() as usize,
        data.as_ptr() as usize,
        0,
        0,
        0,
    ];
    // SAFETY: as for capget.
    unsafe { call(libc::SYS_capset, arguments) }.map(drop)
}

/// Opens `path`. The number is a plain one: whatever is left open is closed by execve.
pub(super) fn open(path: &CStr, flags: i32, mode: u32) -> Result<RawFd, Errno> {
    let flags = flags | libc::O_LARGEFILE | libc::O_CLOEXEC;
    let arguments = [
        libc::AT_FDCWD as usize,
        path.as_ptr() as usize,
        flags as usize,
        mode as usize,
        0,
    ];
    // SAFETY: reads the string `path`.
    unsafe { call(libc::SYS_openat, arguments) }.map(|fd| fd as RawFd)
}

pub(super) fn write(fd: RawFd, bytes: &[u8]) -> Result<(), Errno> {
    let arguments = [fd as usize, bytes.as_ptr() as usize, bytes.len(), 0, 0];
    // SAFETY: reads as many bytes as are there.
    unsafe { call(libc::SYS_write, arguments) }.map(drop)
}

/// Writes at `place` of a file, in one piece. The call is one whose offset is two arguments on every
/// machine.
pub(super) fn write_at(fd: RawFd, bytes: &[u8], place: usize) -> Result<(), Errno> {
    let part = [bytes.as_ptr() as usize, bytes.len()];
    let arguments = [fd as usize, part.as_ptr() as usize, 1, place, 0];
    // SAFETY: reads `part`, a `struct iovec`, and as many bytes as are there.
    match unsafe { call(libc::SYS_pwritev, arguments) }? {
        written if written == bytes.len() => Ok(()),
        _ => Err(libc::ENOSPC),
    }
}

/// Makes `to` another number of `fd`, which execve closes if `flags` is `O_CLOEXEC`.
pub(super) fn duplicate(fd: RawFd, to: RawFd, flags: i32) -> Result<(), Errno> {
    if fd == to {
        let keep = usize::from(flags & libc::O_CLOEXEC != 0) * libc::FD_CLOEXEC as usize;
        return plain(
            libc::SYS_fcntl,
            [fd as usize, libc::F_SETFD as usize, keep, 0, 0],
        )
        .map(drop);
    }
    plain(
        libc::SYS_dup3,
        [fd as usize, to as usize, flags as usize, 0, 0],
    )
    .map(drop)
    // `fd` is open, so `to` is above the limit, of which dup2(2) says the same.
    .map_err(|errno| {
        if errno == libc::EBADF {
            libc::EMFILE
        } else {
            errno
        }
    })
}

/// Sets the status flags of `fd`.
pub(super) fn set_flags(fd: RawFd, flags: i32) -> Result<(), Errno> {
    plain(
        libc::SYS_fcntl,
        [fd as usize, libc::F_SETFL as usize, flags as usize, 0, 0],
    )
    .map(drop)
}

/// Closes every descriptor from `first` on; where the descriptors are shared with another process,
/// in a copy that only this one has.
pub(super) fn close_from(first: RawFd) -> Result<(), Errno> {
    let unshare = libc::CLOSE_RANGE_UNSHARE as usize;
    plain(
        libc::SYS_close_range,
        [first as usize, u32::MAX as usize, unshare, 0, 0],
    )
    .map(drop)
}

/// Closes every descriptor from `first` to `last`.
pub(super) fn close_range(first: RawFd, last: RawFd) -> Result<(), Errno> {
    plain(
        libc::SYS_close_range,
        [first as usize, last as usize, 0, 0, 0],
    )
    .map(drop)
}

/// Lets execve close every descriptor from `first` on.
pub(super) fn close_on_execute(first: RawFd) -> Result<(), Errno> {
    const CLOSE_RANGE_CLOEXEC: usize = 1 << 2;
    plain(
        libc::SYS_close_range,
        [first as usize, u32::MAX as usize, CLOSE_RANGE_CLOEXEC, 0, 0],
    )
    .map(drop)
}

fn with_path(number: c_long, path: &CStr) -> Result<(), Errno> {
    // SAFETY: the callers name calls that read one string.
    unsafe { call(number, [path.as_ptr() as usize, 0, 0, 0, 0]) }.map(drop)
}

/// A system call that takes no pointer.
fn plain(number: c_long, arguments: [usize; 5]) -> Result<usize, Errno> {
    // SAFETY: the callers, all in this module, pass numbers only to calls that take numbers only.
    unsafe { call(number, arguments) }
}

/// Any system call.
///
/// # Safety
/// As the call itself.
pub(super) unsafe fn call(number: c_long, [a, b, c, d, e]: [usize; 5]) -> Result<usize, Errno> {
    // SAFETY: the caller's. syscall(2) adds only the thread's errno. The child has one of its own,
    // or that of the thread which sleeps meanwhile.
    match unsafe { libc::syscall(number, a, b, c, d, e) } {
        -1 => Err(last_errno()),
        result => Ok(result as usize),
    }
}

/// Why the last call of the C library failed.
pub(super) fn last_errno() -> Errno {
    io::Error::last_os_error()
        .raw_os_error()
        .unwrap_or(libc::EINVAL)
}
