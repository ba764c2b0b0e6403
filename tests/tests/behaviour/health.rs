//! Whether a service still works.

use super::{Scene, AT_ONCE};
use crate::suite::openrc::SOON;
use crate::suite::PROBE;

pub fn failures_make_it_unhealthy(scene: &Scene) {
    let lab = &scene.lab;
    lab.write("/tmp/well", "", 0o644);
    let note = "#!/bin/sh\necho $RC_SVCNAME $SERVICE_RESULT >>/tmp/notes\n";
    lab.write("/usr/local/bin/note", note, 0o755);
    let check = "rc_supervise_health=\"exec:'/usr/bin/test -e /tmp/well'\"\n\
                 rc_supervise_health_interval=100ms\nrc_supervise_health_failures=2\n\
                 rc_supervise_health_within=3\nrc_supervise_health_successes=2\n\
                 rc_supervise_health_start=100ms\nrc_supervise_unhealthy=/usr/local/bin/note\n";
    scene.service("sick", "", &format!("{AT_ONCE}{check}"));
    scene.service(
        "alert",
        "",
        &format!("{AT_ONCE}{check}rc_supervise_health_action=alert\n"),
    );
    let hang = "rc_supervise_health='exec:/bin/cat'\nrc_supervise_health_interval=100ms\n\
                rc_supervise_health_timeout=200ms\nrc_supervise_health_failures=1\n";
    lab.write("/usr/local/bin/hang", "#!/bin/sh\nexec sleep 4243\n", 0o755);
    scene.service(
        "hung",
        "",
        &format!(
            "{AT_ONCE}{}",
            hang.replace("/bin/cat", "/usr/local/bin/hang")
        ),
    );
    scene.start_all(["sick", "alert", "hung"]);
    lab.sh("rm /tmp/well").ok();
    scene.starts("sick", 2);
    scene.starts("hung", 2);
    scene.until_json("alert", "unhealthy", |json| json["healthy"] == false);
    lab.write("/tmp/well", "", 0o644);
    scene.until_json("alert", "healthy again", |json| json["healthy"] == true);
    assert_eq!(scene.count("alert"), 1);
    let notes = lab.wait_for_lines("/tmp/notes", 1, SOON);
    assert!(notes.contains(&"sick unhealthy".to_string()), "{notes:?}");
    let signals = lab.report("/tmp/sick", "signal", 1, SOON);
    assert_eq!(signals[0].number("number"), 15);
}

pub fn the_function_of_the_runscript(scene: &Scene) {
    let script = format!(
        "command={PROBE}\ncommand_args='--report /tmp/own'\nhealthcheck() {{ test -e /tmp/well; }}\n\
         unhealthy() {{ echo called >>/tmp/unhealthy; }}\n"
    );
    scene.lab.service("own", &script);
    scene.lab.write("/tmp/well", "", 0o644);
    scene.conf(
        "own",
        &format!("{AT_ONCE}healthcheck_timer=0.2\nhealthcheck_delay=0.1\n"),
    );
    scene.begin("own");
    scene.lab.sh("rm /tmp/well").ok();
    scene.lab.wait_for_lines("/tmp/unhealthy", 1, SOON);
    scene.starts("own", 2);
}

pub fn a_missed_watchdog(scene: &Scene) {
    let conf = format!(
        "{AT_ONCE}rc_ulimit='-c 0'\nnotify=socket:ready\nrc_supervise_watchdog=500ms\n\
         rc_supervise_watchdog_signal=QUIT\nrc_supervise_policy=on-abnormal\n"
    );
    scene.service("dog", "--notify READY=1", &conf);
    scene.begin("dog");
    scene.starts("dog", 2);
    let signals = scene.lab.report("/tmp/dog", "signal", 1, SOON);
    assert_eq!(signals[0].number("number"), 3);
}

pub fn too_much_memory(scene: &Scene) {
    scene.service(
        "fat",
        "",
        &format!("{AT_ONCE}rc_supervise_memory_limit=1K\n"),
    );
    scene.begin("fat");
    scene.starts("fat", 2);
    let signals = scene.lab.report("/tmp/fat", "signal", 1, SOON);
    assert_eq!(signals[0].number("number"), 15);
}
