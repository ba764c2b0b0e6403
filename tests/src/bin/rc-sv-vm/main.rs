//! `rc-sv-vm`: the tests that need a kernel of their own. Runs in a virtual machine that OpenRC has
//! booted, before it is shut down and after that; see `make vm`.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod boot;
mod campaign;
mod clock;
mod limits;
mod machine;
mod survive;

use std::panic::catch_unwind;
use std::process::ExitCode;
use std::time::Instant;
use std::{env, fs};

/// A test and its name.
type Test = (&'static str, fn());

macro_rules! tests {
    ($($module:ident::$test:ident),* $(,)?) => {
        &[$((concat!(stringify!($module), "::", stringify!($test)), $module::$test)),*]
    };
}

/// While the machine is up.
const RUN: &[Test] = tests![
    boot::services_are_up,
    limits::memory_max_kills,
    limits::pids_max_refuses,
    limits::all_hold_at_once,
    limits::suites_hold_them_too,
    survive::nobody_notices,
    survive::an_end_that_nobody_saw,
    survive::a_stranger_has_its_pid,
    survive::nothing_escapes_its_cgroup,
    survive::a_group_is_stopped_without_a_cgroup,
    clock::a_pause_stays_as_long,
    clock::pauses_grow_all_the_same,
    clock::given_up_for_as_long,
    clock::health_is_looked_at_as_often,
    clock::a_stop_waits_as_long,
    clock::logs_lose_nothing,
    clock::nobody_is_mistaken,
    campaign::nothing_is_lost_doubled_or_forgotten,
];

/// After it was shut down.
const END: &[Test] = tests![boot::nothing_is_left];

/// How many tests have passed and failed before the shutdown.
const COUNTS: &str = "/tmp/vm-counts";

/// The argument of the kernel that chooses tests.
const FILTER: &str = "rc_sv_test=";

fn main() -> ExitCode {
    match env::args().nth(1).as_deref() {
        Some("run") => {
            println!("booted in {:.1} s", machine::up().as_secs_f64());
            let counts = run_all(&chosen());
            fs::write(COUNTS, format!("{} {}", counts[0], counts[1])).expect(COUNTS);
            println!("shutting down after {:.1} s", machine::up().as_secs_f64());
            // Which ends this program, too.
            machine::ok("init 0");
        }
        Some("end") => {
            let before = machine::text(COUNTS);
            let before: Vec<usize> = before.split(' ').filter_map(|it| it.parse().ok()).collect();
            let [passed, failed] = run_all(&END.iter().collect::<Vec<_>>());
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

/// Those of the first list that have one of the words of [`FILTER`] in their names.
fn chosen() -> Vec<&'static Test> {
    let wanted = machine::argument(FILTER).unwrap_or_default();
    let wanted: Vec<&str> = wanted.split(',').collect();
    let is_wanted = |test: &&Test| wanted.iter().any(|word| test.0.contains(word));
    RUN.iter().filter(is_wanted).collect()
}

/// Runs them one after the other; how many have passed and failed.
fn run_all(tests: &[&Test]) -> [usize; 2] {
    let mut counts = [0; 2];
    for (name, test) in tests {
        let begun = Instant::now();
        let has_passed = catch_unwind(test).is_ok();
        counts[usize::from(!has_passed)] += 1;
        let how = if has_passed { "ok" } else { "FAILED" };
        println!("{name} ... {how} ({:.1} s)", begun.elapsed().as_secs_f32());
    }
    counts
}
