//! What the tests of services that are watched share: the module `watch`, and what it has noted.
#![allow(dead_code)] // Each test file uses a part of it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use rc_sv_tests::{Builder, Lab};

use crate::openrc::SOON;

/// The line of conf.d that everything here is about.
pub const WATCH: &str = "rc_supervise_module=\"watch\"\n";

/// A daemon that goes into the background by itself, as OpenRC starts it.
pub const FORKS: &str = "command=/bin/sleep\ncommand_args=4242\ncommand_background=yes\n\
                         pidfile=/run/$RC_SVCNAME.pid\n";

/// A script that does everything itself.
pub const OWN: &str = "pidfile=/run/$RC_SVCNAME.pid\n\
    start() {\n\tebegin \"Own start\"\n\
    \t/bin/sleep 4343 </dev/null >/dev/null 2>&1 &\n\techo $! >$pidfile\n\teend 0\n}\n\
    stop() {\n\tebegin \"Own stop\"\n\tkill $(cat $pidfile) && rm $pidfile\n\teend $?\n}\n";

/// A place below cargo's target directory for what the tests build.
pub fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// Makes the directory `path` and those above, as an installed one.
pub fn directory(path: &Path) {
    fs::create_dir_all(path).unwrap();
    let ours = |path: &&Path| path.starts_with(env!("CARGO_TARGET_TMPDIR"));
    for path in path.ancestors().take_while(ours) {
        fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
    }
}

/// Runs a compiler, or whatever builds.
#[track_caller]
pub fn build(command: &mut Command) {
    let output = command
        .output()
        .unwrap_or_else(|cause| panic!("{command:?}: {cause}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}:\n{said}");
    assert_eq!(said, "", "{command:?} has complaints");
}

/// A tree with the module.
fn tree() -> &'static Path {
    static TREE: OnceLock<PathBuf> = OnceLock::new();
    TREE.get_or_init(|| {
        let tree = scratch(&format!("watch-{}", env!("CARGO_CRATE_NAME")));
        let place = tree.join("usr/lib/rc-sv");
        directory(&place);
        let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
        let target = place.join("librc_sv_watch.so");
        build(
            Command::new("cc")
                .args(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1"])
                .args(["-shared", "-fPIC", "-I"])
                .arg(tests.join("../include"))
                .arg(tests.join("tests/fixtures/watch.c"))
                .arg("-o")
                .arg(&target),
        );
        fs::set_permissions(&target, Permissions::from_mode(0o644)).unwrap();
        tree
    })
}

/// A lab that has the module.
pub fn with_module(builder: Builder) -> Lab {
    let lab = builder.over(tree()).build();
    lab.sh("mkdir /run/watch").ok();
    lab
}

/// What the module was told so far.
pub fn log(lab: &Lab) -> Vec<String> {
    lab.try_read("/run/watch/log").map_or(Vec::new(), |bytes| {
        let text = String::from_utf8(bytes).expect("UTF-8");
        text.lines().map(str::to_string).collect()
    })
}

/// The words before the first argument.
pub fn calls(lab: &Lab) -> Vec<String> {
    let first_two = |line: &String| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    log(lab).iter().map(first_two).collect()
}

/// Makes `call` go wrong from now on; an empty word, well again.
#[track_caller]
pub fn misbehave(lab: &Lab, call: &str, how: &str) {
    let path = format!("/run/watch/{call}");
    match how {
        "" => lab.sh(&format!("rm {path}")).ok(),
        how => lab.sh(&format!("echo {how} >{path}")).ok(),
    };
}

/// Whether the module watches `service`.
pub fn is_watched(lab: &Lab, service: &str) -> bool {
    lab.exists(format!("/run/watch/{service}"))
}

/// The daemon of `service`, which has been started.
#[track_caller]
pub fn daemon(lab: &Lab, service: &str) -> i32 {
    let pid = lab.wait_for_lines(format!("/run/{service}.pid"), 1, SOON);
    pid[0].trim().parse().expect("a pid")
}
