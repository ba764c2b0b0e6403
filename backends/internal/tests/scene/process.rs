//! Processes, whoever has made them.

use super::PATIENCE;
use nix::poll::{poll, PollFd, PollFlags};
use rc_sv_exec::handle::Handle;
use rc_sv_exec::process::{open_left, open_process};
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// All processes.
pub fn processes() -> Vec<i32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter_map(|name| name.parse().ok()).collect()
}

/// Waits until a process has gone that is nobody's child here, or is waited for by somebody else.
pub fn await_death(pid: i32) {
    if let Ok(pidfd) = open_process(pid) {
        await_end_of(&pidfd);
    }
}

/// Kills a process with SIGKILL, and waits until it is dead.
pub fn kill_and_await(pid: i32) {
    let pidfd = open_process(pid).unwrap();
    signal(pid, libc::SIGKILL);
    await_end_of(&pidfd);
}

/// Waits until the process behind `pidfd` is dead; a zombie is.
pub fn await_end_of(pidfd: &OwnedFd) {
    let millis = PATIENCE.as_millis() as u16;
    let mut fds = [PollFd::new(pidfd.as_fd(), PollFlags::POLLIN)];
    assert_eq!(poll(&mut fds, millis), Ok(1), "it does not end");
}

pub fn signal(pid: i32, number: i32) {
    let signal = nix::sys::signal::Signal::try_from(number).unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), signal).unwrap();
}

/// Whether there is such a process, dead or alive.
pub fn exists(pid: i32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

/// Whether this kernel finds what is left of a process by its handle.
pub fn finds_remains() -> bool {
    let own = open_process(std::process::id() as i32).unwrap();
    Handle::of(own.as_fd()).is_some_and(|handle| open_left(handle.number()).is_ok())
}
