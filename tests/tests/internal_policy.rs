//! After which ends the internal module respawns a daemon, and when it has failed for good.

#[path = "support/ends.rs"]
mod ends;
mod internal;
mod openrc;

use ends::{End, ENDS, POLICIES};
use internal::{
    failed, probe, start_all, start_count, starts, until_failed, until_stopped, AT_ONCE,
};
use openrc::{rc, KILL, SOON};
use rc_sv_tests::Lab;

/// Waits for the end of the last run of a service, which has at most one respawn.
fn outcome(lab: &Lab, service: &str, respawned: bool, is_failure: bool) {
    // What has used up its only respawn has failed, whatever the last end was.
    if respawned || is_failure {
        until_failed(lab, service);
    } else {
        until_stopped(lab, service);
    }
    assert_eq!(start_count(lab, service), 1 + usize::from(respawned));
    assert_eq!(failed(lab, service), respawned || is_failure);
    assert_eq!(rc(lab, service, "status").code(), 3);
}

#[test]
fn ends_and_policies_are_those_of_systemd() {
    let lab = Lab::new();
    for (column, policy) in POLICIES.into_iter().enumerate() {
        let name = |end: &End| format!("{}.{policy}", end.name);
        for end in &ENDS {
            let conf =
                format!("{AT_ONCE}respawn_max=1\nrc_ulimit='-c 0'\nrc_supervise_policy={policy}\n");
            probe(&lab, &name(end), end.args, &conf);
        }
        let names: Vec<String> = ENDS.iter().map(name).collect();
        start_all(&lab, names.iter().map(String::as_str));
        for end in &ENDS {
            outcome(&lab, &name(end), end.respawned[column], end.is_failure);
        }
    }
}

#[test]
fn codes_beat_the_policy() {
    let lab = Lab::new();
    let once = format!("{AT_ONCE}respawn_max=1\n");
    let cases = [
        ("config", "--exit 78", "rc_supervise_prevent_codes=78", 1),
        (
            "range",
            "--exit 101",
            "rc_supervise_prevent_codes='1,100-103 SEGV'",
            1,
        ),
        (
            "signal",
            "--die USR1",
            "rc_supervise_prevent_codes=SIGUSR1",
            1,
        ),
        // Prevent goes before force.
        (
            "both",
            "--exit 78",
            "rc_supervise_prevent_codes=78\nrc_supervise_force_codes=78",
            1,
        ),
        (
            "forced",
            "--exit 3",
            "rc_supervise_policy=no\nrc_supervise_force_codes=3",
            2,
        ),
        // 125 of the finish command, whatever the end was.
        ("finish", "--exit 0", "rc_supervise_finish=/tmp/never", 1),
    ];
    lab.write("/tmp/never", "#!/bin/sh\nexit 125\n", 0o755);
    for (service, args, conf, _) in cases {
        probe(&lab, service, args, &format!("{once}{conf}"));
    }
    start_all(&lab, cases.map(|(service, ..)| service));
    for (service, .., count) in cases {
        until_failed(&lab, service);
        assert_eq!(start_count(&lab, service), count, "{service}");
        assert_eq!(rc(&lab, service, "status").code(), 3, "{service}");
    }
    let expected = [
        ("config", "exited 78"),
        ("finish", "125"),
        ("signal", "USR1"),
    ];
    for (service, words) in expected {
        let said = internal::status(&lab, service);
        assert!(said.contains(words), "{service}: {said}");
    }
    // A person may try again.
    rc(&lab, "config", "start").ok();
    starts(&lab, "config", 2);
    until_failed(&lab, "config");
}

#[test]
fn a_code_that_counts_as_success_is_no_failure() {
    let lab = Lab::new();
    let conf = "rc_supervise_policy=on-failure\nrc_supervise_success_codes='7 USR2'";
    probe(&lab, "code", "--exit 7", conf);
    probe(&lab, "signal", "--die USR2", conf);
    start_all(&lab, ["code", "signal"]);
    for service in ["code", "signal"] {
        until_stopped(&lab, service);
        assert!(!failed(&lab, service), "{service}");
        assert_eq!(start_count(&lab, service), 1, "{service}");
    }
}

#[test]
fn the_finish_command_of_conf_d_is_told_of_a_kill() {
    let lab = Lab::new();
    let finish = "#!/bin/sh\necho \"$RC_SVCNAME $EXIT_CODE $EXIT_STATUS $SERVICE_RESULT $#:$*\" \
                  >>/tmp/finished\n";
    lab.write("/tmp/finish", finish, 0o755);
    let conf = format!("{AT_ONCE}rc_supervise_finish=\"/tmp/finish 'a b' '\\$HOME' ''\"");
    probe(&lab, "foo", "", &conf);
    rc(&lab, "foo", "start").ok();
    lab.kill(starts(&lab, "foo", 1)[0].pid(), KILL);
    starts(&lab, "foo", 2);
    let told = lab.wait_for_lines("/tmp/finished", 1, SOON);
    assert_eq!(told, ["foo killed KILL signal 5:a b $HOME  256 9"]);
    rc(&lab, "foo", "stop").ok();
    let told = lab.wait_for_lines("/tmp/finished", 2, SOON);
    assert_eq!(told[1], "foo killed TERM success 5:a b $HOME  256 15");
}
