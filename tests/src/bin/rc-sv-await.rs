//! `rc-sv-await`: runs a command again whenever something happens in a
//! directory, until it succeeds. For scripts in the lab, which must not sleep.
#![allow(clippy::print_stderr)]

use std::env;
use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

const USAGE: &str = "\
usage: rc-sv-await SECONDS PATH... -- command [argument...]

Runs the command, and again after each event in one of the directories (or, as
long as a path does not exist, in the one above it), until it exits with 0.
Exits with 1 when it has not after that time.
";

fn main() -> ExitCode {
    let args: Vec<OsString> = env::args_os().skip(1).collect();
    let Some((timeout, paths, command)) = parse(&args) else {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    };
    match wait(timeout, &paths, command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rc-sv-await: {command:?}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse(args: &[OsString]) -> Option<(Duration, Vec<PathBuf>, &[OsString])> {
    let (seconds, rest) = args.split_first()?;
    let seconds = seconds.to_str()?.parse().ok()?;
    let end = rest.iter().position(|word| word == "--")?;
    let paths: Vec<PathBuf> = rest[..end].iter().map(PathBuf::from).collect();
    let command = &rest[end + 1..];
    let complete = !paths.is_empty() && !command.is_empty();
    complete.then_some((Duration::from_secs(seconds), paths, command))
}

fn wait(timeout: Duration, paths: &[PathBuf], command: &[OsString]) -> io::Result<()> {
    let deadline = Instant::now() + timeout;
    loop {
        // Watches first, so that nothing between them and the command is lost;
        // new ones each time, because directories come and go.
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
        for path in paths {
            watch(&inotify, path)?;
        }
        if Command::new(&command[0])
            .args(&command[1..])
            .status()?
            .success()
        {
            return Ok(());
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::Error::other(format!("not after {timeout:?}")));
        }
        let left =
            PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX);
        match poll(&mut [PollFd::new(inotify.as_fd(), PollFlags::POLLIN)], left) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn watch(inotify: &Inotify, path: &Path) -> io::Result<()> {
    let flags = AddWatchFlags::IN_CREATE
        | AddWatchFlags::IN_MOVE
        | AddWatchFlags::IN_DELETE
        | AddWatchFlags::IN_CLOSE_WRITE
        | AddWatchFlags::IN_MODIFY
        | AddWatchFlags::IN_DELETE_SELF
        | AddWatchFlags::IN_MOVE_SELF;
    for place in path.ancestors() {
        match inotify.add_watch(place, flags) {
            Err(Errno::ENOENT) => {}
            Ok(_) => return Ok(()),
            Err(error) => {
                let error = format!("{}: {error}", place.display());
                return Err(io::Error::other(error));
            }
        }
    }
    Ok(())
}
