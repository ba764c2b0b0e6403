//! Waiting and events: in the module's own way, or by looking again.

mod support;

use rc_sv_api::event::Kind;
use rc_sv_api::{Code, Request, ServiceName, State};
use rc_sv_loader::config::{Config, Variables};
use rc_sv_loader::search::Directories;
use rc_sv_loader::{Listener, Loader, Services, Watch};
use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;
use std::time::Duration;
use support::Place;

struct Silent;

impl Listener for Silent {
    fn log(&self, _: &str, _: i32, _: &str) {}
}

fn services(place: &Place) -> Services {
    let svcdir = place.0.join("run");
    let variables = Variables::new([("RC_SVCDIR", svcdir.to_str().unwrap())]);
    let config = Config::new(place.0.join("etc"), variables);
    let directories = Directories::only(vec![place.modules()]);
    Services::new(Loader::new(directories, config, Rc::new(Silent))).unwrap()
}

fn name(text: &str) -> ServiceName {
    ServiceName::new(text.as_bytes()).unwrap()
}

fn wants(want_state: State) -> Request {
    Request {
        want_state,
        timeout: Some(Duration::from_millis(50)),
        ..Request::default()
    }
}

fn readable(fd: BorrowedFd<'_>) -> bool {
    use nix::poll::{poll, PollFd, PollFlags};
    poll(&mut [PollFd::new(fd, PollFlags::POLLIN)], 0u8).unwrap() == 1
}

#[test]
fn a_module_with_a_way_of_its_own_goes_it() {
    let place = Place::new();
    place.build("own", &["-DWATCH"]);
    let (services, foo) = (services(&place), name("foo"));
    assert!(services.stream(&foo).unwrap().is_none(), "nobody has it");
    for service in ["foo", "deaf"] {
        place.record(service, "own");
    }
    let report = services.wait(&foo, &wants(State::Paused)).unwrap();
    assert_eq!(report.status.state, State::Paused);
    let failure = services.wait(&foo, &wants(State::Down)).unwrap_err();
    assert_eq!(failure.to_string(), "own: it will stay");
    let mut stream = services.stream(&foo).unwrap().unwrap();
    let event = stream.next_event().unwrap().unwrap();
    assert_eq!((event.kind, event.seq), (Kind::Health, 9));
    assert_eq!(event.status.state, State::Paused);
    assert_eq!(stream.next_event().unwrap(), None);
    drop(stream);
    let failure = services.stream(&name("deaf")).err().unwrap();
    assert_eq!(failure.error.code, Code::NotRunning);
}

#[test]
fn others_are_asked_until_it_is_so() {
    let place = Place::new();
    place.build("plain", &[]);
    let (services, foo) = (services(&place), name("foo"));
    place.record("foo", "plain");
    assert!(services.stream(&foo).unwrap().is_none(), "no stream");
    place.set_state("foo", State::Starting as i32);
    let failure = services.wait(&foo, &wants(State::Up)).unwrap_err();
    assert_eq!(failure.error.code, Code::Timeout);
    let line = "plain: is starting after 50 ms, not up";
    assert_eq!(failure.to_string(), line);
    std::thread::scope(|scope| {
        // It changes while somebody waits.
        let (place, svcdir) = (&place, place.0.join("run"));
        scope.spawn(move || {
            place.set_state("foo", State::Up as i32);
            std::fs::create_dir_all(svcdir.join("options/foo")).unwrap();
        });
        let request = Request {
            want_state: State::Up,
            timeout: Some(Duration::from_secs(30)),
            ..Request::default()
        };
        let report = services.wait(&foo, &request).unwrap();
        assert_eq!(report.status.state, State::Up);
    });
    place.set_state("foo", State::GaveUp as i32);
    let failure = services.wait(&foo, &wants(State::Up)).unwrap_err();
    assert_eq!(failure.error.code, Code::Failed);
    assert!(services.wait(&foo, &wants(State::Down)).is_ok());
}

#[test]
fn events_are_what_differs_when_something_was_written() {
    let place = Place::new();
    place.build("plain", &[]);
    let (services, foo) = (services(&place), name("foo"));
    let options = place.0.join("run/options/foo");
    std::fs::create_dir_all(&options).unwrap();
    let look = || Ok(vec![services.status(&foo)?]);
    let svcdir = place.0.join("run");
    let mut watch = Watch::open(&svcdir, Some(&foo), look).unwrap();
    assert!(!readable(watch.fd().as_fd()));
    assert_eq!(watch.next(look).unwrap(), None);
    place.record("foo", "plain");
    place.set_state("foo", State::Up as i32);
    std::fs::write(options.join("child_pid"), "1").unwrap();
    assert!(readable(watch.fd().as_fd()));
    let event = watch.next(look).unwrap().unwrap();
    assert_eq!((event.seq, event.status.state), (1, State::Up));
    assert_eq!(watch.next(look).unwrap(), None);
    assert!(!readable(watch.fd().as_fd()));
    // Something was written, but nothing differs.
    std::fs::write(options.join("child_pid"), "1").unwrap();
    assert_eq!(watch.next(look).unwrap(), None);
    place.set_state("foo", State::GaveUp as i32);
    std::fs::write(options.join("child_pid"), "1").unwrap();
    let event = watch.next(look).unwrap().unwrap();
    assert_eq!((event.seq, event.kind), (2, Kind::GaveUp));
}

#[test]
fn what_a_module_lacks_is_composed() {
    let place = support::sample_place();
    let (services, foo) = (services(&place), name("foo"));
    place.record("foo", "sample");
    place.set_state("foo", State::Up as i32);
    let request = Request::default();
    let failure = services.reload(&foo, &request).unwrap_err();
    assert_eq!(failure.to_string(), "sample: signal 1");
    let failure = services.forget(&foo, &request).unwrap_err();
    assert_eq!(failure.error.code, Code::Conflict);
    place.set_state("foo", State::Down as i32);
    let dry = Request {
        dry_run: true,
        ..request
    };
    services.forget(&foo, &dry).unwrap();
    assert_eq!(place.recorded("foo").as_deref(), Some("sample\n"));
    services.forget(&foo, &request).unwrap();
    assert_eq!(place.recorded("foo"), None);
    services.forget(&foo, &request).unwrap();
}
