//! A module through the library: what it reports on the way, and what is composed for it.

mod support;

use rc_sv_api::event::{Event, Kind};
use rc_sv_api::{Code, Outcome, Request, Spec, State, Value};
use rc_sv_loader::config::{Config, Variables};
use rc_sv_loader::search::Directories;
use rc_sv_loader::{Listener, Loader};
use std::cell::RefCell;
use std::rc::Rc;
use support::Place;

/// Remembers what it hears.
#[derive(Default)]
struct Notes {
    lines: RefCell<Vec<(String, i32, String)>>,
    events: RefCell<Vec<(String, Event)>>,
}

impl Listener for Notes {
    fn log(&self, module: &str, level: i32, line: &str) {
        self.lines
            .borrow_mut()
            .push((module.into(), level, line.into()));
    }

    fn event(&self, module: &str, event: &Event) {
        self.events
            .borrow_mut()
            .push((module.into(), event.clone()));
    }
}

/// A spec of `service` whose state the sample keeps in this place.
fn spec(place: &Place, service: &str) -> Spec {
    let mut spec = Spec::default();
    let svcdir = place.0.join("run").into_os_string().into_encoded_bytes();
    spec.put("svcdir", Value::Text(svcdir));
    spec.put("service", Value::Text(service.into()));
    spec
}

#[test]
fn lines_and_events_reach_the_listener() {
    let place = Place::new();
    place.build("sample", &[]);
    let notes = Rc::new(Notes::default());
    let config = Config::new(place.0.join("etc"), Variables::default());
    let directories = Directories::only(vec![place.modules()]);
    let loader = Loader::new(directories, config, notes.clone());
    let mut module = loader.open("sample").unwrap();
    module
        .start(&spec(&place, "warns"), &Request::default())
        .unwrap();
    let line = ("sample".to_string(), 4, "mind the gap".to_string());
    assert_eq!(*notes.lines.borrow(), [line]);
    let events = notes.events.borrow();
    let [(module, event)] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!(
        (module.as_str(), event.kind, event.seq),
        ("sample", Kind::GaveUp, 7)
    );
    assert_eq!(
        (event.service.as_str(), event.status.state),
        ("warns", State::GaveUp)
    );
}

#[test]
fn a_restart_is_composed_where_the_spec_is_complete() {
    let place = Place::new();
    place.build("plain", &[]);
    let mut module = place.open("plain").unwrap();
    let mut spec = spec(&place, "foo");
    place.set_state("foo", 7);
    let error = module.restart(&spec, &Request::default()).unwrap_err();
    assert_eq!(error.code, Code::Unsupported);
    assert_eq!(
        module.status(&spec).unwrap().state,
        State::GaveUp,
        "nothing was done"
    );
    spec.put("argv", Value::List(vec![b"/bin/x".to_vec()]));
    assert_eq!(
        module.restart(&spec, &Request::default()),
        Ok(Outcome::Done)
    );
    assert_eq!(module.status(&spec).unwrap().state, State::Up);
    spec.put("service", Value::Text(b"stubborn".to_vec()));
    let error = module.restart(&spec, &Request::default()).unwrap_err();
    assert_eq!(
        (error.code, error.message.as_str()),
        (Code::Timeout, "still runs")
    );
    assert_eq!(
        module.status(&spec).unwrap().state,
        State::Unmanaged,
        "it was not started"
    );
}

#[test]
fn a_list_ends_when_its_reader_has_seen_enough() {
    let place = Place::new();
    place.build("sample", &["-DFULL"]);
    let mut module = place.open("sample").unwrap();
    let mut names = Vec::new();
    let mut read = |go_on: bool| {
        names.clear();
        let result = module.list(&mut |name, status| {
            names.push((name.to_string(), status.state));
            go_on
        });
        (result, names.clone())
    };
    let (a, b) = (
        ("a".to_string(), State::Up),
        ("b".to_string(), State::Backoff),
    );
    assert_eq!(read(true), (Ok(()), vec![a.clone(), b]));
    assert_eq!(read(false), (Ok(()), vec![a]));
}

#[test]
fn one_file_is_opened_as_often_as_wanted() {
    let place = Place::new();
    place.build("sample", &[]);
    place.build("other", &[]);
    let mut all = vec![place.open("sample").unwrap()];
    let other = place.open("other").unwrap();
    let own = |path: std::path::PathBuf| path.starts_with(&place.0);
    let descriptors = || {
        let all = std::fs::read_dir("/proc/self/fd").unwrap();
        let targets = all.filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok());
        targets.filter(|path| own(path.clone())).count()
    };
    let before = descriptors();
    all.extend((0..20).map(|_| place.open("sample").unwrap()));
    assert_eq!(
        (before, descriptors()),
        (2, 2),
        "one for each file, for ever"
    );
    assert!(all.iter().all(|module| module.name() == "sample"));
    assert_eq!(
        other.name(),
        "other",
        "descriptors are never taken for one another"
    );
}
