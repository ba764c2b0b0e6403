//! `rc-sv-supervisor`: the supervisor of the module `internal`.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use rc_sv_exec::svcdir;
use rc_sv_internal::supervisor::program::{daemon, foreground, succeed, Task, USAGE};
use rc_sv_internal::supervisor::upgrade::upgrade;
use std::process::ExitCode;

fn main() -> ExitCode {
    let task = match Task::parse(std::env::args_os().skip(1), svcdir::find(None)) {
        Ok(task) => task,
        Err(error) => {
            eprintln!("rc-sv-supervisor: {error}");
            return ExitCode::from(2);
        }
    };
    let result = match task {
        Task::Daemon(svcdir) => daemon(&svcdir),
        Task::Foreground(svcdir) => foreground(&svcdir),
        Task::Upgrade(svcdir) => upgrade(&svcdir).map(|pid| {
            println!(
                "rc-sv-supervisor {} supervises as process {pid}",
                env!("CARGO_PKG_VERSION")
            );
        }),
        Task::Succeed(number) => succeed(number),
        Task::Help => {
            println!("{USAGE}");
            Ok(())
        }
        Task::Version => {
            println!("rc-sv-supervisor {}", env!("CARGO_PKG_VERSION"));
            Ok(())
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rc-sv-supervisor: {error}");
            ExitCode::FAILURE
        }
    }
}
