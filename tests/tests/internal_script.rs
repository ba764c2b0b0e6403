//! `rc_supervise_respawn=script`: the runscript runs again before each respawn.

mod internal;
mod openrc;

use internal::{
    guardian, start_count, starts, supervisor, until_failed, until_status, AT_ONCE, PROBE,
};
use openrc::{alive, rc, INTERNAL, KILL, SOON};
use rc_sv_tests::Lab;

/// A service whose start_pre notes its runs in /tmp/runs, does what /tmp/pre says, and whose
/// arguments are what /tmp/words has at that time.
fn scripted(lab: &Lab, conf: &str) {
    let script = format!(
        "command={PROBE}\nname=foo\nstart_pre() {{\n\
         echo $RC_CMD >>/tmp/runs\nexport WORDS=$(cat /tmp/words)\n\
         command_args=\"--report /tmp/foo -- $WORDS\"\n. /tmp/pre\n}}\n\
         stop_post() {{ echo stop_post >>/tmp/runs; }}"
    );
    lab.service("foo", &script);
    lab.conf(
        "foo",
        &format!(
            "{INTERNAL}rc_supervise_respawn=script\nrc_env_allow='*'\nerror_log=/tmp/errors\n{conf}\n"
        ),
    );
    lab.write("/tmp/words", "first", 0o644);
    lab.write("/tmp/pre", "", 0o644);
}

fn runs(lab: &Lab) -> Vec<String> {
    lab.text("/tmp/runs").lines().map(str::to_string).collect()
}

#[test]
fn each_respawn_has_what_the_script_says_then() {
    for shell in rc_sv_tests::Shell::ALL {
        let lab = Lab::builder().shell(shell).build();
        scripted(&lab, AT_ONCE);
        rc(&lab, "foo", "start").ok();
        let first = starts(&lab, "foo", 1).remove(0);
        assert_eq!(first.argv().last().map(String::as_str), Some("first"));
        assert_eq!(runs(&lab), ["start"], "by OpenRC");
        lab.write("/tmp/words", "second", 0o644);
        lab.kill(first.pid(), KILL);
        let second = starts(&lab, "foo", 2).remove(1);
        assert_eq!(second.argv().last().map(String::as_str), Some("second"));
        assert_eq!(second.env("WORDS").as_deref(), Some("second"));
        assert_eq!(second.env("EXIT_STATUS"), None, "is for hooks");
        assert_eq!(runs(&lab), ["start", "rcsv_respawn"]);
        // The module's own restart is one, too; OpenRC's own runs the script as ever.
        lab.sh("rc-sv-loader restart foo").ok();
        starts(&lab, "foo", 3);
        assert_eq!(runs(&lab)[2..], ["rcsv_respawn"]);
        rc(&lab, "foo", "restart").ok();
        starts(&lab, "foo", 4);
        assert_eq!(runs(&lab)[3..], ["stop_post", "restart"]);
        rc(&lab, "foo", "stop").ok();
    }
}

#[test]
fn the_cgroup_stays_that_of_the_service() {
    let lab = Lab::new();
    assert!(lab.has_cgroup(), "a lab with cgroups");
    scripted(&lab, AT_ONCE);
    rc(&lab, "foo", "start").ok();
    let cgroup = |pid: i32| lab.sh(&format!("cat /proc/{pid}/cgroup")).ok();
    let first = starts(&lab, "foo", 1)[0].pid();
    let before = cgroup(first);
    assert!(before.contains("foo"), "{before}");
    lab.kill(first, KILL);
    assert_eq!(cgroup(starts(&lab, "foo", 2)[1].pid()), before);
}

#[test]
fn a_script_that_fails_is_a_failure_of_the_service() {
    let lab = Lab::new();
    let conf = "respawn_delay=0\nrc_supervise_min_interval=0\nrespawn_max=3\n";
    scripted(&lab, conf);
    rc(&lab, "foo", "start").ok();
    let first = starts(&lab, "foo", 1)[0].pid();
    lab.write("/tmp/pre", "echo no luck >&2; return 3\n", 0o644);
    lab.kill(first, KILL);
    until_failed(&lab, "foo");
    until_status(&lab, "foo", "gave up after 3 restarts");
    until_status(&lab, "foo", "the runscript: exited");
    assert_eq!(start_count(&lab, "foo"), 1);
    assert_eq!(runs(&lab).len(), 4);
    assert_eq!(lab.text("/tmp/errors").matches("no luck").count(), 3);
    lab.write("/tmp/pre", "", 0o644);
    rc(&lab, "foo", "start").ok();
    starts(&lab, "foo", 2);
}

#[test]
fn a_script_that_hangs_is_stopped_with_the_service_or_by_its_time() {
    let lab = Lab::new();
    scripted(
        &lab,
        &format!("{AT_ONCE}timeout_ready=5000\nretry=KILL/1\n"),
    );
    rc(&lab, "foo", "start").ok();
    let first = starts(&lab, "foo", 1)[0].pid();
    let hang = "[ $RC_CMD = start ] || { echo $$ >>/tmp/hung; exec sleep 4241; }\n";
    lab.write("/tmp/pre", hang, 0o644);
    lab.kill(first, KILL);
    let hung = lab.wait_for_lines("/tmp/hung", 2, SOON);
    lab.wait_dead(hung[0].parse().expect("a pid"), SOON);
    rc(&lab, "foo", "stop").ok();
    for pid in lab.text("/tmp/hung").lines() {
        lab.wait_dead(pid.parse().expect("a pid"), SOON);
    }
    assert_eq!(start_count(&lab, "foo"), 1);
}

#[test]
fn a_supervisor_that_is_killed_meanwhile_forgets_and_doubles_nothing() {
    let lab = Lab::new();
    scripted(&lab, AT_ONCE);
    rc(&lab, "foo", "start").ok();
    let first = starts(&lab, "foo", 1)[0].pid();
    lab.sh("mkfifo /tmp/gate").ok();
    let wait = "[ $RC_CMD = start ] || { echo $$ >>/tmp/waits; read line </tmp/gate; }\n";
    lab.write("/tmp/pre", wait, 0o644);
    lab.kill(first, KILL);
    let waits = lab.wait_for_lines("/tmp/waits", 1, SOON);
    let (old, keeper) = (supervisor(&lab), guardian(&lab));
    lab.kill(old, KILL);
    lab.wait_dead(old, SOON);
    assert_ne!(supervisor(&lab), old);
    assert_eq!(guardian(&lab), keeper);
    until_status(&lab, "foo", "running the runscript");
    assert!(alive(&lab, waits[0].parse().expect("a pid")), "it goes on");
    lab.sh("echo go >/tmp/gate").ok();
    starts(&lab, "foo", 2);
    until_status(&lab, "foo", "started");
    assert_eq!(lab.text("/tmp/waits").lines().count(), 1, "it ran once");
    assert_eq!(start_count(&lab, "foo"), 2);
}
