//! The runscript before each respawn.

use super::{Scene, AT_ONCE};
use crate::suite::openrc::{KILL, SOON};
use crate::suite::PROBE;

/// A service whose start_pre notes its runs in /tmp/runs, does what /tmp/pre says, and whose
/// arguments are what /tmp/words has at that time.
fn scripted(scene: &Scene, conf: &str) {
    let script = format!(
        "command={PROBE}\nname=foo\nstart_pre() {{\n\
         echo $RC_CMD >>/tmp/runs\n\
         command_args=\"--report /tmp/foo -- $(cat /tmp/words)\"\n. /tmp/pre\n}}\n"
    );
    scene.lab.service("foo", &script);
    let conf =
        format!("rc_supervise_respawn=script\nrc_env_allow='*'\nerror_log=/tmp/errors\n{conf}");
    scene.conf("foo", &conf);
    scene.lab.write("/tmp/words", "first", 0o644);
    scene.lab.write("/tmp/pre", "", 0o644);
}

fn runs(scene: &Scene) -> Vec<String> {
    let text = scene.lab.text("/tmp/runs");
    text.lines().map(str::to_string).collect()
}

pub fn each_respawn_has_what_it_says_then(scene: &Scene) {
    let lab = &scene.lab;
    scripted(scene, AT_ONCE);
    let first = scene.begin("foo");
    assert_eq!(first.argv().last().map(String::as_str), Some("first"));
    assert_eq!(runs(scene), ["start"], "by OpenRC");
    let cgroup = |pid: i32| lab.sh(&format!("cat /proc/{pid}/cgroup")).ok();
    let before = cgroup(first.pid());
    lab.write("/tmp/words", "second", 0o644);
    lab.kill(first.pid(), KILL);
    let second = scene.nth("foo", 2);
    assert_eq!(second.argv().last().map(String::as_str), Some("second"));
    assert_eq!(second.env("EXIT_STATUS"), None, "is for hooks");
    assert_eq!(cgroup(second.pid()), before);
    assert_eq!(runs(scene), ["start", "rcsv_respawn"]);
    // The module's own restart is one, too; OpenRC's own runs the script as ever.
    lab.sh("rc-sv-loader restart foo").ok();
    scene.nth("foo", 3);
    assert_eq!(runs(scene)[2..], ["rcsv_respawn"]);
    scene.rc("foo", "restart").ok();
    scene.nth("foo", 4);
    assert_eq!(runs(scene)[3..], ["restart"]);
    scene.rc("foo", "stop").ok();
    assert_eq!(runs(scene).len(), 4);
}

pub fn its_failure_is_one_of_the_service(scene: &Scene) {
    let lab = &scene.lab;
    scripted(scene, &format!("{AT_ONCE}respawn_max=3\n"));
    let first = scene.begin("foo").pid();
    lab.write("/tmp/pre", "echo no luck >&2; return 3\n", 0o644);
    lab.kill(first, KILL);
    scene.until_failed("foo");
    scene.until_status("foo", "gave up after 3 restarts");
    scene.until_status("foo", "the runscript: exited");
    assert_eq!(scene.count("foo"), 1);
    assert_eq!(runs(scene).len(), 4);
    assert_eq!(lab.text("/tmp/errors").matches("no luck").count(), 3);
    lab.write("/tmp/pre", "", 0o644);
    scene.begin("foo");
}

pub fn it_has_its_time_and_ends_with_the_service(scene: &Scene) {
    let lab = &scene.lab;
    scripted(
        scene,
        &format!("{AT_ONCE}timeout_ready=5000\nretry=KILL/1\n"),
    );
    let first = scene.begin("foo").pid();
    let hang = "[ $RC_CMD = start ] || { echo $$ >>/tmp/hung; exec sleep 4241; }\n";
    lab.write("/tmp/pre", hang, 0o644);
    lab.kill(first, KILL);
    let hung = lab.wait_for_lines("/tmp/hung", 2, SOON);
    lab.wait_dead(hung[0].parse().expect("a pid"), SOON);
    scene.rc("foo", "stop").ok();
    for pid in lab.text("/tmp/hung").lines() {
        lab.wait_dead(pid.parse().expect("a pid"), SOON);
    }
    assert_eq!(scene.count("foo"), 1);
    assert_eq!(scene.rc("foo", "status").code(), 3);
}
