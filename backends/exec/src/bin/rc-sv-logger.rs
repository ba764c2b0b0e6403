//! `rc-sv-logger`: between a service and where its output ends.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use rc_sv_api::{Error, Result, ServiceName};
use rc_sv_exec::log::Which;
use rc_sv_exec::logger;
use rc_sv_exec::place::Dir;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "\
usage: rc-sv-logger SVCDIR SERVICE output|error
       rc-sv-logger --help | --version
rc-sv-supervisor calls it; see rc-sv-logger(8).";

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    match arguments.first().and_then(|word| word.to_str()) {
        Some("-h" | "--help") => println!("{USAGE}"),
        Some("-V" | "--version") => println!("rc-sv-logger {}", env!("CARGO_PKG_VERSION")),
        _ => match arguments.as_slice() {
            [svcdir, service, which] => {
                let which = which.to_str().and_then(Which::of_name);
                let result = ServiceName::new(service.as_bytes())
                    .and_then(|service| log(Path::new(svcdir), &service, which));
                if let Err(error) = result {
                    eprintln!("rc-sv-logger: {error}");
                    return ExitCode::FAILURE;
                }
            }
            _ => {
                eprintln!("{USAGE}");
                return ExitCode::from(2);
            }
        },
    }
    ExitCode::SUCCESS
}

fn log(svcdir: &Path, service: &ServiceName, which: Option<Which>) -> Result<()> {
    let which = which.ok_or_else(|| Error::invalid("must be output or error"))?;
    logger::run(&Dir::open_service(svcdir, service)?, which)
}
