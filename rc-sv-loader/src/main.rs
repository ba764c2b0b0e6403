//! The program `rc-sv-loader`.

mod program;

use clap::Parser;
use program::{arguments::Arguments, plain};
use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    if let Some(arguments) = plain::parse(&words) {
        return ExitCode::from(program::run(arguments));
    }
    ExitCode::from(match Arguments::try_parse() {
        Ok(arguments) => program::run(arguments),
        Err(error) => program::misused(&error),
    })
}
