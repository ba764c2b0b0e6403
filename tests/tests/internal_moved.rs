//! Main processes that are not those that were started: daemons that go into the background, and
//! `MAINPID=`.

mod internal;
mod openrc;

use internal::{failed, starts, status, until_failed, until_status as until, AT_ONCE, PROBE};
use openrc::{alive, rc, INTERNAL, KILL, SOON};
use rc_sv_tests::Lab;

/// A pid file with another pid than `old`.
fn new_pid(lab: &Lab, path: &str, old: i32) -> i32 {
    let is_new = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        text.ends_with('\n') && text.trim().parse::<i32>().is_ok_and(|pid| pid != old)
    };
    let bytes = lab.wait_for_file(path, is_new, SOON);
    String::from_utf8_lossy(&bytes).trim().parse().unwrap()
}

#[test]
fn a_real_daemon_in_the_background_is_started_respawned_and_stopped() {
    let lab = Lab::new();
    let conf =
        "error_log /dev/null; pid /run/nginx.pid; events {} http { access_log off; server { \
                listen 7010; location / { return 204; } } }";
    lab.write("/tmp/nginx.conf", conf, 0o644);
    lab.service(
        "nginx",
        "command=/usr/sbin/nginx\ncommand_args='-c /tmp/nginx.conf'\npidfile=/run/nginx.pid",
    );
    lab.service(
        "redis",
        "command=/usr/bin/redis-server\npidfile=/run/redis.pid\n\
         command_args='--daemonize yes --port 7011 --save \"\" --pidfile /run/redis.pid'",
    );
    for service in ["nginx", "redis"] {
        let path = format!("/run/{service}.pid");
        // One that an earlier boot has left tells of nobody here.
        lab.write(&path, "1\n", 0o644);
        lab.conf(
            service,
            &format!("{INTERNAL}{AT_ONCE}rc_supervise_ready=pidfile\n"),
        );
        rc(&lab, service, "start").ok();
        let first = new_pid(&lab, &path, 1);
        assert!(
            status(&lab, service).contains(&format!("pid {first}")),
            "{service}"
        );
        lab.kill(first, KILL);
        let second = new_pid(&lab, &path, first);
        until(&lab, service, &format!("pid {second}"));
        until(&lab, service, "1 restart");
        rc(&lab, service, "stop").ok();
        assert!(!alive(&lab, second), "{service}");
    }
    // The children that they had are reaped a little later.
    rc_sv_tests::lab::until("no zombie", SOON, || {
        let zombies = lab.sh("ps -eo stat= | grep -c '^Z' || :").ok();
        (zombies.trim() == "0").then_some(())
    });
}

#[test]
fn a_daemon_that_does_not_write_its_pid_file_is_a_failed_start() {
    let lab = Lab::new();
    for (service, args, millis, words) in [
        ("never", "", 500, "not ready within 500 ms"),
        ("quits", "--exit 0", 60_000, ""),
        ("fails", "--exit 4", 60_000, "exited 4 before it was ready"),
    ] {
        let script = format!("command={PROBE}\ncommand_args='{args}'\npidfile=/run/{service}.pid");
        lab.service(service, &script);
        let conf = format!("rc_supervise_ready=pidfile\ntimeout_ready={millis}\n");
        lab.conf(service, &format!("{INTERNAL}{conf}"));
        let said = rc(&lab, service, "start");
        assert!(
            said.code() != 0 && said.all().contains(words),
            "{}",
            said.all()
        );
        assert_eq!(rc(&lab, service, "status").code(), 3);
    }
    lab.service("none", &format!("command={PROBE}"));
    lab.conf("none", &format!("{INTERNAL}rc_supervise_ready=pidfile\n"));
    let said = rc(&lab, "none", "start").all();
    assert!(said.contains("needs pidfile"), "{said}");
}

#[test]
fn a_service_can_name_another_main_process_of_its_own_only() {
    let lab = Lab::new();
    let script = format!(
        "#!/bin/sh\n{PROBE} --report /tmp/moved --notify MAINPID=1%nSTATUS=first \
         --notify MAINPID=%p%nREADY=1 &\nread x </tmp/go\nexit 0\n"
    );
    lab.sh("mkfifo /tmp/go").ok();
    lab.write("/usr/local/bin/two", &script, 0o755);
    lab.service("two", "command=/usr/local/bin/two");
    let conf = "rc_supervise_prevent_codes=9\nnotify=socket:ready\n";
    lab.conf("two", &format!("{INTERNAL}{AT_ONCE}{conf}"));
    rc(&lab, "two", "start").ok();
    let main = starts(&lab, "moved", 1)[0].pid();
    assert!(status(&lab, "two").contains(&format!("pid {main}")));
    // The one that was started goes, and nothing has ended.
    lab.sh("echo >/tmp/go").ok();
    let text = status(&lab, "two");
    assert!(
        text.contains("status: started") && text.contains(&format!("pid {main}")),
        "{text}"
    );
    lab.kill(main, KILL);
    until(&lab, "two", "1 restart");
    let second = starts(&lab, "moved", 2)[1].pid();
    until(&lab, "two", &format!("pid {second}"));
    rc(&lab, "two", "stop").ok();
    assert!(!alive(&lab, second));
}

#[test]
fn the_exit_of_a_process_that_is_nobodys_child_is_told() {
    let lab = Lab::new();
    let script = format!(
        "#!/bin/sh\n{PROBE} --report /tmp/code --notify MAINPID=%p%nREADY=1 --exit-on TERM=9 &\n\
         read x </tmp/go\nexit 0\n"
    );
    lab.sh("mkfifo /tmp/go").ok();
    lab.write("/usr/local/bin/gone", &script, 0o755);
    lab.service("gone", "command=/usr/local/bin/gone");
    let conf = "rc_supervise_prevent_codes=9\nnotify=socket:ready\n";
    lab.conf("gone", &format!("{INTERNAL}{AT_ONCE}{conf}"));
    rc(&lab, "gone", "start").ok();
    lab.kill(starts(&lab, "code", 1)[0].pid(), 15);
    until_failed(&lab, "gone");
    assert!(failed(&lab, "gone"));
    let said = lab.sh("rc-sv-loader status gone || :").ok();
    assert!(said.contains("exited 9"), "{said}");
}
