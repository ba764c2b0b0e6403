//! Making the process.

use super::child::{self, Pointers};
use super::inherited::Inherited;
use super::syscall::Errno;
use super::{steps, Launch};
use nix::fcntl::OFlag;
use nix::unistd::pipe2;
use rc_sv_api::{Error, Result};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

/// A process that was made, but may not have executed its program yet.
#[derive(Debug)]
pub struct Child {
    /// Its pid, which is also its session and its process group. It must be waited for.
    pub pid: i32,
    /// Readable when it ended.
    pub pidfd: OwnedFd,
    /// Nonblocking read end of a pipe. End of file without a byte: the program was executed, or
    /// the child was killed before (its exit tells). Else one record for
    /// [`super::Failure::decode`]; the child then exits with [`super::NOT_RUN`].
    pub report: OwnedFd,
}

/// Makes a process that runs `launch`, in the cgroup (version 2) that `cgroup` is a descriptor
/// of, or in the caller's. Returns as soon as the process exists; it is never waited for here, so
/// a program on a dead file server holds nobody up. The caller's signals are blocked meanwhile,
/// so that no handler of it runs in the child. Which signals the caller ignores is looked up once,
/// at the first spawn: it must not begin to ignore others later.
///
/// # Errors
/// No process was made: the limit of processes, memory or descriptors is reached, the cgroup said
/// no, or Linux is older than 5.9.
pub fn spawn(launch: &Launch, cgroup: Option<BorrowedFd<'_>>) -> Result<Child> {
    make(launch, cgroup).map_err(|errno| not_made(errno, cgroup.is_some()))
}

/// Why no process was made, in words.
pub(super) fn not_made(errno: Errno, in_cgroup: bool) -> Error {
    let what = match in_cgroup {
        true => "make a process in its cgroup",
        false => "make a process",
    };
    let error = Error::io(
        format_args!("cannot {what}"),
        &io::Error::from_raw_os_error(errno),
    );
    let message = match errno {
        libc::EAGAIN => format!("{} (a limit of processes is reached)", error.message),
        libc::ENOSYS | libc::EINVAL | libc::E2BIG => {
            format!("{} (Linux 5.9 or later is needed)", error.message)
        }
        libc::EBUSY => format!("{} (it has inner cgroups with controllers)", error.message),
        libc::ENOENT | libc::ENODEV => format!("{} (it has been removed)", error.message),
        _ => error.message,
    };
    Error { message, ..error }
}

fn make(launch: &Launch, cgroup: Option<BorrowedFd<'_>>) -> std::result::Result<Child, Errno> {
    let argv = Pointers::new(&launch.argv);
    let environment = Pointers::with(&launch.environment, launch.own_pid.as_deref());
    let (report, write_end) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK).map_err(number)?;
    // In a caller without standard descriptors it could be one of them; a copy never is.
    let write_end = match write_end.as_raw_fd() {
        0..=2 => write_end
            .try_clone()
            .map_err(|cause| cause.raw_os_error().unwrap_or(libc::EMFILE))?,
        _ => write_end,
    };
    let report_to = write_end.as_raw_fd();
    let body = || {
        let failure = steps::take(
            launch,
            &argv,
            &environment,
            Some(report_to),
            Inherited::default(),
        );
        steps::tell(launch, failure, report_to);
    };
    let (pid, pidfd) = child::make(cgroup, body)?;
    Ok(Child { pid, pidfd, report })
}

fn number(errno: nix::errno::Errno) -> Errno {
    errno as Errno
}
