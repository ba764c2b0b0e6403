//! Many services.
#![allow(clippy::print_stdout)] // The times, for people.

use super::openrc::SOON;
use super::{starts, until_status, Suite};
use rc_sv_tests::lab::until;
use rc_sv_tests::Lab;
use std::time::Instant;

/// So many.
const COUNT: usize = 200;

/// What a stopped service leaves in its own directory, for its next status and start.
const KEPT: [&str; 6] = ["down", "failure", "instance", "lock", "record", "spec"];

/// Many services are started, die all at once, come back and are stopped: nothing leaks.
pub fn nothing_leaks(suite: &Suite) {
    let lab = suite.lab();
    // The first one makes what is there once for all.
    suite.probe(&lab, "foo", "", "");
    super::openrc::rc(&lab, "foo", "start").ok();
    super::openrc::rc(&lab, "foo", "stop").ok();
    let before = Held::at_rest(suite, &lab);
    let names: Vec<String> = (0..COUNT).map(|number| format!("many{number}")).collect();
    let mark = |what: &str, begun: Instant| {
        println!("{}: {COUNT} {what} in {:?}", suite.module, begun.elapsed())
    };
    let begun = Instant::now();
    for_each(
        &lab,
        &format!(
            "RCSV_respawn_delay=0 RCSV_rc_supervise_min_interval=0 \
             rc-sv-loader start many$i --module {} -- {} --report /tmp/many$i",
            suite.module,
            super::PROBE
        ),
    );
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
    for_each(&lab, "rc-sv-loader stop many$i");
    mark("stopped", begun);
    suite.assert_nothing_left(&lab);

    let after = Held::at_rest(suite, &lab);
    assert_eq!(after.processes, before.processes);
    assert_eq!(after.descriptors, before.descriptors);
    let files = after.files;
    let new = files.iter().filter(|path| !before.files.contains(path));
    let leaked = new.filter(|path| {
        let mut parts = path.trim_start_matches("/run/openrc/rc-sv/").split('/');
        let is_ours = parts
            .next()
            .is_some_and(|part| names.iter().any(|it| it == part));
        !is_ours || parts.next().is_some_and(|file| !KEPT.contains(&file))
    });
    assert_eq!(leaked.collect::<Vec<_>>(), [&""; 0]);
}

/// Runs a command for each of them, at the same time; `$i` is its number.
fn for_each(lab: &Lab, command: &str) {
    let last = COUNT - 1;
    let script = format!("for i in $(seq 0 {last}); do {command} & done; wait");
    let run = lab.run(["/bin/sh", "-c", &script]);
    run.timeout(4 * SOON).output().ok();
}

/// What could leak.
struct Held {
    /// The names of all processes.
    processes: Vec<String>,
    /// How many descriptors the scanner has.
    descriptors: usize,
    /// Everything in rc-sv's directories and the scanner's.
    files: Vec<String>,
}

impl Held {
    /// When the scanner has reaped its children, which some do every five seconds.
    fn at_rest(suite: &Suite, lab: &Lab) -> Held {
        let zombies = "ps -e -o stat= | grep '^Z'";
        until("no zombies", SOON, || {
            lab.sh(zombies).all().is_empty().then_some(())
        });
        let lines = |script: &str| -> Vec<String> {
            let said = lab.sh(script).ok();
            let mut lines: Vec<String> = said.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        let scanner = lab.pids(suite.scanner)[0];
        Held {
            processes: lines("ps -e -o comm="),
            descriptors: lines(&format!("ls /proc/{scanner}/fd")).len(),
            files: lines(&format!("find /run/openrc/rc-sv {}", suite.scan_dir)),
        }
    }
}
