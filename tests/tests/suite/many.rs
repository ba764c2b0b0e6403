//! Many services.
#![allow(clippy::print_stdout)] // The times, for people.

use super::openrc::SOON;
use super::{starts, until_status, Suite};
use std::time::Instant;

/// So many.
const COUNT: usize = 50;

/// Many services are started, die all at once, come back and are stopped: nothing leaks.
pub fn nothing_leaks(suite: &Suite) {
    let lab = suite.lab();
    let names: Vec<String> = (0..COUNT).map(|number| format!("many{number}")).collect();
    let mark = |what: &str, begun: Instant| {
        println!("{}: {COUNT} {what} in {:?}", suite.module, begun.elapsed())
    };
    let begun = Instant::now();
    let command = format!(
        "for i in $(seq 0 {}); do RCSV_respawn_delay=0 RCSV_rc_supervise_min_interval=0 rc-sv-loader start many$i --module {} \
         -- {} --report /tmp/many$i & done; wait",
        COUNT - 1,
        suite.module,
        super::PROBE
    );
    lab.run(["/bin/sh", "-c", &command])
        .timeout(4 * SOON)
        .output()
        .ok();
    let first: Vec<i32> = names
        .iter()
        .map(|name| starts(&lab, name, 1)[0].pid())
        .collect();
    mark("started", begun);
    let begun = Instant::now();
    let pids: Vec<String> = first.iter().map(i32::to_string).collect();
    lab.sh(&format!("kill -KILL {}", pids.join(" "))).ok();
    for name in &names {
        starts(&lab, name, 2);
    }
    mark("back", begun);
    for name in &names {
        until_status(&lab, name, " up ");
    }
    let begun = Instant::now();
    let command = format!(
        "for i in $(seq 0 {}); do rc-sv-loader stop many$i & done; wait",
        COUNT - 1
    );
    lab.run(["/bin/sh", "-c", &command])
        .timeout(4 * SOON)
        .output()
        .ok();
    mark("stopped", begun);
    suite.assert_nothing_left(&lab);
}
