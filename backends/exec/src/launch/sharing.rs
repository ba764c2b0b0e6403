//! Making a process that uses this one's memory until it executes its program: clone3 with
//! `CLONE_VM` and `CLONE_VFORK`, as vfork(2). It costs half of what copying the page tables does,
//! however large the process is. With [`super::child`] and [`super::syscall`] the only files here
//! with unsafe code.
//!
//! The thread that makes the process sleeps until the program is executed or the process has
//! ended; all other threads go on. So it is one of [`super::spawner`], never one that somebody
//! waits for. What the child may do is what it may do in a copy, and less: it makes system calls,
//! keeps what it needs on a stack of its own, and writes nothing but its failure, which nobody
//! reads before it has ended, and the `errno` of the thread that sleeps.
//!
//! What is shared, and why that is safe:
//! - Signals: the thread blocks all, and the kernel removes the handlers in the clone. Descriptors
//!   are shared for the two calls until `close_range` makes a table of three of its own
//!   (a copy of a supervisor's thousands would be thrown away at once). Root, directory, umask,
//!   limits, ids and session were never shared.
//! - Limits of memory that the child takes on hold for what it asks for. It asks for nothing: its
//!   stack is there already.
//! - The OOM killer kills everybody who has the victim's memory. It leaves a process in vfork out
//!   (`in_vfork` in mm/oom_kill.c), and so in a full cgroup the execve fails, and nobody dies. Nor
//!   does the child's `oom_score_adj` become that of its maker: `__set_oom_adj` in fs/proc/base.c
//!   leaves out a process in vfork too.
//! - After the change of the user that user may send signals. One that stops it holds up a thread
//!   of the spawner; one that dumps core would end everybody with that memory (before Linux 5.16);
//!   and whoever may trace it could read and write all of this memory. The kernel allows neither
//!   while the memory is not dumpable. [`seal`] makes it so, and the change of the user makes it
//!   what fs.suid_dumpable says: [`stays_sealed`].
//! - `PR_SET_PDEATHSIG` must not be used: it would mean the end of the thread.

#![allow(unsafe_code)]

use super::child::{
    exit, ignored, reset, CloneArgs, CLONE_CLEAR_SIGHAND, CLONE_INTO_CGROUP, CLONE_PIDFD,
};
use super::syscall::{self, Errno};
use std::ffi::c_void;
use std::fs;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicI32, Ordering};

/// Whether this machine's way to enter the child is known here.
pub(super) const IS_KNOWN: bool = cfg!(target_arch = "x86_64");

const CLONE_VM: u64 = 0x100;
const CLONE_FILES: u64 = 0x400;
const CLONE_VFORK: u64 = 0x4000;
const CLONE_PARENT_SETTID: u64 = 0x10_0000;

/// Makes the memory of this process one that only root may look into.
pub(super) fn seal() -> Result<(), Errno> {
    syscall::set_not_dumpable()
}

/// Whether it stays so when a child changes its user. Somebody may change the setting at any time,
/// so it is asked each time.
pub(super) fn stays_sealed() -> bool {
    fs::read("/proc/sys/fs/suid_dumpable").is_ok_and(|text| text.trim_ascii() == b"0")
}

/// What the kernel tells of a child before it begins: also while its maker sleeps.
#[derive(Debug)]
pub(super) struct Birth {
    pid: AtomicI32,
    pidfd: AtomicI32,
}

impl Birth {
    pub(super) fn new() -> Birth {
        Birth {
            pid: AtomicI32::new(0),
            pidfd: AtomicI32::new(-1),
        }
    }

    /// The pid and a descriptor of the child; once, and only when there is one.
    pub(super) fn take(&self) -> Option<(i32, OwnedFd)> {
        // The kernel stores the descriptor first.
        let pid = self.pid.load(Ordering::Acquire);
        if pid == 0 {
            return None;
        }
        let pidfd = self.pidfd.swap(-1, Ordering::AcqRel);
        // SAFETY: the kernel made it for whoever takes it first, which is the caller.
        (pidfd >= 0).then(|| (pid, unsafe { OwnedFd::from_raw_fd(pidfd) }))
    }
}

/// The stack of one child at a time.
pub(super) struct Stack(NonNull<c_void>);

// SAFETY: it is memory that belongs to nothing else, wherever it is used from.
unsafe impl Send for Stack {}

impl Stack {
    /// More than the steps need without optimisation. Only what is used takes memory.
    const SIZE: usize = 64 << 10;
    /// Below it, so that an overflow is a fault and no damage. Whole pages on every machine.
    const GUARD: usize = 64 << 10;

    pub(super) fn new() -> Result<Stack, Errno> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_STACK | libc::MAP_NORESERVE;
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let length = Stack::SIZE + Stack::GUARD;
        // SAFETY: new memory, which nobody else knows; its lower part is made a guard.
        unsafe {
            let base = libc::mmap(ptr::null_mut(), length, access, flags, -1, 0);
            if base == libc::MAP_FAILED {
                return Err(syscall::last_errno());
            }
            let stack = Stack(NonNull::new(base).ok_or(libc::ENOMEM)?);
            if libc::mprotect(base, Stack::GUARD, libc::PROT_NONE) != 0 {
                return Err(syscall::last_errno());
            }
            Ok(stack)
        }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // SAFETY: as mapped, and no child runs on it: whoever makes one borrows it until it has
        // other memory.
        unsafe { libc::munmap(self.0.as_ptr(), Stack::SIZE + Stack::GUARD) };
    }
}

/// Makes a process that runs `body` on `stack` and then exits; `body` may only make system calls,
/// and must close or unshare the descriptors, which are those of the caller. Comes back when it
/// executes a program, or has ended. The caller blocks all signals. `birth` is told of the process
/// before it begins.
///
/// # Errors
/// No process was made.
pub(super) fn make<F: Fn()>(
    stack: &mut Stack,
    cgroup: Option<BorrowedFd<'_>>,
    birth: &Birth,
    body: F,
) -> Result<(), Errno> {
    let mut args = CloneArgs {
        flags: CLONE_VM
            | CLONE_VFORK
            | CLONE_FILES
            | CLONE_PARENT_SETTID
            | CLONE_PIDFD
            | CLONE_CLEAR_SIGHAND,
        pidfd: birth.pidfd.as_ptr() as u64,
        parent_tid: birth.pid.as_ptr() as u64,
        exit_signal: libc::SIGCHLD as u64,
        stack: stack.0.as_ptr() as u64 + Stack::GUARD as u64,
        stack_size: Stack::SIZE as u64,
        ..CloneArgs::default()
    };
    if let Some(cgroup) = cgroup {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = cgroup.as_raw_fd() as u64;
    }
    let ignored = ignored();
    let child = || {
        reset(ignored);
        body();
    };
    // SAFETY: the arguments, `child` and what it borrows outlive the child's use of them, because
    // this thread sleeps until then; the stack is large enough and nobody else's.
    match unsafe { enter(&args, &child) } {
        made if made < 0 => Err(-made as Errno),
        _ => Ok(()),
    }
}

/// Runs the closure behind `child` and ends the process.
extern "C" fn run<C: Fn()>(child: *const C) -> ! {
    // SAFETY: `enter` hands on what it was given.
    unsafe { (*child)() };
    exit()
}

/// The clone, and in the child `child`. Both are one piece of assembly, because no function may
/// return in the child: its stack is empty. Answers as the system call.
///
/// # Safety
/// The caller sleeps until the child has other memory (`CLONE_VFORK`), and until then everything
/// that `args` and `child` point to is valid.
#[cfg(target_arch = "x86_64")]
unsafe fn enter<C: Fn()>(args: &CloneArgs, child: &C) -> isize {
    let made: isize;
    // SAFETY: in the parent this is a system call, which changes rax, rcx and r11. The child never
    // leaves it: its stack, aligned as a call wants it, is not that of the parent.
    unsafe {
        std::arch::asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "xor ebp, ebp",
            "mov rdi, {child}",
            "call {run}",
            "ud2",
            "2:",
            child = in(reg) ptr::from_ref(child),
            run = in(reg) run::<C> as extern "C" fn(*const C) -> !,
            inlateout("rax") libc::SYS_clone3 as isize => made,
            in("rdi") ptr::from_ref(args),
            in("rsi") size_of::<CloneArgs>(),
            out("rcx") _,
            out("r11") _,
        );
    }
    made
}

/// See [`IS_KNOWN`].
///
/// # Safety
/// None is needed.
#[cfg(not(target_arch = "x86_64"))]
unsafe fn enter<C: Fn()>(_: &CloneArgs, _: &C) -> isize {
    -(libc::ENOSYS as isize)
}
