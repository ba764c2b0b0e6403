//! What OpenRC's own tools say: as for supervise-daemon.

mod openrc;

use openrc::{alive, each_shell, rc, spawn_count, spawns, start, supervised, KILL, SOON};
use rc_sv_tests::lab::until;
use rc_sv_tests::Lab;

/// At once, without jitter and without a limit.
const AT_ONCE: &str = "respawn_delay=0\nrc_supervise_min_interval=0\nrespawn_max=0\n";

/// The line of rc-status about a service.
fn rc_status(lab: &Lab, service: &str) -> String {
    rc_status_now(lab, service).unwrap_or_else(|| panic!("rc-status has no {service}"))
}

/// The same, when there is one: none is between being marked stopped and being marked failed.
fn rc_status_now(lab: &Lab, service: &str) -> Option<String> {
    let all = lab.sh("rc-status --all --nocolor").all();
    let mut lines = all.lines();
    let line = lines.find(|line| line.trim_start().starts_with(service));
    line.map(str::to_owned)
}

/// Ends everything that supervises, so that nobody looks after the daemon.
fn kill_supervisors(lab: &Lab) {
    let output = lab.sh("pgrep -x 'rc-sv-(guardian|superviso)'");
    let pids: Vec<i32> = output
        .ok()
        .lines()
        .map(|line| line.parse().expect("a pid"))
        .collect();
    assert!(!pids.is_empty());
    // Stopped first: none must see another die and replace it.
    pids.iter().for_each(|&pid| lab.kill(pid, 19));
    pids.iter().for_each(|&pid| lab.kill(pid, KILL));
    pids.iter().for_each(|&pid| lab.wait_dead(pid, SOON));
}

#[test]
fn rc_status_shows_uptime_and_respawns() {
    each_shell(|lab| {
        supervised(lab, "foo", AT_ONCE);
        let first = start(lab, "foo");
        let line = rc_status(lab, "foo");
        assert!(
            line.contains("started 00:00:") && line.contains("(0)"),
            "{line}"
        );
        lab.kill(first, KILL);
        let second = spawns(lab, "foo", 2)[1];
        let counted = |text: &[u8]| text == b"1";
        lab.wait_for_file("/run/openrc/options/foo/start_count", counted, SOON);
        let line = rc_status(lab, "foo");
        assert!(
            line.contains("started 00:00:") && line.contains("(1)"),
            "{line}"
        );
        let is_second = |text: &[u8]| text == second.to_string().as_bytes();
        lab.wait_for_file("/run/openrc/options/foo/child_pid", is_second, SOON);
        assert!(lab.sh("rc-status -S").ok().contains("foo"));
    });
}

#[test]
fn status_has_the_words_and_codes_of_openrc() {
    each_shell(|lab| {
        supervised(lab, "foo", "");
        let output = rc(lab, "foo", "status");
        assert_eq!(output.code(), 3);
        assert_eq!(output.all(), " * status: stopped\n");
        let daemon = start(lab, "foo");
        let output = rc(lab, "foo", "status");
        assert_eq!(output.code(), 0);
        assert!(output.all().starts_with(" * status: started\n"), "{output}");
        assert!(output.all().contains(&daemon.to_string()), "{output}");
        rc(lab, "foo", "stop").ok();
        let output = rc(lab, "foo", "status");
        assert_eq!(
            (output.code(), output.all().as_str()),
            (3, " * status: stopped\n")
        );
    });
}

#[test]
fn while_it_starts_and_stops_status_says_so() {
    each_shell(|lab| {
        lab.sh("mkfifo /tmp/gate").ok();
        let hooks = "start_post() { echo x >/tmp/at; read line </tmp/gate; }\n\
                     stop_pre() { echo x >/tmp/at; read line </tmp/gate; }\n";
        lab.service("foo", &format!("{}{hooks}", openrc::RECORDED));
        lab.conf("foo", openrc::INTERNAL);
        for (command, word, code) in [("start", "starting", 8), ("stop", "stopping", 4)] {
            let job = lab.spawn(&format!("rc-service foo {command}"));
            lab.wait_for_lines("/tmp/at", 1, SOON);
            let output = rc(lab, "foo", "status");
            assert_eq!(output.code(), code, "{output}");
            assert!(
                output.all().contains(&format!("status: {word}")),
                "{output}"
            );
            lab.sh("rm /tmp/at; echo go >/tmp/gate").ok();
            job.wait(SOON).ok();
        }
    });
}

#[test]
fn in_the_pause_before_a_respawn_it_is_started_and_status_tells_more() {
    each_shell(|lab| {
        supervised(lab, "foo", "respawn_delay=4242\nrespawn_max=7\n");
        let daemon = start(lab, "foo");
        lab.kill(daemon, KILL);
        lab.wait_dead(daemon, SOON);
        let output = until("status tells of the pause", SOON, || {
            let output = rc(lab, "foo", "status");
            output.all().contains(" * restarting in").then_some(output)
        });
        assert_eq!(output.code(), 0, "{output}");
        assert!(output.all().contains("status: started"), "{output}");
        assert!(output.all().contains("1 of 7"), "{output}");
        assert!(
            rc_status(lab, "foo").contains("started"),
            "{}",
            rc_status(lab, "foo")
        );
        // Nobody takes that for a crash.
        lab.sh("rc-service --ifcrashed foo restart");
        assert_eq!(spawn_count(lab, "foo"), 1);
    });
}

#[test]
fn after_giving_up_it_is_failed_and_a_start_begins_anew() {
    each_shell(|lab| {
        supervised(
            lab,
            "foo",
            "respawn_delay=0\nrc_supervise_min_interval=0\nrespawn_max=2\n",
        );
        lab.write("/tmp/foo/exit", "3", 0o644);
        rc(lab, "foo", "start");
        spawns(lab, "foo", 3);
        until("foo is failed", SOON, || {
            rc_status_now(lab, "foo").filter(|line| line.contains("failed"))
        });
        let output = rc(lab, "foo", "status");
        assert_eq!(output.code(), 3, "{output}");
        assert!(output.all().contains("status: stopped"), "{output}");
        assert!(
            output.all().contains(" * gave up after 2 restarts"),
            "{output}"
        );
        assert!(output.all().contains("exited 3"), "{output}");
        assert!(!lab.exists("/run/openrc/started/foo"));
        assert_eq!(spawn_count(lab, "foo"), 3);

        lab.sh("rm /tmp/foo/exit").ok();
        rc(lab, "foo", "start").ok();
        spawns(lab, "foo", 4);
        assert_eq!(rc(lab, "foo", "status").code(), 0);
        let line = rc_status(lab, "foo");
        assert!(line.contains("started"), "{line}");
    });
}

#[test]
fn without_a_supervisor_it_is_unsupervised_until_somebody_asks() {
    each_shell(|lab| {
        supervised(lab, "foo", AT_ONCE);
        let daemon = start(lab, "foo");
        kill_supervisors(lab);
        assert!(alive(lab, daemon));
        let line = rc_status(lab, "foo");
        assert!(line.contains("unsupervised"), "{line}");
        // Who asks brings a supervisor, which goes on with it.
        let output = rc(lab, "foo", "status");
        assert_eq!(output.code(), 0, "{output}");
        assert!(output.all().contains(&format!("pid {daemon},")), "{output}");
        let line = rc_status(lab, "foo");
        assert!(line.contains("started"), "{line}");

        // So does the start of another service.
        kill_supervisors(lab);
        supervised(lab, "bar", "");
        start(lab, "bar");
        let output = rc(lab, "foo", "stop");
        assert_eq!(output.code(), 0, "{output}");
        assert!(!alive(lab, daemon), "{output}");
        assert_eq!(rc(lab, "foo", "status").code(), 3);
        assert_eq!(spawn_count(lab, "foo"), 1);
    });
}

#[test]
fn without_a_supervisor_a_restart_makes_no_second_daemon() {
    each_shell(|lab| {
        supervised(lab, "foo", AT_ONCE);
        let first = start(lab, "foo");
        kill_supervisors(lab);
        rc(lab, "foo", "restart").ok();
        let second = spawns(lab, "foo", 2)[1];
        assert!(!alive(lab, first) && alive(lab, second));
        assert_eq!(rc(lab, "foo", "status").code(), 0);
    });
}

#[test]
fn without_a_supervisor_nothing_forgotten_by_openrc_is_doubled() {
    each_shell(|lab| {
        supervised(lab, "foo", AT_ONCE);
        let first = start(lab, "foo");
        kill_supervisors(lab);
        rc(lab, "foo", "zap").ok();
        rc(lab, "foo", "start").ok();
        assert!(alive(lab, first));
        assert_eq!(spawn_count(lab, "foo"), 1);
        assert_eq!(rc(lab, "foo", "status").code(), 0);
    });
}

#[test]
fn what_ended_while_nobody_looked_after_it_is_run_again_by_any_command() {
    each_shell(|lab| {
        supervised(lab, "foo", AT_ONCE);
        let first = start(lab, "foo");
        lab.sh("rc-service --ifcrashed foo restart");
        assert_eq!(spawn_count(lab, "foo"), 1, "nothing has crashed");
        kill_supervisors(lab);
        lab.kill(first, KILL);
        lab.wait_dead(first, SOON);
        // Which begins the supervisor again, and that goes on with the service.
        rc(lab, "foo", "status").ok();
        let second = spawns(lab, "foo", 2)[1];
        lab.sh("rc-service --ifcrashed foo restart");
        assert!(alive(lab, second));
        assert_eq!(spawn_count(lab, "foo"), 2);
        assert_eq!(rc(lab, "foo", "status").code(), 0);
    });
}

#[test]
fn anybody_may_ask_for_the_status() {
    each_shell(|lab| {
        supervised(lab, "foo", "");
        start(lab, "foo");
        let nobody = |command: &[&str]| {
            let drop = [
                "setpriv",
                "--reuid=65534",
                "--regid=65534",
                "--clear-groups",
            ];
            lab.run(drop.iter().chain(command)).output()
        };
        let output = nobody(&["rc-service", "foo", "status"]);
        assert_eq!(output.code(), 0, "{output}");
        assert!(output.all().contains("status: started"), "{output}");
        let output = nobody(&["rc-sv-loader", "status"]);
        assert_eq!(output.code(), 0, "{output}");
        assert!(output.all().contains("foo"), "{output}");
        assert!(!nobody(&["rc-service", "foo", "stop"]).status.success());
        assert_eq!(rc(lab, "foo", "status").code(), 0);
        kill_supervisors(lab);
        let output = nobody(&["rc-service", "foo", "status"]);
        assert_eq!(output.code(), 64, "{output}");
    });
}
