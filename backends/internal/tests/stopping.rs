//! Stopping daemons that do not want to stop, and what they leave behind.

mod scene;

use rc_sv_api::exit::Exit;
use rc_sv_api::{Spec, State, Value};
use rc_sv_internal::protocol::Request;
use scene::{exists, name, signal, with, Scene};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A cgroup (version 2) of its own; removed with everything in it.
struct Cgroup(PathBuf);

impl Cgroup {
    fn new(name: &str) -> Cgroup {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let mount = mounts.lines().find(|line| line.contains(" - cgroup2 "));
        let mount = mount
            .expect("this test needs a mounted cgroup2")
            .split(' ')
            .nth(4)
            .unwrap();
        let path = Path::new(mount).join(format!("rc-sv-test-{}-{name}", std::process::id()));
        fs::create_dir(&path).expect("this test needs root: it makes a cgroup");
        Cgroup(path)
    }

    fn hold(&self, mut spec: Spec) -> Spec {
        let path = self.0.to_str().unwrap();
        spec.put("cgroup", Value::Text(path.into()));
        spec
    }

    /// The processes in the instance's cgroup.
    fn members(&self) -> Vec<i32> {
        let text = fs::read_to_string(self.0.join("rc-sv/cgroup.procs")).unwrap_or_default();
        text.lines().map(|line| line.parse().unwrap()).collect()
    }
}

impl Drop for Cgroup {
    /// The supervisor has to be gone, so a scene is to be made after its cgroups.
    fn drop(&mut self) {
        for path in [self.0.join("rc-sv"), self.0.clone()] {
            let _ = fs::write(path.join("cgroup.kill"), "1");
            let deadline = Instant::now() + scene::PATIENCE;
            // What was killed takes a moment to leave.
            while fs::remove_dir(&path).is_err_and(|cause| cause.kind() == ErrorKind::ResourceBusy)
                && Instant::now() < deadline
            {}
        }
    }
}

/// Leaves a child, one in a session of its own, and one whose parent has ended.
const FAMILY: &str = "sleep 1001 & setsid sleep 1002 & (sleep 1003 & setsid sleep 1004 &) ; \
                      echo $$ >> $R; while :; do sleep 1000 & wait; done";

#[test]
fn the_last_rung_kills_what_ignores_the_others() {
    let scene = Scene::new();
    let script = "trap '' TERM; echo $$ >> $R; while :; do sleep 1000 & wait; done";
    let spec = with(scene.spec("foo", script), &[("retry", "TERM/200ms/KILL/5")]);
    scene.start(&spec).unwrap();
    scene.reports.until("foo", 1);
    let pid = scene.pid("foo");
    let begun = Instant::now();
    scene.stop("foo").unwrap();
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(200), "{took:?}");
    assert!(!exists(pid));
    assert_eq!(scene.status("foo").last_exit, Some(Exit::Signal(9)));
}

#[test]
fn a_stopped_daemon_is_stopped() {
    let scene = Scene::new();
    scene
        .start(&scene.spec("foo", "echo $$ >> $R; exec sleep 1000"))
        .unwrap();
    scene.reports.until("foo", 1);
    signal(scene.pid("foo"), libc::SIGSTOP);
    scene.stop("foo").unwrap();
    assert_eq!(scene.status("foo").last_exit, Some(Exit::Signal(15)));
}

#[test]
fn the_first_signal_is_the_one_that_was_asked_for() {
    let scene = Scene::new();
    let script = "trap 'exit 7' QUIT; echo $$ >> $R; while :; do sleep 1000 & wait; done";
    scene
        .start(&with(scene.spec("foo", script), &[("stopsig", "QUIT")]))
        .unwrap();
    scene.reports.until("foo", 1);
    scene.stop("foo").unwrap();
    assert_eq!(scene.status("foo").last_exit, Some(Exit::Code(7)));
}

#[test]
fn nothing_is_left_in_a_cgroup() {
    let (cgroup, scene) = (Cgroup::new("stop"), Scene::new());
    scene
        .start(&cgroup.hold(scene.spec("foo", FAMILY)))
        .unwrap();
    scene.reports.until("foo", 1);
    let members = cgroup.members();
    assert!(members.len() >= 5, "{members:?}");
    assert!(members.contains(&scene.pid("foo")));
    scene.stop("foo").unwrap();
    assert_eq!(cgroup.members(), [0; 0]);
    assert!(
        !cgroup.0.join("rc-sv").exists(),
        "OpenRC could not remove its cgroup"
    );
    assert_eq!(scene.status("foo").state, State::Down);
}

#[test]
fn cgroups_that_a_daemon_makes_are_no_hindrance() {
    let (cgroup, scene) = (Cgroup::new("inner"), Scene::new());
    let instance = cgroup.0.join("rc-sv");
    let inner = instance.join("inner/most");
    let script = "mkdir -p $0; sleep 1000 & echo $! > $0/cgroup.procs; echo $$ >> $R; \
                  while :; do sleep 1000 & wait; done";
    let argv = ["/bin/sh", "-c", script, inner.to_str().unwrap()];
    let settings = [("respawn_delay", "0"), ("rc_supervise_min_interval", "0")];
    let spec = with(cgroup.hold(scene.spec_of("foo", &argv)), &settings);
    scene.start(&spec).unwrap();
    scene.reports.until("foo", 1);
    signal(scene.pid("foo"), libc::SIGKILL);
    scene.reports.until("foo", 2);
    scene.stop("foo").unwrap();
    assert!(!instance.exists(), "OpenRC could not remove its cgroup");
    scene.start(&spec).unwrap();
    scene.reports.until("foo", 3);
    scene.stop("foo").unwrap();
}

#[test]
fn leftovers_are_gone_before_the_next_instance_begins() {
    let (cgroup, scene) = (Cgroup::new("crash"), Scene::new());
    let settings = [("respawn_delay", "0"), ("rc_supervise_min_interval", "0")];
    scene
        .start(&with(cgroup.hold(scene.spec("foo", FAMILY)), &settings))
        .unwrap();
    scene.reports.until("foo", 1);
    let before = cgroup.members();
    signal(scene.pid("foo"), libc::SIGKILL);
    scene.reports.until("foo", 2);
    let after = cgroup.members();
    assert!(
        before.iter().all(|pid| !after.contains(pid)),
        "{before:?} {after:?}"
    );
    assert!(after.contains(&scene.pid("foo")));
}

#[test]
fn whoever_else_is_in_the_cgroup_of_the_service_is_left_alone() {
    let (cgroup, scene) = (Cgroup::new("others"), Scene::new());
    let mut other = std::process::Command::new("sleep")
        .arg("1000")
        .spawn()
        .unwrap();
    fs::write(cgroup.0.join("cgroup.procs"), other.id().to_string()).unwrap();
    let error = scene
        .start(&cgroup.hold(scene.spec_of("foo", &["/nonexistent/x"])))
        .unwrap_err();
    assert!(error.message.contains("/nonexistent/x"), "{error}");
    scene
        .start(&cgroup.hold(scene.spec("foo", FAMILY)))
        .unwrap();
    scene.stop("foo").unwrap();
    assert_eq!(
        other.try_wait().unwrap(),
        None,
        "the caller of start was killed"
    );
    other.kill().unwrap();
    other.wait().unwrap();
}

#[test]
fn without_a_cgroup_the_process_group_is_gone() {
    let scene = Scene::new();
    let script = "trap '' TERM; (trap '' TERM; echo $$ >> $R; exec sleep 1001) & \
                  echo $$ $! >> $R; trap 'exit 0' INT; while :; do sleep 1000 & wait; done";
    scene
        .start(&with(scene.spec("foo", script), &[("stopsig", "INT")]))
        .unwrap();
    let lines = scene.reports.until("foo", 2);
    let pair = lines.iter().find_map(|line| line.split_once(' ')).unwrap();
    scene.stop("foo").unwrap();
    assert_eq!(scene.status("foo").last_exit, Some(Exit::Code(0)));
    // It was killed, but is reaped by somebody else.
    let child = format!("/proc/{}/stat", pair.1);
    let deadline = Instant::now() + scene::PATIENCE;
    while fs::read_to_string(&child).is_ok_and(|stat| !stat.contains(") Z ")) {
        assert!(Instant::now() < deadline, "{child} is left");
    }
}

#[test]
fn only_the_main_process_is_touched_where_that_is_wanted() {
    let (cgroup, scene) = (Cgroup::new("process"), Scene::new());
    let spec = with(
        scene.spec("foo", FAMILY),
        &[("rc_supervise_kill_mode", "process")],
    );
    scene.start(&cgroup.hold(spec)).unwrap();
    scene.reports.until("foo", 1);
    let main = scene.pid("foo");
    scene.stop("foo").unwrap();
    assert!(!exists(main));
    assert!(cgroup.members().len() >= 4, "{:?}", cgroup.members());
}

#[test]
fn a_restart_waits_for_the_end_of_the_old_instance() {
    let scene = Scene::new();
    let script = "trap 'echo end >> $R; exit 0' TERM; echo begin >> $R; \
                  while :; do sleep 1000 & wait; done";
    scene.start(&scene.spec("foo", script)).unwrap();
    scene.reports.until("foo", 1);
    scene.order(Request::Restart(name("foo"))).unwrap();
    assert_eq!(scene.reports.until("foo", 3), ["begin", "end", "begin"]);
}

#[test]
fn what_a_daemon_left_is_killed_though_nobody_saw_its_end() {
    let (cgroup, scene) = (Cgroup::new("earlier"), Scene::new());
    let spec = cgroup.hold(scene.spec("foo", FAMILY));
    scene.start(&spec).unwrap();
    let pid = scene.pid("foo");
    scene.reports.until("foo", 1);
    let deadline = Instant::now() + scene::PATIENCE;
    while cgroup.members().len() < 5 {
        assert!(Instant::now() < deadline, "{:?}", cgroup.members());
    }
    let old = cgroup.members();
    signal(scene.guardian(), libc::SIGSTOP);
    scene::kill_and_await(scene.supervisor());
    scene::kill_and_await(pid);
    signal(scene.guardian(), libc::SIGCONT);
    scene.reports.until("foo", 2);
    scene.until("foo", State::Up);
    assert!(old.iter().all(|pid| !cgroup.members().contains(pid)));
    assert_eq!(scene.status("foo").last_exit, Some(Exit::Signal(9)));
}
