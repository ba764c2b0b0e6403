//! How much memory the processes of an instance use.

use super::Outcome;
use crate::cgroup::Cgroup;
use rc_sv_api::{size, Error};
use std::fs;
use std::io::{self, ErrorKind};

/// Whether an instance keeps within its limit, in bytes; and the words where it does not.
pub(super) fn weigh(pid: i32, cgroup: Option<&Cgroup>, limit: u64) -> (Outcome, String) {
    match used(pid, cgroup) {
        Err(cause) => (Outcome::Unknown, Error::io("memory", &cause).message),
        Ok(used) if used <= limit => (Outcome::Pass, String::new()),
        Ok(used) => {
            let (used, limit) = (size::show(used), size::show(limit));
            let found = format!("it uses {used} of memory, more than {limit}");
            (Outcome::Fail, found)
        }
    }
}

/// What process `pid`, or everything in its cgroup, uses: as the kernel counts it where it does
/// (memory.current), else what is resident.
fn used(pid: i32, cgroup: Option<&Cgroup>) -> io::Result<u64> {
    let Some(cgroup) = cgroup else {
        return resident(pid);
    };
    match fs::read_to_string(cgroup.path().join("memory.current")) {
        Ok(text) => text
            .trim()
            .parse()
            .map_err(|_| ErrorKind::InvalidData.into()),
        // No memory controller is enabled.
        Err(cause) if cause.kind() == ErrorKind::NotFound => {
            let members = fs::read_to_string(cgroup.path().join("cgroup.procs"))?;
            let pids = members.lines().filter_map(|line| line.parse().ok());
            // One that ended meanwhile uses none.
            Ok(pids.map(|pid| resident(pid).unwrap_or(0)).sum())
        }
        Err(cause) => Err(cause),
    }
}

/// The second number of `/proc/pid/statm`, in pages.
fn resident(pid: i32) -> io::Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/statm"))?;
    let pages = text
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<u64>().ok());
    let page = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE)?;
    match (pages, page.and_then(|page| u64::try_from(page).ok())) {
        (Some(pages), Some(page)) => Ok(pages.saturating_mul(page)),
        _ => Err(ErrorKind::InvalidData.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_grows_with_what_it_touches() {
        let pid = std::process::id() as i32;
        let before = used(pid, None).unwrap();
        let touched = vec![1u8; 64 << 20];
        let after = used(pid, None).unwrap();
        assert!(
            after >= before + (48 << 20),
            "{before} {after} {}",
            touched[4096]
        );
        assert!(used(i32::MAX, None).is_err());
    }
}
