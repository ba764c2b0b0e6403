//! Who may do what, and clients that break the rules.

mod scene;

use nix::errno::Errno;
use nix::sys::socket::{
    connect, recv, send, socket, AddressFamily, MsgFlags, SockFlag, SockType, UnixAddr,
};
use rc_sv_api::{Code, State};
use rc_sv_internal::client::connection::Connection;
use rc_sv_internal::protocol::{Reply, Request};
use scene::stranger::{as_stranger, svcdir};
use scene::{name, Scene, PATIENCE};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::time::Instant;

fn open(svcdir: &Path) -> Connection {
    Connection::open(svcdir, PATIENCE).unwrap().unwrap()
}

/// A scene with a service `foo` that is up.
fn with_foo() -> Scene {
    assert!(
        nix::unistd::geteuid().is_root(),
        "this test needs root: it becomes another user"
    );
    let scene = Scene::new();
    scene.start(&scene.spec("foo", "exec sleep 1000")).unwrap();
    scene
}

#[test]
fn strangers_may_look_and_nothing_else() {
    if as_stranger(with_foo, "strangers_may_look_and_nothing_else") {
        return;
    }
    let deadline = Instant::now() + PATIENCE;
    let mut connection = open(&svcdir());
    let foo = || name("foo");
    for order in [
        Request::Start(foo()),
        Request::Stop(foo()),
        Request::Restart(foo()),
        Request::Signal(foo(), 9),
        Request::Forget(foo()),
    ] {
        let error = connection.ask(&order, deadline).unwrap_err();
        assert_eq!(error.code, Code::Permission, "{order:?}: {error}");
    }
    let question = Request::Status(foo());
    let Reply::Status(status) = connection.ask(&question, deadline).unwrap() else {
        panic!("no status");
    };
    assert_eq!((status.state, status.restarts), (State::Up, Some(0)));
    assert_eq!(connection.list(deadline).unwrap().len(), 1);
}

#[test]
fn a_stranger_cannot_take_all_connections() {
    if as_stranger(with_foo, "a_stranger_cannot_take_all_connections") {
        return;
    }
    let deadline = Instant::now() + PATIENCE;
    let mut connections: Vec<_> = (0..17).map(|_| open(&svcdir())).collect();
    let last = connections.last_mut().unwrap();
    let error = last.receive(deadline).map(|(reply, ..)| reply);
    let Ok(Reply::Refused(error)) = error else {
        panic!("{error:?}");
    };
    assert!(error.message.contains("too many connections"), "{error}");
    connections.pop();
    connections[0].ask(&Request::Ping, deadline).unwrap();
    connections.pop();
    // It may have to notice first that there is room again.
    while open(&svcdir()).ask(&Request::Ping, deadline).is_err() {
        assert!(Instant::now() < deadline);
    }
}

/// A client that says what it likes.
struct Raw(OwnedFd);

impl Raw {
    fn new(scene: &Scene) -> Raw {
        let flags = SockFlag::SOCK_CLOEXEC;
        let socket = socket(AddressFamily::Unix, SockType::SeqPacket, flags, None).unwrap();
        let path = scene.svcdir.join("rc-sv/.internal/socket");
        connect(socket.as_raw_fd(), &UnixAddr::new(&path).unwrap()).unwrap();
        Raw(socket)
    }

    fn say(&self, packet: &[u8]) -> Result<usize, Errno> {
        send(
            self.0.as_raw_fd(),
            packet,
            MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT,
        )
    }

    /// What it is told until the supervisor hangs up.
    fn replies(&self) -> Vec<Reply> {
        let mut replies = Vec::new();
        let mut packet = [0u8; 4096];
        loop {
            match recv(self.0.as_raw_fd(), &mut packet, MsgFlags::empty()) {
                Ok(0) | Err(Errno::ECONNRESET) => return replies,
                Ok(length) => replies.push(Reply::decode(&packet[..length]).unwrap().0),
                Err(errno) => panic!("{errno}"),
            }
        }
    }
}

#[test]
fn clients_that_make_no_sense_are_told_and_dropped() {
    let scene = with_foo();
    let mut version = Request::Ping.encode(1);
    version[4] = 77;
    let mut unknown = Request::Ping.encode(1);
    unknown[6] = 99;
    let mut long = Request::Ping.encode(1);
    long.resize(100_000, 0);
    let cases: [(&[u8], &str); 6] = [
        (b"x", "malformed"),
        (b"GET / HTTP/1.1\r\n\r\n", "malformed"),
        (&Request::Stop(name("foo")).encode(1)[..18], "malformed"),
        (&version, "the module version 77"),
        (&unknown, "does not know request"),
        (&long, "malformed"),
    ];
    for (packet, words) in cases {
        let client = Raw::new(&scene);
        client.say(packet).unwrap();
        match &client.replies()[..] {
            [Reply::Refused(error)] => assert!(error.message.contains(words), "{words}: {error}"),
            other => panic!("{words}: {other:?}"),
        }
    }
    // What cannot be a name is a mistake, not a breach.
    let client = Raw::new(&scene);
    let mut packet = Request::Stop(name("foo")).encode(1);
    *packet.last_mut().unwrap() = b'/';
    client.say(&packet).unwrap();
    client.say(b"").unwrap();
    let replies = client.replies();
    assert!(matches!(&replies[..], [Reply::Refused(error)] if error.code == Code::Invalid));
    assert_eq!(scene.status("foo").state, State::Up);
}

#[test]
fn clients_that_do_not_listen_hold_nobody_up() {
    let scene = with_foo();
    let silent: Vec<_> = (0..100).map(|_| Raw::new(&scene)).collect();
    let deaf = Raw::new(&scene);
    let question = Request::Status(name("foo")).encode(1);
    let deadline = Instant::now() + PATIENCE;
    loop {
        match deaf.say(&question) {
            // Its own queue is full: the supervisor has to take from it, or to drop it.
            Ok(_) | Err(Errno::EAGAIN) => {}
            Err(Errno::EPIPE | Errno::ECONNRESET) => break,
            Err(errno) => panic!("{errno}"),
        }
        assert!(Instant::now() < deadline, "it is still served");
        assert_eq!(scene.status("foo").state, State::Up);
    }
    assert!(
        !deaf.replies().is_empty(),
        "what it was sent before is lost"
    );
    scene.stop("foo").unwrap();
    drop(silent);
}

#[test]
fn clients_that_leave_early_change_nothing() {
    let scene = Scene::new();
    let service = scene.write(&scene.spec("foo", "echo $$ >> $R; exec sleep 1000"));
    Raw::new(&scene)
        .say(&Request::Start(service).encode(1))
        .unwrap();
    scene.reports.until("foo", 1);
    scene.until("foo", State::Up);
    Raw::new(&scene)
        .say(&Request::Stop(name("foo")).encode(1))
        .unwrap();
    scene.until("foo", State::Down);
}

#[test]
fn who_asks_a_lot_at_once_is_answered_in_full() {
    let scene = with_foo();
    scene.stop("foo").unwrap();
    let deadline = Instant::now() + PATIENCE;
    let mut connection = scene.connect();
    // More than are owed at once; each start waits for its turn.
    let names: Vec<_> = (0..200).map(|index| format!("s{index}")).collect();
    for service in &names {
        let service = scene.write(&scene.spec_of(service, &["/bin/sleep", "1000"]));
        connection.send(&Request::Start(service), deadline).unwrap();
    }
    for _ in &names {
        assert_eq!(connection.receive(deadline).unwrap().0, Reply::Done);
    }
    let listed = connection.list(deadline).unwrap();
    assert_eq!(
        listed
            .iter()
            .filter(|(_, status)| status.state == State::Up)
            .count(),
        200
    );
}

#[test]
fn commands_are_answered_once_each_and_the_last_one_counts() {
    let scene = Scene::new();
    let service = scene.write(&scene.spec_of("foo", &["/bin/sleep", "1000"]));
    let deadline = Instant::now() + PATIENCE;
    let mut connection = scene.connect();
    let mut asked = Vec::new();
    for _ in 0..50 {
        for order in [
            Request::Start(service.clone()),
            Request::Stop(service.clone()),
        ] {
            asked.push(connection.send(&order, deadline).unwrap());
        }
    }
    let last = Request::Start(service.clone());
    asked.push(connection.send(&last, deadline).unwrap());
    let mut answered: Vec<u64> = Vec::new();
    while answered.len() < asked.len() {
        let (reply, id, _) = connection.receive(deadline).unwrap();
        match reply {
            Reply::Done => {}
            Reply::Refused(error) => {
                assert_eq!(error.code, Code::Conflict, "{error}");
                assert!(error.message.contains("overtaken by a later"), "{error}");
                assert_ne!(Some(&id), asked.last(), "{error}");
            }
            other => panic!("{other:?}"),
        }
        answered.push(id);
    }
    answered.sort_unstable();
    assert_eq!(answered, asked);
    assert_eq!(scene.status("foo").state, State::Up);
}
