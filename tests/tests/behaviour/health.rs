//! Whether a service still works.

use super::{Scene, AT_ONCE};
use crate::suite::openrc::SOON;
use crate::suite::PROBE;
use rc_sv_tests::lab::until_ok;

pub fn failures_make_it_unhealthy(scene: &Scene) {
    let lab = &scene.lab;
    lab.write("/tmp/well", "", 0o644);
    let note = "#!/bin/sh\necho $RC_SVCNAME $SERVICE_RESULT >>/tmp/notes\n";
    lab.write("/usr/local/bin/note", note, 0o755);
    let tell = "#!/bin/sh\necho $RC_SVCNAME $RC_SV_EVENT $RC_SV_REASON >>/tmp/told\n";
    lab.write("/usr/local/bin/tell", tell, 0o755);
    let check = "rc_supervise_health=\"exec:'/usr/bin/test -e /tmp/well'\"\n\
                 rc_supervise_health_interval=100ms\nrc_supervise_health_failures=2\n\
                 rc_supervise_health_within=3\nrc_supervise_health_successes=2\n\
                 rc_supervise_health_start=100ms\nrc_supervise_unhealthy=/usr/local/bin/note\n";
    scene.service("sick", "", &format!("{AT_ONCE}{check}"));
    scene.service(
        "alert",
        "",
        &format!("{AT_ONCE}{check}rc_supervise_health_action=alert\nrc_supervise_alert=tell\n"),
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
    let told = lab.wait_for_lines("/tmp/told", 1, SOON);
    assert_eq!(
        told,
        ["alert unhealthy unhealthy: /usr/bin/test: exited 1 (2 of the last 3)"]
    );
    lab.write("/tmp/well", "", 0o644);
    scene.until_json("alert", "healthy again", |json| json["healthy"] == true);
    let told = lab.wait_for_lines("/tmp/told", 2, SOON);
    assert_eq!(told[1..], ["alert recovered healthy again"]);
    assert_eq!(scene.count("alert"), 1);
    let notes = lab.wait_for_lines("/tmp/notes", 1, SOON);
    assert!(notes.contains(&"sick unhealthy".to_string()), "{notes:?}");
    let signals = lab.report("/tmp/sick", "signal", 1, SOON);
    assert_eq!(signals[0].number("number"), 15);
    // A command that is not there is told before anything runs.
    scene.service("lost", "", "rc_supervise_health=exec:/nowhere/x");
    let wanted = "rc_supervise_health: exec=\"/nowhere/x\": No such file or directory";
    scene.refused("lost", &[wanted]);
    let conf = "rc_supervise_health=tcp:80\nrc_supervise_health_action=exec";
    scene.service("lost", "", conf);
    let wanted = "rc_supervise_health_action=exec: needs rc_supervise_unhealthy";
    scene.refused("lost", &[wanted]);
    assert_eq!(scene.count("lost"), 0);
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

/// Whoever looks after a service is looked after by the suite: it is up and checked again, whoever
/// was killed. What becomes of internal's supervisor is proven by internal_faults.rs.
pub fn the_checks_outlive_who_makes_them(scene: &Scene) {
    if scene.module.name == "internal" {
        return;
    }
    let lab = &scene.lab;
    lab.write("/tmp/well", "", 0o644);
    let conf = format!(
        "{AT_ONCE}rc_supervise_health=\"exec:'/usr/bin/test -e /tmp/well'\"\n\
         rc_supervise_health_interval=100ms\nrc_supervise_health_failures=1\n"
    );
    scene.service("foo", "", &conf);
    let daemon = scene.begin("foo").pid();
    scene.until_json("foo", "healthy", |json| json["healthy"] == true);
    let parent = lab.sh(&format!("ps -o ppid= -p {daemon}")).ok();
    lab.kill(parent.trim().parse().expect("a pid"), 9);
    // One that lives on is taken over, or it is begun anew: there is one, and it is looked after.
    let is_one = |json: &serde_json::Value| json["state"] == "up" && json["healthy"] == true;
    until_ok("one that is looked after", 2 * SOON, || {
        let count = lab.sh("pgrep -xc probe-daemon").all();
        let json = scene.json("foo");
        let is_so = count.trim() == "1" && is_one(&json);
        is_so.then_some(()).ok_or(format!("{json}: {count}"))
    });
    let count = scene.count("foo");
    lab.sh("rm /tmp/well").ok();
    scene.starts("foo", count + 1);
    scene.rc("foo", "stop").ok();
    assert_eq!(lab.sh("pgrep -x probe-daemon").all(), "");
}

/// That is no failure, and the status says why.
pub fn a_check_that_cannot_be_made_is_told(scene: &Scene) {
    let lab = &scene.lab;
    let look = "#!/bin/sh\n";
    lab.write("/usr/local/bin/look", look, 0o755);
    let conf = "notify=socket:ready\nrc_supervise_health=exec:/usr/local/bin/look\n\
                rc_supervise_health_interval=50ms\nrc_supervise_health_failures=1\n";
    scene.service("foo", "--notify STATUS=busy --notify READY=1", conf);
    scene.begin("foo");
    scene.until_json("foo", "healthy", |json| json["healthy"] == true);
    scene.until_status("foo", "busy");
    lab.write("/usr/local/bin/look", "#!/nowhere/sh\n", 0o755);
    let said = scene.until_status(
        "foo",
        "a check could not be made: /usr/local/bin/look: cannot execute",
    );
    assert!(said.contains(" up "), "{said}");
    lab.write("/usr/local/bin/look", look, 0o755);
    scene.until_status("foo", "busy");
    assert_eq!(scene.count("foo"), 1);
}

/// A service that is down is not looked at, and one that is stopped is not begun again.
pub fn nobody_looks_at_what_is_down(scene: &Scene) {
    let lab = &scene.lab;
    let look = "#!/bin/sh\necho look >>/tmp/looks\nexit 1\n";
    lab.write("/usr/local/bin/look", look, 0o755);
    let conf = format!(
        "{AT_ONCE}rc_supervise_health=exec:/usr/local/bin/look\n\
         rc_supervise_health_interval=50ms\nrc_supervise_health_action=alert\n"
    );
    scene.service("foo", "", &conf);
    scene.begin("foo");
    scene.until_json("foo", "unhealthy", |json| json["healthy"] == false);
    let said = scene.until_status("foo", "unhealthy: /usr/local/bin/look: exited 1");
    assert!(said.contains(" up "), "{said}");
    scene.rc("foo", "stop").ok();
    let looks = lab.text("/tmp/looks").lines().count();
    scene.service("bar", "", &conf.replace("/bin/look", "/bin/true"));
    lab.write(
        "/usr/local/bin/true",
        "#!/bin/sh\necho bar >>/tmp/bar-looks\n",
        0o755,
    );
    scene.begin("bar");
    lab.wait_for_lines("/tmp/bar-looks", 5, SOON);
    assert_eq!(lab.text("/tmp/looks").lines().count(), looks);
    assert_eq!(scene.count("foo"), 1);
}
