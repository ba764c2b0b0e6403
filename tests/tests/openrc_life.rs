//! From start to stop: restart, reload, zap, runlevels, and whoever waits for the end of a pipe.

mod openrc;

use openrc::{alive, each_shell, rc, spawn_count, spawns, start, supervised};
use openrc::{INTERNAL, KILL, RECORDED, SOON};
use rc_sv_tests::lab::until;

/// SIGINT.
const INTERRUPT: i32 = 2;

#[test]
fn restart_replaces_the_daemon() {
    each_shell(|lab| {
        supervised(lab, "foo", "");
        let first = start(lab, "foo");
        rc(lab, "foo", "restart").ok();
        let second = spawns(lab, "foo", 2)[1];
        assert!(!alive(lab, first));
        assert!(alive(lab, second));
        assert_eq!(rc(lab, "foo", "status").code(), 0);
        rc(lab, "foo", "stop").ok();
        assert!(!alive(lab, second));
        // Restart of a stopped service starts it.
        rc(lab, "foo", "restart").ok();
        spawns(lab, "foo", 3);
        assert_eq!(rc(lab, "foo", "status").code(), 0);
    });
}

#[test]
fn start_and_stop_twice_are_no_mistake() {
    each_shell(|lab| {
        supervised(lab, "foo", "");
        let daemon = start(lab, "foo");
        let output = rc(lab, "foo", "start");
        assert_eq!(output.code(), 0, "{output}");
        assert!(output.all().contains("already been started"), "{output}");
        assert!(alive(lab, daemon));
        rc(lab, "foo", "stop").ok();
        let output = rc(lab, "foo", "stop");
        assert_eq!(output.code(), 0, "{output}");
        assert_eq!(spawn_count(lab, "foo"), 1);
    });
}

#[test]
fn an_interrupted_start_leaves_nothing() {
    each_shell(|lab| {
        supervised(
            lab,
            "foo",
            "rc_supervise_ready='exec:/usr/bin/test -e /tmp/go'\n",
        );
        // The shell becomes rc-service, which leads a group as it does at a terminal.
        let job = lab.spawn("echo $$ >/tmp/job; exec rc-service foo start");
        let daemon = spawns(lab, "foo", 1)[0];
        let group: i32 = lab.text("/tmp/job").trim().parse().expect("a pid");
        lab.kill(-group, INTERRUPT);
        assert_eq!(job.wait(SOON).code(), 1);
        lab.wait_dead(daemon, SOON);
        until("its module lets it go", SOON, || {
            let said = rc(lab, "foo", "status").all();
            (!said.contains("its module still has it")).then_some(())
        });
        assert_eq!(rc(lab, "foo", "status").code(), 3);
        lab.write("/tmp/go", "", 0o644);
        rc(lab, "foo", "start").ok();
        assert_eq!(spawns(lab, "foo", 2).len(), 2);
    });
}

#[test]
fn after_zap_a_start_takes_the_daemon_back() {
    each_shell(|lab| {
        supervised(lab, "foo", "");
        let daemon = start(lab, "foo");
        rc(lab, "foo", "zap").ok();
        let output = rc(lab, "foo", "status");
        assert_eq!(output.code(), 3, "{output}");
        let said = format!("its module still has it: pid {daemon}");
        assert!(output.all().contains(&said), "{output}");
        assert!(alive(lab, daemon));

        rc(lab, "foo", "start").ok();
        assert_eq!(rc(lab, "foo", "status").code(), 0);
        assert!(alive(lab, daemon));
        assert_eq!(spawn_count(lab, "foo"), 1);
        rc(lab, "foo", "stop").ok();
        assert!(!alive(lab, daemon));
        assert_eq!(rc(lab, "foo", "status").code(), 3);
    });
}

#[test]
fn restart_after_zap_is_one_daemon() {
    each_shell(|lab| {
        supervised(lab, "foo", "");
        let daemon = start(lab, "foo");
        rc(lab, "foo", "zap").ok();
        // OpenRC believes that it is stopped, so this is only a start.
        rc(lab, "foo", "restart").ok();
        assert_eq!(rc(lab, "foo", "status").code(), 0);
        assert!(alive(lab, daemon));
        assert_eq!(spawn_count(lab, "foo"), 1);
    });
}

/// A daemon that counts the HUPs that it gets.
const HANGS_UP: &str = "#!/bin/dash\ntrap 'echo HUP >>/tmp/hups' HUP\necho $$ >/tmp/ready\n\
                        while :; do read -r line </tmp/never; done\n";

#[test]
fn reload_sends_hup() {
    each_shell(|lab| {
        lab.write("/usr/local/bin/hangs-up", HANGS_UP, 0o755);
        lab.sh("mkfifo /tmp/never").ok();
        let cases = [
            ("", 1),
            ("extra_started_commands=reload\n", 2),
            (
                "extra_started_commands=reload\nreload() { default_reload; }\n",
                3,
            ),
            ("extra_started_commands=other\nother() { :; }\n", 4),
        ];
        for (script, hups) in cases {
            lab.service("foo", &format!("command=/usr/local/bin/hangs-up\n{script}"));
            lab.conf("foo", INTERNAL);
            assert_ne!(
                rc(lab, "foo", "reload").code(),
                0,
                "it is stopped: {script}"
            );
            rc(lab, "foo", "start").ok();
            lab.wait_for_lines("/tmp/ready", 1, SOON);
            rc(lab, "foo", "reload").ok();
            lab.wait_for_lines("/tmp/hups", hups, SOON);
            assert_eq!(rc(lab, "foo", "status").code(), 0);
            rc(lab, "foo", "stop").ok();
            lab.sh("rm /tmp/ready").ok();
        }
        assert_eq!(lab.text("/tmp/hups").lines().count(), 4);
    });
}

#[test]
fn a_reload_of_its_own_is_used() {
    each_shell(|lab| {
        let own = "extra_started_commands=reload\nreload() { echo own >/tmp/own; }\n";
        lab.service("foo", &format!("{RECORDED}{own}"));
        lab.conf("foo", INTERNAL);
        let daemon = start(lab, "foo");
        rc(lab, "foo", "reload").ok();
        assert_eq!(lab.text("/tmp/own"), "own\n");
        assert!(alive(lab, daemon));
    });
}

#[test]
fn nobody_who_waits_for_the_end_of_the_output_waits_for_the_daemon() {
    each_shell(|lab| {
        supervised(lab, "foo", "");
        // How many daemons there have been after each.
        for (command, count) in [("start", 1), ("status", 1), ("restart", 2), ("stop", 2)] {
            let output = lab.sh(&format!("rc-service foo {command} 2>&1 | cat"));
            assert!(!output.held_open, "{command}: {output}");
            assert_eq!(output.code(), 0, "{command}: {output}");
            // One that is stopped before it has said so never does.
            spawns(lab, "foo", count);
        }
    });
}

#[test]
fn a_runlevel_starts_and_stops_it() {
    each_shell(|lab| {
        supervised(lab, "foo", "");
        lab.service("dependent", &format!("{RECORDED}depend() {{ need foo; }}"));
        lab.conf("dependent", INTERNAL);
        lab.sh("mkdir -p /etc/runlevels/with /etc/runlevels/without")
            .ok();
        lab.sh("rc-update add dependent with").ok();
        lab.sh("openrc with").ok();
        let foo = spawns(lab, "foo", 1)[0];
        let dependent = spawns(lab, "dependent", 1)[0];
        assert_eq!(rc(lab, "foo", "status").code(), 0);
        assert_eq!(rc(lab, "dependent", "status").code(), 0);
        lab.sh("openrc without").ok();
        assert!(!alive(lab, foo) && !alive(lab, dependent));
        assert_eq!(rc(lab, "foo", "status").code(), 3);
    });
}

#[test]
fn stopping_what_is_needed_stops_the_dependent_first() {
    each_shell(|lab| {
        supervised(lab, "foo", "");
        lab.service("dependent", &format!("{RECORDED}depend() {{ need foo; }}"));
        lab.conf("dependent", INTERNAL);
        rc(lab, "dependent", "start").ok();
        let dependent = spawns(lab, "dependent", 1)[0];
        rc(lab, "foo", "stop").ok();
        assert!(!alive(lab, dependent));
        assert_eq!(rc(lab, "dependent", "status").code(), 3);
    });
}

#[test]
fn a_stop_during_the_pause_before_a_respawn_is_at_once_and_final() {
    each_shell(|lab| {
        supervised(lab, "foo", "respawn_delay=4242\n");
        let daemon = start(lab, "foo");
        lab.kill(daemon, KILL);
        lab.wait_dead(daemon, SOON);
        rc(lab, "foo", "stop").ok();
        assert_eq!(rc(lab, "foo", "status").code(), 3);
        assert_eq!(spawn_count(lab, "foo"), 1);
    });
}

#[test]
fn all_at_once_is_one_daemon_each() {
    each_shell(|lab| {
        let names: Vec<String> = (0..8).map(|number| format!("many.{number}")).collect();
        lab.service("many", RECORDED);
        lab.conf("many", INTERNAL);
        for name in &names {
            lab.sh(&format!("ln -s many /etc/init.d/{name}")).ok();
        }
        let starts: Vec<_> = names
            .iter()
            .map(|name| lab.spawn(&format!("rc-service {name} start")))
            .collect();
        for start in starts {
            start.wait(2 * SOON).ok();
        }
        for name in &names {
            assert_eq!(spawns(lab, name, 1).len(), 1, "{name}");
            assert_eq!(rc(lab, name, "status").code(), 0, "{name}");
        }
    });
}
