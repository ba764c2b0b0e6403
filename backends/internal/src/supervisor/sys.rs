//! The system calls that nix does not offer as safe functions. The only unsafe code of this crate.
#![allow(unsafe_code)]

use nix::errno::Errno;
use nix::poll::PollFd;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockFlag};
use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

pub(crate) use rc_sv_exec::process::{ending, kill_group, random, send_signal};

/// Closes all descriptors from `first` on. Only for the beginning of a program, before anything
/// owns one of them.
pub(crate) fn close_from(first: u32) {
    // SAFETY: by the contract nothing in this process owns these descriptors. A kernel without
    // the call (before 5.9) leaves them open, which costs descriptors, not safety.
    unsafe {
        libc::syscall(libc::SYS_close_range, first, u32::MAX, 0u32);
    }
}

/// `fork` for a process of one thread: `Some(pid)` in the parent, `None` in the child.
///
/// # Errors
/// No process could be made.
pub(crate) fn fork() -> io::Result<Option<i32>> {
    // SAFETY: this process has one thread then, so no lock is held by another one in the child; or
    // the child only makes system calls (`parting`).
    let pid = Errno::result(unsafe { libc::fork() })?;
    Ok((pid != 0).then_some(pid))
}

/// Ends the process at once, without running what `exit` runs.
pub(crate) fn leave(code: i32) -> ! {
    // SAFETY: it does not return.
    unsafe { libc::_exit(code) }
}

/// Gives all signals their default action and unblocks them, then ignores PIPE.
pub(crate) fn reset_signals() {
    // SAFETY: SIG_DFL and SIG_IGN are valid handlers; the kernel refuses KILL, STOP and the two
    // of the C library, which does no harm. The set is initialised before it is used.
    unsafe {
        for signal in 1..=libc::SIGRTMAX() {
            libc::signal(signal, libc::SIG_DFL);
        }
        libc::signal(libc::SIGPIPE, libc::SIG_IGN);
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &none, std::ptr::null_mut());
    }
}

/// Undoes what a caller's nice, chrt, ionice or taskset did. What may not be undone stays.
pub(crate) fn default_scheduling() {
    const IOPRIO_WHO_PROCESS: i32 = 1;
    // As many processors as the C library knows; the kernel takes those that there are.
    let everywhere = [u8::MAX; size_of::<libc::cpu_set_t>()];
    // SAFETY: what is pointed to lives during the calls and has the size that is given, or that of
    // its type; the others take numbers only.
    unsafe {
        libc::sched_setaffinity(0, everywhere.len(), everywhere.as_ptr().cast());
        let plain = libc::sched_param { sched_priority: 0 };
        libc::sched_setscheduler(0, libc::SCHED_OTHER, &plain);
        libc::setpriority(libc::PRIO_PROCESS, 0, 0);
        libc::syscall(libc::SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, 0);
    }
}

/// Takes over the resource limits of process `pid`; what is not allowed stays.
pub(crate) fn copy_limits(pid: i32) {
    /// `RLIM_NLIMITS` of Linux: the limits are numbered from 0.
    const LIMITS: u32 = 16;
    for resource in 0..LIMITS {
        // SAFETY: both limits live during the calls.
        unsafe {
            let mut limit: libc::rlimit64 = std::mem::zeroed();
            if libc::prlimit64(pid, resource as _, std::ptr::null(), &mut limit) == 0 {
                libc::prlimit64(0, resource as _, &limit, std::ptr::null_mut());
            }
        }
    }
}

/// Takes a waiting connection; nonblocking and close-on-exec.
///
/// # Errors
/// `EAGAIN` when none waits, and what accept(2) says.
pub(crate) fn accept(listener: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let fd = nix::sys::socket::accept4(listener.as_raw_fd(), flags)?;
    // SAFETY: the descriptor is new and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Lets nobody send descriptors to `listener` or to what is accepted from it: closing one can take
/// as long as its sender likes (SO_LINGER, socket(7)). Answers whether the kernel can, from 6.16 on.
pub(crate) fn take_no_descriptors(listener: BorrowedFd<'_>) -> bool {
    const SO_PASSRIGHTS: i32 = 83;
    let (no, size) = (0i32, size_of::<i32>() as libc::socklen_t);
    let (fd, level) = (listener.as_raw_fd(), libc::SOL_SOCKET);
    // SAFETY: the option is a number, which lives during the call and has the size that is given.
    unsafe { libc::setsockopt(fd, level, SO_PASSRIGHTS, (&raw const no).cast(), size) == 0 }
}

/// The supplementary groups that the other end of a connection had when it connected; none where
/// the kernel does not tell (before 4.13).
pub(crate) fn peer_groups(socket: BorrowedFd<'_>) -> Vec<u32> {
    let fd = socket.as_raw_fd();
    let mut groups: Vec<u32> = Vec::new();
    // First it tells how much room it needs. What it tells does not change later.
    for _ in 0..2 {
        let mut size = (groups.len() * size_of::<u32>()) as libc::socklen_t;
        let room = groups.as_mut_ptr().cast();
        // SAFETY: `room` has `size` bytes, and both live during the call.
        let done =
            unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_PEERGROUPS, room, &mut size) };
        let count = size as usize / size_of::<u32>();
        match Errno::result(done) {
            Ok(_) => {
                groups.truncate(count);
                return groups;
            }
            Err(Errno::ERANGE) => groups.resize(count, 0),
            Err(_) => break,
        }
    }
    Vec::new()
}

/// Receives one packet into `buffer`, and the descriptor that came with it. The length is that of
/// the packet, which may be longer than the buffer.
///
/// # Errors
/// What recvmsg(2) says.
pub(crate) fn receive(
    socket: BorrowedFd<'_>,
    buffer: &mut [u8],
) -> io::Result<(usize, Option<OwnedFd>)> {
    let mut space = nix::cmsg_space!([RawFd; 1]);
    let mut parts = [IoSliceMut::new(buffer)];
    let flags = MsgFlags::MSG_CMSG_CLOEXEC | MsgFlags::MSG_TRUNC | MsgFlags::MSG_DONTWAIT;
    let message = nix::sys::socket::recvmsg::<()>(
        socket.as_fd().as_raw_fd(),
        &mut parts,
        Some(&mut space),
        flags,
    )?;
    let mut received = None;
    for control in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(fds) = control {
            for fd in fds {
                // SAFETY: the kernel has just made this descriptor for us.
                received = Some(unsafe { OwnedFd::from_raw_fd(fd) });
            }
        }
    }
    Ok((message.bytes, received))
}

/// Owns the descriptor `number`, which whoever executed this program has left open.
///
/// # Errors
/// There is none.
pub(crate) fn take_over(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: a number only. It is open then, and by the contract nobody else's.
    unsafe {
        Errno::result(libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC))?;
        Ok(OwnedFd::from_raw_fd(number))
    }
}

/// Keeps all threads to one heap, where each would get one of its own: they allocate next to nothing.
pub(crate) fn share_heap() {
    #[cfg(target_env = "gnu")]
    // SAFETY: two numbers; it is called before there are threads.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

/// One message of a service.
pub(crate) struct Note {
    /// How much of the buffer it is.
    pub(crate) length: usize,
    /// Nothing of it is missing.
    pub(crate) is_whole: bool,
    /// Who sent it, as the kernel says; 0 where it does not.
    pub(crate) pid: i32,
    /// What came along.
    pub(crate) descriptors: Vec<OwnedFd>,
}

/// Receives one message of a service into `buffer`.
///
/// # Errors
/// `EAGAIN` when there is none, and what recvmsg(2) says.
pub(crate) fn receive_note(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<Note> {
    /// `SCM_MAX_FD` of Linux.
    const MOST: usize = 253;
    let mut space = nix::cmsg_space!([RawFd; MOST], nix::sys::socket::UnixCredentials);
    let mut parts = [IoSliceMut::new(buffer)];
    let flags = MsgFlags::MSG_CMSG_CLOEXEC | MsgFlags::MSG_DONTWAIT;
    let message =
        nix::sys::socket::recvmsg::<()>(socket.as_raw_fd(), &mut parts, Some(&mut space), flags)?;
    let cut = MsgFlags::MSG_TRUNC | MsgFlags::MSG_CTRUNC;
    let mut note = Note {
        length: message.bytes,
        is_whole: !message.flags.intersects(cut),
        pid: 0,
        descriptors: Vec::new(),
    };
    for control in message.cmsgs()? {
        match control {
            ControlMessageOwned::ScmCredentials(sender) => note.pid = sender.pid(),
            ControlMessageOwned::ScmRights(fds) => {
                // SAFETY: the kernel has just made these descriptors for us.
                let fds = fds
                    .into_iter()
                    .map(|fd| unsafe { OwnedFd::from_raw_fd(fd) });
                note.descriptors.extend(fds);
            }
            _ => {}
        }
    }
    Ok(note)
}

/// Gives back what work needs and idleness does not, and waits for one of `fds`, or for so many
/// milliseconds, or for ever (-1): freed memory, and the pages of code and constants of the program
/// and its libraries. These are never written, so the kernel takes them from the files again when
/// they are needed. It does so by 64 KiB around each, so after that no function of ours is called.
#[inline(never)]
pub(crate) fn rest(fds: &mut [PollFd<'_>], millis: i32) {
    let mut constants: Vec<(usize, usize)> = Vec::with_capacity(64);
    // SAFETY: `find_constants` gets what it is made for, and keeps nothing. No memory of ours is
    // touched by trimming. What it found are mappings that nobody ever writes to, of objects that
    // stay loaded. A `PollFd` is a pollfd, transparently.
    unsafe {
        // First what needs much code itself.
        #[cfg(target_env = "gnu")]
        libc::malloc_trim(0);
        libc::dl_iterate_phdr(
            Some(find_constants),
            std::ptr::from_mut(&mut constants).cast(),
        );
        for (start, length) in &constants {
            libc::madvise(*start as *mut libc::c_void, *length, libc::MADV_DONTNEED);
        }
        libc::poll(fds.as_mut_ptr().cast(), fds.len() as libc::nfds_t, millis);
    }
}

/// Adds those of one object, as addresses and lengths. What is written while it is loaded lies in
/// segments that are writable, whatever they are made later.
///
/// # Safety
/// As dl_iterate_phdr(3) calls it, with a `Vec<(usize, usize)>`.
unsafe extern "C" fn find_constants(
    object: *mut libc::dl_phdr_info,
    _: usize,
    constants: *mut libc::c_void,
) -> i32 {
    // SAFETY: the C library tells of an object that is loaded and stays so during the call; the
    // vector is nobody else's meanwhile.
    unsafe {
        let object = &*object;
        let constants = &mut *constants.cast::<Vec<(usize, usize)>>();
        let page = libc::sysconf(libc::_SC_PAGESIZE) as usize;
        let headers = std::slice::from_raw_parts(object.dlpi_phdr, object.dlpi_phnum.into());
        for header in headers {
            if header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_W == 0 {
                let start = object.dlpi_addr as usize + header.p_vaddr as usize;
                let end = (start + header.p_memsz as usize) / page * page;
                let start = start / page * page;
                constants.push((start, end.saturating_sub(start)));
            }
        }
    }
    0
}
