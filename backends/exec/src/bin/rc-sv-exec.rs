//! `rc-sv-exec`: `run` and `finish` of a service directory.
#![allow(clippy::print_stdout)]

use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use rc_sv_api::Result;
use rc_sv_exec::run::{self, Call, Part, Signals};
use std::ffi::OsString;
use std::io::Write;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "\
usage: run            in a service directory, by a link of that name
       finish CODE SIGNAL
       rc-sv-exec run DIR
       rc-sv-exec finish DIR CODE SIGNAL
       rc-sv-exec respawn DIR exited|unhealthy|exec|sick|well
       rc-sv-exec recover DIR
       rc-sv-exec plain PROGRAM [ARGUMENT...]
       rc-sv-exec --help | --version
DIR is /run/openrc/rc-sv/SERVICE. See rc-sv-exec(8).";

/// The exit code of a call that could not be understood or begun; runsv and s6 have 100 for what
/// is no use to try again.
const FAILED: u8 = 100;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    match arguments.get(1).and_then(|word| word.to_str()) {
        Some("-h" | "--help") => println!("{USAGE}"),
        Some("-V" | "--version") => println!("rc-sv-exec {}", env!("CARGO_PKG_VERSION")),
        Some("plain") => return run_plain(run::plain, &arguments[2..]),
        Some(run::KEEPER) => return run_plain(run::keep, &arguments[2..]),
        _ => return play(&arguments),
    }
    ExitCode::SUCCESS
}

/// Runs a program that is no part of a service, with nothing of who called but the environment and
/// the output.
fn run_plain(run: fn(&[OsString]) -> Result<u8>, argv: &[OsString]) -> ExitCode {
    match run(argv) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            warn(&error.message);
            ExitCode::from(FAILED)
        }
    }
}

fn play(arguments: &[OsString]) -> ExitCode {
    let words: Vec<String> = arguments
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let called_as = words.first().map(String::as_str).unwrap_or_default();
    let called_as = called_as.rsplit('/').next().unwrap_or_default();
    let rest = words.get(1..).unwrap_or_default();
    let (part, path) = match (Part::parse(called_as, rest), rest.first(), arguments.get(2)) {
        (Some(part), ..) => (Some(part), None),
        (None, Some(name), Some(path)) => (Part::parse(name, &rest[2..]), Some(path)),
        _ => (None, None),
    };
    let Some(part) = part else {
        warn(&misused(rest));
        return ExitCode::from(2);
    };
    let result = part
        .settle()
        .and_then(|()| Signals::block())
        .and_then(|signals| {
            let call = match path {
                Some(path) => Call::of_path(Path::new(path), warn)?,
                None => Call::in_directory(warn)?,
            };
            call.tell_librc();
            part.play(call, &signals)
        });
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            warn(&error.message);
            ExitCode::from(FAILED)
        }
    }
}

/// What is wrong with the command line, in one line.
fn misused(words: &[String]) -> String {
    match words {
        [] => "what to do is missing; see --help".to_string(),
        words => format!("there is no such call as {:?}; see --help", words.join(" ")),
    }
}

/// Tells whoever reads. Nobody may, or may do so no more, and that must not hold a service up: a
/// pipe that takes a page takes a line.
fn warn(line: &str) {
    let mut error = std::io::stderr();
    let line = format!("rc-sv-exec: {line}\n");
    let is_writable = {
        let mut fds = [PollFd::new(error.as_fd(), PollFlags::POLLOUT)];
        poll(&mut fds, PollTimeout::ZERO) == Ok(1)
    };
    if is_writable {
        // There is nobody to tell of this.
        let _ = error.write_all(line.as_bytes());
    }
}
