//! Supervisor and guardian are killed, and OpenRC and the daemons do not notice.

mod internal;
mod openrc;

use internal::{guardian, probe, start_all, start_count, starts, supervisor, AT_ONCE};
use openrc::{alive, rc, KILL, SOON};
use rc_sv_tests::lab::until;
use rc_sv_tests::Lab;

const TERM: i32 = 15;
const STOP: i32 = 19;
const CONT: i32 = 18;
const USR1: i32 = 10;

/// What the module says of a service.
fn status(lab: &Lab, service: &str) -> serde_json::Value {
    let output = lab
        .run(["rc-sv-loader", "status", service, "--json"])
        .output();
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output}"))
}

/// Kills the supervisor, does something while there is none, and waits for the next one.
fn without_supervisor(lab: &Lab, act: impl FnOnce()) {
    let (guardian, old) = (guardian(lab), supervisor(lab));
    lab.kill(guardian, STOP);
    lab.kill(old, KILL);
    lab.wait_dead(old, SOON);
    act();
    lab.kill(guardian, CONT);
    assert_ne!(supervisor(lab), old);
}

#[test]
fn openrc_and_the_daemon_do_not_notice() {
    let lab = Lab::new();
    for service in ["foo", "bar"] {
        probe(&lab, service, "", AT_ONCE);
    }
    start_all(&lab, ["foo", "bar"]);
    let daemon = starts(&lab, "foo", 1)[0].pid();
    let first = guardian(&lab);
    // There is none at the moment: who asks waits for the next one.
    let mut asked = None;
    without_supervisor(&lab, || {
        asked = Some(lab.spawn("rc-service foo status && rc-status -s"));
        assert!(alive(&lab, daemon));
    });
    let said = asked.expect("a job").wait(SOON).ok();
    assert!(said.contains("foo") && !said.contains("crashed"), "{said}");
    assert_eq!(status(&lab, "foo")["pid"].as_i64(), Some(daemon.into()));
    // It is respawned, restarted and stopped as ever.
    lab.kill(daemon, KILL);
    let second = starts(&lab, "foo", 2)[1].pid();
    without_supervisor(&lab, || ());
    rc(&lab, "foo", "restart").ok();
    assert_eq!(starts(&lab, "foo", 3).len(), 3);
    assert!(!alive(&lab, second));
    for service in ["foo", "bar"] {
        rc(&lab, service, "stop").ok();
        assert_eq!(rc(&lab, service, "status").code(), 3);
    }
    assert_eq!(start_count(&lab, "bar"), 1);
    assert_eq!(guardian(&lab), first);
    // Whoever ends the guardian ends both.
    let both = [first, supervisor(&lab)];
    lab.kill(first, TERM);
    both.iter().for_each(|pid| lab.wait_dead(*pid, SOON));
    assert!(!lab.exists("/run/openrc/rc-sv/.internal/socket"));
}

#[test]
fn an_end_that_nobody_saw_is_told_with_its_code() {
    let lab = Lab::new();
    probe(&lab, "foo", "--exit-on USR1=7", "respawn_delay=3600\n");
    rc(&lab, "foo", "start").ok();
    let daemon = starts(&lab, "foo", 1)[0].pid();
    without_supervisor(&lab, || {
        lab.kill(daemon, USR1);
        lab.wait_dead(daemon, SOON);
    });
    until("its end is known", SOON, || {
        let status = status(&lab, "foo");
        (status["state"] == "waiting").then_some(())
    });
    let last = status(&lab, "foo")["last_exit"].to_string();
    assert!(last.contains("exited 7"), "{last}");
    // The pause goes on too.
    without_supervisor(&lab, || ());
    assert_eq!(status(&lab, "foo")["state"], "waiting");
    rc(&lab, "foo", "stop").ok();
    assert_eq!(start_count(&lab, "foo"), 1);
}

#[test]
fn a_killed_guardian_is_replaced_by_its_supervisor() {
    let lab = Lab::new();
    probe(&lab, "foo", "", AT_ONCE);
    rc(&lab, "foo", "start").ok();
    let daemon = starts(&lab, "foo", 1)[0].pid();
    for _ in 0..3 {
        let (old, next) = (guardian(&lab), supervisor(&lab));
        lab.kill(old, KILL);
        until("there is another guardian", SOON, || {
            (guardian(&lab) == next).then_some(())
        });
        assert_eq!(rc(&lab, "foo", "status").code(), 0);
        assert_eq!(status(&lab, "foo")["pid"].as_i64(), Some(daemon.into()));
    }
    lab.kill(daemon, KILL);
    starts(&lab, "foo", 2);
    rc(&lab, "foo", "stop").ok();
}

#[test]
fn after_both_were_killed_any_command_begins_them_again() {
    let lab = Lab::new();
    for service in ["foo", "bar"] {
        probe(&lab, service, "", AT_ONCE);
    }
    start_all(&lab, ["foo", "bar"]);
    let pid = |service: &str| starts(&lab, service, 1)[0].pid();
    let (foo, bar) = (pid("foo"), pid("bar"));
    for command in ["list", "status", "stop", "start"] {
        let both = [guardian(&lab), supervisor(&lab)];
        // Stopped first: neither is to see the other one die.
        both.iter().for_each(|pid| lab.kill(*pid, STOP));
        both.iter().for_each(|pid| lab.kill(*pid, KILL));
        both.iter().for_each(|pid| lab.wait_dead(*pid, SOON));
        assert!(alive(&lab, bar));
        let done = match command {
            "list" => lab.sh("rc-sv-loader status"),
            command => rc(&lab, "foo", command),
        };
        assert_eq!(done.code(), 0, "{command}: {done}");
        assert!(!done.all().contains("unsupervised"), "{done}");
        assert_ne!(guardian(&lab), both[0]);
        assert_eq!(status(&lab, "bar")["pid"].as_i64(), Some(bar.into()));
        let goes_on = matches!(command, "list" | "status");
        assert_eq!(alive(&lab, foo), goes_on, "{command}");
    }
    // A start is over before its daemon has reported.
    assert_eq!(starts(&lab, "foo", 2).len(), 2);
    assert_eq!(start_count(&lab, "bar"), 1);
    assert_eq!(rc(&lab, "bar", "stop").code(), 0);
    assert!(!alive(&lab, bar));
}

/// What was left is not forgotten because the first one that could go on with it has no room to.
#[test]
fn who_cannot_go_on_leaves_that_to_the_next_one() {
    let lab = Lab::new();
    for service in ["foo", "bar"] {
        probe(&lab, service, "", AT_ONCE);
        rc(&lab, service, "start").ok();
    }
    let daemon = starts(&lab, "foo", 1)[0].pid();
    let all = [guardian(&lab), supervisor(&lab), daemon];
    // Stopped first: neither is to see another one die.
    all.iter().for_each(|pid| lab.kill(*pid, STOP));
    all.iter().for_each(|pid| lab.kill(*pid, KILL));
    all.iter().for_each(|pid| lab.wait_dead(*pid, SOON));
    let own = "/run/openrc/rc-sv/foo";
    lab.sh(&format!(
        "mount --bind {own} {own} && mount -o remount,ro,bind {own}"
    ))
    .ok();
    assert_ne!(rc(&lab, "foo", "stop").code(), 0, "nobody could stop it");
    lab.sh(&format!("umount {own}")).ok();
    rc(&lab, "foo", "stop").ok();
    // It was stopped by one that goes on with bar.
    assert_eq!(rc(&lab, "bar", "status").code(), 0);
    let count = start_count(&lab, "foo");
    for start in starts(&lab, "foo", count) {
        assert!(!alive(&lab, start.pid()));
    }
}

#[test]
fn an_upgrade_disturbs_nothing() {
    let lab = Lab::new();
    probe(&lab, "foo", "", AT_ONCE);
    rc(&lab, "foo", "start").ok();
    let daemon = starts(&lab, "foo", 1)[0].pid();
    let (first, old) = (guardian(&lab), supervisor(&lab));
    let said = lab.run(["rc-sv-loader", "upgrade"]).output().ok();
    assert!(said.contains("supervises as process"), "{said}");
    assert_eq!(guardian(&lab), first);
    assert_ne!(supervisor(&lab), old);
    assert_eq!(rc(&lab, "foo", "status").code(), 0);
    let output = lab.sh("setpriv --reuid nobody --clear-groups rc-sv-loader upgrade");
    assert_eq!(output.code(), 1, "{output}");
    assert!(output.all().contains("only root may do this"), "{output}");
    lab.kill(daemon, KILL);
    starts(&lab, "foo", 2);
    rc(&lab, "foo", "stop").ok();
    assert_eq!(start_count(&lab, "foo"), 2);
}

#[test]
fn who_needs_a_service_is_told_once_whoever_is_killed() {
    let lab = Lab::new();
    let conf = format!("{AT_ONCE}rc_supervise_propagate=yes\n");
    probe(&lab, "foo", "", &conf);
    let stop = "stop() { echo stop >>/tmp/near; read line </tmp/go; }";
    lab.service(
        "near",
        &format!("depend() {{ need foo; }}\nstart() {{ echo start >>/tmp/near; }}\n{stop}\n"),
    );
    lab.sh("mkfifo /tmp/go && rc-update --update").ok();
    rc(&lab, "near", "start").ok();
    lab.kill(starts(&lab, "foo", 1)[0].pid(), KILL);
    starts(&lab, "foo", 2);
    lab.wait_for_lines("/tmp/near", 2, 2 * SOON);
    // The script runs, and the next one waits for it.
    without_supervisor(&lab, || ());
    lab.sh("echo go >/tmp/go").ok();
    lab.wait_for_lines("/tmp/near", 3, 2 * SOON);
    let started = "/run/openrc/started/near";
    lab.wait_for_file(started, |_| true, 2 * SOON);
    without_supervisor(&lab, || ());
    assert_eq!(status(&lab, "foo")["restarts"], 1);
    lab.wait_for_absence("/run/openrc/rc-sv/foo/dependents", SOON);
    assert_eq!(lab.text("/tmp/near"), "start\nstop\nstart\n");
}
