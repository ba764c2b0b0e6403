//! What rc-sv-exec decides after an end, under the real supervisors.

mod exec;

use exec::{
    each_suite, order, probe, start, start_count, starts, stop, supervise, until, until_down,
    until_up, write_spec, AT_ONCE, KILL, PROBE, SOON,
};
use rc_sv_tests::Lab;

/// A service that OpenRC takes for started.
fn started(lab: &Lab) {
    lab.service("foo", "start() { :; }\nstop() { :; }");
    lab.sh("rc-service foo start").ok();
}

#[test]
fn a_service_that_fails_too_often_is_given_up_once() {
    each_suite(|suite, lab| {
        started(lab);
        let told = "#!/bin/sh\necho \"$RC_SVCNAME $SERVICE_RESULT $EXIT_STATUS $RESPAWN_COUNT $*\" >>/tmp/told\n";
        lab.write("/tmp/tell", told, 0o755);
        let give_up = [
            ("respawn_max", "3"),
            ("rc_supervise_on_give_up", "/tmp/tell 'a b'"),
        ];
        let settings = [&AT_ONCE[..], &give_up].concat();
        probe(lab, suite, &["--exit", "3"], &settings);
        let _supervisor = supervise(lab, suite);
        let record = until(lab, "phase", "failed");
        assert!(
            record
                .get("note")
                .starts_with("gave up after 3 restarts in "),
            "{}",
            record.get("note")
        );
        assert!(record.get("note").ends_with(": exited 3"));
        until_down(lab, suite);
        lab.wait_for_file("/run/openrc/failed/foo", |_| true, SOON);
        assert!(!lab.exists("/run/openrc/started/foo"));
        assert_eq!(
            lab.wait_for_lines("/tmp/told", 1, SOON),
            ["foo start-limit-hit 3 3 a b 3 0"]
        );
        assert_eq!(start_count(lab), 4);
        // Who starts it by the suite's own means does not get around that.
        order(lab, 'u');
        until_down(lab, suite);
        assert_eq!(start_count(lab), 4);
        // A person has the whole allowance again.
        start(lab);
        starts(lab, 8);
        until(lab, "phase", "failed");
        until_down(lab, suite);
        assert_eq!(start_count(lab), 8);
        assert_eq!(lab.wait_for_lines("/tmp/told", 2, SOON).len(), 2);
    });
}

#[test]
fn the_finish_command_is_told_the_same_under_each_suite() {
    each_suite(|suite, lab| {
        let finish = "#!/bin/sh\necho \"$RC_SVCNAME $EXIT_CODE $EXIT_STATUS $SERVICE_RESULT $#:$*\" >>/tmp/finished\n";
        lab.write("/tmp/finish", finish, 0o755);
        let command = ("rc_supervise_finish", "/tmp/finish 'a b' '$HOME' ''");
        probe(
            lab,
            suite,
            &["--exit-on", "USR1=7"],
            &[&AT_ONCE[..], &[command]].concat(),
        );
        let _supervisor = supervise(lab, suite);
        let ends = [
            (KILL, "foo killed KILL signal 5:a b $HOME  256 9"),
            (10, "foo exited 7 exit-code 5:a b $HOME  7 0"),
            (15, "foo killed TERM success 5:a b $HOME  256 15"),
        ];
        for (count, (signal, line)) in ends.into_iter().enumerate() {
            starts(lab, count + 1);
            lab.kill(until_up(lab), signal);
            let told = lab.wait_for_lines("/tmp/finished", count + 1, SOON);
            assert_eq!(told[count], line);
        }
        starts(lab, 4);
        until_up(lab);
        stop(lab);
        let told = lab.wait_for_lines("/tmp/finished", 4, SOON);
        assert_eq!(told[3], "foo killed TERM success 5:a b $HOME  256 15");
        until(lab, "phase", "down");
        until_down(lab, suite);
        assert_eq!(start_count(lab), 4);
    });
}

#[test]
fn some_ends_are_final() {
    each_suite(|suite, lab| {
        started(lab);
        lab.write("/tmp/never", "#!/bin/sh\nexit 125\n", 0o755);
        let cases = [
            (
                "--exit",
                "78",
                ("rc_supervise_prevent_codes", "78"),
                "failed",
                "failed for good: exited 78",
            ),
            (
                "--die",
                "USR1",
                ("rc_supervise_prevent_codes", "USR1"),
                "failed",
                "failed for good: killed by USR1",
            ),
            (
                "--exit",
                "0",
                ("rc_supervise_finish", "/tmp/never"),
                "failed",
                "failed for good: exited 0, and the finish command exited 125",
            ),
            (
                "--exit",
                "0",
                ("rc_supervise_policy", "on-failure"),
                "down",
                "ended by itself: exited 0",
            ),
        ];
        let mut supervisor = None;
        for (count, (option, value, setting, phase, note)) in cases.into_iter().enumerate() {
            let settings = [&AT_ONCE[..], &[setting]].concat();
            if supervisor.is_none() {
                probe(lab, suite, &[option, value], &settings);
                supervisor = Some(supervise(lab, suite));
            } else {
                write_spec(
                    lab,
                    &[PROBE, "--report", "/tmp/foo", option, value],
                    &settings,
                );
                start(lab);
            }
            let record = until(lab, "note", note);
            assert_eq!(record.get("phase"), phase);
            until_down(lab, suite);
            assert_eq!(start_count(lab), count + 1, "{note}");
        }
        // The last one was no failure, whatever the ones before were.
        lab.wait_for_absence("/run/openrc/started/foo", SOON);
    });
}

#[test]
fn a_finish_command_that_hangs_is_killed() {
    each_suite(|suite, lab| {
        let settings = [
            ("rc_supervise_finish", "/bin/sleep 1000"),
            ("rc_supervise_finish_timeout", "100ms"),
        ];
        probe(
            lab,
            suite,
            &["--exit", "3"],
            &[&AT_ONCE[..], &settings].concat(),
        );
        let _supervisor = supervise(lab, suite);
        starts(lab, 3);
        stop(lab);
        until_down(lab, suite);
    });
}

#[test]
fn who_asks_for_it_does_not_wait_for_the_end_of_a_pause() {
    each_suite(|suite, lab| {
        let settings = [("respawn_delay", "10m"), ("respawn_delay_cap", "10m")];
        probe(lab, suite, &["--exit", "3"], &settings);
        let _supervisor = supervise(lab, suite);
        until(lab, "phase", "waiting");
        stop(lab);
        until_down(lab, suite);
        start(lab);
        starts(lab, 2);
        until(lab, "restarts", "0");
    });
}

#[test]
fn what_a_program_leaves_in_its_group_is_killed() {
    each_suite(|suite, lab| {
        probe(lab, suite, &["--fork", "plain"], &AT_ONCE);
        let _supervisor = supervise(lab, suite);
        let child = lab.report("/tmp/foo", "child", 1, SOON)[0].pid();
        lab.kill(until_up(lab), KILL);
        lab.wait_dead(child, SOON);
        starts(lab, 2);
    });
}

#[test]
fn what_leaves_the_group_is_killed_in_the_cgroup() {
    each_suite(|suite, lab| {
        assert!(lab.has_cgroup(), "this test needs cgroups");
        let mount = lab
            .sh("awk '$3 == \"cgroup2\" { print $2; exit }' /proc/mounts")
            .ok();
        let cgroup = format!("{}/openrc.foo", mount.trim());
        lab.sh(&format!("mkdir {cgroup}")).ok();
        probe(
            lab,
            suite,
            &["--fork", "setsid"],
            &[&AT_ONCE[..], &[("cgroup", &cgroup)]].concat(),
        );
        let _supervisor = supervise(lab, suite);
        let child = lab.report("/tmp/foo", "child", 1, SOON)[0].pid();
        let members = || lab.sh(&format!("cat {cgroup}/rc-sv/cgroup.procs")).ok();
        let pid = until_up(lab);
        assert!(members().lines().any(|line| line == pid.to_string()));
        lab.kill(pid, KILL);
        lab.wait_dead(child, SOON);
        starts(lab, 2);
        let pid = until_up(lab);
        assert!(members().lines().any(|line| line == pid.to_string()));
    });
}

/// daemontools' supervise has no finish of its own: what it is told goes to who runs the command.
#[test]
fn a_finish_command_is_not_cut_short_by_a_stop() {
    each_suite(|suite, lab| {
        let finish = "#!/bin/sh\necho >>/tmp/begun\nsleep 1\necho over >>/tmp/finished\n";
        lab.write("/tmp/finish", finish, 0o755);
        let command = [
            ("rc_supervise_finish", "/tmp/finish"),
            ("rc_supervise_finish_timeout", "30"),
        ];
        probe(lab, suite, &[], &[&AT_ONCE[..], &command].concat());
        let _supervisor = supervise(lab, suite);
        starts(lab, 1);
        stop(lab);
        lab.wait_for_lines("/tmp/begun", 1, SOON);
        order(lab, 'd');
        lab.wait_for_lines("/tmp/finished", 1, SOON);
        until_down(lab, suite);
        assert_eq!(start_count(lab), 1);
    });
}
