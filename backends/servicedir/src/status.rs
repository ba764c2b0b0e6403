//! What a service is doing, from everything that is known of it.

use crate::observed::{Observed, Phase, Wants};
use crate::suite::Suite;
use crate::supervise::{living, Snapshot};
use crate::tree::Tree;
use rc_sv_api::{Error, Result, ServiceName, State, Status};
use rc_sv_exec::instance::Instance;
use rc_sv_exec::place::Dir;
use rc_sv_exec::run::clock;
use rc_sv_exec::run::record::{self, Record};
use std::time::SystemTime;

/// One look at everything that is known of a service. `dir` is only asked for where its supervisor
/// is gone.
///
/// # Errors
/// Something of it cannot be read.
pub(crate) fn look(
    tree: &Tree,
    service: &ServiceName,
    dir: impl FnOnce() -> Result<Dir>,
) -> Result<Status> {
    let suite = tree.suite();
    let snapshot = tree.supervise(service.as_str()).snapshot()?;
    let record = tree.record(service)?;
    if record.is_none() {
        if tree.native(service).is_some() {
            return Ok(native(suite, &snapshot));
        }
        if !tree.has(service) {
            return Ok(Status::of_state(State::Unmanaged));
        }
    }
    let pid = record.as_ref().and_then(|record| record.pid);
    let lives = match pid {
        None => false,
        // The supervisor answers for the number, or the process that it runs does.
        Some(_) if snapshot.running() == pid => snapshot.supervisor.is_some() || remains(dir)?,
        Some(pid) if snapshot.supervisor.is_some() => living(pid)
            .map_err(|cause| Error::io(format_args!("look at process {pid}"), &cause))?
            .is_some(),
        Some(_) => remains(dir)?,
    };
    Ok(generated(suite, &snapshot, record, lives))
}

/// Whether the main process outlives its supervisor: by the time of its beginning, as the number
/// may be another one's by now.
fn remains(dir: impl FnOnce() -> Result<Dir>) -> Result<bool> {
    Ok(Instance::living(&dir()?).is_some())
}

/// The status of a service that `rc-sv-exec` runs.
fn generated(suite: &Suite, snapshot: &Snapshot, record: Option<Record>, lives: bool) -> Status {
    let wants = snapshot.observed.map(|it| it.wants);
    let Some(mut record) = record else {
        // It has a supervisor, but no run was recorded yet.
        let state = match (&snapshot.supervisor, wants) {
            (None, _) => State::Unmanaged,
            (Some(_), Some(Wants::Up)) => State::Starting,
            (Some(_), _) => State::Down,
        };
        return Status::of_state(state);
    };
    if record.phase == record::Phase::Running && !lives {
        // It ended, and nobody has dealt with that yet.
        record.phase = record::Phase::Ended;
    }
    let status = record.status(clock::boot_ms());
    if snapshot.supervisor.is_none() {
        return unsupervised(suite, status);
    }
    let is_unwanted = wants.is_some_and(|wants| wants != Wants::Up);
    match status.state {
        State::Up if is_unwanted => Status {
            state: State::Stopping,
            wanted_up: Some(false),
            ..status
        },
        State::Up if snapshot.observed.is_some_and(|it| it.paused) => Status {
            state: State::Paused,
            ..status
        },
        _ => status,
    }
}

/// The status of a service whose directory was written by hand.
fn native(suite: &Suite, snapshot: &Snapshot) -> Status {
    let Some(observed) = snapshot.observed else {
        return Status::of_state(match snapshot.supervisor {
            Some(_) => State::Starting,
            None => State::Unmanaged,
        });
    };
    let status = Status {
        state: state(&observed, snapshot.process.is_some()),
        wanted_up: Some(observed.wants == Wants::Up),
        ready: observed.ready.then_some(true),
        pid: snapshot.running(),
        since_real_ns: observed.since.real_ns(suite.tai_offset, SystemTime::now()),
        last_exit: observed.last_exit,
        ..Status::default()
    };
    match snapshot.supervisor {
        Some(_) => status,
        None => unsupervised(suite, status),
    }
}

fn state(observed: &Observed, lives: bool) -> State {
    match (observed.phase, observed.wants) {
        (Phase::Run(_), Wants::Up) if lives && observed.paused => State::Paused,
        (Phase::Run(_), Wants::Up | Wants::Once) if lives => State::Up,
        (Phase::Run(_), Wants::Down) if lives => State::Stopping,
        // daemontools goes on to call it up.
        (Phase::Run(_) | Phase::Down, Wants::Up) => State::Backoff,
        (Phase::Finish(_), Wants::Up) => State::Backoff,
        (Phase::Finish(_), _) => State::Stopping,
        (Phase::Run(_) | Phase::Down, _) => State::Down,
    }
}

/// What was true when the supervisor ended.
fn unsupervised(suite: &Suite, status: Status) -> Status {
    let program = suite.supervisor;
    match status.pid {
        Some(_) => Status {
            state: State::Unknown,
            detail: format!("it runs, but {program} was killed; its scanner begins another one"),
            ..status
        },
        None => Status {
            state: State::Unmanaged,
            detail: format!("{program} was killed; its scanner begins another one"),
            ..status
        },
    }
}
