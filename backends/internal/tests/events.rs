//! The stream of events: its order, its readers, and those who do not read.

mod scene;

use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use rc_sv_api::abi::Watch;
use rc_sv_api::event::{Event, Kind};
use rc_sv_api::exit::Exit;
use rc_sv_api::{Code, State};
use rc_sv_internal::client::connection::Connection;
use rc_sv_internal::client::events::{Beginning, Events};
use rc_sv_internal::protocol::{Reply, Request};
use scene::stranger::{as_stranger, svcdir};
use scene::{exists, name, signal, with, Scene, PATIENCE};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Instant;

const AT_ONCE: [(&str, &str); 2] = [("respawn_delay", "0"), ("rc_supervise_min_interval", "0")];

fn events(svcdir: &Path, service: Option<&str>, beginning: Beginning) -> Events {
    let connection = Connection::open(svcdir, PATIENCE).unwrap().unwrap();
    let deadline = Instant::now() + PATIENCE;
    Events::begin(connection, service.map(name), beginning, deadline).unwrap()
}

/// Waits as a host does, by the descriptor, for the next event.
fn next(events: &mut Events) -> Event {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        assert!(!left.is_zero(), "there is no event");
        let mut fds = [PollFd::new(events.as_fd(), PollFlags::POLLIN)];
        poll(&mut fds, PollTimeout::try_from(left).unwrap()).unwrap();
        if let Some(event) = events.next().unwrap() {
            return event;
        }
    }
}

/// All up to the one that is of this kind.
fn until(events: &mut Events, is_last: impl Fn(&Event) -> bool) -> Vec<Event> {
    let mut all = vec![next(events)];
    while !is_last(&all[all.len() - 1]) {
        all.push(next(events));
    }
    all
}

fn numbers(events: &[Event]) -> Vec<u64> {
    events.iter().map(|event| event.seq).collect()
}

/// Without a gap.
fn assert_whole(events: &[Event]) {
    let numbers = numbers(events);
    let gap = numbers.windows(2).find(|pair| pair[1] != pair[0] + 1);
    assert_eq!(gap, None);
}

fn is_gave_up(event: &Event) -> bool {
    event.kind == Kind::GaveUp
}

#[test]
fn a_life_is_told_with_its_reason() {
    let scene = Scene::new();
    let mut stream = events(&scene.svcdir, None, Beginning::Next);
    let spec = with(scene.spec("foo", "exit 3"), &AT_ONCE);
    scene.start(&with(spec, &[("respawn_max", "1")])).unwrap();
    let told = until(&mut stream, is_gave_up);
    assert_whole(&told);
    assert!(told.iter().all(|event| event.service == "foo"));
    let states: Vec<State> = told.iter().map(|event| event.status.state).collect();
    assert_eq!(states[..2], [State::Starting, State::Up], "{told:?}");
    let last = &told[told.len() - 1].status;
    assert!(
        last.detail.starts_with("gave up after 1 restart"),
        "{last:?}"
    );
    assert_eq!(
        (last.last_exit, last.restarts, last.supervisor_pid),
        (Some(Exit::Code(3)), Some(1), Some(scene.supervisor()))
    );
    let moments: Vec<_> = told
        .iter()
        .map(|event| event.status.since_boot_ns)
        .collect();
    assert!(moments.is_sorted() && moments[0].is_some(), "{moments:?}");
}

#[test]
fn two_who_follow_see_the_same_and_one_sees_only_what_is_meant() {
    let scene = Scene::new();
    let mut first = events(&scene.svcdir, None, Beginning::Next);
    let mut one = events(&scene.svcdir, Some("bar"), Beginning::Next);
    let settings = [&AT_ONCE[..], &[("respawn_max", "20")]].concat();
    for service in ["foo", "bar"] {
        let spec = with(scene.spec(service, "exit 3"), &settings);
        scene.start(&spec).unwrap();
    }
    scene.until("foo", State::GaveUp);
    scene.until("bar", State::GaveUp);
    // One who comes late is told all that is remembered.
    let mut late = events(&scene.svcdir, None, Beginning::Remembered);
    scene.stop("foo").unwrap();
    let is_end = |event: &Event| event.service == "foo" && event.status.state == State::Down;
    let all = until(&mut first, is_end);
    assert_whole(&all);
    assert_eq!(all[0].seq, 1);
    assert_eq!(until(&mut late, is_end), all);
    let of_bar = until(&mut one, is_gave_up);
    assert_whole(&of_bar);
    let meant = all.iter().filter(|event| event.service == "bar");
    let meant: Vec<_> = meant.map(|event| &event.status).collect();
    assert_eq!(
        of_bar.iter().map(|it| &it.status).collect::<Vec<_>>(),
        meant
    );
    assert_eq!(one.next().unwrap(), None);
}

#[test]
fn one_who_never_reads_harms_nobody_and_learns_what_was_lost() {
    let scene = Scene::new();
    let mut deaf = events(&scene.svcdir, None, Beginning::Next);
    let memory = || {
        let pid = scene.supervisor();
        let text = std::fs::read_to_string(format!("/proc/{pid}/statm")).unwrap();
        text.split(' ').nth(1).unwrap().parse::<u64>().unwrap()
    };
    let settings = [&AT_ONCE[..], &[("respawn_max", "700")]].concat();
    let crash = |service: &str| {
        let spec = with(scene.spec_of(service, &["/bin/false"]), &settings);
        scene.start(&spec).unwrap();
    };
    crash("foo");
    scene.until("foo", State::GaveUp);
    let before = memory();
    let mut heard = events(&scene.svcdir, None, Beginning::Next);
    crash("bar");
    let end = until(&mut heard, |event| {
        is_gave_up(event) && event.service == "bar"
    });
    assert!(
        memory() <= before + 100,
        "it remembers for somebody: {before} and {} pages",
        memory()
    );
    assert_whole(&end);
    let told = until(&mut deaf, |event| {
        is_gave_up(event) && event.service == "bar"
    });
    assert_eq!(told.last(), end.last());
    let gaps: Vec<_> = told
        .windows(2)
        .filter(|pair| pair[1].seq != pair[0].seq + 1)
        .collect();
    assert_eq!(gaps.len(), 1, "what was lost was lost at once");
    assert_eq!(told[0].seq, 1);
}

#[test]
fn a_stream_ends_with_its_supervisor() {
    let scene = Scene::new();
    scene.start(&scene.spec("foo", "exec sleep 1000")).unwrap();
    let mut stream = events(&scene.svcdir, Some("foo"), Beginning::Remembered);
    until(&mut stream, |event| event.status.state == State::Up);
    let (supervisor, daemon) = (scene.supervisor(), scene.pid("foo"));
    signal(supervisor, libc::SIGKILL);
    let last = next(&mut stream);
    assert_eq!(
        (last.kind, last.service.as_str()),
        (Kind::SupervisorLost, "foo")
    );
    assert_eq!(stream.next().unwrap_err().code, Code::NotRunning);
    signal(daemon, libc::SIGKILL);
    let deadline = Instant::now() + PATIENCE;
    while exists(supervisor) {
        assert!(Instant::now() < deadline);
    }
}

#[test]
fn a_connection_follows_once_and_can_ask_besides() {
    let scene = Scene::new();
    let deadline = Instant::now() + PATIENCE;
    let mut connection = scene.connect();
    let follow = Request::Follow(u64::MAX);
    let reply = connection.ask(&follow, deadline).unwrap();
    assert_eq!(reply, Reply::Follows(1));
    let error = connection.ask(&follow, deadline).unwrap_err();
    assert_eq!(error.code, Code::Invalid, "{error}");
    let question = Request::Status(name("foo"));
    let answer = connection.ask(&question, deadline).unwrap();
    assert!(matches!(answer, Reply::Status(_)), "{answer:?}");
}

#[test]
fn strangers_are_told_what_status_shows_them() {
    let scene = || {
        let scene = Scene::new();
        scene.start(&scene.spec("foo", "exec sleep 1000")).unwrap();
        scene
    };
    if as_stranger(scene, "strangers_are_told_what_status_shows_them") {
        return;
    }
    let mut stream = events(&svcdir(), None, Beginning::Remembered);
    let told = until(&mut stream, |event| event.status.state == State::Up);
    assert_eq!(numbers(&told), [1, 2]);
}
