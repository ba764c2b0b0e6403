//! Running a resolved spec.
//!
//! [`Launch::from_settings`] prepares everything in the parent; [`spawn`] makes the child, which
//! only makes system calls until it executes the program.

use rc_sv_api::exit::Exit;
use rc_sv_api::{Code, Error, Result, Settings};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;

/// A program ready to be run. Cheap to make; made anew for each spawn.
#[derive(Debug)]
pub struct Launch(());

/// What a hook is told of the end that it follows.
#[derive(Clone, Copy, Debug)]
pub struct Ending<'a> {
    /// How the main process ended.
    pub exit: Exit,
    /// systemd's `$SERVICE_RESULT`; `None` derives `success`, `exit-code`, `signal` or `core-dump`
    /// from `exit`. The supervisor says `timeout`, `start-limit-hit` and the like.
    pub result: Option<&'a str>,
}

/// A process that was made, but may not have executed its program yet.
#[derive(Debug)]
pub struct Child {
    /// Its pid, which is also its session and its process group. It must be waited for.
    pub pid: i32,
    /// Readable when it ended.
    pub pidfd: OwnedFd,
    /// Nonblocking read end of a pipe. End of file without a byte: the program was executed, or
    /// the child was killed before (its exit tells). Else one record for [`Failure::decode`]; the
    /// child then exits with [`NOT_RUN`].
    pub report: OwnedFd,
}

/// The exit code of a child that could not execute its program.
pub const NOT_RUN: u8 = 127;

/// Why a child could not execute its program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What it was doing.
    pub stage: u32,
    /// `errno`.
    pub errno: i32,
}

impl Launch {
    /// Prepares the daemon of a *resolved* spec. Asks no name service and opens nothing.
    ///
    /// # Errors
    /// [`Code::Invalid`]: the spec is not resolved, or a value does not fit.
    pub fn from_settings(_spec: &dyn Settings) -> Result<Launch> {
        Err(Error::new(Code::Unsupported, "not there yet"))
    }

    /// Prepares the hook `key` (`rc_supervise_finish` or `rc_supervise_on_give_up`) of a resolved
    /// spec. It runs as the caller's user, in `/`, in a session of its own, with the caller's
    /// limits. `RC_SVCNAME`, `EXIT_CODE`, `EXIT_STATUS` and `SERVICE_RESULT` are in its
    /// environment, and its last two arguments are the exit code, or 256, and the signal, or 0.
    ///
    /// # Errors
    /// [`Code::Invalid`]: the spec has no such hook, or is not resolved.
    pub fn for_hook(_spec: &dyn Settings, _key: &str, _ending: Ending<'_>) -> Result<Launch> {
        Err(Error::new(Code::Unsupported, "not there yet"))
    }

    /// The program, as seen in its root directory.
    pub fn program(&self) -> &Path {
        Path::new("/")
    }
}

/// Makes a process that runs `launch`, in the cgroup (version 2) that `cgroup` is a descriptor
/// of, or in the caller's. Returns as soon as the process exists; it is never waited for here.
/// The caller's signals are blocked meanwhile, so that no handler of it runs in the child.
///
/// # Errors
/// No process was made: the limit of processes, memory, descriptors, or the cgroup said no.
pub fn spawn(_launch: &Launch, _cgroup: Option<BorrowedFd<'_>>) -> Result<Child> {
    Err(Error::new(Code::Unsupported, "not there yet"))
}

impl Failure {
    /// Length of a record in bytes. It arrives in one piece.
    pub const SIZE: usize = 8;

    /// The failure in what was read from [`Child::report`]; `None` when that is no record.
    pub fn decode(_record: &[u8]) -> Option<Failure> {
        None
    }

    /// One line, such as `cannot execute /usr/bin/x: No such file or directory`.
    pub fn message(&self, _launch: &Launch) -> String {
        String::new()
    }
}
