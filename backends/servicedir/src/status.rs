//! What a service is doing, from everything that is known of it.

use crate::observed::{Observed, Phase, Wants};
use crate::suite::Suite;
use crate::supervise::Snapshot;
use rc_sv_api::{State, Status};
use rc_sv_exec::run::clock;
use rc_sv_exec::run::record::{self, Record};
use std::time::SystemTime;

/// The status of a service that `rc-sv-exec` runs.
pub(crate) fn generated(
    suite: &Suite,
    snapshot: &Snapshot,
    record: Option<Record>,
    lives: bool,
) -> Status {
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
pub(crate) fn native(suite: &Suite, snapshot: &Snapshot) -> Status {
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
