//! The program `rc-sv-loader`.

mod program;

use clap::Parser;
use program::arguments::Arguments;
use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(program::run(Arguments::parse()))
}
