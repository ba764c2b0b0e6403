//! What the kernel does to a service for want of memory is told, and what limits cannot do.

mod seat;

use nix::sys::signal::Signal;
use rc_sv_api::exit::Exit;
use rc_sv_api::{State, Value};
use rc_sv_exec::run::await_executed;
use rc_sv_exec::run::record::Phase;
use seat::{finished, signal, Seat};
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(30);

/// Plain files that have the names of a service's cgroup, as no machine has a memory controller of
/// version 2 for sure.
fn cgroup(seat: &mut Seat) -> PathBuf {
    let cgroup = seat.svcdir().join("cgroup/foo");
    fs::create_dir_all(cgroup.join("rc-sv")).unwrap();
    fs::write(cgroup.join("rc-sv/cgroup.procs"), "").unwrap();
    fs::write(cgroup.join("memory.events"), "oom_kill 3\n").unwrap();
    fs::write(cgroup.join("memory.max"), "").unwrap();
    let text = cgroup.display().to_string().into_bytes();
    seat.spec.put("cgroup", Value::Text(text));
    cgroup
}

#[test]
fn one_that_was_killed_for_want_of_memory_is_told_so() {
    let mut seat = Seat::new("read line <gate; echo 'oom_kill 4' >$EVENTS; kill -9 $$");
    let cgroup = cgroup(&mut seat);
    let events = format!("EVENTS={}/memory.events", cgroup.display());
    let seat = seat
        .list("environment", &["PATH=/usr/bin:/bin", &events])
        .set("rc_supervise_memory_max", "64M")
        .set("rc_supervise_pids_max", "9");
    let gate = seat.here().join("gate");
    nix::unistd::mkfifo(&gate, nix::sys::stat::Mode::from_bits_truncate(0o600)).unwrap();
    let run = seat.command("run").spawn().unwrap();
    let record = await_executed(&seat.dir(), SOON).unwrap();
    assert_eq!(record.memory_kills, Some(3));
    let limits = "limits without effect: pids_max: no pids controller";
    assert_eq!(record.status(0).detail, limits);
    assert_eq!(
        fs::read_to_string(cgroup.join("memory.max")).unwrap(),
        "67108864"
    );
    fs::write(&gate, "\n").unwrap();
    assert_eq!(finished(run).status.signal(), Some(Signal::SIGKILL as i32));
    assert_eq!(seat.finish(&["256", "9"]), 0);
    let record = seat.record();
    assert_eq!(
        (record.phase, record.last_exit),
        (Phase::Waiting, Some(Exit::Signal(9)))
    );
    assert_eq!(record.status(0).state, State::Backoff);
    assert_eq!(record.note, "killed for want of memory by the kernel");
}

#[test]
fn one_without_a_cgroup_runs_and_is_told_so() {
    let seat = Seat::new("exec sleep 1000").set("rc_supervise_memory_max", "64M");
    let run = seat.command("run").spawn().unwrap();
    let record = await_executed(&seat.dir(), SOON).unwrap();
    let limits = "limits without effect: the service has no cgroup of version 2";
    assert_eq!(record.status(0).detail, limits);
    signal(&run, Signal::SIGTERM);
    finished(run);
}
