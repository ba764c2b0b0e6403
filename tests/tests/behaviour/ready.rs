//! When a start is over.

use super::Scene;
use crate::suite::openrc::SOON;

pub fn a_start_waits_for_a_newline(scene: &Scene) {
    scene.service(
        "fd",
        "--write 5=o --write 5=k%nmore --close 5",
        "notify=fd:5",
    );
    scene.begin("fd");
    // Nothing can come any more, so nobody waits until time is up.
    scene.service("shut", "--write 5=ok --close 5", "notify=fd:5");
    scene.refused("shut", &["it closed its descriptor without a newline"]);
    scene.service("dead", "--exit 3", "notify=fd:5");
    scene.refused("dead", &["exited 3 before it was ready"]);
    scene.service("late", "", "notify=fd:5\ntimeout_ready=300\nretry=TERM/5");
    scene.refused("late", &["ready"]);
    // One message is enough, and it is respawned ready.
    scene.service(
        "socket",
        "--notify READY=1%nSTATUS=serving",
        "notify=socket:ready",
    );
    let first = scene.begin("socket");
    scene.lab.kill(first.pid(), 9);
    scene.starts("socket", 2);
    scene.until_status("socket", " up ");
    for service in ["shut", "dead", "late"] {
        assert_eq!(scene.rc(service, "status").code(), 3, "{service}");
    }
    for service in ["shut", "dead", "late"] {
        assert_eq!(scene.count(service), 1, "{service}: nothing is tried again");
    }
}

pub fn the_older_name(scene: &Scene) {
    scene.service("foo", "--write 3=%n", "ready=fd:3");
    scene.begin("foo");
}

pub fn a_start_waits_for_an_answer(scene: &Scene) {
    scene.service(
        "foo",
        "",
        "rc_supervise_ready='exec:/usr/bin/test -e /tmp/well'",
    );
    let job = scene.lab.spawn("rc-service foo start");
    scene.starts("foo", 1);
    scene.until_json("foo", "starting", |json| json["state"] == "starting");
    scene.lab.write("/tmp/well", "", 0o644);
    job.wait(SOON).ok();
    scene.until_status("foo", " up ");
    // Each run has to become ready.
    scene.lab.sh("rm /tmp/well").ok();
    scene.lab.kill(scene.nth("foo", 1).pid(), 9);
    scene.starts("foo", 2);
    scene.until_json("foo", "starting again", |json| json["state"] == "starting");
    scene.lab.write("/tmp/well", "", 0o644);
    scene.until_status("foo", " up ");
    // Whoever does not answer in time is ended, and the words say what was found.
    scene.service(
        "late",
        "",
        "rc_supervise_ready=tcp:127.0.0.1:9\ntimeout_ready=500\nretry=TERM/5",
    );
    scene.refused(
        "late",
        &["not ready within 500 ms: tcp:127.0.0.1:9: Connection refused"],
    );
    assert_eq!(scene.count("late"), 1);
}
