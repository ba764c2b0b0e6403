//! What the tests of the monit module share: a lab in which Debian's monit runs, or can.
#![allow(dead_code)] // Each test file uses a part of it.

#[path = "../openrc/mod.rs"]
pub mod openrc;

use openrc::{rc, SOON};
use rc_sv_tests::lab::until;
use rc_sv_tests::{Job, Lab};

/// The program that reports how it was started and does as it is told.
pub const PROBE: &str = "/usr/lib/rc-sv-tests/probe-daemon";

/// No pause between two runs but that of monit.
pub const AT_ONCE: &str = "respawn_delay=0\nrc_supervise_min_interval=0\n";

/// monit's own control file, as administrators are told to write it.
const CONTROL: &str = include_str!("../../../examples/monit/monitrc");

/// A lab in which monit can be run.
pub fn lab() -> Lab {
    lab_with("")
}

/// The same, with further lines of monit's control file.
pub fn lab_with(lines: &str) -> Lab {
    let lab = Lab::new();
    let quick = CONTROL.replace("set daemon 5", "set daemon 1");
    let logged = quick.replace("set log syslog", "set log /tmp/monit.log");
    assert!(logged != quick && quick != CONTROL, "{CONTROL}");
    lab.sh("mkdir -p /var/lib/monit").ok();
    lab.write("/etc/monitrc", format!("{logged}{lines}"), 0o600);
    lab
}

/// Runs monit, and waits until it answers.
#[track_caller]
pub fn monit(lab: &Lab) -> Job<'_> {
    let job = lab.run(["monit", "-Ic", "/etc/monitrc"]).spawn();
    until("monit", SOON, || {
        (ask(lab, &["summary"]).code() == 0).then_some(())
    });
    job
}

/// `monit COMMAND...`, which asks the monit that runs.
pub fn ask(lab: &Lab, command: &[&str]) -> rc_sv_tests::Output {
    let words = ["monit", "-c", "/etc/monitrc"];
    lab.run(words.iter().chain(command)).output()
}

/// The pid of the monit that runs. A monit that reloads opens its file anew before it writes there.
#[track_caller]
pub fn monit_pid(lab: &Lab) -> i32 {
    until("the pid of monit", SOON, || {
        let text = lab.try_read("/run/monit.pid").ok()?;
        String::from_utf8_lossy(&text).trim().parse().ok()
    })
}

/// Defines `service` under monit: the probe daemon with `args`, which reports to /tmp/SERVICE, in
/// the background by OpenRC, with more lines of conf.d. Each run of the script is noted.
#[track_caller]
pub fn simple(lab: &Lab, service: &str, args: &str, conf: &str) {
    let script = format!(
        "command={PROBE}\ncommand_args=\"--report /tmp/$RC_SVCNAME {args}\"\n\
         command_background=yes\npidfile=/run/$RC_SVCNAME.pid\n{NOTED}{EXECUTED}"
    );
    lab.service(service, &script);
    lab.conf(service, &format!("rc_supervise_module=monit\n{conf}\n"));
}

/// The part of a script that waits until its daemon has executed its program, and the first one has
/// reported, whoever makes it. By that OpenRC looks
/// for it, so a stop that follows at once, as when monit may not watch it, would not find it.
const EXECUTED: &str = "start_post() {\n\
    for look in $(seq 200); do\n\
    read -r pid <$pidfile && read -r name </proc/$pid/comm || name=\n\
    [ -s $pidfile ] && [ -s /tmp/$RC_SVCNAME ] && [ \"$name\" != start-stop-daem ] && return\n\
    sleep 0.05\ndone 2>/dev/null\n}\n";

/// The part of a script that notes its runs.
pub const NOTED: &str = "start_pre() { echo run >>/tmp/$RC_SVCNAME.runs; }\n";

/// How often the script of `service` has run.
pub fn runs(lab: &Lab, service: &str) -> usize {
    let noted = lab.try_read(format!("/tmp/{service}.runs"));
    noted.map_or(0, |noted| {
        noted.iter().filter(|byte| **byte == b'\n').count()
    })
}

/// The control file that we have made for `service`.
pub fn control_file(service: &str) -> String {
    format!("/run/openrc-monit/{service}.monitrc")
}

/// Whether monit says that it watches `service`.
pub fn is_watched(lab: &Lab, service: &str) -> bool {
    let said = ask(lab, &["status", service]).all();
    let line = said.lines().find(|line| line.contains("monitoring status"));
    line.is_some_and(|line| !line.contains("Not monitored"))
}

/// Waits until monit says that it watches `service`: it may be at it, or too busy to answer.
#[track_caller]
pub fn until_watched(lab: &Lab, service: &str) {
    until("monit's watch", SOON, || {
        is_watched(lab, service).then_some(())
    });
}

/// Waits until it says so no more.
#[track_caller]
pub fn until_unwatched(lab: &Lab, service: &str) {
    until("no watch", SOON, || {
        (!is_watched(lab, service)).then_some(())
    });
}

/// `monit ORDER SERVICE`. While it still has another order in hand, monit refuses one.
#[track_caller]
pub fn order(lab: &Lab, order: &str, service: &str) {
    until("nothing in hand", SOON, || {
        let said = ask(lab, &["status", service]);
        (said.code() == 0 && !said.all().contains(" pending")).then_some(())
    });
    ask(lab, &[order, service]).ok();
}

/// Waits until OpenRC's status of `service` has this exit code.
#[track_caller]
pub fn until_code(lab: &Lab, service: &str, code: i32) {
    until("its status", SOON, || {
        (rc(lab, service, "status").code() == code).then_some(())
    });
}

/// One instance runs, OpenRC calls the service started, and its script ran `runs` times.
#[track_caller]
pub fn assert_one(lab: &Lab, service: &str, count: usize) -> i32 {
    let pids = lab.pids("probe-daemon");
    assert_eq!(pids.len(), 1, "{pids:?}");
    let status = rc(lab, service, "status");
    assert_eq!(status.code(), 0, "{status}");
    assert_eq!(runs(lab, service), count, "runs of the script");
    pids[0]
}

/// No daemon is left. One that is dying can still be seen when start-stop-daemon sees it no more.
#[track_caller]
pub fn no_daemon(lab: &Lab) {
    until("no daemon", SOON, || {
        lab.pids("probe-daemon").is_empty().then_some(())
    });
}

/// Nothing runs, OpenRC calls the service stopped, and its script ran `runs` times.
#[track_caller]
pub fn assert_none(lab: &Lab, service: &str, count: usize) {
    no_daemon(lab);
    assert_eq!(rc(lab, service, "status").code(), 3);
    assert_eq!(runs(lab, service), count, "runs of the script");
    assert!(!lab.exists(control_file(service)));
}

/// The starts of a service, when there are at least `count`.
#[track_caller]
pub fn starts(lab: &Lab, service: &str, count: usize) -> Vec<rc_sv_tests::Line> {
    lab.report(&format!("/tmp/{service}"), "start", count, SOON)
}

/// Waits until the module says so of the service.
#[track_caller]
pub fn until_status(lab: &Lab, service: &str, words: &str) -> String {
    until(words, SOON, || {
        let said = lab.run(["rc-sv-loader", "status", service]).output().all();
        said.contains(words).then_some(said)
    })
}
