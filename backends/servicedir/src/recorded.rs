//! What OpenRC has recorded of a service: all that ordinary users may know.

use rc_sv_api::{ServiceName, State, Status};
use std::fs;
use std::path::Path;

/// OpenRC's states, in the order in which it looks at them itself.
const STATES: [(&str, State); 5] = [
    ("stopping", State::Stopping),
    ("starting", State::Starting),
    ("inactive", State::Starting),
    ("started", State::Up),
    ("failed", State::GaveUp),
];

/// The status of `service` by OpenRC's records in `svcdir`.
pub(crate) fn status(svcdir: &Path, service: &ServiceName) -> Status {
    let is = |state: &str| fs::symlink_metadata(svcdir.join(state).join(service.as_str())).is_ok();
    let state = STATES.into_iter().find(|(name, _)| is(name));
    let state = state.map_or(State::Down, |(_, state)| state);
    let values = svcdir.join("options").join(service.as_str());
    let number = |name: &str| {
        fs::read_to_string(values.join(name))
            .ok()?
            .trim()
            .parse()
            .ok()
    };
    let pid: Option<i32> = number("child_pid");
    Status {
        pid: pid
            .filter(|pid| state == State::Up && Path::new("/proc").join(pid.to_string()).exists()),
        restarts: number("start_count").and_then(|count| u32::try_from(count).ok()),
        detail: "as OpenRC has recorded it; only root may ask its supervisor".into(),
        ..Status::of_state(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_that_of_openrc() {
        let svcdir = tempfile::tempdir().unwrap();
        let foo = ServiceName::new(b"foo").unwrap();
        let mark = |path: &str, text: &str| {
            let path = svcdir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let look = || status(svcdir.path(), &foo);
        assert_eq!((look().state, look().pid), (State::Down, None));
        mark("failed/foo", "");
        assert_eq!(look().state, State::GaveUp);
        mark("started/foo", "");
        mark("options/foo/child_pid", &std::process::id().to_string());
        mark("options/foo/start_count", "3");
        let started = look();
        assert_eq!((started.state, started.restarts), (State::Up, Some(3)));
        assert_eq!(started.pid, Some(std::process::id() as i32));
        mark("options/foo/child_pid", "4194305");
        assert_eq!(look().pid, None, "it has ended");
        mark("stopping/foo", "");
        assert_eq!(look().state, State::Stopping);
    }
}
