//! The clean-up after each end.

use super::{Scene, AT_ONCE};
use crate::suite::openrc::{alive, KILL, SOON};

pub fn it_is_told_and_can_forbid(scene: &Scene) {
    let finish = "#!/bin/sh\necho \"$RC_SVCNAME $EXIT_CODE $EXIT_STATUS $SERVICE_RESULT $#:$*\" \
                  >>/tmp/finished\n";
    scene.lab.write("/tmp/finish", finish, 0o755);
    let conf = format!("{AT_ONCE}rc_supervise_finish=\"/tmp/finish 'a b' '\\$HOME' ''\"");
    scene.service("foo", "", &conf);
    scene.lab.kill(scene.begin("foo").pid(), KILL);
    scene.starts("foo", 2);
    let told = scene.lab.wait_for_lines("/tmp/finished", 1, SOON);
    assert_eq!(told, ["foo killed KILL signal 5:a b $HOME  256 9"]);
    scene.rc("foo", "stop").ok();
    let told = scene.lab.wait_for_lines("/tmp/finished", 2, SOON);
    assert_eq!(told[1], "foo killed TERM success 5:a b $HOME  256 15");

    // 125 forbids, whatever the end was.
    scene
        .lab
        .write("/tmp/never", "#!/bin/sh\nexit 125\n", 0o755);
    scene.service(
        "bar",
        "--exit 0",
        &format!("{AT_ONCE}rc_supervise_finish=/tmp/never"),
    );
    scene.begin("bar");
    scene.until_failed("bar");
    assert_eq!(scene.count("bar"), 1);
}

pub fn it_has_its_time(scene: &Scene) {
    let hang = "#!/bin/sh\necho $$ >>/tmp/finishing\nexec sleep 4242\n";
    scene.lab.write("/tmp/hang", hang, 0o755);
    let conf = format!("{AT_ONCE}rc_supervise_finish=/tmp/hang\nrc_supervise_finish_timeout=1s\n");
    scene.service("foo", "--exit 3", &conf);
    scene.begin("foo");
    scene.starts("foo", 2);
    // A stop in the middle of it is no longer than that either.
    let pids = scene.lab.wait_for_lines("/tmp/finishing", 2, SOON);
    scene.rc("foo", "stop").ok();
    let pids = pids.iter().map(|pid| pid.parse().expect("a pid"));
    assert!(!pids.into_iter().any(|pid| alive(&scene.lab, pid)));
    assert_eq!(scene.rc("foo", "status").code(), 3);
}
