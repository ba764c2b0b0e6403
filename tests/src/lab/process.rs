//! Processes of a lab, by the numbers that they have in there.

use std::os::fd::AsRawFd;
use std::time::Duration;
use std::{fs, io};

use nix::fcntl::OFlag;

use super::{wait, Lab};

/// Of the flags of a process: it is ending (PF_EXITING of the kernel). It executes nothing any
/// more, but is no zombie yet; on a busy machine for some time.
const ENDING: u64 = 4;

impl Lab {
    /// Sends signal number `signal` to the process that has the number `pid`
    /// inside of the lab (a negative number: to that process group).
    ///
    /// # Panics
    /// When there is no such process.
    pub fn kill(&self, pid: i32, signal: i32) {
        self.try_kill(pid, signal)
            .unwrap_or_else(|error| panic!("kill -{signal} {pid}: {error}"));
    }

    /// The same, for processes that may have ended by themselves.
    ///
    /// # Errors
    /// Those of kill(2).
    pub fn try_kill(&self, pid: i32, signal: i32) -> io::Result<()> {
        let fields = ["kill", &pid.to_string(), &signal.to_string()].map(str::to_owned);
        self.ask(&fields).map(drop)
    }

    /// Waits until the process that has the number `pid` inside of the lab is
    /// dead (a zombie is). Returns at once when there is no such process.
    ///
    /// # Panics
    /// After `timeout`.
    pub fn wait_dead(&self, pid: i32, timeout: Duration) {
        match self.ask(&["pidfd".to_owned(), pid.to_string()]) {
            Err(error) if error.raw_os_error() == Some(nix::libc::ESRCH) => {}
            Err(error) => panic!("process {pid}: {error}"),
            Ok(fds) => {
                let fd = fds
                    .first()
                    .unwrap_or_else(|| panic!("process {pid}: no descriptor"));
                assert!(
                    wait::readable(fd, timeout),
                    "process {pid} still lives after {timeout:?}"
                );
            }
        }
    }

    /// Whether a process is alive. One that is ending is not, nor is a zombie.
    pub fn is_alive(&self, pid: i32) -> bool {
        let stat = self.try_read(format!("/proc/{pid}/stat"));
        stat.is_ok_and(|stat| living(&stat).is_some())
    }

    /// The numbers of everything that is called so and is alive. The kernel keeps 15 bytes of a
    /// name.
    ///
    /// # Panics
    /// When /proc cannot be read.
    #[track_caller]
    pub fn pids(&self, program: &str) -> Vec<i32> {
        let proc = self
            .open("/proc".as_ref(), OFlag::O_RDONLY | OFlag::O_DIRECTORY, 0)
            .unwrap_or_else(|error| panic!("/proc of the lab: {error}"));
        let entries = fs::read_dir(format!("/proc/self/fd/{}", proc.as_raw_fd()))
            .unwrap_or_else(|error| panic!("/proc of the lab: {error}"));
        let mut pids: Vec<i32> = entries
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter(|pid| {
                let stat = self.try_read(format!("/proc/{pid}/stat"));
                stat.is_ok_and(|stat| living(&stat).as_deref() == Some(program))
            })
            .collect();
        pids.sort_unstable();
        pids
    }

    /// The state of a process, one letter of proc(5); `None` when there is none.
    pub fn state(&self, pid: i32) -> Option<char> {
        self.stat(pid)?.chars().next()
    }

    /// How much time of a processor a process has used, exact to some hundredths of a second.
    ///
    /// # Panics
    /// When there is no such process.
    #[track_caller]
    pub fn used(&self, pid: i32) -> Duration {
        let stat = self.stat(pid).expect("a process");
        let ticks = stat
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(|field| field.parse::<u64>().expect("ticks"));
        Duration::from_millis(ticks.sum::<u64>() * 10)
    }

    /// What follows the name in `/proc/PID/stat`.
    fn stat(&self, pid: i32) -> Option<String> {
        let stat = self.try_read(format!("/proc/{pid}/stat")).ok()?;
        let stat = String::from_utf8_lossy(&stat);
        stat.rsplit_once(") ").map(|(_, rest)| rest.to_owned())
    }
}

/// The name of the process whose `stat` this is (proc(5)), if it is alive.
fn living(stat: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(stat);
    let (before, after) = text.rsplit_once(')')?;
    let (_, name) = before.split_once('(')?;
    let mut fields = after.split_whitespace();
    let state = fields.next()?;
    let flags: u64 = fields.nth(5)?.parse().ok()?;
    let is_alive = !["Z", "X", "x"].contains(&state) && flags & ENDING == 0;
    is_alive.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ending_is_not_alive() {
        let stat = |state: &str, flags: u64| {
            let text = format!("7 (a) (b) {state} 1 7 7 0 -1 {flags} 0 0\n");
            living(text.as_bytes())
        };
        assert_eq!(stat("S", 0x40_0100).as_deref(), Some("a) (b"));
        assert_eq!(stat("T", 0).as_deref(), Some("a) (b"));
        assert_eq!(stat("R", 0x40_0104), None);
        assert_eq!(stat("Z", 0x40_010c), None);
        assert_eq!(living(b""), None);
        assert_eq!(living(b"7 (a) S 1"), None);
    }
}
