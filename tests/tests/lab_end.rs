//! Nothing of a lab stays behind, however it ends.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rc_sv_tests::lab::until;
use rc_sv_tests::Lab;

const SOON: Duration = Duration::from_secs(20);
const TERM: i32 = 15;
const KILL: i32 = 9;

fn stock() -> Lab {
    Lab::builder().without_stage().build()
}

/// Makes a lab in a process of its own, with a daemon in it.
fn other_process() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rc-sv-lab"));
    command.args(["--no-stage", "--", "sh", "-c"]);
    command.arg("setsid sleep 4242 & trap '' TERM HUP INT; echo up; cat; cat /proc/1/cmdline");
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

/// What a lab of process `harness` would leave: its processes and its cgroups.
fn leftovers(harness: u32) -> Vec<String> {
    let mark = format!("rc-sv-lab-{harness}-");
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let file = |name| fs::read(entry.path().join(name)).unwrap_or_default();
        let told = [file("cmdline"), file("cgroup"), file("mountinfo")].concat();
        if String::from_utf8_lossy(&told).contains(&mark) {
            found.push(entry.path().display().to_string());
        }
    }
    for mount in ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"] {
        for entry in fs::read_dir(mount).into_iter().flatten().flatten() {
            let name = entry.file_name().into_string().unwrap();
            found.extend(name.starts_with(&mark).then_some(name));
        }
    }
    found
}

/// Mounts of the machine that a lab can have made: all of them are below the
/// directory `mnt` of its root when they are made.
fn leaked_mounts() -> Vec<String> {
    let all = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let leaked = |line: &&str| line.contains("rc-sv-lab") || line.contains("/mnt/new");
    all.lines().filter(leaked).map(str::to_owned).collect()
}

#[test]
fn a_harness_that_is_killed_leaves_nothing() {
    for signal in [KILL, TERM] {
        let mut child = other_process().spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert_eq!(line, "up\n");
        let harness = child.id();
        assert!(leftovers(harness).len() >= 4, "{:?}", leftovers(harness));
        let status = Command::new("kill")
            .args([format!("-{signal}"), harness.to_string()])
            .status();
        assert!(status.unwrap().success());
        child.wait().unwrap();
        // Nobody is left who could send an event.
        until("clean-up after a killed harness", SOON, || {
            leftovers(harness).is_empty().then_some(())
        });
    }
    assert_eq!(leaked_mounts(), [""; 0]);
}

#[test]
fn a_keeper_that_is_killed_is_cleaned_up_after() {
    let mut child = other_process().spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    let harness = child.id();
    let children = format!("/proc/{harness}/task/{harness}/children");
    let keeper = fs::read_to_string(children).unwrap();
    let status = Command::new("kill").args(["-9", keeper.trim()]).status();
    assert!(status.unwrap().success());
    // Its lab is gone at once, which the harness sees.
    assert_eq!(child.wait().unwrap().code(), Some(125));
    // Only the cgroup is left, up to the next lab.
    until("removal of the cgroup", SOON, || {
        drop(stock());
        leftovers(harness).is_empty().then_some(())
    });
}

#[test]
fn a_lab_that_ends_leaves_nothing() {
    let mut child = other_process().spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    let harness = child.id();
    assert!(leftovers(harness).len() >= 4, "{:?}", leftovers(harness));
    drop(child.stdin.take());
    let status = child.wait().unwrap();
    assert!(status.success(), "{status}");
    // When the harness has ended in peace, the rest is gone already.
    assert_eq!(leftovers(harness), [""; 0]);
    assert_eq!(leaked_mounts(), [""; 0]);
    assert!(
        !Path::new("/run/openrc/softlevel").exists(),
        "the machine itself runs OpenRC?"
    );
}
