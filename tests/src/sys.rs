//! The system calls that `nix` does not wrap safely. The only file of this
//! package with `unsafe`.
#![allow(unsafe_code)]

use std::io::{self, IoSliceMut};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::errno::Errno;
use nix::sys::signal::SigSet;
use nix::sys::socket::{recvmsg, ControlMessageOwned, MsgFlags};
use nix::sys::wait::WaitStatus;
use nix::unistd::Pid;

/// Capabilities with which a process in the lab could still change the
/// machine outside: modules, raw I/O, the clock, device nodes, the kernel log.
const DANGEROUS: [libc::c_ulong; 5] = [16, 17, 25, 27, 34];

/// CLOSE_RANGE_CLOEXEC.
const CLOEXEC: libc::c_uint = 4;

/// Receives one message and the descriptors that came with it. They are
/// close-on-exec and belong to the caller. Length 0 means end of file.
pub(crate) fn recv_with_fds(
    socket: BorrowedFd<'_>,
    buffer: &mut [u8],
) -> io::Result<(usize, Vec<OwnedFd>)> {
    let mut space = nix::cmsg_space!([libc::c_int; 8]);
    let mut slices = [IoSliceMut::new(buffer)];
    let flags = MsgFlags::MSG_CMSG_CLOEXEC;
    let message = loop {
        match recvmsg::<()>(socket.as_raw_fd(), &mut slices, Some(&mut space), flags) {
            Err(Errno::EINTR) => {}
            other => break other?,
        }
    };
    let truncated = message
        .flags
        .intersects(MsgFlags::MSG_TRUNC | MsgFlags::MSG_CTRUNC);
    let mut fds = Vec::new();
    for part in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(raw) = part {
            for fd in raw {
                // SAFETY: the kernel has just installed this descriptor for us,
                // nobody else knows its number.
                fds.push(unsafe { OwnedFd::from_raw_fd(fd) });
            }
        }
    }
    if truncated {
        return Err(io::Error::other("message too long"));
    }
    Ok((message.bytes, fds))
}

/// A descriptor for process `pid`, readable for poll when the process is dead.
pub(crate) fn pidfd_open(pid: i32) -> io::Result<OwnedFd> {
    // SAFETY: takes two integers, returns a new descriptor or -1.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    let fd = i32::try_from(Errno::result(fd)?).map_err(io::Error::other)?;
    // SAFETY: a new descriptor that nobody else knows.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Waits for any child without blocking. `None` when there is nothing to
/// reap. The second value is the raw status for `ExitStatus::from_raw`.
pub(crate) fn reap() -> Option<(i32, i32)> {
    let mut status = 0;
    // SAFETY: `status` is a valid place for one integer.
    let pid = unsafe { libc::waitpid(-1, &mut status, libc::WNOHANG) };
    (pid > 0).then_some((pid, status))
}

/// Waits until child `pid` is dead.
pub(crate) fn wait_for(pid: Pid) -> io::Result<WaitStatus> {
    loop {
        match nix::sys::wait::waitpid(pid, None) {
            Err(Errno::EINTR) => {}
            other => return Ok(other?),
        }
    }
}

/// Gives every signal its default action again, and has every descriptor but
/// the first three closed at exec: nothing of the harness must be inherited
/// by the daemons under test.
pub(crate) fn forget_harness() -> io::Result<()> {
    // An all-zero sigaction is SIG_DFL without flags, on every architecture.
    // By system call, because glibc refuses its own two real-time signals.
    let action = [0_u64; 8];
    let none = std::ptr::null_mut::<u64>();
    for signal in (1..=64).filter(|signal| ![libc::SIGKILL, libc::SIGSTOP].contains(signal)) {
        // SAFETY: the action is longer than the kernel's struct, and no old
        // one is asked for.
        let done = unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, &action, none, 8) };
        Errno::result(done)?;
    }
    // SAFETY: only sets flags of descriptors.
    let done = unsafe { libc::syscall(libc::SYS_close_range, 3, u32::MAX, CLOEXEC) };
    Errno::result(done)?;
    Ok(())
}

/// Has the child of this command start with no signal blocked.
pub(crate) fn unblock_signals(command: &mut Command) {
    let unblock = || Ok(SigSet::empty().thread_set_mask()?);
    // SAFETY: sigprocmask may be called between fork and exec.
    unsafe { command.pre_exec(unblock) };
}

/// Takes the capabilities that reach outside of the lab from the bounding set,
/// so that no program started afterwards has them.
pub(crate) fn drop_dangerous() -> io::Result<()> {
    for capability in DANGEROUS {
        // SAFETY: takes integers only.
        let done = unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) };
        Errno::result(done)?;
    }
    Ok(())
}

/// Sets the loopback interface of this network namespace up.
pub(crate) fn loopback_up() -> io::Result<()> {
    let socket = nix::sys::socket::socket(
        nix::sys::socket::AddressFamily::Inet,
        nix::sys::socket::SockType::Datagram,
        nix::sys::socket::SockFlag::SOCK_CLOEXEC,
        None,
    )?;
    // SAFETY: ifreq is plain data, for which all zeros is a valid value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
        *to = *from as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // SAFETY: the request is a valid ifreq that outlives the call.
    let done = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &request) };
    Errno::result(done)?;
    Ok(())
}
