//! The supervisor's own cgroups.

use std::fs;
use std::path::{Path, PathBuf};

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
        made = enter(top.join(own));
    }
    made
}

/// Makes the cgroup `own` and joins it. Supervisors of other state directories use the same one,
/// and the last to leave removes it.
fn enter(own: PathBuf) -> Option<PathBuf> {
    for _ in 0..TRIES {
        // One that was ever killed will not do, see `Cgroup::make`.
        let _ = fs::remove_dir(&own);
        let _ = fs::create_dir(&own);
        match fs::write(own.join("cgroup.procs"), "0") {
            Ok(()) => return Some(own),
            Err(cause) if matches!(cause.raw_os_error(), Some(libc::ENOENT | libc::ENODEV)) => {}
            Err(_) => return None,
        }
    }
    None
}

/// So often somebody else may remove it just then.
const TRIES: usize = 16;

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
}
