//! Supervisor and guardian are both killed, or a main process ends while nobody looks: what nobody can
//! know any more, and that nothing else is lost.

mod scene;

use rc_sv_api::exit::Exit;
use rc_sv_api::State;
use rc_sv_exec::process::{open_process, send_signal};
use rc_sv_internal::protocol::Request;
use scene::kills::{is_gone, kill_both, without_supervisor};
use scene::{
    await_end_of, exists, finds_remains, kill_and_await, name, signal, with, Scene, PATIENCE,
};
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use std::time::Instant;

const STAYS: &str = "echo $$ >> $R; exec sleep 1000";

#[test]
fn both_may_be_killed() {
    let scene = Scene::new();
    for service in ["foo", "bar"] {
        let spec = with(scene.spec(service, STAYS), &[("respawn_delay", "0")]);
        scene.start(&spec).unwrap();
        scene.reports.until(service, 1);
    }
    let (foo, bar) = (scene.pid("foo"), scene.pid("bar"));
    kill_both(&scene);
    kill_and_await(bar);
    assert!(exists(foo));
    assert!(scene.begin().status.success());
    assert_eq!(scene.pid("foo"), foo);
    // Nobody can tell how that one ended, but it is known that it did.
    scene.reports.until("bar", 2);
    let status = scene.until("bar", State::Up);
    // Unless whoever got it leaves its zombie.
    assert!(matches!(
        status.last_exit,
        Some(Exit::Unknown | Exit::Signal(9))
    ));
    scene.stop("foo").unwrap();
    assert_eq!(scene.reports.lines("foo").len(), 1);
}

#[test]
fn what_nobody_holds_any_more_is_told() {
    let scene = Scene::new();
    let script = "echo $NOTIFY_SOCKET > $R.path; echo $LISTEN_FDS >> $R; exec sleep 1000";
    let settings = [("notify", "socket:ready"), ("respawn_delay", "0")];
    let service = scene.write(&with(scene.spec("foo", script), &settings));
    let deadline = Instant::now() + PATIENCE;
    let mut starter = scene.connect();
    starter.send(&Request::Start(service), deadline).unwrap();
    scene.reports.until("foo", 1);
    let speaker = UnixDatagram::unbound().unwrap();
    let path = scene.reports.until("foo.path", 1)[0].clone();
    speaker.connect(path).unwrap();
    let pid = scene.starting("foo");
    let mut others = Vec::new();
    for name in ["one", "two", "three"] {
        let words = format!("FDSTORE=1\nFDNAME={name}");
        let (read, write) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).unwrap();
        scene::say(&speaker, pid, words.as_bytes(), Some(&write));
        // Without its other end nobody would keep it.
        others.push(read);
    }
    // One that is given back is not lost.
    scene::say(&speaker, pid, b"FDSTOREREMOVE=1\nFDNAME=two", None);
    scene::say(&speaker, pid, b"READY=1", None);
    starter.receive(deadline).unwrap();
    kill_both(&scene);
    assert!(scene.begin().status.success());
    let lost = "2 stored descriptors were lost: supervisor and guardian were killed";
    assert_eq!(scene.status("foo").detail, lost);
    // It is no less true for the next supervisor, and the next instance gets none.
    without_supervisor(&scene, || ());
    assert_eq!(scene.status("foo").detail, lost);
    signal(pid, libc::SIGKILL);
    assert_eq!(scene.reports.until("foo", 2), ["", ""]);
    scene.stop("foo").unwrap();
    assert!(!scene.status("foo").detail.contains("lost"));
}

#[test]
fn a_stop_ends_what_a_main_process_has_left_that_died_meanwhile() {
    let scene = Scene::new();
    let script = "(trap '' TERM; exec sleep 1000) & echo $! >> $R; \
                  trap 'echo term >> $R' TERM; while :; do wait; done";
    let spec = with(scene.spec("foo", script), &[("retry", "TERM/60/KILL/5")]);
    scene.start(&spec).unwrap();
    let left: i32 = scene.reports.until("foo", 1)[0].parse().unwrap();
    let left = open_process(left).unwrap();
    let pid = scene.pid("foo");
    let mut connection = scene.connect();
    let stop = Request::Stop(name("foo"));
    connection.send(&stop, Instant::now() + PATIENCE).unwrap();
    scene.reports.until_line("foo", "term");
    without_supervisor(&scene, || kill_and_await(pid));
    scene.stop("foo").unwrap();
    is_gone(pid);
    if finds_remains() {
        await_end_of(&left);
    } else {
        send_signal(left.as_fd(), libc::SIGKILL).unwrap();
    }
    assert_eq!(scene.status("foo").last_exit, Some(Exit::Signal(9)));
}
