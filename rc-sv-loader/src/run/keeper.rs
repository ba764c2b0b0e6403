//! The processes between the host and the command: the keeper, and the command until its exec.
//!
//! What runs here after a fork only makes system calls: the host may have threads, and they may
//! have held any lock. Only [`Body::Call`] does more, for hosts without threads.
#![allow(unsafe_code)]

use nix::errno::Errno;
use nix::unistd::Pid;
use std::ffi::{c_char, c_int};
use std::mem::{size_of, MaybeUninit};
use std::os::fd::RawFd;
use std::ptr;
use std::time::Duration;

/// For close_range(2): close at the exec.
const CLOSE_RANGE_CLOEXEC: libc::c_uint = 4;

/// What the keeper or the command itself tells us. Small enough for an atomic write.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Report {
    /// `errno` of what failed before the exec, or 0.
    pub errno: c_int,
    pub timed_out: c_int,
    pub wait_status: c_int,
}

/// The exit code of a child that called exit(3) where it should have returned. Its handlers are
/// the host's, so they are not run.
pub(crate) const EXITED: c_int = 253;

/// Everything that the forked processes need, so that they need not allocate.
pub(super) struct Prepared<'a> {
    pub body: Body<'a>,
    pub output: RawFd,
    pub report: RawFd,
    pub timeout: Duration,
}

/// What the keeper's child does.
pub(super) enum Body<'a> {
    /// Becomes a command.
    Exec(Exec),
    /// Runs this code; what it answers is the exit code. Only for hosts with one thread.
    Call(&'a dyn Fn(RawFd) -> c_int),
}

/// A command. The lists end with NULL.
pub(super) struct Exec {
    pub argv: Vec<*const c_char>,
    pub environment: Vec<*const c_char>,
    pub directory: *const c_char,
    pub input: RawFd,
    pub merge_stderr: bool,
}

/// Forks the keeper; its pid.
pub(super) fn fork_keeper(prepared: &Prepared<'_>) -> nix::Result<Pid> {
    let mut everything = MaybeUninit::<libc::sigset_t>::uninit();
    let mut before = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: both sets are ours and filled before they are read. No handler of the host may run
    // in the keeper, so all signals are blocked across the fork. The keeper only makes system
    // calls and never returns.
    unsafe {
        libc::sigfillset(everything.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, everything.as_ptr(), before.as_mut_ptr());
        let pid = libc::fork();
        if pid == 0 {
            keep(prepared);
        }
        let errno = Errno::last();
        libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), ptr::null_mut());
        if pid < 0 {
            Err(errno)
        } else {
            Ok(Pid::from_raw(pid))
        }
    }
}

/// The keeper: starts the command, waits for it, reports.
///
/// # Safety
/// In a forked child whose signals are all blocked.
unsafe fn keep(prepared: &Prepared<'_>) -> ! {
    // SAFETY: system calls only, on our own memory.
    unsafe {
        libc::signal(libc::SIGCHLD, libc::SIG_DFL);
        let child = libc::fork();
        if child == 0 {
            match &prepared.body {
                Body::Exec(exec) => execute(prepared, exec),
                Body::Call(body) => call(prepared, *body),
            }
        }
        if child < 0 {
            tell_errno(prepared.report);
            libc::_exit(1);
        }
        // Nobody waits for the end of a pipe of the host because of us, and only the command holds
        // that for its output now. Before Linux 5.9 only the latter.
        libc::close(prepared.output);
        libc::dup2(prepared.report, 0);
        libc::syscall(libc::SYS_close_range, 1, libc::c_uint::MAX, 0);
        let (wait_status, timed_out) = wait_or_kill(child, prepared.timeout);
        tell(
            0,
            Report {
                errno: 0,
                timed_out: timed_out.into(),
                wait_status,
            },
        );
        libc::_exit(0);
    }
}

/// Waits for `child`, and kills it with its group after `timeout`.
///
/// # Safety
/// In the keeper, whose child it is.
unsafe fn wait_or_kill(child: libc::pid_t, timeout: Duration) -> (c_int, bool) {
    let mut status = 0;
    // SAFETY: system calls only, on our own memory. SIGCHLD is blocked, so none is lost.
    unsafe {
        let mut ended = MaybeUninit::<libc::sigset_t>::uninit();
        libc::sigemptyset(ended.as_mut_ptr());
        libc::sigaddset(ended.as_mut_ptr(), libc::SIGCHLD);
        let deadline = now() + timeout;
        loop {
            if libc::waitpid(child, &mut status, libc::WNOHANG) == child {
                return (status, false);
            }
            let left = deadline.saturating_sub(now());
            if left.is_zero() {
                break;
            }
            let mut wait = MaybeUninit::<libc::timespec>::zeroed().assume_init();
            wait.tv_sec = left.as_secs() as libc::time_t;
            wait.tv_nsec = left.subsec_nanos() as _;
            libc::sigtimedwait(ended.as_ptr(), ptr::null_mut(), &wait);
        }
        libc::kill(-child, libc::SIGKILL);
        libc::kill(child, libc::SIGKILL);
        libc::waitpid(child, &mut status, 0);
        (status, true)
    }
}

/// CLOCK_MONOTONIC.
fn now() -> Duration {
    let mut time = MaybeUninit::<libc::timespec>::zeroed();
    // SAFETY: `time` is ours; zeroes are a time too.
    let time = unsafe {
        libc::clock_gettime(libc::CLOCK_MONOTONIC, time.as_mut_ptr());
        time.assume_init()
    };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Becomes the command, or reports why not.
///
/// # Safety
/// In a forked child whose signals are all blocked; the pointers in `prepared` are valid and its
/// lists end with NULL.
unsafe fn execute(prepared: &Prepared<'_>, exec: &Exec) -> ! {
    // SAFETY: system calls only; the pointers are valid by the contract.
    unsafe {
        stand_alone();
        // What the host left open is nothing for a stranger. Before Linux 5.11 it stays open.
        libc::syscall(
            libc::SYS_close_range,
            3,
            libc::c_uint::MAX,
            CLOSE_RANGE_CLOEXEC,
        );
        let placed = libc::dup2(exec.input, 0) == 0
            && libc::dup2(prepared.output, 1) == 1
            && (!exec.merge_stderr || libc::dup2(prepared.output, 2) == 2)
            && libc::chdir(exec.directory) == 0;
        if placed {
            unblock();
            libc::execve(exec.argv[0], exec.argv.as_ptr(), exec.environment.as_ptr());
        }
        tell_errno(prepared.report);
        libc::_exit(127);
    }
}

/// Runs `body`, which is the host's code with the host's memory.
///
/// # Safety
/// In a forked child, without other threads, whose signals are all blocked.
unsafe fn call(prepared: &Prepared<'_>, body: &dyn Fn(RawFd) -> c_int) -> ! {
    extern "C" fn leave() {
        // SAFETY: it ends the process, and nothing is run on the way.
        unsafe { libc::_exit(EXITED) }
    }
    // SAFETY: system calls and, without other threads, the C library; `leave` is static.
    unsafe {
        stand_alone();
        // As for every program in Rust: who writes to somebody who is gone gets an error.
        libc::signal(libc::SIGPIPE, libc::SIG_IGN);
        libc::close(prepared.report);
        // What it prints is not what the host prints.
        libc::dup2(2, 1);
        // Runs before all handlers of the host.
        libc::atexit(leave);
        unblock();
        libc::_exit(body(prepared.output))
    }
}

/// A session of its own, so that it can be killed with everything below it, and no handler of the
/// host.
///
/// # Safety
/// In a forked child.
unsafe fn stand_alone() {
    // SAFETY: system calls only.
    unsafe {
        libc::setsid();
        for signal in 1..=rc_sv_api::signal::MAX {
            libc::signal(signal, libc::SIG_DFL);
        }
    }
}

/// # Safety
/// In a forked child that has none of the host's handlers.
unsafe fn unblock() {
    let mut nothing = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the set is ours and filled before it is read.
    unsafe {
        libc::sigemptyset(nothing.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, nothing.as_ptr(), ptr::null_mut());
    }
}

/// # Safety
/// `pipe` is an open descriptor.
unsafe fn tell(pipe: RawFd, report: Report) {
    // SAFETY: `report` is ours and has no padding. Who should hear it may be gone: nothing to do.
    unsafe { libc::write(pipe, ptr::addr_of!(report).cast(), size_of::<Report>()) };
}

/// Reports why the last system call failed.
///
/// # Safety
/// As [`tell`].
unsafe fn tell_errno(pipe: RawFd) {
    // SAFETY: errno is this thread's own.
    unsafe {
        tell(
            pipe,
            Report {
                errno: *libc::__errno_location(),
                timed_out: 0,
                wait_status: 0,
            },
        );
    }
}
