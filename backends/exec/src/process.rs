//! Processes by their descriptors: signals, ends, making one.
#![allow(unsafe_code)]

use nix::errno::Errno;
use rc_sv_api::exit::Exit;
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::MetadataExt;

/// Sends `signal` to the process behind `pidfd`; 0 only asks whether it could be sent.
///
/// # Errors
/// `ESRCH`: it is reaped.
pub fn send_signal(pidfd: BorrowedFd<'_>, signal: i32) -> io::Result<()> {
    pidfd_send_signal(pidfd, signal, 0)
}

/// Sends `signal` to the process group of the leader behind `pidfd`, also when it is reaped.
///
/// # Errors
/// `ESRCH`: the group is empty. `EINVAL`: the kernel is older than 6.9.
pub fn signal_group(pidfd: BorrowedFd<'_>, signal: i32) -> io::Result<()> {
    const PIDFD_SIGNAL_PROCESS_GROUP: u32 = 1 << 2;
    pidfd_send_signal(pidfd, signal, PIDFD_SIGNAL_PROCESS_GROUP)
}

fn pidfd_send_signal(pidfd: BorrowedFd<'_>, signal: i32, flags: u32) -> io::Result<()> {
    // SAFETY: the descriptor is open; a null pointer for the siginfo is allowed.
    let done = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            pidfd.as_raw_fd(),
            signal,
            std::ptr::null::<libc::siginfo_t>(),
            flags,
        )
    };
    Ok(Errno::result(done).map(drop)?)
}

/// Sends `signal` to the process group of `leader`, which must not have been reaped: its zombie
/// keeps the number from being used again.
///
/// # Errors
/// `ESRCH`: the group is empty, or `leader` has not made it yet.
pub fn kill_group(leader: i32, signal: i32) -> io::Result<()> {
    if leader <= 1 {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: no memory is involved.
    Ok(Errno::result(unsafe { libc::kill(-leader, signal) }).map(drop)?)
}

/// Of which a number is, for calls about priorities: one thread.
const WHO_THREAD: libc::c_int = 1;

/// The nice value of this thread.
pub fn nice() -> i32 {
    // SAFETY: no memory is involved. That of the calling thread can always be had.
    unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) }
}

/// Gives a thread a nice value.
///
/// # Errors
/// `ESRCH`: it is gone.
pub fn set_nice(thread: i32, nice: i32) -> io::Result<()> {
    // SAFETY: no memory is involved.
    let done = unsafe { libc::setpriority(libc::PRIO_PROCESS, thread as libc::id_t, nice) };
    Ok(Errno::result(done).map(drop)?)
}

/// The I/O priority of this thread, as ioprio_set(2) has it.
pub fn io_priority() -> i32 {
    // SAFETY: no memory is involved. That of the calling thread can always be had.
    let own = unsafe { libc::syscall(libc::SYS_ioprio_get, WHO_THREAD, 0) };
    own as i32
}

/// Gives a thread an I/O priority.
///
/// # Errors
/// `ESRCH`: it is gone.
pub fn set_io_priority(thread: i32, priority: i32) -> io::Result<()> {
    // SAFETY: no memory is involved.
    let done = unsafe { libc::syscall(libc::SYS_ioprio_set, WHO_THREAD, thread, priority) };
    Ok(Errno::result(done).map(drop)?)
}

/// How the child behind `pidfd` ended; `None` while it runs. With `reap` its zombie is taken away.
///
/// # Errors
/// It is no child, or was reaped already.
pub fn ending(pidfd: BorrowedFd<'_>, reap: bool) -> io::Result<Option<Exit>> {
    let keep = if reap { 0 } else { libc::WNOWAIT };
    let flags = libc::WEXITED | libc::WNOHANG | keep;
    let ended = wait(libc::P_PIDFD, pidfd.as_raw_fd() as libc::id_t, flags)?;
    Ok(ended.map(|(_, exit)| exit))
}

fn wait(
    kind: libc::idtype_t,
    which: libc::id_t,
    flags: libc::c_int,
) -> io::Result<Option<(i32, Exit)>> {
    // SAFETY: zeroes are a valid siginfo, and the pointer to it is valid during the call.
    let info = unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        Errno::result(libc::waitid(kind, which, &mut info, flags))?;
        info
    };
    // SAFETY: waitid filled in the members for a child, or left everything zero.
    let (pid, status) = unsafe { (info.si_pid(), info.si_status()) };
    if pid == 0 {
        return Ok(None);
    }
    let exit = match info.si_code {
        libc::CLD_EXITED => Exit::Code(status as u8),
        libc::CLD_KILLED => Exit::Signal(status as u8),
        libc::CLD_DUMPED => Exit::Dumped(status as u8),
        _ => Exit::Unknown,
    };
    Ok(Some((pid, exit)))
}

/// A child that has ended, any one, and how; `None` when there is none. Its zombie stays.
///
/// # Errors
/// `ECHILD`: there is no child at all.
pub fn ended_child() -> io::Result<Option<(i32, Exit)>> {
    let flags = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    wait(libc::P_ALL, 0, flags)
}

/// Takes the zombie of a child away.
pub fn reap(pid: i32) {
    // It is there, so this neither waits nor fails.
    let _ = wait(libc::P_PID, pid as libc::id_t, libc::WEXITED);
}

/// A descriptor of the process that has this pid now.
///
/// # Errors
/// `ESRCH`: there is none.
pub fn open_process(pid: i32) -> io::Result<OwnedFd> {
    // SAFETY: two numbers.
    let fd = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })?;
    // SAFETY: the descriptor is new and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// Whether the process with this pid runs the program of this one, as a child does until it has
/// executed another one.
pub fn runs_this_program(pid: i32) -> bool {
    let program = |pid: &str| {
        let found = fs::metadata(format!("/proc/{pid}/exe")).ok()?;
        Some((found.dev(), found.ino()))
    };
    let own = program("self");
    own.is_some() && program(&pid.to_string()) == own
}

/// A descriptor of what is left of the process with this number in pidfs: of itself, of its zombie,
/// or of nothing but the group or session that it led, which keeps its pid. From Linux 6.14 on.
///
/// # Errors
/// `ESTALE`: nothing is left.
pub fn open_left(number: u64) -> io::Result<OwnedFd> {
    /// `struct file_handle`, as name_to_handle_at(2) makes it in pidfs: of `FILEID_KERNFS`.
    #[repr(C)]
    struct Name {
        length: u32,
        kind: i32,
        number: u64,
    }
    let mut name = Name {
        length: size_of::<u64>() as u32,
        kind: 0xFE,
        number,
    };
    // Any descriptor of that file system tells which one is meant.
    let own = open_process(std::process::id() as i32)?;
    // SAFETY: the name lives during the call, and is as long as it says.
    let fd = Errno::result(unsafe {
        libc::syscall(
            libc::SYS_open_by_handle_at,
            own.as_raw_fd(),
            &raw mut name,
            libc::O_CLOEXEC,
        )
    })?;
    // SAFETY: the descriptor is new and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// How a process that is no child of this one ended, and was reaped: from Linux 6.15 on, where the
/// descriptor was there before. `None`: it cannot be told.
pub fn ending_of_stranger(pidfd: BorrowedFd<'_>) -> Option<Exit> {
    /// `struct pidfd_info` of linux/pidfd.h in its first version.
    #[repr(C)]
    #[derive(Default)]
    struct PidfdInfo {
        mask: u64,
        cgroup: u64,
        ids: [u32; 11],
        exit_code: i32,
    }
    const PIDFD_INFO_EXIT: u64 = 1 << 3;
    /// `_IOWR(0xFF, 11, struct pidfd_info)`.
    const PIDFD_GET_INFO: u32 = 3 << 30 | (size_of::<PidfdInfo>() as u32) << 16 | 0xFF << 8 | 11;
    let mut info = PidfdInfo {
        mask: PIDFD_INFO_EXIT,
        ..PidfdInfo::default()
    };
    // SAFETY: the kernel fills in a struct of the size that the request's number has in it.
    let asked = unsafe { libc::ioctl(pidfd.as_raw_fd(), PIDFD_GET_INFO as _, &raw mut info) };
    let is_told = asked == 0 && info.mask & PIDFD_INFO_EXIT != 0;
    is_told.then(|| Exit::from_wait_status(info.exit_code))
}

/// Gives descriptor `from` the number `to`. Only for the beginning of a program, before anything
/// owns one of them. It stays open through an execve.
///
/// # Errors
/// `EBADF`: there is no such descriptor.
pub fn move_descriptor(from: RawFd, to: RawFd) -> io::Result<()> {
    if from == to {
        return Ok(());
    }
    // SAFETY: by the contract nothing in this process owns these descriptors.
    unsafe {
        Errno::result(libc::dup2(from, to))?;
        libc::close(from);
    }
    Ok(())
}

/// 64 random bits from the kernel, or the clock where it has none yet.
pub fn random() -> u64 {
    let mut bytes = [0u8; 8];
    // SAFETY: the buffer is as long as said.
    let got =
        unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), libc::GRND_NONBLOCK) };
    if got == bytes.len() as isize {
        return u64::from_ne_bytes(bytes);
    }
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(1, |since| since.as_nanos() as u64)
}

#[cfg(test)]
#[path = "process_tests.rs"]
mod tests;

/// Whether both descriptors are of one open file, as a descriptor and its copy are. Where the kernel
/// does not tell, they are not.
pub fn is_copy(one: BorrowedFd<'_>, other: BorrowedFd<'_>) -> bool {
    const KCMP_FILE: i32 = 0;
    let pid = std::process::id();
    let (one, other) = (one.as_raw_fd(), other.as_raw_fd());
    // SAFETY: five numbers.
    let order = unsafe { libc::syscall(libc::SYS_kcmp, pid, pid, KCMP_FILE, one, other) };
    order == 0
}

/// A copy of the descriptor `number`, which whoever executed this program has given to it.
///
/// # Errors
/// There is none.
pub fn given(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: numbers only; the new descriptor is nobody else's.
    unsafe {
        let copy = Errno::result(libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 0))?;
        Ok(OwnedFd::from_raw_fd(copy))
    }
}
