//! Running a program for somebody who may give up waiting and kill whom he made: monit kills a start
//! program that takes longer than its time-out, and half a start of OpenRC's is worse than a late one.
//!
//! So three are at work: whom the caller made, who only waits and may be killed; the keeper, who
//! passes on what the program says, so that it never writes to a broken pipe; and the program.

use crate::launch::{Launch, Running};
use nix::errno::Errno;
use nix::fcntl::{fcntl, FcntlArg, OFlag};
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::unistd::pipe2;
use rc_sv_api::exit::Exit;
use rc_sv_api::{Error, Result};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::Command;

/// The word by which `rc-sv-exec` is called as the keeper.
pub const KEEPER: &str = "keep";

/// Added to the number of a signal in an exit code, as shells do.
const SIGNALLED: u8 = 128;

/// What is in a pipe at most, where nobody has changed that.
const PIPE_SIZE: usize = 64 << 10;

/// Has a keeper run a program, and waits. Its exit code, as shells tell it.
///
/// # Errors
/// It is no absolute path, or no process can be made.
pub fn plain(argv: &[OsString]) -> Result<u8> {
    Launch::plain(argv)?;
    let mut command = Command::new("/proc/self/exe");
    // What is sent to the group of the caller is not for it.
    let status = command.arg(KEEPER).args(argv).process_group(0).status();
    let status = status.map_err(|cause| Error::io("make a process", &cause))?;
    Ok(code(Exit::from_wait_status(status.into_raw())))
}

/// Runs the program, and passes on what it says as long as somebody reads it.
///
/// # Errors
/// It cannot be run.
pub fn keep(argv: &[OsString]) -> Result<u8> {
    let failed = |cause| Error::io("wait for the program", &cause);
    let mut launch = Launch::plain(argv)?;
    let (mut output, end) = Pipe::new().map_err(failed)?;
    launch.give(end, 1);
    let (mut error, end) = Pipe::new().map_err(failed)?;
    launch.give(end, 2);
    let running = Running::begin(launch)?;
    loop {
        let ended = running.end();
        output.pass_on(&mut io::stdout());
        error.pass_on(&mut io::stderr());
        if let Some(exit) = ended {
            return exit.map(code);
        }
        let all = [running.as_fd(), output.0.as_fd(), error.0.as_fd()];
        let mut all = all.map(|fd| PollFd::new(fd, PollFlags::POLLIN));
        match poll(&mut all, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(failed(errno.into())),
        }
    }
}

fn code(exit: Exit) -> u8 {
    match exit {
        Exit::Code(code) => code,
        Exit::Signal(number) | Exit::Dumped(number) => SIGNALLED.saturating_add(number),
        Exit::NotRun(_) | Exit::Unknown => u8::MAX,
    }
}

/// What a program says. Its other end is open here too, so it never comes to an end.
struct Pipe(File);

impl Pipe {
    fn new() -> io::Result<(Pipe, OwnedFd)> {
        let (ours, theirs) = pipe2(OFlag::O_CLOEXEC)?;
        fcntl(&ours, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        Ok((Pipe(ours.into()), theirs))
    }

    /// Passes on what is there. Nobody may read it any more, which is no reason to stop.
    fn pass_on(&mut self, to: &mut impl Write) {
        let mut bytes = vec![0; PIPE_SIZE];
        if let Ok(count) = self.0.read(&mut bytes) {
            let _ = to.write_all(&bytes[..count]).and_then(|()| to.flush());
        }
    }
}
