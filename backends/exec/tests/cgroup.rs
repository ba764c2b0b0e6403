//! Birth in a cgroup. A host without a writable cgroup2 mount is no place to run these tests.

mod scene;
use rc_sv_api::Code;
use rc_sv_exec::launch::{spawn, Launch};
use scene::Scene;
use std::fs::{self, File};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

/// A cgroup that is removed at the end.
struct Cgroup(PathBuf);

impl Cgroup {
    fn new(hierarchy: &Path, name: &str) -> Cgroup {
        let path = hierarchy.join(format!("rc-sv-test-{name}-{}", std::process::id()));
        fs::create_dir(&path).unwrap_or_else(|cause| panic!("make {}: {cause}", path.display()));
        Cgroup(path)
    }

    fn name(&self) -> &str {
        self.0.file_name().unwrap().to_str().unwrap()
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

/// Where the hierarchy of version 2 is.
fn version_2() -> &'static Path {
    let places = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].map(Path::new);
    let found = places
        .into_iter()
        .find(|path| path.join("cgroup.procs").exists());
    found.expect("a cgroup2 mount at /sys/fs/cgroup or /sys/fs/cgroup/unified")
}

const OWN: [&str; 2] = ["/bin/cat", "/proc/self/cgroup"];

#[test]
fn a_program_is_born_in_its_cgroup() {
    let cgroup = Cgroup::new(version_2(), "born");
    let dir = File::open(&cgroup.0).unwrap();
    let mut scene = Scene::new(&OWN);
    scene.as_nobody();
    let output = scene.output_in(Some(dir.as_fd()));
    let line = output.lines().find(|line| line.starts_with("0::")).unwrap();
    assert!(line.ends_with(&format!("/{}", cgroup.name())), "{output}");
    let mine = fs::read_to_string("/proc/self/cgroup").unwrap();
    assert!(
        !mine.contains(cgroup.name()),
        "the caller stays where it is"
    );
}

#[test]
fn a_cgroup_that_was_removed_or_is_none_is_named() {
    let cgroup = Cgroup::new(version_2(), "gone");
    let dir = File::open(&cgroup.0).unwrap();
    fs::remove_dir(&cgroup.0).unwrap();
    let launch = Launch::from_settings(Scene::new(&OWN).spec.settings()).unwrap();
    let error = spawn(&launch, Some(dir.as_fd())).unwrap_err();
    assert_eq!(error.code, Code::Io);
    assert!(
        error
            .message
            .starts_with("cannot make a process in its cgroup: No such "),
        "{error}"
    );
    assert!(error.message.ends_with(" (it has been removed)"), "{error}");
    let other = File::open("/").unwrap();
    let error = spawn(&launch, Some(other.as_fd())).unwrap_err();
    assert!(
        error
            .message
            .starts_with("cannot make a process in its cgroup: "),
        "{error}"
    );
}

#[test]
fn a_program_joins_its_cgroups_of_version_1() {
    // A named hierarchy, as OpenRC's own, is enough; each host has another selection.
    let mounts = fs::read_to_string("/proc/mounts").unwrap();
    let fields = mounts
        .lines()
        .map(|line| line.split(' ').collect::<Vec<_>>());
    let mut hierarchies =
        fields.filter(|mount| mount[2] == "cgroup" && mount[1].contains("/freezer"));
    let Some(hierarchy) = hierarchies.next() else {
        // A host with version 2 only has no cgroups of version 1 to join: nothing to test.
        assert!(
            !mounts.lines().any(|line| line.contains(" cgroup ")),
            "a freezer hierarchy"
        );
        return;
    };
    let cgroup = Cgroup::new(Path::new(hierarchy[1]), "v1");
    let mut scene = Scene::new(&OWN);
    scene
        .as_nobody()
        .list("cgroups_v1", &[cgroup.0.to_str().unwrap()]);
    let output = scene.output();
    let line = output
        .lines()
        .find(|line| line.contains(":freezer:"))
        .unwrap();
    assert!(line.ends_with(&format!("/{}", cgroup.name())), "{output}");
}
