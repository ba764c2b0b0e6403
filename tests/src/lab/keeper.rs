//! The keeper: the process between harness and pid 1. It opens the PID
//! namespace, waits for pid 1 and removes the cgroup. It is in no namespace of
//! the lab, so that it still sees the machine when the lab is gone, and in a
//! session of its own, so that what kills a test run from a terminal leaves it
//! the time to clean up.

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use nix::sched::{unshare, CloneFlags};
use nix::sys::wait::WaitStatus;
use nix::unistd::{dup2_stdin, setsid, Pid};

use super::plan::Plan;
use super::{cgroup, PID_1_ARGUMENT};
use crate::sys;

/// Runs a lab to its end. The control socket is descriptor 0.
pub(crate) fn run(args: Vec<OsString>) -> Result<(), String> {
    let plan = Plan::from_args(args.clone())?;
    let lived = live(args);
    let removed = match &plan.cgroup {
        Some(path) => cgroup::remove(path).map_err(|error| format!("cgroup: {error}")),
        None => Ok(()),
    };
    lived.and(removed)
}

fn live(args: Vec<OsString>) -> Result<(), String> {
    let say = |what: &str, error: &dyn std::fmt::Display| format!("{what}: {error}");
    // Fails for the leader of a group, which is detached well enough.
    let _ = setsid();
    unshare(CloneFlags::CLONE_NEWPID).map_err(|error| match error {
        nix::errno::Errno::EPERM => "new PID namespace: not permitted: run as root".to_owned(),
        other => say("new PID namespace", &other),
    })?;
    let own = env::current_exe().map_err(|error| say("/proc/self/exe", &error))?;
    let child = Command::new(own)
        .arg(PID_1_ARGUMENT)
        .args(args)
        .env_clear()
        .spawn()
        .map_err(|error| say("start pid 1", &error))?;
    // The harness must see the end of the socket when pid 1 is gone.
    let null = File::open("/dev/null").map_err(|error| say("/dev/null", &error))?;
    dup2_stdin(null).map_err(|error| say("close the socket", &error))?;
    let pid = i32::try_from(child.id()).map_err(|error| say("pid", &error))?;
    match sys::wait_for(Pid::from_raw(pid)).map_err(|error| say("wait for pid 1", &error))? {
        WaitStatus::Exited(_, 0) => Ok(()),
        status => Err(format!("pid 1 ended: {status:?}")),
    }
}

/// What the harness shall be told about how a keeper ended.
pub(crate) fn describe(status: std::process::ExitStatus) -> io::Result<()> {
    match (status.code(), status.signal()) {
        (Some(0), _) => Ok(()),
        (Some(code), _) => Err(io::Error::other(format!(
            "the keeper of the lab failed: {code}"
        ))),
        (None, signal) => Err(io::Error::other(format!(
            "the keeper was killed: {signal:?}"
        ))),
    }
}
