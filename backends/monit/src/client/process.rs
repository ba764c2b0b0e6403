//! monit as a process: whether there is one, its signals, and waiting for it.

use nix::errno::Errno;
use nix::poll::PollTimeout;
use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;
use rc_sv_api::{Code, Error, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Between two looks at a monit that is to do something, which takes it two milliseconds, or that
/// reads its control file. Nothing can be waited for: its socket is taken away and made again, and
/// connecting is what makes its server notice that it has to end (11 ms instead of half a second).
const KNOCK: Duration = Duration::from_millis(2);

/// Waits as long as it takes monit to get on: nothing tells when it has.
pub fn pause() {
    let pause = PollTimeout::try_from(KNOCK).unwrap_or(PollTimeout::ZERO);
    // Interrupted or not: it is only a pause.
    let _ = nix::poll::poll(&mut [], pause);
}

/// Whether there is a process called monit, whichever that is.
pub fn is_running() -> bool {
    processes().next().is_some()
}

/// Whether such a process runs or would like to, on a machine that is busy, or waits for a disk. One
/// that was stopped does neither, nor one that waits for what never comes.
pub fn is_at_work() -> bool {
    let threads = processes().flat_map(|process| entries(&process.join("task")));
    let mut stats = threads.filter_map(|thread| fs::read_to_string(thread.join("stat")).ok());
    // proc(5): the state follows the name, which may have any character in it.
    stats.any(|stat| {
        let state = stat.rsplit_once(") ").map(|(_, rest)| rest);
        state.is_some_and(|state| state.starts_with(['R', 'D']))
    })
}

/// The directories of the processes called monit.
fn processes() -> impl Iterator<Item = PathBuf> {
    let is_monit =
        |process: &PathBuf| fs::read(process.join("comm")).is_ok_and(|it| it == b"monit\n");
    entries(Path::new("/proc")).filter(is_monit)
}

fn entries(directory: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.path())
}

/// Sends a signal to the monit that is `pid`.
///
/// # Errors
/// It is gone, or not ours.
pub fn send(pid: i32, signal: Signal) -> Result<()> {
    match kill(Pid::from_raw(pid), signal) {
        Ok(()) => Ok(()),
        Err(Errno::ESRCH) => Err(Error::new(
            Code::NotRunning,
            format!("monit (pid {pid}) is gone"),
        )),
        Err(errno) => Err(Error::io(
            format_args!("cannot signal monit (pid {pid})"),
            &errno.into(),
        )),
    }
}
