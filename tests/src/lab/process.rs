//! Processes of a lab, by the numbers that they have in there.

use super::{wait, Lab};
use std::time::Duration;

impl Lab {
    /// Sends signal number `signal` to the process that has the number `pid`
    /// inside of the lab (a negative number: to that process group).
    ///
    /// # Panics
    /// When there is no such process.
    pub fn kill(&self, pid: i32, signal: i32) {
        let fields = ["kill", &pid.to_string(), &signal.to_string()].map(str::to_owned);
        self.ask(&fields)
            .unwrap_or_else(|error| panic!("kill -{signal} {pid}: {error}"));
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

    /// The numbers of everything that is called so and lives.
    #[track_caller]
    pub fn pids(&self, program: &str) -> Vec<i32> {
        let said = self.sh("ps -e -o pid=,stat=,comm=").ok();
        let words = said
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>());
        words
            .filter(|words| !words[1].starts_with('Z') && words[2] == program)
            .map(|words| words[0].parse().expect("a pid"))
            .collect()
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
