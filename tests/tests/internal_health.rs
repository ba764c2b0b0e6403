//! Whether a service works: checks, the watchdog, memory, and what comes after giving up.

mod internal;
mod openrc;

use internal::{probe, start_count, starts, until_failed, until_status as until, AT_ONCE, PROBE};
use openrc::{rc, INTERNAL, SOON};
use rc_sv_tests::Lab;

const USR1: i32 = 10;

/// A check that passes while a file is there.
const FILE: &str = "exec:'/usr/bin/test -e /tmp/well'";

/// Two failures in a row are one too many; checked often.
const OFTEN: &str = "interval=100ms timeout=1m failures=2";

fn pid(lab: &Lab, service: &str, nth: usize) -> i32 {
    starts(lab, service, nth)[nth - 1].pid()
}

/// Waits until the service is up with another process. Its end may be seen later than here.
fn until_another(lab: &Lab, service: &str, old: i32) {
    rc_sv_tests::lab::until("another process", SOON, || {
        let said = lab.sh(&format!("rc-sv-loader status {service} --json"));
        let status: serde_json::Value = serde_json::from_str(&said.stdout).ok()?;
        (status["state"] == "up" && status["pid"] != old).then_some(())
    });
}

#[test]
fn an_unhealthy_service_is_told_of_then_stopped_then_respawned() {
    let lab = Lab::new();
    lab.write("/tmp/well", "", 0o644);
    lab.write(
        "/usr/local/bin/note",
        "#!/bin/sh\necho $RC_SVCNAME $SERVICE_RESULT >>/tmp/notes\n",
        0o755,
    );
    let conf = format!(
        "{AT_ONCE}rc_supervise_health=\"{FILE} {OFTEN}\"\nrc_supervise_unhealthy=note\n\
         rc_supervise_finish=note\n"
    );
    probe(&lab, "sick", "", &conf);
    rc(&lab, "sick", "start").ok();
    lab.sh("rm /tmp/well").ok();
    starts(&lab, "sick", 2);
    lab.write("/tmp/well", "", 0o644);
    let notes = lab.wait_for_lines("/tmp/notes", 2, SOON);
    assert_eq!(
        notes[..2],
        ["sick unhealthy", "sick unhealthy"],
        "and the finish command"
    );
    let signals = lab.report("/tmp/sick", "signal", 1, SOON);
    assert_eq!(signals[0].number("number"), 15);
}

#[test]
fn an_alert_says_so_and_nothing_else() {
    let lab = Lab::new();
    let conf = format!("rc_supervise_health=\"{FILE} {OFTEN} action=alert\"\n");
    probe(&lab, "alert", "", &conf);
    rc(&lab, "alert", "start").ok();
    until(&lab, "alert", "unhealthy: /usr/bin/test: exited 1");
    let json = lab.sh("rc-sv-loader status alert --json").ok();
    assert!(
        json.contains("\"healthy\":false") || json.contains("\"healthy\": false"),
        "{json}"
    );
    lab.write("/tmp/well", "", 0o644);
    let deadline = std::time::Instant::now() + SOON;
    while internal::status(&lab, "alert").contains("unhealthy") {
        assert!(std::time::Instant::now() < deadline);
    }
    assert_eq!(starts(&lab, "alert", 1).len(), 1);
}

#[test]
fn a_hung_check_is_killed_and_delays_neither_respawn_nor_stop() {
    let lab = Lab::new();
    lab.write(
        "/usr/local/bin/hang",
        "#!/bin/sh\necho $$ >>/tmp/pids\nexec sleep 4243\n",
        0o755,
    );
    let check = "exec:/usr/local/bin/hang interval=50ms timeout=1h";
    let conf = format!("{AT_ONCE}rc_supervise_health=\"{check}\"\n");
    probe(&lab, "hung", "", &conf);
    rc(&lab, "hung", "start").ok();
    let first = lab.wait_for_lines("/tmp/pids", 1, SOON)[0].parse().unwrap();
    lab.kill(pid(&lab, "hung", 1), openrc::KILL);
    starts(&lab, "hung", 2);
    lab.wait_dead(first, SOON);
    lab.wait_for_lines("/tmp/pids", 2, SOON);
    rc(&lab, "hung", "stop").ok();
    let conf =
        "rc_supervise_health='exec:/usr/local/bin/hang interval=50ms timeout=100ms failures=1'\n";
    probe(&lab, "slow", "", &format!("{AT_ONCE}{conf}"));
    rc(&lab, "slow", "start").ok();
    starts(&lab, "slow", 2);
}

#[test]
fn a_check_that_cannot_be_made_is_no_failure() {
    let lab = Lab::new();
    let check = "exec:/usr/local/bin/absent interval=50ms failures=1;exec:/usr/local/bin/count interval=50ms";
    lab.write(
        "/usr/local/bin/count",
        "#!/bin/sh\necho >>/tmp/count\n",
        0o755,
    );
    lab.write("/usr/local/bin/absent", "#!/bin/sh\n", 0o755);
    probe(
        &lab,
        "blind",
        "",
        &format!("rc_supervise_health='{check}'\n"),
    );
    rc(&lab, "blind", "start").ok();
    lab.sh("rm /usr/local/bin/absent").ok();
    lab.wait_for_lines("/tmp/count", 10, SOON);
    assert_eq!(starts(&lab, "blind", 1).len(), 1);
    rc(&lab, "blind", "status").ok();
}

#[test]
fn the_functions_of_the_runscript_are_called_also_with_commands_of_its_own() {
    openrc::shells(|shell| {
        let lab = Lab::builder().shell(shell).build();
        let script = format!(
            "command={PROBE}\ncommand_args='--report /tmp/own'\nextra_commands=greet\n\
             greet() {{ echo hello; }}\nhealthcheck() {{ test -e /tmp/well; }}\n\
             unhealthy() {{ echo called >>/tmp/unhealthy; }}\n"
        );
        lab.service("own", &script);
        lab.write("/tmp/well", "", 0o644);
        let conf = format!("{INTERNAL}{AT_ONCE}healthcheck_timer=0.2\n");
        lab.conf("own", &conf);
        rc(&lab, "own", "start").ok();
        lab.sh("rm /tmp/well").ok();
        lab.wait_for_lines("/tmp/unhealthy", 1, SOON);
        starts(&lab, "own", 2);
        let greeting = rc(&lab, "own", "greet").ok();
        assert!(greeting.contains("hello"), "{greeting}");
        rc(&lab, "own", "stop").ok();
    });
}

#[test]
fn a_real_daemon_that_stops_working_is_replaced() {
    let lab = Lab::new();
    let redis =
        "command=/usr/bin/redis-server\ncommand_args='--port 7003 --save \"\" --pidfile /tmp/pid'";
    lab.service("redis", redis);
    // Long enough that it fails of nothing else.
    let check = "tcp:7003 interval=1h;exec:'/usr/bin/redis-cli -p 7003 ping' interval=200ms \
                 timeout=10s failures=2";
    let conf = format!(
        "{INTERNAL}{AT_ONCE}rc_supervise_ready=tcp:7003\nrc_supervise_health=\"{check}\"\n"
    );
    lab.conf("redis", &conf);
    rc(&lab, "redis", "start").ok();
    // It may listen before it has written that.
    let pid = |path: &str| -> i32 {
        let line = lab.wait_for_lines(path, 1, SOON).remove(0);
        line.parse().expect("a pid")
    };
    let old = pid("/tmp/pid");
    // It runs and accepts connections, and answers nobody.
    lab.sh(&format!("kill -STOP {old}")).ok();
    lab.wait_dead(old, 2 * SOON);
    until_another(&lab, "redis", old);
    rc_sv_tests::lab::until("an answer", SOON, || {
        let pong = lab.sh("redis-cli -p 7003 ping").all();
        pong.contains("PONG").then_some(())
    });

    lab.service(
        "nginx",
        "command=/usr/sbin/nginx\ncommand_args_foreground=\"-c /tmp/nginx.conf -g 'daemon off;'\"",
    );
    let answers =
        "error_log /dev/null; pid /tmp/nginx.pid; events {} http { access_log off; server { \
                   listen 7004; location / { if (-f /tmp/broken) { return 503; } return 204; } } }";
    lab.write("/tmp/nginx.conf", answers, 0o644);
    let url = "http://localhost:7004/";
    let conf = format!("{INTERNAL}{AT_ONCE}rc_supervise_ready={url}\nrc_supervise_health='{url} interval=100ms timeout=1m failures=2'\n");
    lab.conf("nginx", &conf);
    rc(&lab, "nginx", "start").ok();
    let old = pid("/tmp/nginx.pid");
    lab.write("/tmp/broken", "", 0o644);
    lab.wait_dead(old, SOON);
    lab.sh("rm /tmp/broken").ok();
    until_another(&lab, "nginx", old);
}

#[test]
fn a_missed_watchdog_is_an_abort_and_a_respawn() {
    let lab = Lab::new();
    let conf = format!(
        "{AT_ONCE}rc_ulimit='-c 0'\nnotify=socket:ready\nrc_supervise_watchdog=500ms\n\
         rc_supervise_policy=on-abnormal\n"
    );
    probe(&lab, "dog", "--notify READY=1 --on USR1=WATCHDOG=1", &conf);
    rc(&lab, "dog", "start").ok();
    starts(&lab, "dog", 2);
    let signals = lab.report("/tmp/dog", "signal", 1, SOON);
    assert_eq!(signals[0].number("number"), 6, "ABRT");
    // One that says that it is alive is left alone, and one that asks for it is not.
    let conf = format!(
        "{AT_ONCE}rc_ulimit='-c 0'\nnotify=socket:ready\nrc_supervise_watchdog_signal=QUIT\n"
    );
    probe(
        &lab,
        "self",
        "--notify WATCHDOG_USEC=0%nREADY=1 --on USR1=WATCHDOG=trigger",
        &conf,
    );
    rc(&lab, "self", "start").ok();
    lab.kill(pid(&lab, "self", 1), USR1);
    starts(&lab, "self", 2);
}

#[test]
fn one_that_uses_too_much_memory_is_stopped_in_good_order() {
    let lab = Lab::new();
    probe(
        &lab,
        "fat",
        "",
        &format!("{AT_ONCE}rc_supervise_memory_limit=1K\n"),
    );
    rc(&lab, "fat", "start").ok();
    starts(&lab, "fat", 2);
    let signals = lab.report("/tmp/fat", "signal", 1, SOON);
    assert_eq!(signals[0].number("number"), 15);
}

#[test]
fn one_that_was_given_up_is_tried_again_and_another_takes_its_place() {
    let lab = Lab::new();
    probe(&lab, "spare", "", "");
    let conf = format!(
        "{AT_ONCE}respawn_max=1\nrc_supervise_retry_after=500ms\nrc_supervise_alternate=spare\n"
    );
    probe(&lab, "main", "--exit 3 --unless /tmp/repaired", &conf);
    rc(&lab, "main", "start").ok();
    until_failed(&lab, "main");
    starts(&lab, "spare", 1);
    starts(&lab, "main", 4);
    lab.write("/tmp/repaired", "", 0o644);
    // One that was begun before may have failed meanwhile, and is tried again.
    rc_sv_tests::lab::until("it is well", SOON, || {
        let is_started = internal::status(&lab, "main").contains("status: started");
        (is_started && !internal::failed(&lab, "main")).then_some(())
    });
    rc(&lab, "main", "stop").ok();
    assert_eq!(start_count(&lab, "spare"), 1);
}

#[test]
fn another_that_cannot_take_its_place_is_told_of() {
    let lab = Lab::new();
    let conf = format!("{AT_ONCE}respawn_max=1\nrc_supervise_alternate=nosuch\n");
    probe(&lab, "main", "--exit 3", &conf);
    rc(&lab, "main", "start").ok();
    until(&lab, "main", "rc_supervise_alternate: exited 1");
}

#[test]
fn what_is_no_check_is_refused() {
    let lab = Lab::new();
    for (service, conf, words) in [
        ("a", "rc_supervise_health='udp:5'", "must be hook, tcp:"),
        (
            "b",
            "rc_supervise_health='tcp:80 every=5'",
            "must be one of the options",
        ),
        (
            "c",
            "rc_supervise_unhealthy=/nowhere",
            "rc_supervise_unhealthy",
        ),
        ("d", "rc_supervise_alternate=d", "must be another service"),
        (
            "e",
            "rc_supervise_memory_limit=lots",
            "must be a size such as",
        ),
    ] {
        probe(&lab, service, "", conf);
        let failed = rc(&lab, service, "start");
        assert!(
            failed.code() != 0 && failed.all().contains(words),
            "{}",
            failed.all()
        );
    }
}
