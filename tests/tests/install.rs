//! `make install` puts everything where it belongs, readable by all and
//! writable by nobody.

use rc_sv_tests::lab::stage;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Everything that is installed with PREFIX=/usr, with its permissions.
const INSTALLED: &[(&str, u32)] = &[
    ("etc/init.d/svscan", 0o755),
    ("etc/rc.conf.d/zz-rc-sv.conf", 0o644),
    ("etc/user/rc.conf.d/zz-rc-sv.conf", 0o644),
    ("usr/bin/rc-sv-loader", 0o755),
    ("usr/include/rc_sv.h", 0o644),
    ("usr/include/rc_sv_backend.h", 0o644),
    ("usr/lib/librc_sv.so", 0o644),
    ("usr/lib/librc_sv.so.1", 0o644),
    ("usr/lib/librc_sv.so.1.0.0", 0o644),
    ("usr/lib/pkgconfig/rc_sv.pc", 0o644),
    ("usr/lib/rc-sv/librc_sv_daemontools.so", 0o644),
    ("usr/lib/rc-sv/librc_sv_internal.so", 0o644),
    ("usr/lib/rc-sv/librc_sv_monit.so", 0o644),
    ("usr/lib/rc-sv/librc_sv_runit.so", 0o644),
    ("usr/lib/rc-sv/librc_sv_s6.so", 0o644),
    ("usr/libexec/rc-sv/rc-sv-attach.sh", 0o644),
    ("usr/libexec/rc-sv/rc-sv-depend.sh", 0o644),
    ("usr/libexec/rc-sv/rc-sv-dependents.sh", 0o644),
    ("usr/libexec/rc-sv/rc-sv-exec", 0o755),
    ("usr/libexec/rc-sv/rc-sv-keys.sh", 0o644),
    ("usr/libexec/rc-sv/rc-sv-logger", 0o755),
    ("usr/libexec/rc-sv/rc-sv-status.sh", 0o644),
    ("usr/libexec/rc-sv/rc-sv-supervisor", 0o755),
    ("usr/libexec/rc-sv/rc-sv.sh", 0o644),
    ("usr/share/doc/rc-sv/examples/alert/mail", 0o755),
    ("usr/share/doc/rc-sv/examples/alert/webhook", 0o755),
    ("usr/share/doc/rc-sv/examples/module-c/Makefile", 0o644),
    ("usr/share/doc/rc-sv/examples/module-c/daemon.c", 0o644),
    ("usr/share/man/man3/rc-sv-module.3", 0o644),
    ("usr/share/man/man3/rc_sv.3", 0o644),
    ("usr/share/man/man5/rc-sv.5", 0o644),
    ("usr/share/man/man7/rc-sv-modules.7", 0o644),
    ("usr/share/man/man8/rc-sv-exec.8", 0o644),
    ("usr/share/man/man8/rc-sv-loader.8", 0o644),
    ("usr/share/man/man8/rc-sv-logger.8", 0o644),
    ("usr/share/man/man8/rc-sv-supervisor.8", 0o644),
    ("usr/share/pkgconfig/rc_sv_backend.pc", 0o644),
    // The lab's own, last.
    ("usr/lib/rc-sv-tests/probe-daemon", 0o755),
    ("usr/lib/rc-sv-tests/rc-sv-lab", 0o755),
];

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let status = fs::symlink_metadata(&path).unwrap();
        assert_eq!(status.uid(), 0, "{}: owner", path.display());
        // A link says nothing about what it leads to.
        let writable = !status.is_symlink() && status.mode() & 0o022 != 0;
        assert!(!writable, "{}: writable", path.display());
        if status.is_dir() {
            assert_eq!(status.mode() & 0o7777, 0o755, "{}", path.display());
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn everything_is_where_it_belongs_and_nothing_else() {
    let stage = stage().unwrap();
    let mut found = Vec::new();
    files(&stage, &mut found);
    let name = |path: &PathBuf| path.strip_prefix(&stage).unwrap().display().to_string();
    let tool = |path: &String| path.starts_with("usr/lib/rc-sv-tests/");
    let mut names: Vec<String> = found.iter().map(name).filter(|name| !tool(name)).collect();
    names.sort();
    let expected: Vec<&str> = INSTALLED
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| !tool(&name.to_string()))
        .collect();
    assert_eq!(names, expected);
    for (name, mode) in INSTALLED {
        let status = fs::metadata(stage.join(name)).unwrap();
        assert_eq!(status.mode() & 0o7777, *mode, "{name}");
    }
}

#[test]
fn uninstall_takes_everything_but_what_others_have_installed() {
    let scratch = tempfile::tempdir().unwrap();
    let tree = scratch.path().join("tree");
    let mut copy = Command::new("cp");
    assert!(copy
        .arg("-a")
        .arg(stage().unwrap())
        .arg(&tree)
        .status()
        .unwrap()
        .success());
    let foreign = tree.join("usr/lib/rc-sv/librc_sv_mine.so");
    fs::write(&foreign, "").unwrap();
    let uninstall = || {
        let output = Command::new("make")
            .args(["uninstall", "PREFIX=/usr", "SYSCONFDIR=/etc"])
            .arg(format!("DESTDIR={}", tree.display()))
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
    };
    uninstall();
    let mut left = Vec::new();
    files(&tree, &mut left);
    left.retain(|path| !path.starts_with(tree.join("usr/lib/rc-sv-tests")));
    assert_eq!(left, std::slice::from_ref(&foreign));
    fs::remove_file(foreign).unwrap();
    uninstall();
    assert!(!tree.join("usr/lib/rc-sv").exists());
}

#[test]
fn the_prefix_is_written_into_what_is_installed() {
    let stage = stage().unwrap();
    for (name, line) in [
        (
            "etc/rc.conf.d/zz-rc-sv.conf",
            "_rcsv_libexec=/usr/libexec/rc-sv",
        ),
        (
            "usr/libexec/rc-sv/rc-sv.sh",
            "_rcsv_loader=/usr/bin/rc-sv-loader",
        ),
        ("usr/share/pkgconfig/rc_sv_backend.pc", "prefix=/usr"),
        ("usr/lib/pkgconfig/rc_sv.pc", "prefix=/usr"),
    ] {
        let text = fs::read_to_string(stage.join(name)).unwrap();
        assert!(text.lines().any(|other| other == line), "{name}: no {line}");
        assert!(!text.contains("/usr/local"), "{name}: names /usr/local");
    }
    let module = fs::read(stage.join("usr/lib/rc-sv/librc_sv_internal.so")).unwrap();
    let names = |text: &[u8]| module.windows(text.len()).any(|part| part == text);
    assert!(!names(b"/usr/local"), "internal was built for /usr/local");
}
