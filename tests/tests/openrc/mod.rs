//! What the OpenRC tests share: a lab for each shell, and a daemon that records how it was started.
#![allow(dead_code)] // Each test file uses a part of it.

use std::thread;
use std::time::Duration;

use rc_sv_tests::{Lab, Output, Shell};

/// Far longer than anything here takes.
pub const SOON: Duration = Duration::from_secs(30);
pub const KILL: i32 = 9;

/// Records into the directory that is its first argument: `argv` and `environ`, each word ended by
/// NUL, and its pid as a further line of `spawns`. Then it sleeps, or exits with the code in `exit`.
const RECORDER: &str = r#"#!/bin/dash
umask 022
mkdir -p "$1"
cat /proc/$$/cmdline >"$1/argv.$$" && mv "$1/argv.$$" "$1/argv"
cat /proc/$$/environ >"$1/environ.$$" && mv "$1/environ.$$" "$1/environ"
echo $$ >>"$1/spawns"
[ ! -e "$1/exit" ] || exit "$(cat "$1/exit")"
exec sleep 4242
"#;

/// The lines of a script that runs the recorder, which records into /tmp/SERVICE.
pub const RECORDED: &str = "command=/usr/local/bin/recorder\ncommand_args=/tmp/$RC_SVCNAME\n";

/// The line of conf.d that everything here is about.
pub const INTERNAL: &str = "rc_supervise_module=\"internal\"\n";

/// A lab with the recorder.
pub fn lab(shell: Shell) -> Lab {
    with_recorder(Lab::builder().shell(shell).build())
}

/// Adds the recorder to a lab.
pub fn with_recorder(lab: Lab) -> Lab {
    lab.write("/usr/local/bin/recorder", RECORDER, 0o755);
    lab
}

/// Runs the test in a lab for each shell, see [`shells`].
pub fn each_shell(test: impl Fn(&Lab) + Sync) {
    shells(|shell| test(&lab(shell)));
}

/// Runs the test for each shell, at the same time. The panic of a thread names its shell.
pub fn shells(test: impl Fn(Shell) + Sync) {
    let test = &test;
    thread::scope(|scope| {
        for shell in Shell::ALL {
            thread::Builder::new()
                .name(shell.name().into())
                .spawn_scoped(scope, move || test(shell))
                .expect("a thread");
        }
    });
}

/// Defines `service` as a recorder under the internal module, with more lines of conf.d.
#[track_caller]
pub fn supervised(lab: &Lab, service: &str, conf: &str) {
    lab.service(service, RECORDED);
    lab.conf(service, &format!("{INTERNAL}{conf}"));
}

/// `rc-service SERVICE COMMAND`.
#[track_caller]
pub fn rc(lab: &Lab, service: &str, command: &str) -> Output {
    lab.run(["rc-service", service, command]).output()
}

/// The pids of the first `count` recorders of `service`; waits until there are so many.
#[track_caller]
pub fn spawns(lab: &Lab, service: &str, count: usize) -> Vec<i32> {
    lab.wait_for_lines(format!("/tmp/{service}/spawns"), count, SOON)
        .iter()
        .map(|line| line.parse().expect("a pid"))
        .collect()
}

/// How many recorders of `service` there have been so far.
pub fn spawn_count(lab: &Lab, service: &str) -> usize {
    lab.try_read(format!("/tmp/{service}/spawns"))
        .map_or(0, |bytes| {
            bytes.iter().filter(|&&byte| byte == b'\n').count()
        })
}

/// Starts `service` and returns the pid of its daemon, the only one it has had.
#[track_caller]
pub fn start(lab: &Lab, service: &str) -> i32 {
    rc(lab, service, "start").ok();
    let pids = spawns(lab, service, 1);
    assert_eq!(pids.len(), 1, "{service}: {pids:?}");
    pids[0]
}

/// The words of a file in which each is ended by NUL.
#[track_caller]
pub fn words(lab: &Lab, path: &str) -> Vec<Vec<u8>> {
    let bytes = lab.read(path);
    let bytes = bytes.strip_suffix(&[0]).unwrap_or(&bytes);
    bytes.split(|&byte| byte == 0).map(<[u8]>::to_vec).collect()
}

/// The arguments of the recorder after its directory, once it has `count` spawns.
#[track_caller]
pub fn recorded_args(lab: &Lab, service: &str, count: usize) -> Vec<Vec<u8>> {
    spawns(lab, service, count);
    // The shell, the script, the directory.
    words(lab, &format!("/tmp/{service}/argv")).split_off(3)
}

/// Whether `pid` is alive; one that is ending is not.
pub fn alive(lab: &Lab, pid: i32) -> bool {
    lab.is_alive(pid)
}

/// In single quotes, for a shell.
pub fn quoted(value: &[u8]) -> Vec<u8> {
    let mut quoted = vec![b'\''];
    for &byte in value {
        match byte {
            b'\'' => quoted.extend(b"'\\''"),
            other => quoted.push(other),
        }
    }
    quoted.push(b'\'');
    quoted
}
