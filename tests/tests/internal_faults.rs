//! When the machine lacks something, or somebody is after the supervisor: a defined error, no second
//! copy, and nothing that spins.

mod internal;
mod openrc;

use std::time::Duration;

use internal::{guardian, probe, start_all, start_count, starts, status, supervisor, AT_ONCE};
use openrc::{rc, KILL, SOON};
use rc_sv_tests::lab::until;
use rc_sv_tests::Lab;

const TERM: i32 = 15;
const STOP: i32 = 19;
const CONT: i32 = 18;

/// What a supervisor that has nothing to do may use of a processor.
const IDLE: Duration = Duration::from_millis(300);

/// The running probe daemons.
fn daemons(lab: &Lab) -> Vec<i32> {
    lab.pids("probe-daemon")
}

/// A start that fails with one line that has this word, and leaves nothing.
#[track_caller]
fn fails(lab: &Lab, service: &str, word: &str) {
    let output = rc(lab, service, "start");
    assert_eq!(output.code(), 1, "{output}");
    let said = output.all();
    let ours = said.lines().filter(|line| line.contains("rc-sv-loader: "));
    let ours: Vec<&str> = ours.collect();
    assert_eq!(ours.len(), 1, "{output}");
    assert!(ours[0].contains(word), "{output}");
    assert_eq!(start_count(lab, service), 0);
    assert_eq!(daemons(lab), []);
}

/// Sets a limit of a process; `command` runs between, and then it is as before.
fn with_limit(lab: &Lab, pid: i32, limit: &str, test: impl FnOnce()) {
    let name = limit.split('=').next().expect("a name");
    let was = lab.sh(&format!(
        "prlimit --pid {pid} --raw --noheadings {name} --output SOFT"
    ));
    let was = was.ok().trim().to_owned();
    lab.sh(&format!("prlimit --pid {pid} {limit}:")).ok();
    test();
    lab.sh(&format!("prlimit --pid {pid} {name}={was}:")).ok();
}

#[test]
fn a_full_state_directory_is_an_error_and_no_more() {
    let lab = Lab::new();
    lab.sh("mkdir -p -m 711 /run/openrc/rc-sv && mount -t tmpfs -o size=128k,mode=711 x /run/openrc/rc-sv")
        .ok();
    probe(&lab, "foo", "", AT_ONCE);
    lab.sh("cat /dev/zero >/run/openrc/rc-sv/full");
    fails(&lab, "foo", "No space left on device");
    lab.sh("rm /run/openrc/rc-sv/full").ok();
    rc(&lab, "foo", "start").ok();
    let first = starts(&lab, "foo", 1)[0].pid();

    // What runs goes on, and comes back.
    lab.sh("cat /dev/zero >/run/openrc/rc-sv/full");
    lab.kill(first, KILL);
    starts(&lab, "foo", 2);
    assert_eq!(rc(&lab, "foo", "status").code(), 0);
    rc(&lab, "foo", "stop").ok();
    assert_eq!(daemons(&lab), []);
    lab.sh("rm /run/openrc/rc-sv/full").ok();
    rc(&lab, "foo", "start").ok();
    assert_eq!(rc(&lab, "foo", "status").code(), 0);
}

#[test]
fn a_read_only_state_directory_is_an_error_and_no_more() {
    let lab = Lab::new();
    lab.sh("mkdir -p -m 711 /run/openrc/rc-sv && mount -t tmpfs -o mode=711 x /run/openrc/rc-sv")
        .ok();
    probe(&lab, "foo", "", AT_ONCE);
    lab.sh("mount -o remount,ro /run/openrc/rc-sv").ok();
    fails(&lab, "foo", "Read-only file system");
    lab.sh("mount -o remount,rw /run/openrc/rc-sv").ok();
    rc(&lab, "foo", "start").ok();
    starts(&lab, "foo", 1);
    assert_eq!(rc(&lab, "foo", "status").code(), 0);
}

#[test]
fn a_supervisor_without_descriptors_neither_spins_nor_forgets() {
    let lab = Lab::new();
    let conf = "respawn_delay=100ms\nrespawn_max=0\nrc_supervise_min_interval=0\n";
    probe(&lab, "foo", "", conf);
    probe(&lab, "bar", "", conf);
    rc(&lab, "foo", "start").ok();
    let first = starts(&lab, "foo", 1)[0].pid();
    let pid = supervisor(&lab);
    let before = lab.used(pid);
    // It may open nothing, and somebody is waiting to be taken.
    let mut start = None;
    with_limit(&lab, pid, "--nofile=3", || {
        start = Some(lab.spawn("rc-service bar start"));
        lab.kill(first, KILL);
        lab.wait_dead(first, SOON);
        // Nothing happens now that could be waited for: this is the time in which it may spin.
        lab.spawn("exec sleep 2").wait(SOON).ok();
        assert_eq!(start_count(&lab, "foo"), 1);
    });
    let spent = lab.used(pid) - before;
    assert!(spent < IDLE, "{spent:?}");
    starts(&lab, "foo", 2);
    start.expect("a job").wait(SOON).ok();
    starts(&lab, "bar", 1);
    assert_eq!(supervisor(&lab), pid);
    for service in ["foo", "bar"] {
        assert_eq!(rc(&lab, service, "status").code(), 0, "{service}");
    }
}

#[test]
fn a_storm_of_signals_ends_the_supervisor_once_and_well() {
    let lab = Lab::new();
    probe(&lab, "foo", "--linger 300 --exit-on TERM=0", "");
    probe(&lab, "bar", "", "");
    start_all(&lab, ["foo", "bar"]);
    // Before that a signal ends them, and they tell nothing.
    for service in ["foo", "bar"] {
        starts(&lab, service, 1);
    }
    let (pid, guardian) = (supervisor(&lab), guardian(&lab));
    // It finds all of them when it looks.
    lab.kill(pid, STOP);
    // Those that mean nothing to it (USR1, USR2, PIPE, ALRM, PWR, a real-time one), HUP, INT.
    lab.sh(&format!("kill -40 {pid}")).ok();
    for signal in [10, 12, 13, 14, 30, 1, TERM, 2, TERM] {
        lab.kill(pid, signal);
    }
    lab.kill(pid, CONT);
    lab.report("/tmp/foo", "signal", 1, SOON);
    // And again, while the slow one ends; it may have ended by then.
    lab.sh(&format!(
        "for i in 1 2 3 4 5 6 7 8 9; do kill -TERM {pid}; kill -INT {pid}; done"
    ));
    lab.wait_dead(pid, SOON);
    lab.wait_dead(guardian, SOON);
    assert_eq!(daemons(&lab), []);
    assert_eq!(
        lab.report("/tmp/foo", "signal", 1, SOON)[0].number("number"),
        15
    );
    for service in ["foo", "bar"] {
        assert_eq!(start_count(&lab, service), 1);
        assert_eq!(
            rc(&lab, service, "status").code(),
            3,
            "{}",
            status(&lab, service)
        );
    }
    assert!(!lab.exists("/run/openrc/rc-sv/.internal/socket"));
    let all = lab.sh("rc-sv-loader status").ok();
    assert_eq!(all.matches("stopped").count(), 2, "{all}");
    rc(&lab, "foo", "start").ok();
    starts(&lab, "foo", 2);
    assert_ne!(supervisor(&lab), pid);
    // The next one knows nothing of it.
    let bar = lab.sh("rc-sv-loader status bar");
    assert_eq!(bar.code(), 3, "{bar}");
    assert!(bar.all().contains("stopped"), "{bar}");
}

#[test]
fn a_storm_of_orphans_leaves_no_zombie() {
    let lab = Lab::new();
    // Each service ends again and again, and leaves children to whoever takes them.
    let conf = format!("{AT_ONCE}respawn_max=25\n");
    let names: Vec<String> = (0..4).map(|number| format!("storm.{number}")).collect();
    for name in &names {
        let args = "--fork double --fork setsid --after 1 --exit 1";
        probe(&lab, name, args, &conf);
    }
    start_all(&lab, names.iter().map(String::as_str));
    for name in &names {
        internal::until_failed(&lab, name);
        assert_eq!(start_count(&lab, name), 26);
    }
    assert_eq!(daemons(&lab), []);
    let (supervisor, guardian) = (supervisor(&lab), guardian(&lab));
    until("no child of both is left but one", SOON, || {
        let children = lab.sh(&format!("pgrep -P {supervisor},{guardian}"));
        (children.stdout.trim() == supervisor.to_string()).then_some(())
    });
}

#[test]
fn codes_of_what_has_nothing_to_do() {
    let lab = Lab::new();
    probe(
        &lab,
        "foo",
        "--unless /tmp/stay --exit 3",
        &format!("{AT_ONCE}respawn_max=1\n"),
    );
    // Nobody has ever started anything.
    assert_eq!(rc(&lab, "foo", "status").code(), 3);
    assert_eq!(
        lab.run(["rc-sv-loader", "status", "foo"]).output().code(),
        3
    );
    assert_eq!(lab.run(["rc-sv-loader", "status"]).output().code(), 0);
    assert_eq!(rc(&lab, "foo", "stop").code(), 0);
    rc(&lab, "foo", "start");
    internal::until_failed(&lab, "foo");
    assert_eq!(rc(&lab, "foo", "stop").code(), 0);
    // Failed, with and without a supervisor.
    assert_eq!(rc(&lab, "foo", "status").code(), 3);
    let pid = guardian(&lab);
    lab.kill(pid, TERM);
    lab.wait_dead(pid, SOON);
    assert_eq!(rc(&lab, "foo", "status").code(), 3);
    assert_eq!(lab.run(["rc-sv-loader", "stop", "foo"]).output().code(), 0);
    let output = rc(&lab, "foo", "reload");
    assert_ne!(output.code(), 0, "{output}");
    // A restart of what has failed starts it.
    lab.write("/tmp/stay", "", 0o644);
    rc(&lab, "foo", "restart").ok();
    assert_eq!(rc(&lab, "foo", "status").code(), 0);
    assert!(!internal::failed(&lab, "foo"));
}
