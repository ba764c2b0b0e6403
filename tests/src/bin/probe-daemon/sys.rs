//! The system calls of the probe, and its entry. The only file of it with
//! `unsafe`.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int, CStr, OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;

/// The program starts here.
///
/// # Safety
/// Called by the C library alone, with the arguments as POSIX says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn main(argc: c_int, argv: *const *const c_char) -> c_int {
    let count = usize::try_from(argc).unwrap_or(0);
    let word = |index| {
        // SAFETY: argv holds `argc` pointers to strings that end with NUL.
        let word = unsafe { CStr::from_ptr(*argv.add(index)) };
        OsStr::from_bytes(word.to_bytes()).to_owned()
    };
    let words: Vec<OsString> = (0..count).map(word).collect();
    crate::run(words)
}

/// The numbers of this process.
pub(crate) struct Ids {
    pub(crate) pid: i32,
    pub(crate) parent: i32,
    pub(crate) session: i32,
    pub(crate) group: i32,
}

pub(crate) fn ids() -> Ids {
    // SAFETY: these cannot fail and touch no memory.
    unsafe {
        Ids {
            pid: libc::getpid(),
            parent: libc::getppid(),
            session: libc::getsid(0),
            group: libc::getpgrp(),
        }
    }
}

/// Time since boot without suspension: the same clock inside and outside of a
/// lab.
pub(crate) fn monotonic_ns() -> u64 {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `now` is a valid place.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    let rest = u64::try_from(now.tv_nsec).unwrap_or(0);
    seconds * 1_000_000_000 + rest
}

/// All resource limits: `name:soft:hard,...`, `-` for unlimited.
pub(crate) fn rlimits() -> String {
    let names = [
        (libc::RLIMIT_AS, "as"),
        (libc::RLIMIT_CORE, "core"),
        (libc::RLIMIT_CPU, "cpu"),
        (libc::RLIMIT_DATA, "data"),
        (libc::RLIMIT_FSIZE, "fsize"),
        (libc::RLIMIT_LOCKS, "locks"),
        (libc::RLIMIT_MEMLOCK, "memlock"),
        (libc::RLIMIT_MSGQUEUE, "msgqueue"),
        (libc::RLIMIT_NICE, "nice"),
        (libc::RLIMIT_NOFILE, "nofile"),
        (libc::RLIMIT_NPROC, "nproc"),
        (libc::RLIMIT_RSS, "rss"),
        (libc::RLIMIT_RTPRIO, "rtprio"),
        (libc::RLIMIT_RTTIME, "rttime"),
        (libc::RLIMIT_SIGPENDING, "sigpending"),
        (libc::RLIMIT_STACK, "stack"),
    ];
    let text = |limit| match limit {
        libc::RLIM_INFINITY => "-".to_owned(),
        number => number.to_string(),
    };
    let limits = names.map(|(resource, name)| {
        let mut limit = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        // SAFETY: `limit` is a valid place.
        unsafe { libc::getrlimit(resource, &mut limit) };
        format!("{name}:{}:{}", text(limit.rlim_cur), text(limit.rlim_max))
    });
    limits.join(",")
}

pub(crate) fn nice() -> i32 {
    // SAFETY: takes two integers. -1 is a possible value, an error is not.
    unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) }
}

/// Class and data: `2:4`.
pub(crate) fn ioprio() -> String {
    const IOPRIO_WHO_PROCESS: c_int = 1;
    // SAFETY: takes two integers.
    let value = unsafe { libc::syscall(libc::SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0) };
    format!("{}:{}", value >> 13, value & 0x1fff)
}

pub(crate) fn securebits() -> i32 {
    // SAFETY: takes integers.
    unsafe { libc::prctl(libc::PR_GET_SECUREBITS, 0, 0, 0, 0) }
}

/// The signal it gets when its parent dies; 0 for none.
pub(crate) fn death_signal() -> c_int {
    let mut signal: c_int = 0;
    // SAFETY: `signal` is a valid place.
    unsafe { libc::prctl(libc::PR_GET_PDEATHSIG, &mut signal) };
    signal
}

pub(crate) fn closes_at_exec(fd: i32) -> bool {
    // SAFETY: takes integers.
    let flags = unsafe { libc::fcntl(fd, libc::F_GETFD) };
    flags & libc::FD_CLOEXEC != 0
}

/// Writes a line to a descriptor in one write.
pub(crate) fn write_line(fd: i32, text: &OsStr) -> io::Result<()> {
    let mut line = text.as_bytes().to_vec();
    line.push(b'\n');
    write_bytes(fd, &line)
}

/// Writes to a descriptor in one write.
pub(crate) fn write_bytes(fd: i32, bytes: &[u8]) -> io::Result<()> {
    // SAFETY: the pointer and the length belong to `bytes`.
    let written = unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) };
    Errno::result(written)?;
    Ok(())
}

pub(crate) fn close(fd: i32) -> io::Result<()> {
    // SAFETY: nothing in this program owns a descriptor that it was started with.
    Errno::result(unsafe { libc::close(fd) })?;
    Ok(())
}

/// Until somebody kills it: all signals are blocked.
pub(crate) fn wait_for_the_end() {
    // SAFETY: takes nothing.
    unsafe { libc::pause() };
}

/// Says something on standard error. There is nobody to tell if that fails.
pub(crate) fn complain(text: &str) {
    // SAFETY: the pointer and the length belong to `text`.
    unsafe { libc::write(2, text.as_ptr().cast(), text.len()) };
}

/// The child's number, None in the child. There is one thread, so the child
/// may do anything.
pub(crate) fn fork() -> io::Result<Option<i32>> {
    // SAFETY: this program never has a second thread.
    let pid = Errno::result(unsafe { libc::fork() })?;
    Ok((pid != 0).then_some(pid))
}

pub(crate) fn new_session() -> io::Result<()> {
    // SAFETY: takes nothing.
    Errno::result(unsafe { libc::setsid() })?;
    Ok(())
}

pub(crate) fn exit_now(code: i32) -> ! {
    // SAFETY: ends the process.
    unsafe { libc::_exit(code) }
}

/// A dead child and its raw wait status, if there is one.
pub(crate) fn reap() -> Option<(i32, i32)> {
    let mut status = 0;
    // SAFETY: `status` is a valid place.
    let pid = unsafe { libc::waitpid(-1, &mut status, libc::WNOHANG) };
    (pid > 0).then_some((pid, status))
}

/// Dies by the default action of a signal, whatever blocks or ignores it now.
pub(crate) fn die_by(signal: i32) -> io::Result<()> {
    // SAFETY: SIG_DFL needs no handler; the set is initialised before use.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, signal);
        libc::signal(signal, libc::SIG_DFL);
        libc::kill(libc::getpid(), signal);
        libc::sigprocmask(libc::SIG_UNBLOCK, &set, std::ptr::null_mut());
    }
    Ok(())
}
