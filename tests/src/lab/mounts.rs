//! The file systems of a lab. Runs as pid 1 of the lab, in a mount namespace
//! of its own in which nothing propagates outwards.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{symlink, DirBuilderExt, PermissionsExt};
use std::path::Path;

use nix::mount::{mount, umount2, MntFlags, MsFlags};
use nix::sys::stat::{makedev, mknod, Mode, SFlag};
use nix::unistd::pivot_root;

use super::plan::Plan;

/// Makes the lab's file system and enters it. Afterwards nothing of the
/// machine's is left in this mount namespace.
pub(crate) fn enter(plan: &Plan) -> Result<(), String> {
    mount::<str, str, str, str>(None, "/", None, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None)
        .map_err(|error| format!("make / private: {error}"))?;
    overlay(plan)?;
    let quiet = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    attach("proc", "proc", quiet, "")?;
    // Settings of the kernel are the machine's, not the lab's. A kernel may
    // be built without some.
    for path in ["proc/sys", "proc/sysrq-trigger"]
        .iter()
        .filter(|path| Path::new(path).exists())
    {
        read_only(path)?;
    }
    attach("sysfs", "sys", quiet | MsFlags::MS_RDONLY, "")?;
    cgroups(plan)?;
    devices()?;
    attach(
        "tmpfs",
        "run",
        MsFlags::MS_NOSUID | MsFlags::MS_NODEV,
        "mode=755",
    )?;
    attach(
        "tmpfs",
        "tmp",
        MsFlags::MS_NOSUID | MsFlags::MS_NODEV,
        "mode=1777",
    )?;
    pivot_root(".", ".").map_err(|error| format!("pivot_root: {error}"))?;
    // The old root lies on top of the new one now.
    umount2(".", MntFlags::MNT_DETACH).map_err(|error| format!("leave the old root: {error}"))?;
    std::env::set_current_dir("/").map_err(|error| format!("cd /: {error}"))
}

/// Root and trees as lower layers, a private tmpfs on top. The working
/// directory becomes the new root.
fn overlay(plan: &Plan) -> Result<(), String> {
    // The tmpfs is mounted on a directory of the root itself, seen only in
    // this namespace: no path of the machine is needed for it. The overlay
    // does not see it, as it looks at the file system below.
    let scratch = plan.root.join("mnt");
    let none = MsFlags::empty();
    mount(
        Some("rc-sv-lab"),
        &scratch,
        Some("tmpfs"),
        none,
        Some("mode=755"),
    )
    .map_err(|error| format!("tmpfs on {}: {error}", scratch.display()))?;
    for name in ["upper", "work", "new"] {
        fs::create_dir(scratch.join(name)).map_err(|error| format!("{name}: {error}"))?;
    }
    let mut options = b"lowerdir=".to_vec();
    for tree in plan.over.iter().chain([&plan.root]) {
        if options.last() != Some(&b'=') {
            options.push(b':');
        }
        escape(tree, &mut options);
    }
    for name in ["upper", "work"] {
        options.extend_from_slice(format!(",{name}dir=").as_bytes());
        escape(&scratch.join(name), &mut options);
    }
    let new = scratch.join("new");
    mount(
        Some("lab"),
        &new,
        Some("overlay"),
        none,
        Some(OsStr::from_bytes(&options)),
    )
    .map_err(|error| format!("overlay {}: {error}", String::from_utf8_lossy(&options)))?;
    std::env::set_current_dir(&new).map_err(|error| format!("{}: {error}", new.display()))
}

fn escape(path: &Path, into: &mut Vec<u8>) {
    for &byte in path.as_os_str().as_bytes() {
        if matches!(byte, b':' | b',' | b'\\') {
            into.push(b'\\');
        }
        into.push(byte);
    }
}

/// Where Debian's OpenRC looks for it in its default mode, "hybrid".
fn cgroups(plan: &Plan) -> Result<(), String> {
    let Some(_) = &plan.cgroup else { return Ok(()) };
    let quiet = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    attach("tmpfs", "sys/fs/cgroup", quiet, "mode=755")?;
    directory("sys/fs/cgroup/unified", 0o755)?;
    attach("cgroup2", "sys/fs/cgroup/unified", quiet, "")
}

fn devices() -> Result<(), String> {
    attach("tmpfs", "dev", MsFlags::MS_NOSUID, "mode=755")?;
    let nodes = [
        ("null", 3),
        ("zero", 5),
        ("full", 7),
        ("random", 8),
        ("urandom", 9),
    ]
    .map(|(n, m)| (n, 1, m));
    for (name, major, minor) in nodes.into_iter().chain([("tty", 5, 0)]) {
        let path = Path::new("dev").join(name);
        let done = mknod(
            &path,
            SFlag::S_IFCHR,
            Mode::from_bits_truncate(0o666),
            makedev(major, minor),
        );
        done.map_err(|error| format!("mknod /dev/{name}: {error}"))?;
        mode(&path, 0o666)?;
    }
    for (name, target) in [
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
        ("ptmx", "pts/ptmx"),
    ] {
        let path = Path::new("dev").join(name);
        symlink(target, &path).map_err(|error| format!("/dev/{name}: {error}"))?;
    }
    directory("dev/pts", 0o755)?;
    directory("dev/shm", 0o1777)?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC;
    attach(
        "devpts",
        "dev/pts",
        flags,
        "newinstance,ptmxmode=0666,mode=620,gid=5",
    )?;
    attach(
        "tmpfs",
        "dev/shm",
        MsFlags::MS_NOSUID | MsFlags::MS_NODEV,
        "mode=1777",
    )
}

/// Mounts a new file system at a place below the working directory.
fn attach(kind: &str, place: &str, flags: MsFlags, options: &str) -> Result<(), String> {
    mount(Some(kind), place, Some(kind), flags, Some(options))
        .map_err(|error| format!("mount {kind} on /{place}: {error}"))
}

fn read_only(place: &str) -> Result<(), String> {
    let again = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
    for flags in [MsFlags::MS_BIND, again] {
        mount::<str, str, str, str>(Some(place), place, None, flags, None)
            .map_err(|error| format!("make /{place} read-only: {error}"))?;
    }
    Ok(())
}

/// Makes a directory with exactly these permissions.
pub(crate) fn directory(path: &str, permissions: u32) -> Result<(), String> {
    match fs::DirBuilder::new().mode(permissions).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(format!("mkdir /{path}: {error}"));
        }
        _ => {}
    }
    mode(Path::new(path), permissions)
}

fn mode(path: &Path, permissions: u32) -> Result<(), String> {
    fs::set_permissions(path, fs::Permissions::from_mode(permissions))
        .map_err(|error| format!("chmod /{}: {error}", path.display()))
}
