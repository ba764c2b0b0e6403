//! The cgroup of a lab: made under the machine's cgroup2 mount if there is
//! one, removed at the end.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use nix::poll::{poll, PollFd, PollFlags, PollTimeout};

const PREFIX: &str = "rc-sv-lab-";

/// How long the kernel may take to let go of processes that are dead.
const EMPTY_TIMEOUT: Duration = Duration::from_secs(25);

/// Makes a new cgroup; `None` where the machine has no cgroup2 that we may
/// write to.
pub(crate) fn create() -> Option<PathBuf> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let mount = mount_point(&fs::read_to_string("/proc/self/mountinfo").ok()?)?;
    sweep(&mount);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = mount.join(format!("{PREFIX}{}-{count}", process::id()));
    fs::create_dir(&path).ok()?;
    Some(path)
}

/// Removes a cgroup and those below it. All its processes must have been
/// killed; waits until the kernel says that it is empty.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    let deadline = Instant::now() + EMPTY_TIMEOUT;
    match wait_until_empty(path, deadline) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    }
    remove_tree(path)
}

/// Removes what labs left behind whose whole process tree was killed at once,
/// the process that would have cleaned up included.
fn sweep(mount: &Path) {
    let Ok(entries) = mount.read_dir() else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let owner = name
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX)?.split('-').next());
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            // Fails with EBUSY, rightly, when something still lives in it.
            let _ = remove_tree(&entry.path());
        }
    }
}

fn remove_tree(path: &Path) -> io::Result<()> {
    for entry in path.read_dir()?.flatten() {
        if entry.file_type()?.is_dir() {
            remove_tree(&entry.path())?;
        }
    }
    fs::remove_dir(path)
}

fn wait_until_empty(path: &Path, deadline: Instant) -> io::Result<()> {
    let events = path.join("cgroup.events");
    loop {
        // A new opening each time: POLLPRI tells of changes since the last
        // read of the same opening.
        let file = File::open(&events)?;
        let text = io::read_to_string(&file)?;
        if text.lines().any(|line| line == "populated 0") {
            return Ok(());
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::Error::other(format!(
                "{}: still has processes",
                path.display()
            )));
        }
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        poll(
            &mut [PollFd::new(file.as_fd(), PollFlags::POLLPRI)],
            timeout,
        )?;
    }
}

fn mount_point(mountinfo: &str) -> Option<PathBuf> {
    mountinfo.lines().find_map(|line| {
        let (left, right) = line.split_once(" - ")?;
        let kind = right.split(' ').next()?;
        let path = left.split(' ').nth(4)?;
        (kind == "cgroup2").then(|| PathBuf::from(path))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_cgroup2_mount_among_others() {
        let text = "25 1 0:22 / /sys rw - sysfs sysfs rw\n\
                    30 25 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n\
                    31 30 0:27 / /sys/fs/cgroup/unified rw shared:9 - cgroup2 cgroup2 rw\n";
        assert_eq!(
            mount_point(text),
            Some(PathBuf::from("/sys/fs/cgroup/unified"))
        );
        assert_eq!(mount_point("25 1 0:22 / /sys rw - sysfs sysfs rw\n"), None);
    }
}
