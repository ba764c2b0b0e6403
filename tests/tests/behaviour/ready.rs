//! When a start is over.

use super::{Scene, AT_ONCE};
use crate::suite::openrc::{KILL, SOON};
use crate::suite::PROBE;
use rc_sv_tests::lab::until;
use std::time::{Duration, Instant};

const USR1: i32 = 10;
const USR2: i32 = 12;
const TERM: i32 = 15;

pub fn a_start_waits_for_a_newline(scene: &Scene) {
    scene.service(
        "fd",
        "--write 5=o --write 5=k%nmore --close 5",
        "notify=fd:5",
    );
    scene.begin("fd");
    // Nothing can come any more, so nobody waits until time is up.
    scene.service("shut", "--write 5=ok --close 5", "notify=fd:5");
    scene.refused("shut", &["it closed its descriptor without a newline"]);
    scene.service("dead", "--exit 3", "notify=fd:5");
    scene.refused("dead", &["exited 3 before it was ready"]);
    scene.service("late", "", "notify=fd:5\ntimeout_ready=3000\nretry=TERM/5");
    scene.refused("late", &["ready"]);
    // One message is enough, and it is respawned ready.
    scene.service(
        "socket",
        "--notify READY=1%nSTATUS=serving",
        "notify=socket:ready",
    );
    let first = scene.begin("socket");
    scene.lab.kill(first.pid(), 9);
    scene.starts("socket", 2);
    scene.until_status("socket", " up ");
    for service in ["shut", "dead", "late"] {
        assert_eq!(scene.rc(service, "status").code(), 3, "{service}");
    }
    for service in ["shut", "dead", "late"] {
        // The time of the last may be over before it was executed.
        assert!(
            scene.count(service) <= 1,
            "{service}: nothing is tried again"
        );
    }
}

pub fn more_time_can_be_asked_for(scene: &Scene) {
    let more = "--notify EXTEND_TIMEOUT_USEC=120000000 --on USR1=READY=1";
    scene.service("more", more, "notify=socket:ready\ntimeout_ready=6000");
    let begun = Instant::now();
    let job = scene.lab.spawn("rc-service more start");
    let pid = scene.nth("more", 1).pid();
    // It says no more before its own time is over.
    let is_over = || (begun.elapsed() > Duration::from_secs(8)).then_some(());
    until("the end of its own time", SOON, is_over);
    scene.until_json("more", "starting", |json| json["state"] == "starting");
    scene.lab.kill(pid, USR1);
    job.wait(SOON).ok();
    // Without a further word it is over.
    let conf = "notify=socket:ready\ntimeout_ready=300\nretry=TERM/5";
    scene.service("late", "--notify EXTEND_TIMEOUT_USEC=600000", conf);
    scene.refused("late", &["ready"]);
    assert!(scene.count("late") <= 1, "it is not tried again");
}

pub fn the_older_name(scene: &Scene) {
    scene.service("foo", "--write 3=%n", "ready=fd:3");
    scene.begin("foo");
}

pub fn a_start_waits_for_an_answer(scene: &Scene) {
    scene.service(
        "foo",
        "",
        "rc_supervise_ready='exec:/usr/bin/test -e /tmp/well'",
    );
    let job = scene.lab.spawn("rc-service foo start");
    scene.starts("foo", 1);
    scene.until_json("foo", "starting", |json| json["state"] == "starting");
    scene.lab.write("/tmp/well", "", 0o644);
    job.wait(SOON).ok();
    scene.until_status("foo", " up ");
    // Each run has to become ready.
    scene.lab.sh("rm /tmp/well").ok();
    scene.lab.kill(scene.nth("foo", 1).pid(), 9);
    scene.starts("foo", 2);
    scene.until_json("foo", "starting again", |json| json["state"] == "starting");
    scene.lab.write("/tmp/well", "", 0o644);
    scene.until_status("foo", " up ");
    // Whoever does not answer in time is ended, and the words say what was found.
    scene.service(
        "late",
        "",
        "rc_supervise_ready=tcp:127.0.0.1:9\ntimeout_ready=3000\nretry=TERM/5",
    );
    scene.refused(
        "late",
        &["not ready within 3 s: tcp:127.0.0.1:9: Connection refused"],
    );
    assert!(scene.count("late") <= 1, "it is not tried again");
    // A command that is not there is told before anything runs.
    scene.service("lost", "", "rc_supervise_ready=exec:/nowhere/x");
    let wanted = "rc_supervise_ready: exec=\"/nowhere/x\": No such file or directory";
    scene.refused("lost", &[wanted]);
    assert_eq!(scene.count("lost"), 0);
}

pub fn a_daemon_goes_into_the_background(scene: &Scene) {
    let lab = &scene.lab;
    let fork = format!(
        "#!/bin/sh\n[ ! -e /tmp/broken ] || exit 0\n\
         setsid {PROBE} --report /tmp/foo </dev/null >/dev/null 2>&1 &\n\
         echo $! >/run/foo.new && mv /run/foo.new /run/foo.pid\n"
    );
    lab.write("/usr/local/bin/fork", &fork, 0o755);
    lab.service("foo", "command=/usr/local/bin/fork\npidfile=/run/foo.pid\n");
    scene.conf("foo", &format!("{AT_ONCE}rc_supervise_ready=pidfile\n"));
    let first = scene.begin("foo").pid();
    scene.until_json("foo", "the daemon", |json| {
        json["state"] == "up" && json["pid"] == first
    });
    // Its end is seen, and it is begun again in the same way.
    lab.kill(first, 9);
    let second = scene.nth("foo", 2).pid();
    scene.until_json("foo", "another daemon", |json| {
        json["state"] == "up" && json["pid"] == second
    });
    scene.rc("foo", "stop").ok();
    lab.wait_dead(second, SOON);
    assert_eq!(scene.rc("foo", "status").code(), 3);
    assert_eq!(scene.count("foo"), 2);
    // One that stays in the foreground and writes the file is the daemon itself.
    let stay = format!("#!/bin/sh\necho $$ >/run/bar.pid\nexec {PROBE} --report /tmp/bar\n");
    lab.write("/usr/local/bin/stay", &stay, 0o755);
    lab.service("bar", "command=/usr/local/bin/stay\npidfile=/run/bar.pid\n");
    scene.conf("bar", &format!("{AT_ONCE}rc_supervise_ready=pidfile\n"));
    let pid = scene.begin("bar").pid();
    scene.until_json("bar", "itself", |json| {
        json["state"] == "up" && json["pid"] == pid
    });
    // What the file of an earlier one names is none.
    lab.write("/tmp/broken", "", 0o644);
    lab.write("/run/foo.pid", "1\n", 0o644);
    scene.conf(
        "foo",
        &format!("{AT_ONCE}rc_supervise_ready=pidfile\ntimeout_ready=1500\n"),
    );
    assert_eq!(scene.rc("foo", "start").code(), 1);
    assert_eq!(scene.rc("foo", "status").code(), 3);
}

pub fn what_it_says_is_told(scene: &Scene) {
    let args = "--notify READY=1%nSTATUS=serves --on USR1=RELOADING=1%nSTATUS=reads \
                --on USR2=READY=1%nSTATUS=goes-on";
    scene.service("reload", args, "notify=socket:ready");
    let pid = scene.begin("reload").pid();
    scene.until_status("reload", "serves");
    scene.lab.kill(pid, USR1);
    scene.until_status("reload", "reloading: reads");
    scene.lab.kill(pid, USR2);
    assert!(!scene
        .until_status("reload", "goes-on")
        .contains("reloading"));
    // Why it fails is told with its end. The answer to a barrier comes when all before it was heard.
    let heard = "--barrier here --write 1=answered";
    let begin = |service: &str, args: &str, conf: &str| {
        let conf = format!("notify=socket:ready\noutput_log=/tmp/{service}.out\n{conf}");
        scene.service(service, &format!("{args} {heard}"), &conf);
        let pid = scene.begin(service).pid();
        let is_answered = |bytes: &[u8]| bytes == b"answered";
        scene
            .lab
            .wait_for_file(format!("/tmp/{service}.out"), is_answered, SOON);
        pid
    };
    let args = "--notify READY=1 --notify ERRNO=13 --exit-on TERM=9";
    let pid = begin("errno", args, "rc_supervise_prevent_codes=9");
    scene.lab.kill(pid, TERM);
    scene.until_failed("errno");
    scene.until_status("errno", "exited 9; it says: Permission denied");
    // Nobody is listened to any more.
    let args = "--notify READY=1%nSTATUS=last%nNOTIFYACCESS=none --notify STATUS=unheard";
    begin("silent", args, "");
    assert!(!scene.until_status("silent", "last").contains("unheard"));
}

pub fn another_process_becomes_the_main_one(scene: &Scene) {
    let lab = &scene.lab;
    // Process 1 is none of the service.
    let script = format!(
        "#!/bin/sh\n{PROBE} --report /tmp/two --notify MAINPID=1%nSTATUS=first \
         --notify MAINPID=%p%nREADY=1 --exit-on TERM=9 &\nread x </tmp/go\nexit 0\n"
    );
    lab.sh("mkfifo /tmp/go").ok();
    lab.write("/usr/local/bin/two", &script, 0o755);
    lab.service("two", "command=/usr/local/bin/two");
    scene.conf(
        "two",
        &format!("{AT_ONCE}notify=socket:ready\nrc_supervise_prevent_codes=9\n"),
    );
    let main = scene.begin("two").pid();
    scene.until_json("two", "the one that was named", |json| {
        json["state"] == "up" && json["pid"] == main
    });
    // The one that was started goes, and nothing has ended.
    let script = lab.sh(&format!("ps -o ppid= -p {main}")).ok();
    lab.sh("echo >/tmp/go").ok();
    lab.wait_dead(script.trim().parse().expect("a pid"), SOON);
    scene.until_json("two", "still there", |json| {
        json["state"] == "up" && json["pid"] == main && json["restarts"] == 0
    });
    lab.kill(main, KILL);
    let second = scene.nth("two", 2).pid();
    scene.until_json("two", "another one", |json| {
        json["state"] == "up" && json["pid"] == second && json["restarts"] == 1
    });
    scene.rc("two", "stop").ok();
    lab.wait_dead(second, SOON);
    assert_eq!(scene.count("two"), 2);
    assert_eq!(scene.rc("two", "status").code(), 3);
}
