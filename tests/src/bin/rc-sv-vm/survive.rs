//! Supervisor and guardian are killed on a kernel that may know neither signals to the group of a
//! pidfd (6.9) nor the end of a process that is nobody's child (6.15): Debian's 6.1 does not.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

use nix::sys::signal::Signal::{SIGCONT, SIGKILL, SIGSTOP, SIGUSR1};
use rc_sv_tests::lab::until;

use crate::machine::{called, exists, is_alive, kill_and_wait, ok, send, Service, AT_ONCE, SOON};

/// The one process of this name.
#[track_caller]
fn one(name: &str) -> i32 {
    until(&format!("one {name}"), SOON, || match called(name)[..] {
        [pid] => Some(pid),
        _ => None,
    })
}

#[track_caller]
pub fn guardian() -> i32 {
    one("rc-sv-guardian")
}

#[track_caller]
pub fn supervisor() -> i32 {
    one("rc-sv-superviso")
}

/// Kills the supervisor, does something while there is none, and waits for the next one.
fn without_supervisor(act: impl FnOnce()) {
    let (guardian, old) = (guardian(), supervisor());
    send(guardian, SIGSTOP);
    kill_and_wait(old);
    act();
    send(guardian, SIGCONT);
    until("another supervisor", SOON, || {
        (!called("rc-sv-superviso").is_empty()).then_some(())
    });
}

/// Kills both, neither of which sees the other one die.
pub fn kill_both() {
    let both = [guardian(), supervisor()];
    both.iter().for_each(|pid| send(*pid, SIGSTOP));
    both.into_iter().for_each(kill_and_wait);
}

/// Whoever is killed, in whichever order, nothing is disturbed, doubled or forgotten.
pub fn nobody_notices() {
    let names = ["plain", "grouped", "ready"];
    let confs = ["", "rc_supervise_kill_mode=group\n", "notify=fd:3\n"];
    let args = ["", "--fork plain", "--write 3=ok%n"];
    let service = |at: usize| Service::probe(names[at], args[at], &[AT_ONCE, confs[at]].concat());
    let services = [0, 1, 2].map(service);
    for service in &services {
        service.start();
    }
    for round in 1..=3 {
        let pids = services
            .each_ref()
            .map(|it| it.starts(round)[round - 1].pid());
        without_supervisor(|| ());
        let next = supervisor();
        kill_and_wait(guardian());
        until("the supervisor is the guardian", SOON, || {
            (guardian() == next).then_some(())
        });
        supervisor();
        kill_both();
        assert!(pids.into_iter().all(is_alive), "{round}");
        for (service, pid) in services.iter().zip(pids) {
            let said = service.until_status(&["  up  ", &format!("pid {pid} ")]);
            assert_eq!(service.reports("start").len(), round, "{said}");
        }
        pids.into_iter().for_each(kill_and_wait);
    }
    for service in services {
        let last = service.starts(4)[3].pid();
        service.stop();
        assert!(!is_alive(last));
        assert_eq!(service.reports("start").len(), 4);
    }
    assert!(
        called("probe-daemon").len() <= 4,
        "those of the boot, and their children"
    );
}

/// An end that no supervisor saw is told by the guardian; where nobody saw it, as unknown.
pub fn an_end_that_nobody_saw() {
    let service = Service::probe("unseen", "--exit-on USR1=7", "respawn_delay=3600\n");
    service.start();
    let daemon = service.starts(1)[0].pid();
    without_supervisor(|| {
        send(daemon, SIGUSR1);
        until("its end", SOON, || (!is_alive(daemon)).then_some(()));
    });
    service.until_status(&["  waiting  "]);
    assert!(service.json().contains("exited 7"), "{}", service.json());
    ok("rc-service unseen restart");
    let daemon = service.starts(2)[1].pid();
    kill_both();
    send(daemon, SIGUSR1);
    until("it is reaped", SOON, || {
        (!exists(format!("/proc/{daemon}"))).then_some(())
    });
    service.until_status(&["  waiting  "]);
    assert!(service.json().contains("\"unknown\""), "{}", service.json());
    service.stop();
    assert_eq!(service.reports("start").len(), 2);
}

/// The pid of a daemon that died unseen is given to a stranger, who leads a group of that number.
pub fn a_stranger_has_its_pid() {
    let conf = format!("{AT_ONCE}rc_supervise_kill_mode=group\n");
    let service = Service::probe("recycled", "", &conf);
    service.start();
    let mut ended = Vec::new();
    for command in ["status", "restart", "stop"] {
        let daemon = until("it runs", SOON, || {
            let last = service.reports("start").last()?.pid();
            (!ended.contains(&last) && is_alive(last)).then_some(last)
        });
        ended.push(daemon);
        kill_both();
        send(daemon, SIGKILL);
        until("it is reaped", SOON, || {
            (!exists(format!("/proc/{daemon}"))).then_some(())
        });
        let mut stranger = stranger(daemon);
        ok(&format!("rc-service recycled {command}"));
        if command != "stop" {
            service.until_status(&["  up  "]);
        }
        let lives = stranger.try_wait().expect("a child").is_none();
        assert!(lives, "{command}");
        stranger
            .kill()
            .and_then(|()| stranger.wait())
            .expect("a child");
    }
    assert!(!service.status().contains("  up  "));
}

/// A process with this pid.
fn stranger(pid: i32) -> Child {
    until(&format!("pid {pid} comes again"), SOON, || {
        ok(&format!("echo {} >/proc/sys/kernel/ns_last_pid", pid - 1));
        let mut command = Command::new("/bin/sleep");
        let mut child = command
            .arg("4244")
            .process_group(0)
            .spawn()
            .expect("sleep(1)");
        if child.id() == pid as u32 {
            return Some(child);
        }
        child.kill().and_then(|()| child.wait()).expect("a child");
        None
    })
}

/// What a service leaves in sessions of its own is killed by its cgroup: before the next run, and
/// by a stop, after which the cgroup is gone.
pub fn nothing_escapes_its_cgroup() {
    let leaving = "--fork setsid --fork double --fork plain";
    let service = Service::probe("leaving", leaving, AT_ONCE);
    service.start();
    let children = |count: usize| {
        until("its children", SOON, || {
            let children = service.reports("child");
            (children.len() >= count).then(|| children.iter().map(|it| it.pid()).collect())
        })
    };
    let first: Vec<i32> = children(3);
    kill_and_wait(service.starts(1)[0].pid());
    service.starts(2);
    assert!(!first.iter().any(|pid| is_alive(*pid)));
    let all: Vec<i32> = children(6);
    service.stop();
    assert!(!all.iter().any(|pid| is_alive(*pid)));
    assert!(!exists(service.cgroup()));
}

/// Without a cgroup a stop reaches the whole process group.
pub fn a_group_is_stopped_without_a_cgroup() {
    let start = "RCSV_rc_supervise_module=internal RCSV_rc_supervise_kill_mode=group \
                 rc-sv-loader start bare -- /usr/lib/rc-sv-tests/probe-daemon --report /tmp/bare \
                 --fork plain --fork plain";
    ok(start);
    let daemon = ok("rc-sv-loader status bare");
    assert!(daemon.contains("  up  "), "{daemon}");
    let pids = || -> Vec<i32> {
        let all = ok("pgrep -f 'report /tmp/bare' || :");
        all.lines().filter_map(|line| line.parse().ok()).collect()
    };
    // The shell that asks is none of them.
    let group = until("three of them", SOON, || {
        Some(pids()).filter(|it| it.len() >= 3)
    });
    ok("rc-sv-loader stop bare");
    let left: Vec<i32> = group.into_iter().filter(|pid| is_alive(*pid)).collect();
    assert_eq!(left, [0; 0]);
}
