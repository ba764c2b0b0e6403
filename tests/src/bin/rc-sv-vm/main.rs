//! `rc-sv-vm`: the tests that need a kernel of their own. Runs in a virtual machine that OpenRC has
//! booted, before it is shut down and after that; see `make vm`.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod boot;
mod limits;
mod machine;

use std::panic::catch_unwind;
use std::process::ExitCode;
use std::time::Instant;
use std::{env, fs};

/// A test and its name.
type Test = (&'static str, fn());

/// While the machine is up.
const RUN: &[Test] = &[
    ("boot::services_are_up", boot::services_are_up),
    ("limits::memory_max_kills", limits::memory_max_kills),
    ("limits::pids_max_refuses", limits::pids_max_refuses),
    ("limits::all_hold_at_once", limits::all_hold_at_once),
];

/// After it was shut down.
const END: &[Test] = &[("boot::nothing_is_left", boot::nothing_is_left)];

/// How many tests have passed and failed before the shutdown.
const COUNTS: &str = "/tmp/vm-counts";

/// The argument of the kernel that chooses tests.
const FILTER: &str = "rc_sv_test=";

fn main() -> ExitCode {
    match env::args().nth(1).as_deref() {
        Some("run") => {
            println!("booted in {} s", up());
            let counts = run_all(RUN);
            fs::write(COUNTS, format!("{} {}", counts[0], counts[1])).expect(COUNTS);
            println!("shutting down at {} s", up());
            // Which ends this program, too.
            machine::ok("init 0");
        }
        Some("end") => {
            let before = machine::text(COUNTS);
            let before: Vec<usize> = before.split(' ').filter_map(|it| it.parse().ok()).collect();
            let [passed, failed] = run_all(END);
            let missing = usize::from(before.len() != 2);
            let [passed_before, failed_before] = [0, 1].map(|at| before.get(at).unwrap_or(&0));
            let failed = failed + failed_before + missing;
            println!("vm: {} passed, {failed} failed", passed + passed_before);
        }
        _ => {
            eprintln!("usage: rc-sv-vm run|end      (of the inittab of tests/vm only)");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

/// Runs what is wanted, one after the other; how many have passed and failed.
fn run_all(tests: &[Test]) -> [usize; 2] {
    let arguments = machine::text("/proc/cmdline");
    let mut words = arguments.split_whitespace();
    let wanted = words
        .find_map(|word| word.strip_prefix(FILTER))
        .unwrap_or("");
    let mut counts = [0; 2];
    for (name, test) in tests.iter().filter(|(name, _)| name.contains(wanted)) {
        let begun = Instant::now();
        let has_passed = catch_unwind(test).is_ok();
        counts[usize::from(!has_passed)] += 1;
        let how = if has_passed { "ok" } else { "FAILED" };
        println!("{name} ... {how} ({:.1} s)", begun.elapsed().as_secs_f32());
    }
    counts
}

/// Seconds since the kernel began.
fn up() -> String {
    let text = machine::text("/proc/uptime");
    text.split(' ').next().unwrap_or_default().to_string()
}
