//! Parts of tests that run as another user.

use super::Scene;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

/// `nobody`.
const STRANGER: u32 = 65534;

/// Names the state directory to the part of a test that runs as a stranger.
const ROLE: &str = "RC_SV_TEST_STRANGER";

/// Runs the part of the test `test` that is a stranger's; false in that part itself.
pub fn as_stranger(scene: impl FnOnce() -> Scene, test: &str) -> bool {
    if std::env::var_os(ROLE).is_some() {
        return false;
    }
    let scene = scene();
    let mut command = Command::new("/proc/self/exe");
    command.args(["--exact", test]).env(ROLE, &scene.svcdir);
    let output = command.uid(STRANGER).gid(STRANGER).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    true
}

/// The state directory that a stranger is to know.
pub fn svcdir() -> PathBuf {
    std::env::var_os(ROLE).unwrap().into()
}
