//! monit as a process: whether there is one, its signals, and waiting for it.

use nix::errno::Errno;
use nix::poll::PollTimeout;
use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;
use rc_sv_api::{Code, Error, Result};
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
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut names = processes.filter_map(|entry| std::fs::read(entry.path().join("comm")).ok());
    names.any(|name| name == b"monit\n")
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
