//! The limits of a service: files of its own cgroup (version 2), in which that of the instance is.
//!
//! A limit that cannot be set is no reason for a service not to run: it is told instead.

use super::Cgroup;
use nix::errno::Errno;
use nix::fcntl::{openat, OFlag};
use nix::sys::stat::Mode;
use nix::unistd::write;
use rc_sv_api::{Error, Settings};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// What begins each setting here.
const PREFIX: &str = "rc_supervise_";

/// Each setting and its file, whose name begins with that of the controller.
const FILES: [(&str, &str); 3] = [
    ("rc_supervise_memory_max", "memory.max"),
    ("rc_supervise_pids_max", "pids.max"),
    ("rc_supervise_cpu_weight", "cpu.weight"),
];

/// Why an instance was killed whose service [`killed_for_memory`] counts.
pub const STARVED: &str = "killed for want of memory by the kernel";

/// Counts what the kernel has killed for want of memory.
const MEMORY_EVENTS: &str = "memory.events";

/// What is asked for, with what goes into which file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits(Vec<(&'static str, &'static str, String)>);

impl Limits {
    /// Those that are set in `spec`.
    pub fn of(spec: &dyn Settings) -> Limits {
        let set = FILES.into_iter().filter_map(|(setting, file)| {
            let value = spec.int(setting)?;
            Some((setting, file, value.to_string()))
        });
        Limits(set.collect())
    }

    /// Whether none is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sets them for an instance in `cgroup`, whose service's they are. Answers what could not be set,
    /// in one line for people, and [`killed_for_memory`] so far.
    pub fn hold(&self, cgroup: Option<&Cgroup>) -> (Option<String>, Option<u64>) {
        let opened = cgroup.map(|cgroup| {
            let failed = |cause| Error::io("open the cgroup", &cause).message;
            cgroup.open_service().map_err(failed)
        });
        let note = self.set(match &opened {
            None => Err("the service has no cgroup of version 2"),
            Some(Ok(opened)) => Ok(opened.as_fd()),
            Some(Err(why)) => Err(why),
        });
        let killed = opened.and_then(|opened| killed_for_memory(opened.ok()?.as_fd()));
        (note, killed)
    }

    /// Sets them in `cgroup`, or says why there is no cgroup to set them in. What could not be set,
    /// in one line for people.
    pub fn set(&self, cgroup: Result<BorrowedFd<'_>, &str>) -> Option<String> {
        let failures: Vec<String> = match cgroup {
            _ if self.is_empty() => return None,
            Err(why) => vec![why.to_string()],
            Ok(cgroup) => {
                let all = self.0.iter();
                all.filter_map(|(setting, file, value)| {
                    let cause = set(cgroup, file, value).err()?;
                    let name = setting.strip_prefix(PREFIX).unwrap_or(setting);
                    Some(format!("{name}: {}", reason(file, &cause)))
                })
                .collect()
            }
        };
        let what = failures.join("; ");
        (!failures.is_empty()).then(|| format!("limits without effect: {what}"))
    }
}

/// How many processes of `cgroup`, and of those in it, the kernel has killed for want of memory.
/// `None` where nobody counts them.
pub fn killed_for_memory(cgroup: BorrowedFd<'_>) -> Option<u64> {
    let text = read(cgroup, MEMORY_EVENTS).ok()?;
    let mut lines = text.lines();
    lines.find_map(|line| line.strip_prefix("oom_kill ")?.parse().ok())
}

/// Writes one file; where its controller is not enabled for this cgroup, it is.
fn set(cgroup: BorrowedFd<'_>, file: &str, value: &str) -> io::Result<()> {
    let opened = match open(cgroup, file, OFlag::O_WRONLY) {
        Err(Errno::ENOENT) => {
            enable(cgroup, controller(file))?;
            open(cgroup, file, OFlag::O_WRONLY)?
        }
        opened => opened?,
    };
    write(&opened, value.as_bytes())?;
    Ok(())
}

/// Enables a controller for the cgroups in the parent of this one, as OpenRC does for all of them
/// (rc_cgroup_controllers).
fn enable(cgroup: BorrowedFd<'_>, controller: &str) -> io::Result<()> {
    let there = read(cgroup, "../cgroup.controllers")?;
    if !there.split_whitespace().any(|name| name == controller) {
        return Err(io::ErrorKind::NotFound.into());
    }
    let parent = open(cgroup, "../cgroup.subtree_control", OFlag::O_WRONLY)?;
    write(&parent, format!("+{controller}").as_bytes())?;
    Ok(())
}

fn reason(file: &str, cause: &io::Error) -> String {
    match cause.kind() {
        io::ErrorKind::NotFound => format!("no {} controller", controller(file)),
        _ => Error::io(file, cause).message,
    }
}

fn controller(file: &str) -> &str {
    file.split('.').next().unwrap_or(file)
}

fn read(cgroup: BorrowedFd<'_>, file: &str) -> io::Result<String> {
    let mut text = String::new();
    File::from(open(cgroup, file, OFlag::O_RDONLY)?).read_to_string(&mut text)?;
    Ok(text)
}

fn open(cgroup: BorrowedFd<'_>, file: &str, access: OFlag) -> nix::Result<OwnedFd> {
    let flags = access | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW;
    openat(cgroup, file, flags, Mode::empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rc_sv_api::Spec;
    use std::fs;
    use std::path::{Path, PathBuf};

    /// A tree of plain files that has the names of a cgroup tree; removed at the end.
    struct Tree(PathBuf);

    impl Tree {
        /// With these controllers at the top, and these files in the service's cgroup.
        fn new(name: &str, controllers: &str, files: &[&str]) -> Tree {
            let name = format!("rc-sv-limits-{name}-{}", std::process::id());
            let tree = Tree(std::env::temp_dir().join(name));
            fs::create_dir_all(tree.0.join("foo")).unwrap();
            fs::write(tree.0.join("cgroup.controllers"), controllers).unwrap();
            fs::write(tree.0.join("cgroup.subtree_control"), "").unwrap();
            for file in files {
                fs::write(tree.0.join("foo").join(file), "").unwrap();
            }
            tree
        }

        fn set(&self, limits: &Limits) -> Option<String> {
            let foo = File::open(self.0.join("foo")).unwrap();
            limits.set(Ok(foo.as_fd()))
        }

        fn text(&self, path: &str) -> String {
            fs::read_to_string(self.0.join(path)).unwrap()
        }
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    fn limits(settings: &[(&str, &str)]) -> Limits {
        let mut spec = Spec::default();
        for (name, value) in settings {
            spec.set(name, value.as_bytes(), "test").unwrap();
        }
        Limits::of(spec.settings())
    }

    const ALL: [(&str, &str); 3] = [
        ("rc_supervise_memory_max", "512M"),
        ("rc_supervise_pids_max", "64"),
        ("rc_supervise_cpu_weight", "50"),
    ];

    #[test]
    fn each_goes_into_its_file() {
        let tree = Tree::new("all", "", &["memory.max", "pids.max", "cpu.weight"]);
        assert_eq!(tree.set(&limits(&ALL)), None);
        assert_eq!(tree.text("foo/memory.max"), "536870912");
        assert_eq!(tree.text("foo/pids.max"), "64");
        assert_eq!(tree.text("foo/cpu.weight"), "50");
        assert!(limits(&[]).is_empty());
        assert_eq!(tree.set(&limits(&[])), None);
    }

    #[test]
    fn a_controller_that_is_not_there_is_named_and_the_others_are_set() {
        let tree = Tree::new("some", "cpuset cpu pids\n", &["cpu.weight"]);
        let note = tree.set(&limits(&ALL)).unwrap();
        // The files here do not come by themselves when a controller is enabled.
        let both = "limits without effect: memory_max: no memory controller; \
                    pids_max: no pids controller";
        assert_eq!(note, both);
        assert_eq!(tree.text("cgroup.subtree_control"), "+pids");
        assert_eq!(tree.text("foo/cpu.weight"), "50");
    }

    #[test]
    fn what_the_kernel_refuses_is_told_and_all_fits_a_status() {
        let tree = Tree::new("link", "", &[]);
        for (_, file) in FILES {
            std::os::unix::fs::symlink("/dev/null", tree.0.join("foo").join(file)).unwrap();
        }
        let note = tree.set(&limits(&ALL[..1])).unwrap();
        let words = "limits without effect: memory_max: memory.max: Too many levels";
        assert!(note.starts_with(words), "{note}");
        let none = Tree::new("none", "", &[]);
        let note = none.set(&limits(&ALL)).unwrap();
        assert!(note.len() <= 143, "{} bytes: {note}", note.len());
        let note = limits(&ALL).set(Err("the service has no cgroup of version 2"));
        assert_eq!(
            note.as_deref(),
            Some("limits without effect: the service has no cgroup of version 2")
        );
    }

    #[test]
    fn kills_for_want_of_memory_are_counted_where_the_kernel_does() {
        let tree = Tree::new("events", "", &[MEMORY_EVENTS]);
        let foo = File::open(tree.0.join("foo")).unwrap();
        assert_eq!(killed_for_memory(foo.as_fd()), None);
        let text = "low 0\nhigh 0\nmax 31\noom 2\noom_kill 3\noom_group_kill 0\n";
        fs::write(tree.0.join("foo").join(MEMORY_EVENTS), text).unwrap();
        assert_eq!(killed_for_memory(foo.as_fd()), Some(3));
        assert_eq!(killed_for_memory(File::open("/").unwrap().as_fd()), None);
    }

    /// The kernel's own files: with whatever controller this machine's version 2 has.
    #[test]
    fn a_controller_is_enabled_and_the_kernel_takes_the_limit() {
        let top = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].map(Path::new);
        let top = top
            .into_iter()
            .find(|top| top.join("cgroup.procs").exists());
        let top = top.expect("a cgroup2 mount at /sys/fs/cgroup or /sys/fs/cgroup/unified");
        let controllers = fs::read_to_string(top.join("cgroup.controllers")).unwrap();
        let samples = [
            ("hugetlb", "hugetlb.2MB.max", "4194304\n"),
            ("pids", "pids.max", "77\n"),
            ("memory", "memory.max", "1073741824\n"),
            ("cpu", "cpu.weight", "50\n"),
        ];
        let path = top.join(format!("rc-sv-limits-{}", std::process::id()));
        fs::create_dir(&path).unwrap();
        let cgroup = File::open(&path).unwrap();
        let mut notes = Vec::new();
        for (name, file, value) in samples {
            let limit = Limits(vec![("x", file, value.trim().to_string())]);
            let note = limit.set(Ok(cgroup.as_fd()));
            if note.is_none() {
                assert_eq!(fs::read_to_string(path.join(file)).unwrap(), value);
            }
            notes.push((name, note));
        }
        fs::remove_dir(&path).unwrap();
        for (name, note) in notes {
            let is_there = controllers.split_whitespace().any(|it| it == name);
            assert_eq!(
                note.is_none(),
                is_there,
                "{name}: {note:?} of {controllers}"
            );
        }
    }
}
