//! What ordinary users try, and that nobody else notices.

mod scene;

use nix::sys::socket::{connect, sendmsg, socket, UnixAddr};
use nix::sys::socket::{AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType};
use rc_sv_api::{Code, State, Value};
use rc_sv_internal::client::connection::Connection;
use rc_sv_internal::protocol::{Reply, Request};
use scene::lingering::lingering;
use scene::stranger::{as_stranger, svcdir};
use scene::{name, signal, with, Scene, PATIENCE};
use std::io::IoSlice;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

fn open(svcdir: &Path) -> Connection {
    Connection::open(svcdir, PATIENCE).unwrap().unwrap()
}

#[test]
fn descriptors_that_are_slow_to_close_hold_nobody_up() {
    let test = "descriptors_that_are_slow_to_close_hold_nobody_up";
    if as_stranger(Scene::new, test) {
        return;
    }
    let (near, _far) = lingering(PATIENCE * 2);
    let flags = SockFlag::SOCK_CLOEXEC;
    let client = socket(AddressFamily::Unix, SockType::SeqPacket, flags, None).unwrap();
    let path = svcdir().join("rc-sv/.internal/socket");
    connect(client.as_raw_fd(), &UnixAddr::new(&path).unwrap()).unwrap();
    let packet = Request::Ping.encode(1);
    let fds = [near.as_raw_fd()];
    let sent = sendmsg::<()>(
        client.as_raw_fd(),
        &[IoSlice::new(&packet)],
        &[ControlMessage::ScmRights(&fds)],
        MsgFlags::MSG_NOSIGNAL,
        None,
    );
    match sent {
        Ok(_) => drop(near),
        // The kernel has refused it. To close it here would take its time too.
        Err(_) => std::mem::forget(near),
    }
    let begun = Instant::now();
    for _ in 0..20 {
        let deadline = Instant::now() + PATIENCE;
        open(&svcdir()).ask(&Request::Ping, deadline).unwrap();
    }
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
}

#[test]
fn nobody_can_make_the_supervisor_hoard_lists() {
    if as_stranger(Scene::new, "nobody_can_make_the_supervisor_hoard_lists") {
        return;
    }
    let deadline = Instant::now() + PATIENCE;
    let mut greedy = open(&svcdir());
    // It is dropped when its queue is full.
    while greedy.send(&Request::List, deadline).is_ok() {
        assert!(Instant::now() < deadline, "it may go on for ever");
    }
    let mut held = 0;
    // The first error may be that of what it sent in vain.
    for _ in 0..2 {
        while greedy.receive(deadline).is_ok() {
            held += 1;
        }
    }
    assert!((1..20).contains(&held), "{held} lists were held for it");
}

#[test]
fn who_is_owed_much_is_heard_later() {
    let scene = Scene::new();
    let spec = scene.spec("foo", "trap '' TERM; echo $$ >> $R; exec sleep 1000");
    scene.start(&with(spec, &[("retry", "60")])).unwrap();
    let pid: i32 = scene.reports.until("foo", 1)[0].parse().unwrap();
    let mut connection = scene.connect();
    let deadline = Instant::now() + PATIENCE;
    // In turns of different lengths, so that the limit is reached within one.
    let mut owed = 0;
    for count in [3, 100] {
        for _ in 0..count {
            let order = Request::Stop(name("foo"));
            connection.send(&order, deadline).unwrap();
            owed += 1;
        }
        assert_eq!(scene.status("foo").state, State::Stopping);
    }
    signal(pid, libc::SIGKILL);
    for _ in 0..owed {
        let answer = connection.receive(deadline).map(|(reply, ..)| reply);
        assert_eq!(answer, Ok(Reply::Done));
    }
}

#[test]
fn no_name_of_a_mount_keeps_the_supervisor_in_a_cgroup_of_others() {
    let scene = Scene::unattended();
    let script = "at=$(printf '%s/\\377' \"$0\"); mkdir \"$at\" && mount -t tmpfs none \"$at\" && exec \"$@\"";
    let beginning = scene.beginning();
    let output = Command::new("unshare")
        .args(["--mount", "/bin/sh", "-c", script])
        .arg(&scene.dir)
        .arg(beginning.get_program())
        .args(beginning.get_args())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let path = format!("/proc/{}/cgroup", scene.supervisor());
    let cgroups = std::fs::read_to_string(path).unwrap();
    let own = |line: &str| line.ends_with(":/rc-sv-supervisor");
    assert!(cgroups.lines().any(own), "{cgroups}");
}

#[test]
fn who_is_no_operator_restarts_nothing_however_often_he_asks() {
    let test = "who_is_no_operator_restarts_nothing_however_often_he_asks";
    let with_foo = || {
        let scene = Scene::new();
        let mut spec = scene.spec("foo", "exec sleep 1000");
        // Not the stranger's group.
        spec.put("operators", Value::Int(1));
        scene.start(&spec).unwrap();
        scene
    };
    if as_stranger(with_foo, test) {
        return;
    }
    let deadline = Instant::now() + PATIENCE;
    let mut connection = open(&svcdir());
    for service in ["foo", "bar", "foo"] {
        for _ in 0..300 {
            let order = Request::Restart(name(service));
            let error = connection.ask(&order, deadline).unwrap_err();
            assert_eq!(error.code, Code::Permission, "{service}: {error}");
        }
    }
    let mut other = open(&svcdir());
    let status = other.ask(&Request::Status(name("foo")), deadline);
    let Ok(Reply::Status(status)) = status else {
        panic!("{status:?}");
    };
    assert_eq!((status.state, status.restarts), (State::Up, Some(0)));
    assert_eq!(other.list(deadline).unwrap().len(), 1, "bar became known");
}
