//! A supervisor that is killed, and what the next one makes of it.

mod scene;

use rc_sv_api::exit::Exit;
use rc_sv_api::State;
use rc_sv_internal::protocol::Request;
use scene::kills::{is_gone, without_supervisor};
use scene::{executable, kill_and_await, name, signal, with, Scene, PATIENCE};
use std::fs;
use std::io::Write;
use std::os::unix::net::UnixDatagram;
use std::time::Instant;

const STAYS: &str = "echo $$ >> $R; exec sleep 1000";

#[test]
fn a_daemon_is_not_disturbed_and_obeys_the_next_supervisor() {
    let scene = Scene::new();
    scene.start(&scene.spec("foo", STAYS)).unwrap();
    scene.reports.until("foo", 1);
    let (pid, guardian) = (scene.pid("foo"), scene.guardian());
    for _ in 0..3 {
        without_supervisor(&scene, || ());
        let status = scene.status("foo");
        assert_eq!((status.state, status.pid), (State::Up, Some(pid)));
        assert_eq!(scene.guardian(), guardian);
    }
    // A start of what is up changes nothing; a signal arrives; a stop works.
    scene.start(&scene.spec("foo", STAYS)).unwrap();
    assert_eq!(scene.pid("foo"), pid);
    assert_eq!(scene.reports.lines("foo"), [pid.to_string()]);
    scene.stop("foo").unwrap();
    is_gone(pid);
    assert_eq!(scene.status("foo").last_exit, Some(Exit::Signal(15)));
}

#[test]
fn an_end_in_between_is_told_with_its_code() {
    let scene = Scene::new();
    let fifo = scene.dir.join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::from_bits_truncate(0o600)).unwrap();
    let script = format!("echo $$ >> $R; read word < {}; exit 7", fifo.display());
    let spec = with(scene.spec("foo", &script), &[("respawn_delay", "0")]);
    scene.start(&spec).unwrap();
    let pid = scene.pid("foo");
    without_supervisor(&scene, || {
        let pidfd = rc_sv_exec::process::open_process(pid).unwrap();
        fs::write(&fifo, "go\n").unwrap();
        scene::await_end_of(&pidfd);
    });
    scene.reports.until("foo", 2);
    let status = scene.until("foo", State::Up);
    assert_eq!(status.last_exit, Some(Exit::Code(7)));
    assert_eq!(status.restarts, Some(1));
    assert_ne!(status.pid, Some(pid));
    // And an end of an adopted one, which the supervisor sees itself.
    without_supervisor(&scene, || ());
    fs::write(&fifo, "go\n").unwrap();
    scene.reports.until("foo", 3);
    let status = scene.until("foo", State::Up);
    assert_eq!(status.last_exit, Some(Exit::Code(7)));
    assert_eq!(status.restarts, Some(2));
}

#[test]
fn a_pause_goes_on_and_the_limit_is_remembered() {
    let scene = Scene::new();
    let settings = [
        ("respawn_delay", "5"),
        ("respawn_delay_step", "0"),
        ("respawn_max", "2"),
        ("rc_supervise_min_interval", "0"),
    ];
    let script = "echo $$ >> $R; [ $(grep -c . $R) -gt 1 ] || exec sleep 1000; exit 3";
    let spec = with(scene.spec("foo", script), &settings);
    scene.start(&spec).unwrap();
    scene.reports.until("foo", 1);
    signal(scene.pid("foo"), libc::SIGKILL);
    scene.until("foo", State::Backoff);
    without_supervisor(&scene, || ());
    // The pause is not begun anew, and what it counted is not forgotten.
    let status = scene.until("foo", State::GaveUp);
    assert!(
        status.detail.starts_with("gave up after 2 restarts"),
        "{status:?}"
    );
    assert_eq!(scene.reports.lines("foo").len(), 3);
    without_supervisor(&scene, || ());
    assert_eq!(scene.status("foo").detail, status.detail);
    assert_eq!(scene.status("foo").state, State::GaveUp);
}

#[test]
fn a_stop_in_progress_goes_on() {
    let scene = Scene::new();
    let script = "trap 'echo term >> $R' TERM; echo up >> $R; \
                  while :; do sleep 1000 & wait; done";
    let spec = with(scene.spec("foo", script), &[("retry", "TERM/15/KILL/5")]);
    scene.start(&spec).unwrap();
    scene.reports.until_line("foo", "up");
    let pid = scene.pid("foo");
    let mut connection = scene.connect();
    let stop = Request::Stop(name("foo"));
    connection.send(&stop, Instant::now() + PATIENCE).unwrap();
    scene.reports.until_line("foo", "term");
    without_supervisor(&scene, || ());
    assert_eq!(scene.status("foo").state, State::Stopping);
    scene.stop("foo").unwrap();
    is_gone(pid);
    let status = scene.status("foo");
    assert_eq!(
        (status.state, status.last_exit),
        (State::Down, Some(Exit::Signal(9)))
    );
}

#[test]
fn a_finish_command_is_run_once_whoever_dies() {
    let scene = Scene::new();
    let (go, said) = (scene.dir.join("go"), scene.reports.path("finish"));
    nix::unistd::mkfifo(&go, nix::sys::stat::Mode::from_bits_truncate(0o600)).unwrap();
    let finish = scene.dir.join("finish");
    let text = format!(
        "#!/bin/sh\necho begin >> {said}\n[ ! -e {go} ] || read word < {go}\necho end >> {said}\n",
        said = said.display(),
        go = go.display()
    );
    executable(&finish, &text);
    let settings = [
        ("rc_supervise_finish", finish.to_str().unwrap()),
        ("rc_supervise_finish_timeout", "30"),
        ("respawn_delay", "0"),
    ];
    let spec = with(scene.spec("foo", STAYS), &settings);
    scene.start(&spec).unwrap();
    scene.reports.until("foo", 1);
    signal(scene.pid("foo"), libc::SIGKILL);
    scene.reports.until_line("finish", "begin");
    without_supervisor(&scene, || ());
    assert_eq!(scene.status("foo").state, State::Stopping);
    fs::write(&go, "go\n").unwrap();
    scene.reports.until("foo", 2);
    assert_eq!(scene.reports.lines("finish"), ["begin", "end"]);
    // And where it ends while nobody is there.
    signal(scene.pid("foo"), libc::SIGKILL);
    scene.reports.until("finish", 3);
    without_supervisor(&scene, || {
        fs::write(&go, "go\n").unwrap();
        scene.reports.until("finish", 4);
    });
    scene.reports.until("foo", 3);
    assert_eq!(
        scene.reports.lines("finish"),
        ["begin", "end", "begin", "end"]
    );
    fs::remove_file(&go).unwrap();
}

#[test]
fn one_that_is_not_ready_yet_is_heard_by_the_next_supervisor() {
    let scene = Scene::new();
    let go = scene.dir.join("go");
    nix::unistd::mkfifo(&go, nix::sys::stat::Mode::from_bits_truncate(0o600)).unwrap();
    let script = format!(
        "echo $$ >> $R; read word < {}; echo >&7; exec sleep 1000",
        go.display()
    );
    let spec = with(scene.spec("foo", &script), &[("notify", "fd:7")]);
    let service = scene.write(&spec);
    let deadline = Instant::now() + PATIENCE;
    let start = Request::Start(service);
    scene.connect().send(&start, deadline).unwrap();
    scene.reports.until("foo", 1);
    let pid = Some(scene.starting("foo"));
    without_supervisor(&scene, || fs::write(&go, "go\n").unwrap());
    let status = scene.until("foo", State::Up);
    assert_eq!(status.pid, pid);
    assert_eq!(scene.reports.lines("foo").len(), 1);
}

#[test]
fn what_it_says_meanwhile_and_what_it_stored_is_not_lost() {
    let scene = Scene::new();
    let script = "echo $NOTIFY_SOCKET > $R.path; echo $LISTEN_FDNAMES >> $R; exec sleep 1000";
    let settings = [("notify", "socket:ready"), ("respawn_delay", "0")];
    let spec = with(scene.spec("foo", script), &settings);
    let service = scene.write(&spec);
    let deadline = Instant::now() + PATIENCE;
    let mut starter = scene.connect();
    starter.send(&Request::Start(service), deadline).unwrap();
    scene.reports.until("foo", 1);
    let path = scene.reports.until("foo.path", 1)[0].clone();
    // Root may speak for the main process.
    let speaker = UnixDatagram::unbound().unwrap();
    speaker.connect(&path).unwrap();
    let pid = scene.starting("foo");
    let (read, write) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).unwrap();
    scene::say(&speaker, pid, b"READY=1", None);
    scene::say(&speaker, pid, b"FDSTORE=1\nFDNAME=thing", Some(&write));
    scene::say(&speaker, pid, b"STATUS=before", None);
    drop(write);
    starter.receive(deadline).unwrap();
    let detail = |wanted: &str| {
        let deadline = Instant::now() + PATIENCE;
        while scene.status("foo").detail != wanted {
            assert!(Instant::now() < deadline, "{:?}", scene.status("foo"));
        }
    };
    detail("before");
    without_supervisor(&scene, || {
        scene::say(&speaker, pid, b"STATUS=meanwhile", None)
    });
    detail("meanwhile");
    scene::say(&speaker, pid, b"STATUS=after", None);
    detail("after");
    signal(pid, libc::SIGKILL);
    assert_eq!(scene.reports.until("foo", 2), ["", "thing"]);
    // It is that pipe: it has no end before the service is down.
    scene.stop("foo").unwrap();
    assert_eq!(nix::unistd::read(&read, &mut [0]), Ok(0));
}

#[test]
fn a_guardian_that_was_killed_has_a_successor() {
    let scene = Scene::new();
    let spec = with(scene.spec("foo", STAYS), &[("respawn_delay", "0")]);
    scene.start(&spec).unwrap();
    scene.reports.until("foo", 1);
    let pid = scene.pid("foo");
    for round in 0..3 {
        let (guardian, supervisor) = (scene.guardian(), scene.supervisor());
        kill_and_await(guardian);
        let deadline = Instant::now() + PATIENCE;
        while scene.guardian() == guardian {
            assert!(Instant::now() < deadline, "no successor");
        }
        // The supervisor has become it.
        assert_eq!(scene.guardian(), supervisor, "{round}");
        assert_eq!(scene.pid("foo"), pid);
        without_supervisor(&scene, || ());
        assert_eq!(scene.pid("foo"), pid);
    }
    // Nobody else can begin one meanwhile.
    assert!(scene.begin().status.success());
    assert_eq!(scene.reports.lines("foo").len(), 1);
    let mut out = fs::OpenOptions::new()
        .append(true)
        .open(scene.reports.path("foo"))
        .unwrap();
    writeln!(out, "end").unwrap();
    signal(pid, libc::SIGKILL);
    scene.reports.until("foo", 3);
    assert_eq!(
        scene.until("foo", State::Up).last_exit,
        Some(Exit::Signal(9))
    );
}
