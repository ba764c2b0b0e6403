//! Limits by cgroup: they hold where the kernel has the controllers, and where it does not, the
//! service runs and its status says so.

use super::{Scene, AT_ONCE};
use crate::suite::openrc::KILL;

const LIMITS: &str =
    "rc_supervise_memory_max=512M\nrc_supervise_pids_max=100\nrc_supervise_cpu_weight=50\n";

/// The service's cgroup, where OpenRC of this lab makes it.
const CGROUP: &str = "/sys/fs/cgroup/unified/foo";

pub fn they_hold_or_the_status_says_which_do_not(scene: &Scene) {
    let lab = &scene.lab;
    let controllers = lab.text("/sys/fs/cgroup/unified/cgroup.controllers");
    scene.service("foo", "", &format!("{AT_ONCE}{LIMITS}"));
    let first = scene.begin("foo");
    assert_eq!(first.path("cgroup").to_str(), Some("/foo/rc-sv"));
    let said = scene.until_status("foo", " up ");
    for (file, value) in [
        ("memory.max", "536870912\n"),
        ("pids.max", "100\n"),
        ("cpu.weight", "50\n"),
    ] {
        let controller = file.split('.').next().expect("a controller");
        let name = file.replace('.', "_");
        if controllers.split_whitespace().any(|it| it == controller) {
            assert_eq!(lab.text(format!("{CGROUP}/{file}")), value);
            assert!(!said.contains(&name), "{said}");
        } else {
            let words = format!("{name}: no {controller} controller");
            assert!(said.contains(&words), "{words}: {said}");
        }
    }
    // The status of one that is respawned says so too.
    lab.kill(first.pid(), KILL);
    scene.starts("foo", 2);
    let again = scene.until_status("foo", "1 restart");
    let text = |said: &str| said.split("limits").nth(1).map(str::to_owned);
    assert_eq!(text(&again), text(&said));
}
