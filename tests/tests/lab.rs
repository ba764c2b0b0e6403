//! The lab itself: stock OpenRC works in it, and files and jobs are its own.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rc_sv_tests::lab::until;
use rc_sv_tests::{Lab, Shell};

const SOON: Duration = Duration::from_secs(20);
const TERM: i32 = 15;
const KILL: i32 = 9;

const SLEEPER: &str = "command=/bin/sleep\ncommand_args=4242\nsupervisor=supervise-daemon\n";

fn stock() -> Lab {
    Lab::builder().without_stage().build()
}

/// The daemon of a stock supervise-daemon service; waits until there is one
/// that is not `other`.
fn supervised(lab: &Lab, service: &str, other: i32) -> i32 {
    let file = format!("/run/openrc/options/{service}/child_pid");
    let parse = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().parse::<i32>().ok();
    let new = |bytes: &[u8]| parse(bytes).is_some_and(|pid| pid != other);
    parse(&lab.wait_for_file(file, new, SOON)).unwrap()
}

/// supervise-daemon tells the number before the exec, for which there is no
/// event.
fn executed(lab: &Lab, pid: i32) {
    let name = format!("/proc/{pid}/comm");
    until("exec of sleep", SOON, || {
        (lab.text(&name) == "sleep\n").then_some(())
    });
}

#[test]
fn a_script_runs_as_root_of_its_own_machine() {
    let lab = stock();
    let output = lab.sh("id -u; hostname; pwd; ls -d /run/openrc; exec >&2; echo no; exit 3");
    assert_eq!(output.stdout, "0\nlab\n/\n/run/openrc\n");
    assert_eq!(output.stderr, "no\n");
    assert_eq!(output.code(), 3);
    assert_eq!(lab.sh("kill -9 $$").code(), 137);
    let own = fs::read_link("/proc/self/ns/net").unwrap();
    assert_ne!(
        lab.sh("readlink /proc/self/ns/net").ok().trim(),
        own.to_str().unwrap()
    );
    assert!(
        lab.sh("cat /sys/class/net/lo/flags")
            .ok()
            .trim()
            .ends_with('9'),
        "lo is not up"
    );
    assert!(!lab.sh("echo x >/proc/sys/kernel/hostname").status.success());
}

#[test]
fn stock_openrc_supervises_and_restarts_a_daemon() {
    for shell in Shell::ALL {
        let lab = Lab::builder().without_stage().shell(shell).build();
        lab.service("foo", SLEEPER);
        let output = lab.sh("rc-service foo start");
        assert!(!output.held_open, "{output}");
        output.ok();
        let first = supervised(&lab, "foo", 0);
        executed(&lab, first);
        lab.kill(first, KILL);
        let second = supervised(&lab, "foo", first);
        executed(&lab, second);
        assert!(lab.sh("rc-status").ok().contains("started"), "{shell:?}");
        lab.sh("rc-service foo stop").ok();
        lab.wait_dead(second, SOON);
        assert_eq!(lab.sh("rc-service foo status").code(), 3);
    }
}

#[test]
fn the_shell_is_the_one_asked_for() {
    for (shell, real) in [
        (Shell::Dash, "dash"),
        (Shell::Bash, "bash"),
        (Shell::Busybox, "busybox"),
    ] {
        let lab = Lab::builder().without_stage().shell(shell).build();
        let path = lab.sh("readlink -f /proc/$$/exe; :").ok();
        assert_eq!(path.trim(), format!("/usr/bin/{real}"));
    }
}

#[test]
fn services_get_cgroups_where_openrc_makes_them() {
    let lab = stock();
    assert!(
        lab.has_cgroup(),
        "this machine has no cgroup2 that we may write to"
    );
    lab.service("foo", SLEEPER);
    lab.sh("rc-service foo start").ok();
    let pid = supervised(&lab, "foo", 0);
    let members = lab.sh("cat /sys/fs/cgroup/unified/foo/cgroup.procs").ok();
    assert!(
        members.lines().any(|line| line == pid.to_string()),
        "{members}"
    );
    let own = lab.sh(&format!("cat /proc/{pid}/cgroup")).ok();
    assert!(own.contains("0::/foo\n"), "{own}");
}

#[test]
fn without_cgroup_openrc_still_starts_services() {
    let lab = Lab::builder().without_stage().without_cgroup().build();
    assert!(!lab.has_cgroup());
    assert!(!lab.exists("/sys/fs/cgroup/unified"));
    lab.service("foo", SLEEPER);
    lab.sh("rc-service foo start").ok();
    supervised(&lab, "foo", 0);
}

#[test]
fn files_are_those_of_the_lab_even_through_absolute_links() {
    let lab = stock();
    lab.write("/var/run/lab-test/deep/file", "one\n", 0o640);
    assert_eq!(lab.sh("stat -c %a /run/lab-test/deep/file").ok(), "640\n");
    assert!(
        !Path::new("/run/lab-test").exists(),
        "written to the machine's /run"
    );
    lab.sh("ln -s /etc/hostname /tmp/link").ok();
    assert_eq!(lab.text("/tmp/link"), "lab\n");
    assert!(lab.try_read("/nowhere").is_err());
}

#[test]
fn waiting_for_a_file_sees_what_happens_later() {
    let lab = stock();
    // The directory comes later, then the file, then its second line.
    let script = "read go </tmp/go; mkdir -p /tmp/a/b; echo 1 >/tmp/a/b/c; echo 2 >>/tmp/a/b/c";
    lab.sh("mkfifo /tmp/go").ok();
    let job = lab.spawn(script);
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| lab.wait_for_lines("/tmp/a/b/c", 2, SOON));
        lab.sh("echo go >/tmp/go").ok();
        assert_eq!(waiter.join().unwrap(), ["1", "2"]);
    });
    job.wait(SOON).ok();
    let remover = lab.spawn("rm -r /tmp/a");
    lab.wait_for_absence("/tmp/a/b/c", SOON);
    remover.wait(SOON).ok();
}

#[test]
#[should_panic(expected = "not after 50ms; so far:\nhalf")]
fn waiting_for_a_file_ends_with_its_contents() {
    let lab = stock();
    lab.write("/tmp/f", "half", 0o644);
    lab.wait_for_file(
        "/tmp/f",
        |bytes| bytes == b"whole",
        Duration::from_millis(50),
    );
}

#[test]
#[should_panic(expected = "not done after 50ms, killed")]
fn a_script_that_hangs_is_killed_at_its_time_out() {
    let lab = stock();
    lab.run(["/bin/sh", "-c", "echo so far; sleep 100"])
        .timeout(Duration::from_millis(50))
        .output();
}

#[test]
fn a_daemon_that_holds_the_output_does_not_hang_the_test() {
    let lab = stock();
    let output = lab.sh("sleep 100 & echo done");
    assert_eq!(output.stdout, "done\n");
    assert!(output.held_open);
}

#[test]
fn jobs_get_what_they_are_given() {
    let lab = stock();
    let run = lab
        .run(["/usr/bin/env"])
        .env("A", "b c")
        .env("HOME", "/x")
        .dir("/tmp");
    let output = run.output().ok();
    assert!(
        output.contains("A=b c\n") && output.contains("HOME=/x\n"),
        "{output}"
    );
    let job = lab.spawn("trap 'exit 7' TERM; echo up >/tmp/up; while :; do sleep 0.01; done");
    lab.wait_for_lines("/tmp/up", 1, SOON);
    job.kill(TERM);
    assert_eq!(job.wait(SOON).code(), 7);
    let error = std::panic::catch_unwind(|| stock().run(["/no/such"]).output()).unwrap_err();
    let text = error.downcast_ref::<String>().unwrap();
    assert!(
        text.contains("cannot start /no/such: No such file"),
        "{text}"
    );
}

#[test]
fn jobs_inherit_nothing_of_the_harness() {
    let lab = stock();
    let status = lab.sh("cat /proc/self/status").ok();
    for line in ["SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000"] {
        assert!(status.contains(line), "{status}");
    }
    // 3 is the directory that ls reads.
    assert_eq!(lab.sh("ls /proc/self/fd").ok(), "0\n1\n2\n3\n");
}

#[test]
fn a_layer_of_the_test_lies_on_top() {
    let tree = std::env::temp_dir().join(format!("rc-sv-lab-test-{}", std::process::id()));
    fs::create_dir_all(tree.join("etc")).unwrap();
    fs::write(tree.join("etc/hostname"), "other\n").unwrap();
    symlink("/bin/true", tree.join("etc/added")).unwrap();
    let lab = Lab::builder().without_stage().over(&tree).build();
    assert_eq!(lab.text("/etc/hostname"), "other\n");
    lab.sh("/etc/added").ok();
    drop(lab);
    fs::remove_dir_all(&tree).unwrap();
}

#[test]
fn labs_run_side_by_side_and_start_quickly() {
    drop(stock());
    let eight = || {
        let start = Instant::now();
        std::thread::scope(|scope| {
            for number in 0..8 {
                scope.spawn(move || {
                    let lab = stock();
                    let script = format!("echo {number} >/run/openrc/mine; cat /run/openrc/mine");
                    assert_eq!(lab.sh(&script).ok(), format!("{number}\n"));
                });
            }
        });
        start.elapsed()
    };
    // 150 ms each on an idle machine; this one also runs the other tests, which makes some of them
    // longer, but not all so much.
    let limit = Duration::from_secs(8);
    let quickest = (0..20).map(|_| eight()).find(|took| *took < limit);
    assert!(quickest.is_some(), "never within {limit:?}");
}

#[test]
fn what_is_missing_is_said_with_the_command_that_makes_it() {
    let run = |variable, value| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rc-sv-lab"));
        let output = command
            .args(["--", "true"])
            .env(variable, value)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(125));
        String::from_utf8(output.stderr).unwrap()
    };
    let root = run("RC_SV_ROOT", "/nowhere");
    assert!(
        root.contains("RC_SV_ROOT=/nowhere") && root.contains("make root"),
        "{root}"
    );
    let stage = run("RC_SV_STAGE", "/nowhere");
    assert!(
        stage.contains("RC_SV_STAGE=/nowhere") && stage.contains("make stage"),
        "{stage}"
    );
}
