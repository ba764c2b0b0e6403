//! What becomes of the services that need one.

use super::{Scene, AT_ONCE};
use crate::suite::openrc::SOON;
use crate::suite::PROBE;

/// The services that need `foo`, the second through the first, and one that does not.
const NEEDERS: [&str; 2] = ["near", "far"];

fn until_started(scene: &Scene, service: &str) {
    let mark = format!("/run/openrc/started/{service}");
    scene.lab.wait_for_file(mark, |_| true, 2 * SOON);
}

fn until_stopped(scene: &Scene, service: &str) {
    let mark = format!("/run/openrc/started/{service}");
    scene.lab.wait_for_absence(mark, 2 * SOON);
}

/// Waits until OpenRC is done with both.
fn until_all(scene: &Scene, until: fn(&Scene, &str)) {
    for service in NEEDERS {
        until(scene, service);
        let busy = format!("/run/openrc/exclusive/{service}");
        scene.lab.wait_for_absence(busy, 2 * SOON);
    }
}

pub fn they_stop_while_it_does_not_work_and_start_with_it(scene: &Scene) {
    let lab = &scene.lab;
    lab.write("/tmp/well", "", 0o644);
    // The pause is long enough to see that nothing starts before it is there again.
    let conf = "respawn_delay=1s\nrc_supervise_min_interval=0\nrespawn_max=2\n\
                rc_supervise_propagate=yes\nrc_supervise_health=\"exec:'/usr/bin/test -e \
                /tmp/well' interval=100ms failures=1 action=alert\"\n";
    scene.service("foo", "--unless /tmp/repaired --exit 3", conf);
    lab.write("/tmp/repaired", "", 0o644);
    let near =
        format!("command={PROBE}\ncommand_args='--report /tmp/near'\ndepend() {{ need foo; }}\n");
    lab.service("near", &near);
    scene.conf("near", "");
    let own = "start() { echo start >>/tmp/far; }\nstop() { echo stop >>/tmp/far; }\n";
    lab.service("far", &format!("depend() {{ need near; }}\n{own}"));
    lab.service(
        "other",
        "depend() { use foo; }\nstart() { :; }\nstop() { :; }\n",
    );
    // What changes within a second of the last look is not seen.
    lab.sh("rc-update --update").ok();
    scene.rc("far", "start").ok();
    scene.rc("other", "start").ok();
    until_all(scene, until_started);

    // It dies, and comes back.
    lab.kill(scene.nth("foo", 1).pid(), 9);
    scene.starts("foo", 2);
    scene.starts("near", 2);
    until_all(scene, until_started);
    assert_eq!(lab.text("/tmp/far"), "start\nstop\nstart\n");

    // It is unhealthy, and runs on.
    lab.sh("rm /tmp/well").ok();
    until_all(scene, until_stopped);
    assert!(lab.exists("/run/openrc/started/foo"));
    lab.write("/tmp/well", "", 0o644);
    until_all(scene, until_started);
    assert_eq!(scene.count("foo"), 2);

    // It is given up; whoever starts it again has all of them back.
    lab.sh("rm /tmp/repaired").ok();
    lab.kill(scene.nth("foo", 2).pid(), 9);
    scene.until_failed("foo");
    until_all(scene, until_stopped);
    lab.write("/tmp/repaired", "", 0o644);
    scene.rc("foo", "start").ok();
    until_all(scene, until_started);

    // It is given up, and tried again by itself, when it was repaired long since.
    let conf = format!("{conf}respawn_delay=0\nrc_supervise_retry_after=8s\n");
    scene.conf("foo", &conf);
    // Not by restart: OpenRC's own starts those that it has stopped all at once, and waits for none.
    scene.rc("foo", "stop").ok();
    scene.rc("far", "start").ok();
    until_all(scene, until_started);
    lab.sh("rm /tmp/repaired").ok();
    let last = scene.count("foo");
    lab.kill(scene.nth("foo", last).pid(), 9);
    scene.until_failed("foo");
    until_all(scene, until_stopped);
    lab.write("/tmp/repaired", "", 0o644);
    until_all(scene, until_started);
    lab.wait_for_absence("/run/openrc/failed/foo", 2 * SOON);

    // What a person stops, stays so.
    scene.rc("foo", "stop").ok();
    until_all(scene, until_stopped);
    scene.rc("foo", "start").ok();
    scene.until_status("foo", " up ");
    assert!(lab.exists("/run/openrc/started/other"));
    assert!(!lab.exists("/run/openrc/started/near"));
}

/// Also those of one that nobody has to look after, and whoever is killed.
pub fn they_follow_one_that_only_runs(scene: &Scene) {
    let lab = &scene.lab;
    let conf = format!("{AT_ONCE}rc_supervise_propagate=yes\nrespawn_max=0\n");
    scene.service("foo", "", &conf);
    let own = "start() { echo start >>/tmp/far; }\nstop() { echo stop >>/tmp/far; }\n";
    lab.service("far", &format!("depend() {{ need foo; }}\n{own}"));
    lab.sh("rc-update --update").ok();
    scene.rc("far", "start").ok();
    for nth in 1..4 {
        lab.kill(scene.nth("foo", nth).pid(), 9);
        scene.nth("foo", nth + 1);
        // What is told again and again is told in the end.
        lab.wait_for_lines("/tmp/far", 1 + 2 * nth, 2 * SOON);
        until_started(scene, "far");
        lab.wait_for_absence("/run/openrc/exclusive/far", 2 * SOON);
    }
    let told = lab.text("/tmp/far");
    assert_eq!(told, format!("start\n{}", "stop\nstart\n".repeat(3)));
    scene.rc("foo", "stop").ok();
    assert_eq!(lab.text("/tmp/far"), format!("{told}stop\n"));
}
