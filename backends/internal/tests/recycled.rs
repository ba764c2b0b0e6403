//! Pids that are somebody else's by the time that a supervisor goes on. Each test runs in a namespace
//! of pids of its own, where it can say which pid comes next.

mod scene;

use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use rc_sv_api::State;
use rc_sv_exec::handle::Handle;
use rc_sv_exec::process::open_process;
use rc_sv_exec::stat::Stat;
use scene::{
    await_death, await_end_of, exists, finds_remains, kill_and_await, signal, with, Scene, PATIENCE,
};
use std::fs::{self, File, OpenOptions, Permissions};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::time::Instant;

/// Where the file `state` has the word of the main process, the time in it, and its handle.
const WORD: u64 = 64;
const TIME: u64 = WORD + 8;
const HANDLE: u64 = WORD + 14 * 16;

/// Runs the test `test` again as the first process of a namespace; false there.
fn in_namespace(test: &str) -> bool {
    if std::process::id() == 1 {
        return false;
    }
    // All of them are process 1 there.
    let own = std::env::temp_dir().join(format!("rc-sv-r{}-{}", std::process::id(), test.len()));
    fs::create_dir(&own).unwrap();
    fs::set_permissions(&own, Permissions::from_mode(0o755)).unwrap();
    let output = Command::new("unshare")
        .args(["--pid", "--fork", "--mount-proc", "--kill-child"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--test-threads", "1"])
        .env("TMPDIR", &own)
        .output()
        .expect("unshare is needed for this test");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("1 passed"), "{said}");
    let _ = fs::remove_dir_all(&own);
    true
}

/// A process that has this pid and leads a group, begun after this moment in clock ticks.
fn somebody_else(pid: i32, after: u64) -> Child {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let last = (pid - 1).to_string();
        fs::write("/proc/sys/kernel/ns_last_pid", last).unwrap();
        let mut command = Command::new("sleep");
        let mut child = command.arg("1000").process_group(0).spawn().unwrap();
        if child.id() as i32 == pid && Stat::of(pid).unwrap().began > after {
            return child;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(Instant::now() < deadline, "the pid is not to be had");
    }
}

/// A service that was up until it, its supervisor and its guardian were killed: its pid, and when
/// it had begun.
fn killed(scene: &Scene) -> (i32, u64) {
    killed_as(scene, "echo $$ >> $R; exec sleep 1000")
}

/// One that runs this script.
fn killed_as(scene: &Scene, script: &str) -> (i32, u64) {
    let spec = with(scene.spec("foo", script), &[("respawn_delay", "0")]);
    scene.start(&spec).unwrap();
    scene.reports.until("foo", 1);
    let pid = scene.pid("foo");
    let began = Stat::of(pid).unwrap().began;
    let (guardian, supervisor) = (scene.guardian(), scene.supervisor());
    signal(supervisor, libc::SIGSTOP);
    kill_and_await(guardian);
    signal(supervisor, libc::SIGKILL);
    await_death(supervisor);
    kill_and_await(pid);
    // Its parent now, which makes the number free.
    waitpid(Pid::from_raw(pid), None).unwrap();
    (pid, began)
}

/// The next supervisor begins; the other process is not the service, and is never sent a signal.
fn is_left_alone(scene: &Scene, mut other: Child) {
    let pid = other.id() as i32;
    assert!(scene.begin().status.success());
    scene.reports.until("foo", 2);
    let status = scene.until("foo", State::Up);
    assert_ne!(status.pid, Some(pid));
    scene.stop("foo").unwrap();
    assert!(exists(pid));
    assert_eq!(other.try_wait().unwrap(), None, "it was signalled");
    other.kill().unwrap();
    other.wait().unwrap();
}

fn state(scene: &Scene) -> File {
    let path = scene.svcdir.join("rc-sv/foo/state");
    let mut options = OpenOptions::new();
    options.read(true).write(true).open(path).unwrap()
}

/// The time in its word, in ticks of 10 ms.
fn told(scene: &Scene) -> u64 {
    let mut time = [0; 8];
    state(scene).read_exact_at(&mut time, TIME).unwrap();
    u64::from_le_bytes(time) / 10
}

#[test]
fn a_pid_that_is_used_again_within_a_tick_is_not_signalled() {
    if in_namespace("a_pid_that_is_used_again_within_a_tick_is_not_signalled") {
        return;
    }
    let scene = Scene::new();
    let (pid, began) = killed(&scene);
    let own = open_process(std::process::id() as i32).unwrap();
    let after = match Handle::of(own.as_fd()) {
        Some(_) => {
            // By the time alone it is the service: as if both had begun within one tick.
            let late = u64::MAX / 1_000;
            let late = late.to_le_bytes();
            state(&scene).write_all_at(&late, TIME).unwrap();
            0
        }
        // This kernel cannot tell.
        None => told(&scene).max(began),
    };
    is_left_alone(&scene, somebody_else(pid, after));
}

#[test]
fn without_handles_the_time_tells() {
    if in_namespace("without_handles_the_time_tells") {
        return;
    }
    let scene = Scene::new();
    let (pid, began) = killed(&scene);
    // As an older kernel, or the version before, has left it.
    state(&scene).write_all_at(&[0; 16], HANDLE).unwrap();
    is_left_alone(&scene, somebody_else(pid, told(&scene).max(began)));
}

#[test]
fn what_a_version_without_handles_has_left_goes_on() {
    if in_namespace("what_a_version_without_handles_has_left_goes_on") {
        return;
    }
    let scene = Scene::new();
    scene
        .start(&scene.spec("foo", "echo $$ >> $R; exec sleep 1000"))
        .unwrap();
    scene.reports.until("foo", 1);
    let pid = scene.pid("foo");
    let old = scene.supervisor();
    signal(scene.guardian(), libc::SIGSTOP);
    kill_and_await(old);
    state(&scene).write_all_at(&[0; 16], HANDLE).unwrap();
    signal(scene.guardian(), libc::SIGCONT);
    assert_ne!(scene.supervisor(), old);
    assert_eq!(scene.pid("foo"), pid);
    // From now on it has one, where the kernel gives any.
    let pidfd = open_process(pid).unwrap();
    let mut noted = [0; 8];
    state(&scene).read_exact_at(&mut noted, HANDLE + 8).unwrap();
    let noted = Handle::of_number(u64::from_le_bytes(noted));
    assert_eq!(noted, Handle::of(pidfd.as_fd()));
    scene.stop("foo").unwrap();
    assert_eq!(scene.reports.lines("foo").len(), 1);
}

#[test]
fn what_a_dead_one_has_left_goes_before_the_next_is_made() {
    if in_namespace("what_a_dead_one_has_left_goes_before_the_next_is_made") {
        return;
    }
    let scene = Scene::new();
    let script = "sleep 1000 & echo $! >> $R; wait";
    let (pid, _) = killed_as(&scene, script);
    let left: i32 = scene.reports.lines("foo")[0].parse().unwrap();
    let left_fd = open_process(left).unwrap();
    // Nobody has the pid, and nobody gets it.
    assert!(exists(left) && !exists(pid));
    assert!(scene.begin().status.success());
    scene.reports.until("foo", 2);
    if finds_remains() {
        await_end_of(&left_fd);
    }
    let next: i32 = scene.reports.lines("foo")[1].parse().unwrap();
    scene.until("foo", State::Up);
    assert!(exists(next), "what the next one has made is its own");
    scene.stop("foo").unwrap();
}
