//! Scanners among the processes.

use crate::suite::{Nudge, Suite};
use nix::fcntl::OFlag;
use nix::sys::signal::{kill, Signal};
use nix::unistd::{geteuid, Pid};
use std::ffi::OsStr;
use std::fs::{metadata, read, read_link, File};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A process that scans.
#[derive(Clone, Debug)]
pub struct Process {
    pub pid: i32,
    pub directory: PathBuf,
}

impl Process {
    /// The scanners of `suite` that root or the caller runs, and that see the files that the
    /// caller sees; the oldest first.
    pub fn all(suite: &Suite) -> Vec<Process> {
        let mut found: Vec<Process> = pids()
            .filter_map(|pid| Process::scanner(suite, pid))
            .collect();
        found.sort_by_key(|process| process.pid);
        found
    }

    fn scanner(suite: &Suite, pid: i32) -> Option<Process> {
        let proc = proc(pid);
        let name = read(proc.join("comm")).ok()?;
        if name.strip_suffix(b"\n") != Some(suite.scanner.as_bytes()) {
            return None;
        }
        if !is_of_ours(&proc)? {
            return None;
        }
        let here = read_link(proc.join("cwd")).ok()?;
        let directory = match suite.nudge {
            // runsvdir goes there for a moment only.
            Nudge::Wake => here.join(arguments(&read(proc.join("cmdline")).ok()?).next()?),
            Nudge::Control | Nudge::None => here,
        };
        Some(Process { pid, directory })
    }

    /// Whether it was stopped by a signal.
    pub fn is_stopped(&self) -> bool {
        let stat = read(proc(self.pid).join("stat")).unwrap_or_default();
        let after = stat.iter().rposition(|byte| *byte == b')');
        after
            .and_then(|at| stat.get(at + 2))
            .is_some_and(|state| matches!(state, b'T' | b't'))
    }

    /// Makes runsvdir look at once. Debian's catches ALRM for that; any other one looks when
    /// something is written to its log, if it has one, and else every five seconds.
    pub fn wake(&self) {
        // Whatever does not work here only makes it slower.
        let status = read(proc(self.pid).join("status")).unwrap_or_default();
        if catches(&String::from_utf8_lossy(&status), Signal::SIGALRM) {
            let _ = kill(Pid::from_raw(self.pid), Signal::SIGALRM);
            return;
        }
        let words = read(proc(self.pid).join("cmdline")).unwrap_or_default();
        let log = proc(self.pid).join("fd/2");
        if arguments(&words).count() > 1
            && metadata(&log).is_ok_and(|log| log.file_type().is_fifo())
        {
            let mut how = File::options();
            let log = how
                .write(true)
                .custom_flags(OFlag::O_NONBLOCK.bits())
                .open(log);
            let _ = log.and_then(|mut log| log.write_all(b"\n"));
        }
    }
}

/// The supervisor of `service`, by the words of its command line alone: for a service of which
/// nothing else is left.
pub fn supervisor(suite: &Suite, service: &str) -> Option<i32> {
    let line = format!("{}\0{service}\0", suite.supervisor);
    pids().find(|pid| {
        let proc = proc(*pid);
        let is_it = read(proc.join("cmdline")).is_ok_and(|words| words == line.as_bytes());
        is_it && is_of_ours(&proc) == Some(true)
    })
}

fn pids() -> impl Iterator<Item = i32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Whether root or the caller runs it, and it sees the files that the caller sees.
fn is_of_ours(proc: &Path) -> Option<bool> {
    let owner = metadata(proc).ok()?.uid();
    let space = |of: &Path| Some(metadata(of.join("ns/mnt")).ok()?.ino());
    let is_here = space(proc)? == space(Path::new("/proc/self"))?;
    Some(is_here && (owner == 0 || owner == geteuid().as_raw()))
}

fn proc(pid: i32) -> PathBuf {
    Path::new("/proc").join(pid.to_string())
}

/// The words of a `/proc/pid/cmdline` that are no options: runsvdir's directory, and its log.
fn arguments(line: &[u8]) -> impl Iterator<Item = &OsStr> {
    let words = line.split(|byte| *byte == 0).skip(1);
    words
        .filter(|word| !word.is_empty() && !word.starts_with(b"-"))
        .map(OsStr::from_bytes)
}

/// Whether a `/proc/pid/status` says that the process has a handler for `signal`.
fn catches(status: &str, signal: Signal) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (signal as i32 - 1)) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_is_the_first_word_that_is_no_option() {
        let words = |line: &'static [u8]| arguments(line).collect::<Vec<_>>();
        let logs = words(b"runsvdir\0-P\0/run/openrc/sv\0log: ....\0");
        assert_eq!(logs, ["/run/openrc/sv", "log: ...."]);
        assert_eq!(words(b"runsvdir\0/etc/service\0"), ["/etc/service"]);
        assert!(words(b"runsvdir\0-P\0").is_empty());
    }

    #[test]
    fn a_handler_is_a_bit_of_the_mask() {
        let status = "SigIgn:\t0000000000000006\nSigCgt:\t0000000000006001\n";
        assert!(catches(status, Signal::SIGALRM) && catches(status, Signal::SIGHUP));
        assert!(!catches(status, Signal::SIGINT));
        assert!(!catches("SigCgt: x\n", Signal::SIGALRM));
        assert!(!catches("", Signal::SIGALRM));
    }

    #[test]
    fn the_name_alone_makes_no_scanner() {
        // This very process is called otherwise.
        let own = std::process::id() as i32;
        assert!(Process::scanner(&crate::suite::S6, own).is_none());
        assert!(Process::scanner(&crate::suite::S6, 0).is_none());
    }
}
