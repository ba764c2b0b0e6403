//! What a status means in OpenRC's words and exit codes.

use crate::stat::Stat;
use rc_sv_api::{Code, Result, ServiceName, State, Status};
use std::path::Path;

/// How a service that was started stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It runs, or will again by itself.
    Up,
    /// It is down, or was given up.
    Stopped,
    /// It is being stopped.
    Stopping,
    /// It runs and is not ready yet.
    Starting,
    /// It is dead, and nobody brings it back.
    Crashed,
    /// It runs, and nobody looks after it.
    Unsupervised,
}

impl Standing {
    /// Every one.
    pub const ALL: [Standing; 6] = [
        Standing::Up,
        Standing::Stopped,
        Standing::Stopping,
        Standing::Starting,
        Standing::Crashed,
        Standing::Unsupervised,
    ];

    /// The exit code of `rc-service SERVICE status`.
    pub fn exit_code(self) -> u8 {
        match self {
            Standing::Up => 0,
            Standing::Stopped => 3,
            Standing::Stopping => 4,
            Standing::Starting => 8,
            Standing::Crashed => 32,
            Standing::Unsupervised => 64,
        }
    }

    /// The word for people and for JSON.
    pub fn name(self) -> &'static str {
        match self {
            Standing::Up => "up",
            Standing::Stopped => "stopped",
            Standing::Stopping => "stopping",
            Standing::Starting => "starting",
            Standing::Crashed => "crashed",
            Standing::Unsupervised => "unsupervised",
        }
    }

    /// What the answer `status` for a service that was started means. `child_is_alive` is asked
    /// when the supervisor does not know.
    ///
    /// # Errors
    /// The module could not be asked, and that does not mean that its supervisor is gone.
    pub(crate) fn of(
        status: Result<Status>,
        child_is_alive: impl FnOnce() -> bool,
    ) -> Result<(Status, Standing)> {
        let status = match status {
            Err(error) if matches!(error.code, Code::NotRunning | Code::NotFound) => {
                let state = State::Unmanaged;
                Status {
                    detail: error.message,
                    ..Status::of_state(state)
                }
            }
            other => other?,
        };
        let standing = match status.state {
            State::Up | State::Backoff | State::Paused => Standing::Up,
            State::Starting => Standing::Starting,
            State::Stopping => Standing::Stopping,
            State::Down if status.wanted_up == Some(true) => Standing::Crashed,
            State::Down | State::GaveUp => Standing::Stopped,
            State::Unknown | State::Unmanaged => match child_is_alive() {
                true => Standing::Unsupervised,
                false => Standing::Crashed,
            },
        };
        Ok((status, standing))
    }
}

/// The main process that OpenRC knows of (its value `child_pid`), if it still runs. Where the
/// module says when that process began, another one of the same number is not taken for it.
pub(crate) fn living_child(svcdir: &Path, service: &ServiceName) -> Option<u32> {
    let options = svcdir.join("options").join(service.as_str());
    let pid = std::fs::read_to_string(options.join("child_pid"))
        .ok()
        .and_then(|text| text.trim().parse::<u32>().ok())?;
    let began = Stat::of(pid)?.began()?;
    let own = svcdir.join("rc-sv").join(service.as_str());
    let known = [own.join("instance"), options.join("child_began")]
        .iter()
        .find_map(|path| known_beginning(path, pid));
    known.is_none_or(|known| known == began).then_some(pid)
}

/// Whether OpenRC knows something of a service beyond its script: it forgets all of one that is
/// stopped.
pub(crate) fn is_started(svcdir: &Path, service: &ServiceName) -> bool {
    svcdir.join("options").join(service.as_str()).exists()
}

/// When the service's process began, if it has this pid, by a file that begins with both: `instance`
/// of its module, or OpenRC's value `child_began`, which our modules record with the pid.
fn known_beginning(path: &Path, pid: u32) -> Option<u64> {
    let text = std::fs::read_to_string(path).ok()?;
    let mut words = text.split_whitespace();
    let same = words.next()?.parse() == Ok(pid);
    words.next().filter(|_| same)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rc_sv_api::Error;

    fn code(status: Result<Status>, alive: bool) -> Result<u8> {
        Standing::of(status, || alive).map(|(_, standing)| standing.exit_code())
    }

    #[test]
    fn every_state_has_the_exit_code_of_openrc() {
        let table = [
            (State::Up, 0),
            (State::Backoff, 0),
            (State::Paused, 0),
            (State::Down, 3),
            (State::GaveUp, 3),
            (State::Stopping, 4),
            (State::Starting, 8),
            (State::Unmanaged, 32),
            (State::Unknown, 32),
        ];
        assert_eq!(table.len(), State::ALL.len());
        for (state, expected) in table {
            assert_eq!(
                code(Ok(Status::of_state(state)), false),
                Ok(expected),
                "{state:?}"
            );
        }
        let wanted = Status {
            wanted_up: Some(true),
            ..Status::of_state(State::Down)
        };
        assert_eq!(code(Ok(wanted), false), Ok(32));
        assert_eq!(code(Ok(Status::of_state(State::Unmanaged)), true), Ok(64));
    }

    #[test]
    fn a_dead_supervisor_leaves_the_service_crashed_or_unsupervised() {
        let gone = || Err(Error::new(Code::NotRunning, "the supervisor does not run"));
        assert_eq!(code(gone(), true), Ok(64));
        let (status, standing) = Standing::of(gone(), || false).unwrap();
        assert_eq!(
            (standing, status.state),
            (Standing::Crashed, State::Unmanaged)
        );
        assert_eq!(status.detail, "the supervisor does not run");
        let other = Error::new(Code::Timeout, "no answer");
        assert_eq!(code(Err(other.clone()), true), Err(other));
    }

    #[test]
    fn the_child_is_looked_up_in_openrcs_values() {
        let svcdir = std::env::temp_dir().join(format!("rc-sv-standing-{}", std::process::id()));
        let options = svcdir.join("options/foo");
        std::fs::create_dir_all(&options).unwrap();
        let foo = ServiceName::new(b"foo").unwrap();
        assert_eq!(living_child(&svcdir, &foo), None);
        std::fs::write(options.join("child_pid"), std::process::id().to_string()).unwrap();
        assert_eq!(living_child(&svcdir, &foo), Some(std::process::id()));
        // Another process of that number is another process.
        let pid = std::process::id();
        let directory = svcdir.join("rc-sv/foo");
        std::fs::create_dir_all(&directory).unwrap();
        let instance = |text: String| std::fs::write(directory.join("instance"), text).unwrap();
        let began = Stat::of(pid).unwrap().began().unwrap();
        instance(format!("{pid:10} {began:20}\n"));
        assert_eq!(living_child(&svcdir, &foo), Some(pid));
        instance(format!("{pid:10} {:20}\n", began - 1));
        assert_eq!(living_child(&svcdir, &foo), None);
        std::fs::remove_file(directory.join("instance")).unwrap();
        let value = |text: String| std::fs::write(options.join("child_began"), text).unwrap();
        value(format!("{pid} {began}"));
        assert_eq!(living_child(&svcdir, &foo), Some(pid));
        value(format!("{pid} {}", began - 1));
        assert_eq!(living_child(&svcdir, &foo), None);
        std::fs::remove_file(options.join("child_began")).unwrap();
        // One that knows of another pid, or nothing, says nothing about this one.
        for text in [format!("{} {began}\n", pid + 1), String::new()] {
            instance(text);
            assert_eq!(living_child(&svcdir, &foo), Some(pid));
        }
        std::fs::write(options.join("child_pid"), "4194305").unwrap();
        assert_eq!(living_child(&svcdir, &foo), None);
        std::fs::remove_dir_all(&svcdir).unwrap();
    }
}
