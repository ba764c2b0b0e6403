//! monit's own checks, made from the settings.

use crate::behaviour::{Scene, AT_ONCE};
use crate::suite::openrc::{alive, SOON};
use crate::watched::SICK;

/// The rules of a check that is made at each look of monit, and believed at once.
const QUICK: &str = "rc_supervise_health_interval=1s\nrc_supervise_health_failures=1\n\
                     rc_supervise_health_timeout=20s\nrc_supervise_health_action=exec\n";

/// A service that notes when it is said to be unhealthy; a later line goes before an earlier one.
fn sick(scene: &Scene, service: &str, conf: &str) {
    let note = "rc_supervise_unhealthy=/usr/local/bin/note\n";
    scene.service(service, "", &format!("{AT_ONCE}{QUICK}{note}{conf}"));
}

/// Waits until it was said of `service` that it is unhealthy.
fn told(scene: &Scene, service: &str) -> Vec<String> {
    scene
        .lab
        .wait_for_lines(format!("/tmp/{service}.told"), 1, 2 * SOON)
}

pub fn checks_follow_their_rules(scene: &Scene) {
    let lab = &scene.lab;
    // How many failures there were by then.
    let note = "#!/bin/sh\nwc -l </tmp/fails.count >>/tmp/$RC_SVCNAME.told\n";
    lab.write("/usr/local/bin/note", note, 0o755);
    let fails = "#!/bin/sh\necho >>/tmp/fails.count\nexit 1\n";
    lab.write("/usr/local/bin/fails", fails, 0o755);
    // Fails and succeeds by turns.
    let turns = "#!/bin/sh\nmkdir /tmp/$1.turn 2>/dev/null && exit 1\nrmdir /tmp/$1.turn\n";
    lab.write("/usr/local/bin/turns", turns, 0o755);
    let exec = |command: &str| format!("rc_supervise_health='exec:\"/usr/local/bin/{command}\"'\n");
    let never = "rc_supervise_health='exec:\"/bin/sleep 4242\"'\n";
    let tcp = "rc_supervise_health=tcp:9\n";
    for (service, conf) in [
        ("thrice", exec("fails") + "rc_supervise_health_failures=3"),
        ("hangs", never.to_owned() + "rc_supervise_health_timeout=1s"),
        (
            "within",
            exec("turns a") + "rc_supervise_health_failures=2\nrc_supervise_health_within=4",
        ),
        ("turns", exec("turns b") + "rc_supervise_health_failures=2"),
        ("closed", tcp.to_owned()),
        ("late", tcp.to_owned() + "rc_supervise_health_start=1h"),
        (
            "seldom",
            tcp.to_owned() + "rc_supervise_health_interval=1h\nrc_supervise_health_failures=2",
        ),
        (
            "restarts",
            tcp.to_owned() + "rc_supervise_health_action=restart",
        ),
    ] {
        sick(scene, service, &conf);
    }
    scene.service("big", "", &format!("{AT_ONCE}rc_supervise_memory_limit=1K"));
    let all = [
        "thrice", "hangs", "within", "turns", "closed", "late", "seldom", "restarts", "big",
    ];
    scene.start_all(all);
    let failures: u32 = told(scene, "thrice")[0].trim().parse().expect("a number");
    assert!(failures >= 3, "{failures}");
    for service in ["hangs", "within", "closed", "restarts"] {
        told(scene, service);
    }
    for service in ["restarts", "big"] {
        scene.starts(service, 2);
    }
    for service in ["turns", "late", "seldom"] {
        assert!(!lab.exists(format!("/tmp/{service}.told")), "{service}");
    }
    for service in ["thrice", "hangs", "within", "closed"] {
        assert_eq!(scene.count(service), 1, "{service} is left alone");
    }
}

pub fn a_command_has_no_start(scene: &Scene) {
    let conf = "rc_supervise_health='exec:/bin/true start=5s'\n";
    scene.service("foo", "", conf);
    scene.refused(
        "foo",
        &["rc_supervise_health: monit runs a command as soon as it watches"],
    );
    assert_eq!(scene.rc("foo", "status").code(), 3);
    // A command that is not there is told before the daemon runs.
    scene.service("lost", "", "rc_supervise_health=exec:/nowhere/x");
    let wanted = "rc_supervise_health: exec=\"/nowhere/x\": No such file or directory";
    scene.refused("lost", &[wanted]);
    let conf = "rc_supervise_health=tcp:80\nrc_supervise_health_action=exec";
    scene.service("lost", "", conf);
    let wanted = "rc_supervise_health_action=exec: needs rc_supervise_unhealthy";
    scene.refused("lost", &[wanted]);
    assert_eq!(scene.count("lost"), 0);
}

pub fn a_command_is_run_for_a_sick_one(scene: &Scene) {
    let note = "#!/bin/sh\necho $SERVICE_RESULT >>/tmp/$RC_SVCNAME.told\n";
    scene.lab.write("/usr/local/bin/note", note, 0o755);
    let conf = "rc_supervise_unhealthy=/usr/local/bin/note\n";
    let check = format!("{QUICK}rc_supervise_health=tcp:9\n");
    let check = match scene.module.kind {
        Some("simple") => check.as_str(),
        _ => "",
    };
    scene.service(SICK, "", &format!("{AT_ONCE}{conf}{check}"));
    let pid = scene.begin(SICK).pid();
    assert_eq!(told(scene, SICK)[0], "unhealthy");
    assert_eq!(scene.count(SICK), 1);
    assert!(alive(&scene.lab, pid));
}
