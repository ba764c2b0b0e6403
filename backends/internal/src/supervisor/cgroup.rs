//! The cgroup of an instance: `rc-sv` in the service's own cgroup (version 2).
//!
//! The service's cgroup itself will not do: openrc-run puts the runscript's shell into it, so to
//! kill everything in there during a start would be to kill the start. What the service's cgroup
//! limits holds for the cgroups in it.

use nix::errno::Errno;
use nix::fcntl::{open, OFlag};
use nix::sys::signal::{kill, Signal};
use nix::sys::stat::Mode;
use nix::sys::statfs::{statfs, CGROUP2_SUPER_MAGIC};
use nix::unistd::Pid;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// The name of the instance's cgroup in that of its service.
const NAME: &str = "rc-sv";

/// How often the members are killed one by one where the kernel cannot kill all at once (before
/// 5.14): new ones may appear meanwhile.
const ROUNDS: usize = 16;

/// The cgroup of an instance.
pub(crate) struct Cgroup {
    path: Box<Path>,
}

impl Cgroup {
    /// The instance's cgroup in `service`, the cgroup of its service.
    pub(crate) fn in_service(service: &Path) -> Cgroup {
        Cgroup {
            path: service.join(NAME).into(),
        }
    }

    /// Opens it, made where it is missing, for a process to be made in it. With `afresh` it is
    /// replaced, if it is empty: since 6.14 the kernel kills whatever is made in a cgroup that was
    /// ever killed at once (kernel/cgroup/cgroup.c, `kill_seq`; seen with 6.18).
    pub(crate) fn make(&self, afresh: bool) -> io::Result<OwnedFd> {
        if afresh {
            self.remove();
        }
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW;
        match open(&*self.path, flags, Mode::empty()) {
            Err(Errno::ENOENT) => {}
            opened => return Ok(opened?),
        }
        // Both may have been removed since the service was started.
        let service = self.path.parent().unwrap_or(Path::new("/"));
        for path in [service, &self.path] {
            if !is_cgroup(path.parent().unwrap_or(path)) {
                return Err(Errno::ENOENT.into());
            }
            match fs::create_dir(path) {
                Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => return Err(cause),
                _ => {}
            }
        }
        Ok(open(&*self.path, flags, Mode::empty())?)
    }

    /// Whether a process is in it; zombies do not count. One that is gone is empty.
    pub(crate) fn is_populated(&self) -> io::Result<bool> {
        match self.watch() {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(false),
            watch => watch?.is_populated(),
        }
    }

    /// Opens what tells when it becomes empty.
    pub(crate) fn watch(&self) -> io::Result<Watch> {
        Ok(Watch(File::open(self.path.join("cgroup.events"))?))
    }

    /// Kills every process in it.
    pub(crate) fn kill(&self) -> io::Result<()> {
        match fs::write(self.path.join("cgroup.kill"), "1") {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => self.kill_each(),
            done => done,
        }
    }

    fn kill_each(&self) -> io::Result<()> {
        for _ in 0..ROUNDS {
            let mut members = String::new();
            match File::open(self.path.join("cgroup.procs")) {
                Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
                file => file?.read_to_string(&mut members)?,
            };
            let pids: Vec<i32> = members
                .lines()
                .filter_map(|line| line.parse().ok())
                .collect();
            if pids.is_empty() {
                return Ok(());
            }
            for pid in pids.into_iter().filter(|pid| *pid > 1) {
                // One that ended meanwhile is what was wanted.
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
        }
        Ok(())
    }

    /// Removes it, with the cgroups that its processes made in it. While one runs, all stay.
    pub(crate) fn remove(&self) {
        if fs::remove_dir(&self.path).is_err() && matches!(self.is_populated(), Ok(false)) {
            remove_tree(&self.path);
        }
    }

    /// Its path, for messages.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Removes a cgroup, the innermost ones first. There are no links in this file system.
fn remove_tree(path: &Path) {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let inner: Vec<PathBuf> = entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect();
    inner.iter().for_each(|path| remove_tree(path));
    // Something was begun in it meanwhile: then it stays.
    let _ = fs::remove_dir(path);
}

/// Tells when a cgroup becomes empty: its descriptor has a change to tell of then.
pub(crate) struct Watch(File);

impl Watch {
    /// Whether a process is in it. Asking makes the descriptor silent until the next change.
    pub(crate) fn is_populated(&self) -> io::Result<bool> {
        let mut text = [0u8; 256];
        match self.0.read_at(&mut text, 0) {
            Err(cause) if cause.raw_os_error() == Some(libc::ENODEV) => Ok(false),
            length => Ok(has_line(&text[..length?], b"populated 1")),
        }
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Whether `path` is a cgroup of version 2.
fn is_cgroup(path: &Path) -> bool {
    statfs(path).is_ok_and(|status| status.filesystem_type() == CGROUP2_SUPER_MAGIC)
}

fn has_line(text: &[u8], wanted: &[u8]) -> bool {
    text.split(|byte| *byte == b'\n').any(|line| line == wanted)
}

/// Takes the supervisor out of the cgroups of whoever started it: out of version 1 to the top,
/// and into one of its own in version 2. Answers the latter, for [`come_back`].
pub(crate) fn leave(own: &str) -> Option<PathBuf> {
    // Others choose names in them, which need not be UTF-8.
    let memberships = fs::read("/proc/self/cgroup").ok()?;
    let mounts = fs::read("/proc/self/mountinfo").ok()?;
    let (memberships, mounts) = (
        String::from_utf8_lossy(&memberships),
        String::from_utf8_lossy(&mounts),
    );
    let mut made = None;
    for (controllers, path) in memberships.lines().filter_map(membership) {
        let Some(top) = mount_of(&mounts, controllers) else {
            continue;
        };
        if !controllers.is_empty() {
            if path != "/" {
                // Not allowed to an ordinary user, who stays where they are.
                let _ = fs::write(top.join("cgroup.procs"), "0");
            }
            continue;
        }
        let own = top.join(own);
        // One that was ever killed will not do, see `Cgroup::make`.
        let _ = fs::remove_dir(&own);
        let _ = fs::create_dir(&own);
        if fs::write(own.join("cgroup.procs"), "0").is_ok() {
            made = Some(own);
        }
    }
    made
}

/// Leaves and removes the cgroup that [`leave`] made.
pub(crate) fn come_back(own: &Path) {
    if let Some(top) = own.parent() {
        let _ = fs::write(top.join("cgroup.procs"), "0");
    }
    let _ = fs::remove_dir(own);
}

/// Controllers, empty for version 2, and path of a line of `/proc/self/cgroup`.
fn membership(line: &str) -> Option<(&str, &str)> {
    line.split_once(':')?.1.split_once(':')
}

/// Where the hierarchy of these controllers is mounted: proc(5), `/proc/pid/mountinfo`.
fn mount_of(mounts: &str, controllers: &str) -> Option<PathBuf> {
    mounts.lines().find_map(|line| {
        let (mount, kind) = line.split_once(" - ")?;
        let mut kind = kind.split(' ');
        let (kind, options) = (kind.next()?, kind.nth(1)?);
        let wanted = if controllers.is_empty() {
            "cgroup2"
        } else {
            "cgroup"
        };
        let has = |name| options.split(',').any(|option| option == name);
        let fits = kind == wanted && (controllers.is_empty() || controllers.split(',').all(has));
        fits.then(|| PathBuf::from(mount.split(' ').nth(4).unwrap_or("/")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
24 1 0:22 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
25 24 0:23 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct
26 24 0:24 / /sys/fs/cgroup/systemd rw shared:9 - cgroup cgroup rw,name=systemd
27 24 0:25 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw";

    #[test]
    fn hierarchies_are_found_where_they_are_mounted() {
        let mount = |controllers| mount_of(MOUNTS, controllers);
        assert_eq!(mount("cpu,cpuacct"), Some("/sys/fs/cgroup/cpu".into()));
        assert_eq!(mount("name=systemd"), Some("/sys/fs/cgroup/systemd".into()));
        assert_eq!(mount(""), Some("/sys/fs/cgroup/unified".into()));
        assert_eq!(mount("memory"), None);
    }

    #[test]
    fn memberships_are_read() {
        assert_eq!(
            membership("4:cpu,cpuacct:/a:b"),
            Some(("cpu,cpuacct", "/a:b"))
        );
        assert_eq!(membership("0::/"), Some(("", "/")));
        assert_eq!(membership("nonsense"), None);
    }

    #[test]
    fn a_cgroup_that_is_gone_is_empty() {
        let gone = Cgroup::in_service(Path::new("/nonexistent"));
        assert!(!gone.is_populated().unwrap());
        gone.kill_each().unwrap();
        assert!(gone.make(true).is_err());
    }

    #[test]
    fn events_are_told_apart() {
        assert!(has_line(b"populated 1\nfrozen 0\n", b"populated 1"));
        assert!(!has_line(b"populated 0\nfrozen 1\n", b"populated 1"));
    }
}
