//! The program `rc-sv-loader`.

mod program;

use clap::Parser;
use program::arguments::Arguments;
use rc_sv_loader::limits;
use std::process::ExitCode;

fn main() -> ExitCode {
    // Before anything that needs stack.
    limits::lift();
    ExitCode::from(match Arguments::try_parse() {
        Ok(arguments) => program::run(arguments),
        Err(error) => program::misused(&error),
    })
}
