//! `rc-sv-logger`: between a service and where its output ends.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use rc_sv_api::{Error, Result, ServiceName};
use rc_sv_exec::log::Which;
use rc_sv_exec::logger;
use rc_sv_exec::place::Dir;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "\
usage: rc-sv-logger SVCDIR SERVICE output|error
       run            in the log of a service directory, by a link of that name
       rc-sv-logger --help | --version
rc-sv-supervisor and supervision suites call it; see rc-sv-logger(8).";

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let called_as = arguments.next().unwrap_or_default();
    if Path::new(&called_as)
        .file_name()
        .is_some_and(|name| name == "run")
    {
        return told(logger::run_in_directory(|line| {
            eprintln!("rc-sv-logger: {line}")
        }));
    }
    let arguments: Vec<_> = arguments.collect();
    match arguments.first().and_then(|word| word.to_str()) {
        Some("-h" | "--help") => println!("{USAGE}"),
        Some("-V" | "--version") => println!("rc-sv-logger {}", env!("CARGO_PKG_VERSION")),
        _ => match arguments.as_slice() {
            [svcdir, service, which] => return told(log(Path::new(svcdir), service, which)),
            words => {
                let count = words.len();
                eprintln!("rc-sv-logger: three arguments are needed, not {count}; see --help");
                return ExitCode::from(2);
            }
        },
    }
    ExitCode::SUCCESS
}

fn told(result: Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rc-sv-logger: {error}");
            ExitCode::FAILURE
        }
    }
}

fn log(svcdir: &Path, service: &OsStr, which: &OsStr) -> Result<()> {
    let service = ServiceName::new(service.as_bytes())?;
    let known = which.to_str().and_then(Which::of_name);
    let wrong = || Error::invalid(format!("{which:?}: must be output or error; see --help"));
    logger::run(
        &Dir::open_service(svcdir, &service)?,
        known.ok_or_else(wrong)?,
    )
}
