//! `probe-daemon`: reports how it was started, then behaves as it is told.
//!
//! A test starts it through OpenRC and reads the report with
//! `rc_sv_tests::Line`. Each line of the report is appended with one write.
//!
//! It has no main of Rust's own: that one ignores SIGPIPE and opens closed
//! standard descriptors before anybody could look.
#![no_main]

mod behave;
mod options;
mod report;
mod speak;
mod sys;

use std::ffi::OsString;

use options::Options;
use report::Report;

/// Bad usage, as everywhere.
const USAGE: i32 = 2;
/// The report cannot be written.
const NO_REPORT: i32 = 111;

/// What main does, as an exit code.
fn run(argv: Vec<OsString>) -> i32 {
    // First of all: nothing may change before it is looked at.
    let snapshot = report::snapshot(&argv);
    let options = match Options::parse(argv) {
        Ok(options) => options,
        Err(error) => {
            sys::complain(&format!("probe-daemon: {error}\n{}", options::USAGE));
            return USAGE;
        }
    };
    let report = Report::new(options.report.as_deref());
    // Who has read the first line may send signals.
    let done = behave::listen().and_then(|signals| {
        report.write(&snapshot)?;
        behave::run(&options, &report, &signals)
    });
    match done {
        Ok(code) => code,
        Err(error) => {
            sys::complain(&format!("probe-daemon: {error}\n"));
            NO_REPORT
        }
    }
}
