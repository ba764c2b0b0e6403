//! Making a process with a copy of this one's memory, as fork(2), and having a process execute a
//! program.
//!
//! Between clone3 and execve only raw system calls are allowed: the child has a copy of the
//! parent's memory, in which any lock may be held by a thread that does not exist in it. So
//! nothing there allocates, panics, or keeps state.
//!
//! It takes longer than sharing the memory ([`super::sharing`]), but the caller never waits for
//! the execve: a program on a dead file server holds nobody up.

#![allow(unsafe_code)]

use super::gift::OwnPid;
use super::syscall::{call, each, Errno};
use libc::c_char;
use std::ffi::{CStr, CString};
use std::marker::PhantomData;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::OnceLock;

/// The exit code of a child that could not execute its program.
pub const NOT_RUN: u8 = 127;

/// `struct clone_args` of linux/sched.h.
#[repr(C, align(8))]
#[derive(Default)]
pub(super) struct CloneArgs {
    pub(super) flags: u64,
    pub(super) pidfd: u64,
    pub(super) child_tid: u64,
    pub(super) parent_tid: u64,
    pub(super) exit_signal: u64,
    pub(super) stack: u64,
    pub(super) stack_size: u64,
    pub(super) tls: u64,
    pub(super) set_tid: u64,
    pub(super) set_tid_size: u64,
    pub(super) cgroup: u64,
}

pub(super) const CLONE_PIDFD: u64 = 0x1000;
pub(super) const CLONE_CLEAR_SIGHAND: u64 = 0x1_0000_0000;
pub(super) const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// Words that hold the kernel's `struct sigaction` on any machine, and the size of its `sigset_t`.
const KERNEL_SIGACTION: usize = 16;
const SIGSET_BYTES: usize = 8;

/// Makes a process that runs `body` and then exits with [`NOT_RUN`]; `body` may only make system
/// calls, and does not come back where it executes a program. The process begins with the default
/// action for every signal and none blocked. No handler of this process ever runs in it: signals
/// are blocked on both sides of the clone, in which the kernel removes the handlers, but not what
/// is ignored. Returns its pid and a descriptor of it.
pub(super) fn make(
    cgroup: Option<BorrowedFd<'_>>,
    body: impl FnOnce(),
) -> Result<(i32, OwnedFd), Errno> {
    let mut pidfd: RawFd = -1;
    let mut args = CloneArgs {
        flags: CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
        pidfd: (&raw mut pidfd) as u64,
        exit_signal: libc::SIGCHLD as u64,
        ..CloneArgs::default()
    };
    if let Some(cgroup) = cgroup {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = cgroup.as_raw_fd() as u64;
    }
    let ignored = ignored();
    let mask = set_mask(u64::MAX);
    let size = size_of::<CloneArgs>();
    // SAFETY: without CLONE_VM this is fork(2): the child goes on with a copy of this memory and
    // stack. `args` and `pidfd` outlive the call, and the child only runs `body` and exits.
    let made = unsafe {
        call(
            libc::SYS_clone3,
            [(&raw const args) as usize, size, 0, 0, 0],
        )
    };
    if made == Ok(0) {
        let _exit = Exit;
        reset(ignored);
        body();
        drop(_exit);
    }
    set_mask(mask);
    let pid = made? as i32;
    // SAFETY: the kernel has just stored a new descriptor there, and nobody else knows it.
    Ok((pid, unsafe { OwnedFd::from_raw_fd(pidfd) }))
}

/// Ends the process when it goes out of scope, whichever way.
struct Exit;

impl Drop for Exit {
    fn drop(&mut self) {
        exit();
    }
}

/// Ends the process that could not execute its program.
pub(super) fn exit() -> ! {
    loop {
        // SAFETY: ends the process; no memory is touched.
        let _ = unsafe { call(libc::SYS_exit_group, [usize::from(NOT_RUN), 0, 0, 0, 0]) };
    }
}

/// Strings for execve(2), ended by a null pointer.
pub(super) struct Pointers<'a>(Vec<*const c_char>, PhantomData<&'a CString>);

impl<'a> Pointers<'a> {
    pub(super) fn new(strings: &'a [CString]) -> Pointers<'a> {
        Pointers::with(strings, None)
    }

    /// Those, and one that is still to be filled in.
    pub(super) fn with(strings: &'a [CString], last: Option<&'a OwnPid>) -> Pointers<'a> {
        let pointers = strings.iter().map(|string| string.as_ptr());
        let last = last.map(OwnPid::as_ptr);
        let all = pointers.chain(last).chain([std::ptr::null()]);
        Pointers(all.collect(), PhantomData)
    }
}

/// Replaces the process by `program`; comes back only when that fails.
pub(super) fn execute(program: &CStr, argv: &Pointers<'_>, environment: &Pointers<'_>) -> Errno {
    let arguments = [
        program.as_ptr() as usize,
        argv.0.as_ptr() as usize,
        environment.0.as_ptr() as usize,
        0,
        0,
    ];
    // SAFETY: three valid pointers: a string and two lists of strings that end in null, as
    // `Pointers::new` makes them; their lifetimes are borrowed.
    match unsafe { call(libc::SYS_execve, arguments) } {
        Ok(_) => 0,
        Err(errno) => errno,
    }
}

/// The signals that this process ignores, one bit each, from bit 0 for signal 1. Looked up once:
/// 64 system calls at each spawn would be 5 to 10 % of it.
pub(super) fn ignored() -> u64 {
    static IGNORED: OnceLock<u64> = OnceLock::new();
    *IGNORED.get_or_init(|| {
        (1..=64)
            .filter(|signal| is_ignored(*signal))
            .map(|signal| 1 << (signal - 1))
            .sum()
    })
}

fn is_ignored(signal: usize) -> bool {
    let mut action = [0usize; KERNEL_SIGACTION];
    let arguments = [signal, 0, action.as_mut_ptr() as usize, SIGSET_BYTES, 0];
    // SAFETY: writes a `struct sigaction` of the kernel, which fits; its first word is the handler.
    let asked = unsafe { call(libc::SYS_rt_sigaction, arguments) };
    asked.is_ok() && action[0] == libc::SIG_IGN
}

/// Gives every signal its default action in this process, and unblocks all.
pub(super) fn reset_own() {
    reset(ignored());
}

/// Gives `signals` their default action and unblocks all.
pub(super) fn reset(signals: u64) {
    // Zeros in a `struct sigaction` of the kernel mean the default.
    let default = [0usize; KERNEL_SIGACTION];
    let action = default.as_ptr() as usize;
    let _ = each(signals, |bit| {
        // SAFETY: reads `default`.
        unsafe {
            call(
                libc::SYS_rt_sigaction,
                [bit + 1, action, 0, SIGSET_BYTES, 0],
            )
        }
        .map(drop)
    });
    // Blocked while the actions changed.
    set_mask(0);
}

pub(super) fn set_mask(mask: u64) -> u64 {
    let mut old = 0u64;
    let how = libc::SIG_SETMASK as usize;
    let arguments = [
        how,
        (&raw const mask) as usize,
        (&raw mut old) as usize,
        SIGSET_BYTES,
        0,
    ];
    // SAFETY: reads `mask` and writes `old`, both of the size that is given.
    let _ = unsafe { call(libc::SYS_rt_sigprocmask, arguments) };
    old
}
