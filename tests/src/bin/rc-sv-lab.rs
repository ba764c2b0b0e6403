//! `rc-sv-lab`: runs a command in a lab. The same program is keeper and pid 1
//! of the labs of the tests.
#![allow(clippy::print_stderr)]

use std::env;
use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitCode;

use rc_sv_tests::{Lab, Shell};

const USAGE: &str = "\
usage: rc-sv-lab [options] -- command [argument...]

Runs the command in a private machine with OpenRC and rc-sv; everything in it
is gone when the command ends. The exit status is that of the command.

  --shell NAME    what /bin/sh is: dash (default), bash, busybox
  --over DIR      lay the directory on top of the root, read-only; repeatable
  --no-cgroup     without cgroups
  --no-stage      stock OpenRC, without rc-sv
  --term          pass on TERM, for colours

RC_SV_ROOT and RC_SV_STAGE name the Debian root and the installed tree.
";

fn main() -> ExitCode {
    let args: Vec<OsString> = env::args_os().skip(1).collect();
    let done = match rc_sv_tests::lab::inner(&args) {
        Some(done) => done.map(|()| 0),
        None => run(args),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("rc-sv-lab: {error}");
            ExitCode::from(if error.starts_with("usage") { 2 } else { 125 })
        }
    }
}

fn run(args: Vec<OsString>) -> Result<u8, String> {
    let mut args = args.into_iter();
    let mut builder = Lab::builder();
    let mut term = None;
    loop {
        let option = args.next().ok_or(USAGE)?;
        let mut value = || args.next().ok_or(USAGE);
        match option.to_str() {
            Some("--") => break,
            Some("--over") => builder = builder.over(value()?),
            Some("--no-cgroup") => builder = builder.without_cgroup(),
            Some("--no-stage") => builder = builder.without_stage(),
            Some("--term") => term = env::var_os("TERM"),
            Some("--shell") => {
                let shell = value()?.to_str().and_then(Shell::from_name).ok_or(USAGE)?;
                builder = builder.shell(shell);
            }
            _ => return Err(USAGE.into()),
        }
    }
    let command: Vec<OsString> = args.collect();
    if command.is_empty() {
        return Err(USAGE.into());
    }
    let lab = builder.try_build()?;
    let mut run = lab.run(command);
    if let Some(term) = term {
        run = run.env("TERM", term);
    }
    let (stdin, stdout, stderr) = (io::stdin(), io::stdout(), io::stderr());
    let done = run.attached([stdin.as_fd(), stdout.as_fd(), stderr.as_fd()]);
    let ended = lab.end();
    let status = done.map_err(|error| error.to_string())?;
    ended?;
    let code = status.code().unwrap_or(128 + status.signal().unwrap_or(0));
    Ok(u8::try_from(code).unwrap_or(255))
}
