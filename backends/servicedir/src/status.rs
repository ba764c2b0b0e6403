//! What a service is doing, from everything that is known of it.

use crate::observed::{Observed, Phase, Wants};
use crate::suite::Suite;
use crate::tree::Tree;
use rc_sv_api::{Result, ServiceName, State, Status};
use rc_sv_exec::clock;
use rc_sv_exec::instance::Instance;
use rc_sv_exec::place::Dir;
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
    tree.refresh();
    look_at(tree, service, dir)
}

/// The same as of the last [`Tree::refresh`], for who looks at many.
///
/// # Errors
/// Something of it cannot be read.
pub(crate) fn look_at(
    tree: &Tree,
    service: &ServiceName,
    dir: impl FnOnce() -> Result<Dir>,
) -> Result<Status> {
    let suite = tree.suite();
    if let Some((observed, record)) = tree.settled(service) {
        // Whether a process lives, no file tells.
        let pid = record.pid;
        let lives = pid.map_or(Ok(false), |pid| tree.lives(service, pid))?;
        return Ok(generated(suite, true, Some(observed), record, lives));
    }
    let is_watched = tree.watch(service);
    let supervised = tree.supervised(service)?;
    let observed = tree.observed(service)?;
    let Some(record) = tree.record(service)? else {
        if let Some(directory) = tree.native(service) {
            if !directory.exists() {
                return Ok(Status {
                    detail: format!("its directory {} is gone", directory.display()),
                    ..Status::of_state(State::Unknown)
                });
            }
            let pid = observed.and_then(|it| it.phase.pid());
            let lives = pid.map_or(Ok(false), |pid| tree.lives(service, pid))?;
            return Ok(native(suite, supervised, observed, lives));
        }
        return Ok(Status::of_state(match observed.map(|it| it.wants) {
            _ if !tree.has(service) || !supervised => State::Unmanaged,
            // No run was recorded yet.
            Some(Wants::Up) => State::Starting,
            _ => State::Down,
        }));
    };
    let lives = match record.pid {
        None => false,
        Some(pid) if supervised => tree.lives(service, pid)?,
        Some(_) => remains(dir)?,
    };
    if is_watched && supervised && observed.is_some() {
        tree.settle(service);
    }
    Ok(generated(suite, supervised, observed, record, lives))
}

/// Whether the main process outlives its supervisor: by the time of its beginning, as the number
/// may be another one's by now.
fn remains(dir: impl FnOnce() -> Result<Dir>) -> Result<bool> {
    Ok(Instance::living(&dir()?).is_some())
}

/// The status of a service that `rc-sv-exec` runs.
fn generated(
    suite: &Suite,
    supervised: bool,
    observed: Option<Observed>,
    mut record: Record,
    lives: bool,
) -> Status {
    if record.phase == record::Phase::Running && !lives {
        // It ended, and nobody has dealt with that yet.
        record.phase = record::Phase::Ended;
    }
    let status = record.status(clock::boot_ms());
    if !supervised {
        return unsupervised(suite, status);
    }
    let is_unwanted = observed.is_some_and(|it| it.wants != Wants::Up);
    match status.state {
        State::Up if is_unwanted => Status {
            state: State::Stopping,
            wanted_up: Some(false),
            ..status
        },
        State::Up if observed.is_some_and(|it| it.paused) => Status {
            state: State::Paused,
            ..status
        },
        _ => status,
    }
}

/// The status of a service whose directory was written by hand; `lives`: the process of which its
/// supervisor has written.
fn native(suite: &Suite, supervised: bool, observed: Option<Observed>, lives: bool) -> Status {
    let Some(observed) = observed else {
        return Status::of_state(match supervised {
            true => State::Starting,
            false => State::Unmanaged,
        });
    };
    let status = Status {
        state: state(&observed, lives),
        wanted_up: Some(observed.wants == Wants::Up),
        ready: observed.ready.then_some(true),
        pid: match observed.phase {
            Phase::Run(pid) if lives => Some(pid),
            _ => None,
        },
        since_real_ns: observed.since.real_ns(suite.tai_offset, SystemTime::now()),
        last_exit: observed.last_exit,
        ..Status::default()
    };
    match supervised {
        true => status,
        false => unsupervised(suite, status),
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
