//! The program `rc-sv-loader`.

mod program;

use clap::Parser;
use program::arguments::Arguments;
use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(match Arguments::try_parse() {
        Ok(arguments) => program::run(arguments),
        Err(error) => program::misused(&error),
    })
}
