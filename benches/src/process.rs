//! What /proc tells about processes.

use std::collections::BTreeSet;
use std::fs;
use std::os::fd::{AsFd, OwnedFd};

use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;

use crate::{clock, Result};

/// Memory of some processes together, in kB.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory {
    /// Proportional: a page that n processes share counts as 1/n in each.
    pub pss: u64,
    /// What would be free without them: pages that nobody shares.
    pub private: u64,
}

/// Sends KILL. A process that is gone already is no error.
pub fn kill_now(pid: i32) -> Result<()> {
    match kill(Pid::from_raw(pid), Signal::SIGKILL) {
        Ok(()) | Err(nix::errno::Errno::ESRCH) => Ok(()),
        Err(error) => Err(format!("kill {pid}: {error}")),
    }
}

/// Sends STOP.
pub fn pause(pid: i32) -> Result<()> {
    kill(Pid::from_raw(pid), Signal::SIGSTOP).map_err(|error| format!("kill {pid}: {error}"))
}

/// When the process ended, if it is not running any more by `deadline` (both in nanoseconds of the
/// clock).
pub fn ended(process: &OwnedFd, deadline: u64) -> Result<u64> {
    let mut fds = [PollFd::new(process.as_fd(), PollFlags::POLLIN)];
    let left = deadline.saturating_sub(clock::now()) / 1_000_000;
    let left = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
    match poll(&mut fds, left) {
        Ok(0) => Err("a process that was stopped runs on".into()),
        Ok(_) => Ok(clock::now()),
        Err(error) => Err(format!("poll: {error}")),
    }
}

/// The living processes (no zombies) whose name is `name`, or its first 15 bytes.
pub fn called(name: &str) -> Result<BTreeSet<i32>> {
    let name = &name[..name.len().min(15)];
    let mut found = BTreeSet::new();
    let entries = fs::read_dir("/proc").map_err(|error| format!("/proc: {error}"))?;
    for entry in entries.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|pid| pid.parse().ok()) else {
            continue;
        };
        // It may end while we look.
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else {
            continue;
        };
        if alive_and_called(&stat, name) {
            found.insert(pid);
        }
    }
    Ok(found)
}

/// `PID (NAME) STATE ...`
fn alive_and_called(stat: &str, name: &str) -> bool {
    let Some((left, right)) = stat.rsplit_once(") ") else {
        return false;
    };
    let own = left.split_once(" (").map(|(_, own)| own);
    own == Some(name) && !right.starts_with(['Z', 'X'])
}

/// The real-time priority under which this process runs; 0 when it has none.
pub fn priority() -> Result<u32> {
    let path = "/proc/self/stat";
    let stat = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    // Field 40 of proc(5); what comes after the name begins with field 3.
    let (_, right) = stat.rsplit_once(") ").unwrap_or_default();
    let field = right
        .split(' ')
        .nth(37)
        .and_then(|field| field.parse().ok());
    field.ok_or_else(|| format!("{path}: {stat}"))
}

/// The memory of these processes together.
pub fn memory(pids: &[i32]) -> Result<Memory> {
    let mut sum = Memory::default();
    for pid in pids {
        let path = format!("/proc/{pid}/smaps_rollup");
        let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        sum.pss += field(&text, "Pss:");
        sum.private += field(&text, "Private_Clean:") + field(&text, "Private_Dirty:");
    }
    Ok(sum)
}

/// How often these processes were scheduled so far, by their own will or not.
pub fn switches(pids: &[i32]) -> Result<u64> {
    let mut sum = 0;
    for pid in pids {
        let path = format!("/proc/{pid}/status");
        let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        sum += field(&text, "voluntary_ctxt_switches:");
        sum += field(&text, "nonvoluntary_ctxt_switches:");
    }
    Ok(sum)
}

fn field(text: &str, name: &str) -> u64 {
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    let number = value.and_then(|rest| rest.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zombies_and_others_are_not_counted() {
        assert!(alive_and_called("12 (stamp) S 1 12", "stamp"));
        assert!(!alive_and_called("12 (stamp) Z 1 12", "stamp"));
        assert!(!alive_and_called("12 (stamps) S 1 12", "stamp"));
        assert!(alive_and_called("12 (a) b) R 1 12", "a) b"));
    }

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let text = "nonvoluntary_ctxt_switches:\t7\nvoluntary_ctxt_switches:\t35\nPss:  12 kB\n";
        assert_eq!(field(text, "voluntary_ctxt_switches:"), 35);
        assert_eq!(field(text, "Pss:"), 12);
        assert_eq!(field(text, "Rss:"), 0);
    }
}
