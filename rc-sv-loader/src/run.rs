//! Running a command for a module, or our own code apart, within whatever program hosts us.
//!
//! A host such as openrc-run reaps every child in its SIGCHLD handler, so a child of ours would
//! often be gone before we can ask how it ended. Hence a keeper in between: the command is the
//! keeper's child, the keeper waits for it, kills it when its time is over, and tells us through a
//! pipe; who reaps the keeper does not matter.

mod keeper;

pub(crate) use keeper::EXITED;
use keeper::{fork_keeper, Body, Exec, Prepared, Report};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::memfd::{memfd_create, MFdFlags};
use nix::sys::wait::{waitpid, WaitPidFlag};
use nix::unistd::Pid;
use rc_sv_api::{Code, Error, Result};
use std::ffi::{c_char, c_int, CStr, CString};
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::mem::size_of;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::ptr;
use std::time::{Duration, Instant};

/// A command.
pub(crate) struct Command<'a> {
    /// The program, an absolute path, and its arguments.
    pub argv: &'a [CString],
    /// Its environment.
    pub environment: &'a [CString],
    /// Its working directory.
    pub directory: &'a CStr,
    /// Its standard input.
    pub input: &'a [u8],
    /// Whether standard error goes where standard output goes; else it stays the host's.
    pub merge_stderr: bool,
    /// After this long it is killed, with its process group.
    pub timeout: Duration,
}

/// How it ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    /// As from waitpid(2).
    pub wait_status: i32,
    /// Whether it was killed because its time was over.
    pub timed_out: bool,
    /// What it wrote.
    pub output: Vec<u8>,
    /// Whether it wrote more than was asked for.
    pub truncated: bool,
}

/// The keeper may take this much longer than the command.
const GRACE: Duration = Duration::from_secs(2);

/// Runs `command` and waits for it; keeps the first `most` bytes of what it writes.
///
/// # Errors
/// It could not be run. How it ended, and that its time was over, is no error.
pub(crate) fn run(command: &Command<'_>, most: usize) -> Result<Ran> {
    let input = input_file(command.input)?;
    let input = aside(input.into()).map_err(|errno| Error::io("dup", &errno.into()))?;
    let exec = Exec {
        argv: pointers(command.argv),
        environment: pointers(command.environment),
        directory: command.directory.as_ptr(),
        input: input.as_raw_fd(),
        merge_stderr: command.merge_stderr,
    };
    let program = command.argv.first().map(|word| word.to_string_lossy());
    let program = program.unwrap_or_default();
    keep(Body::Exec(exec), &program, command.timeout, most)
}

/// Runs `body` in a forked child, which is not to have threads, and waits for it. `body` is handed
/// a descriptor, and what it writes there is the output; what it answers is the exit code of the
/// child, [`EXITED`] that of a child that called exit(3) instead.
///
/// # Errors
/// As for [`run`].
pub(crate) fn fork(body: &dyn Fn(RawFd) -> c_int, timeout: Duration, most: usize) -> Result<Ran> {
    keep(Body::Call(body), "a part of this program", timeout, most)
}

fn keep(body: Body<'_>, program: &str, timeout: Duration, most: usize) -> Result<Ran> {
    let failed = |what: &str, errno: Errno| Error::io(what, &errno.into());
    let (output, output_end) = pipe().map_err(|errno| failed("pipe", errno))?;
    let (report, report_end) = pipe().map_err(|errno| failed("pipe", errno))?;
    let prepared = Prepared {
        body,
        output: output_end.as_raw_fd(),
        report: report_end.as_raw_fd(),
        timeout,
    };
    let keeper = fork_keeper(&prepared).map_err(|errno| failed("fork", errno))?;
    drop((output_end, report_end));
    let mut ran = Ran {
        wait_status: 0,
        timed_out: false,
        output: Vec::new(),
        truncated: false,
    };
    let deadline = Instant::now() + timeout + GRACE;
    let said = listen(
        &File::from(output),
        &File::from(report),
        deadline,
        most,
        &mut ran,
    );
    reap(keeper, matches!(said, Ok(Some(_))));
    let said = said.map_err(|errno| failed(&format!("running {program}"), errno))?;
    match said {
        Some(report) if report.errno != 0 => {
            let errno = Errno::from_raw(report.errno);
            Err(failed(&format!("cannot execute {program}"), errno))
        }
        Some(report) => {
            ran.wait_status = report.wait_status;
            ran.timed_out = report.timed_out != 0;
            Ok(ran)
        }
        None => Err(Error::new(
            Code::Io,
            format!("running {program}: lost track of it"),
        )),
    }
}

fn pointers(texts: &[CString]) -> Vec<*const c_char> {
    texts
        .iter()
        .map(|text| text.as_ptr())
        .chain([ptr::null()])
        .collect()
}

/// A pipe; neither end is where a standard descriptor belongs, which a host may have closed.
fn pipe() -> nix::Result<(OwnedFd, OwnedFd)> {
    let (read, write) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
    Ok((aside(read)?, aside(write)?))
}

fn aside(file: OwnedFd) -> nix::Result<OwnedFd> {
    const FIRST: RawFd = 3;
    if file.as_raw_fd() >= FIRST {
        return Ok(file);
    }
    // Always takes a number of at least three.
    file.try_clone().map_err(|cause| {
        let number = cause.raw_os_error().unwrap_or(Errno::EBADF as i32);
        Errno::from_raw(number)
    })
}

/// A file with the bytes for standard input: unlike a pipe it never makes anybody wait.
fn input_file(bytes: &[u8]) -> Result<File> {
    let io = |error: std::io::Error| Error::io("the input of a command", &error);
    if bytes.is_empty() {
        return File::open("/dev/null").map_err(io);
    }
    let file =
        memfd_create(c"rc-sv-input", MFdFlags::MFD_CLOEXEC).map_err(|errno| io(errno.into()))?;
    let mut file = File::from(file);
    file.write_all(bytes)
        .and_then(|()| file.rewind())
        .map_err(io)?;
    Ok(file)
}

/// Collects the output until the report is there, and then what is left of it: a grandchild may
/// keep the pipe open for ever.
fn listen(
    output: &File,
    report: &File,
    deadline: Instant,
    most: usize,
    ran: &mut Ran,
) -> nix::Result<Option<Report>> {
    let mut output_open = true;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        let mut waits = vec![PollFd::new(report.as_fd(), PollFlags::POLLIN)];
        if output_open {
            waits.push(PollFd::new(output.as_fd(), PollFlags::POLLIN));
        }
        match poll(&mut waits, timeout) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
        let ready = |index: usize| waits.get(index).and_then(PollFd::any).unwrap_or(false);
        if ready(1) {
            output_open = take(output, most, ran)?;
        }
        if ready(0) && !ready(1) {
            return read_report(report);
        }
    }
}

/// Reads once from the readable `output`; answers whether there may be more.
fn take(output: &File, most: usize, ran: &mut Ran) -> nix::Result<bool> {
    let mut buffer = [0; 4096];
    let count = match nix::unistd::read(output, &mut buffer) {
        Err(Errno::EINTR) => return Ok(true),
        other => other?,
    };
    let keep = count.min(most - ran.output.len());
    ran.output.extend(&buffer[..keep]);
    ran.truncated |= keep < count;
    Ok(count > 0)
}

fn read_report(mut report: &File) -> nix::Result<Option<Report>> {
    let mut bytes = [0; size_of::<Report>()];
    if report.read_exact(&mut bytes).is_err() {
        return Ok(None);
    }
    let word =
        |at: usize| c_int::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    Ok(Some(Report {
        errno: word(0),
        timed_out: word(4),
        wait_status: word(8),
    }))
}

/// Takes the keeper's status away, unless the host's handler was faster. A keeper that has reported
/// is about to end; one that has not is left to the host.
fn reap(keeper: Pid, reported: bool) {
    let flags = if reported {
        None
    } else {
        Some(WaitPidFlag::WNOHANG)
    };
    while waitpid(keeper, flags) == Err(Errno::EINTR) {}
}

#[cfg(test)]
mod tests;
