//! The probe daemon: what it reports is true, and it misbehaves as told.

use std::fs;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use rc_sv_tests::lab::until;
use rc_sv_tests::Line;
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(20);

struct Probe {
    directory: TempDir,
    child: Child,
}

impl Probe {
    fn start(args: &[&str], prepare: impl FnOnce(&mut Command)) -> Probe {
        let directory = TempDir::new().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_probe-daemon"));
        command
            .arg("--report")
            .arg(directory.path().join("report"))
            .args(args);
        prepare(&mut command);
        let child = command.spawn().unwrap();
        Probe { directory, child }
    }

    fn lines(&self, kind: &str, count: usize) -> Vec<Line> {
        until(kind, SOON, || {
            let text = fs::read_to_string(self.directory.path().join("report")).ok()?;
            // The last line may be there by half.
            let (whole, _) = text.rsplit_once('\n')?;
            let lines = whole.lines().map(Line::parse);
            let lines: Vec<Line> = lines.filter(|line| line.kind == kind).collect();
            (lines.len() >= count).then_some(lines)
        })
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").arg("-s").arg(name).arg(pid).status();
        assert!(status.unwrap().success());
    }

    fn wait(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

#[test]
fn it_reports_how_it_was_started() {
    let probe = Probe::start(
        &["--exit", "0", "--", "", "two words", "tab\t"],
        |command| {
            command
                .arg0("other name")
                .env_clear()
                .env("A", "x=y \n")
                .current_dir("/usr")
                .process_group(0);
        },
    );
    let line = probe.lines("start", 1).remove(0);
    assert_eq!(line.pid(), i32::try_from(probe.child.id()).unwrap());
    assert_eq!(line.number("ppid"), i64::from(std::process::id()));
    assert_eq!(line.number("pgid"), line.number("pid"));
    let argv = line.argv();
    assert_eq!(argv[0], "other name");
    assert_eq!(argv[argv.len() - 4..], ["--", "", "two words", "tab\t"]);
    assert_eq!(line.list("env"), ["A=x=y \n"]);
    assert_eq!(line.path("cwd"), std::path::Path::new("/usr"));
    assert_eq!(line.path("root"), std::path::Path::new("/"));
    let fds = line.fds();
    for number in 0..3 {
        let ours = fs::read_link(format!("/proc/self/fd/{number}")).unwrap();
        assert_eq!(fds[&number], ours.to_str().unwrap());
    }
    // A Rust test ignores SIGPIPE; its children do not, and the probe's own
    // runtime must not either.
    assert_eq!(line.mask("sigign") & (1 << 12), 0);
    let status = fs::read_to_string("/proc/self/status").unwrap();
    for (ours, its) in [
        ("CapBnd", "capbnd"),
        ("CapEff", "capeff"),
        ("NoNewPrivs", "nnp"),
    ] {
        let value = status.lines().find_map(|line| line.strip_prefix(ours));
        assert_eq!(value.unwrap().trim_start_matches(':').trim(), line.get(its));
    }
    assert_eq!(line.rlimit("core").0, limit("Max core file size"));
    assert_eq!(line.rlimit("nofile").0, limit("Max open files"));
    assert!(probe.wait().success());
}

/// Our own soft limit.
fn limit(name: &str) -> Option<u64> {
    let text = fs::read_to_string("/proc/self/limits").unwrap();
    let rest = text.lines().find_map(|line| line.strip_prefix(name));
    rest.unwrap()
        .split_whitespace()
        .next()
        .unwrap()
        .parse()
        .ok()
}

#[test]
fn closed_and_additional_descriptors_are_seen() {
    let directory = TempDir::new().unwrap();
    let report = directory.path().join("report");
    let status = Command::new("/bin/sh")
        .args([
            "-c",
            "exec 0<&- 7</etc/passwd; umask 027; exec \"$0\" --exit 0 --report \"$1\"",
        ])
        .arg(env!("CARGO_BIN_EXE_probe-daemon"))
        .arg(&report)
        .status();
    assert!(status.unwrap().success());
    let line = Line::parse(fs::read_to_string(report).unwrap().trim_end());
    assert!(!line.fds().contains_key(&0), "{line:?}");
    assert_eq!(line.fds()[&7], "/etc/passwd");
    assert_eq!(line.get("umask"), "0027");
}

#[test]
fn it_ends_as_told() {
    let status = Probe::start(&["--exit", "7"], |_| {}).wait();
    assert_eq!(status.code(), Some(7));
    let status = Probe::start(&["--die", "USR2"], |_| {}).wait();
    assert_eq!(status.signal(), Some(12));
    let start = Instant::now();
    let status = Probe::start(&["--exit", "1", "--after", "60"], |_| {}).wait();
    assert_eq!(status.code(), Some(1));
    assert!(start.elapsed() >= Duration::from_millis(60));
    let wrong = Probe::start(&["--exit", "no"], |_| {}).wait();
    assert_eq!(wrong.code(), Some(2));
}

#[test]
fn a_file_keeps_it_up() {
    let file = TempDir::new().unwrap();
    let there = file.path().to_str().unwrap();
    let probe = Probe::start(&["--unless", there, "--exit", "1"], |_| {});
    probe.lines("start", 1);
    probe.signal("TERM");
    assert_eq!(probe.wait().signal(), Some(15));
    let status = Probe::start(&["--unless", "/nowhere", "--exit", "1"], |_| {}).wait();
    assert_eq!(status.code(), Some(1));
}

#[test]
fn signals_are_reported_and_do_what_was_asked() {
    let args = ["--ignore", "TERM", "--exit-on", "INT=9", "--linger", "30"];
    let probe = Probe::start(&args, |_| {});
    probe.lines("start", 1);
    for name in ["TERM", "TERM"] {
        let before = probe.lines("start", 1).len() + probe.lines("signal", 0).len();
        probe.signal(name);
        let lines = probe.lines("signal", before);
        assert_eq!(lines.last().unwrap().number("number"), 15);
    }
    let start = Instant::now();
    probe.signal("INT");
    assert_eq!(probe.lines("signal", 3)[2].number("number"), 2);
    assert_eq!(probe.wait().code(), Some(9));
    assert!(start.elapsed() >= Duration::from_millis(30));
}

#[test]
fn children_live_where_they_are_told() {
    let probe = Probe::start(
        &["--fork", "plain", "--fork", "setsid", "--fork", "double"],
        |command| {
            command.process_group(0);
        },
    );
    let main = probe.lines("start", 1).remove(0);
    let lines = probe.lines("child", 3);
    let find = |kind| lines.iter().find(|line| line.get("kind") == kind).unwrap();
    let (plain, setsid, double) = (find("plain"), find("setsid"), find("double"));
    assert_eq!(plain.get("pgid"), main.get("pgid"));
    assert_eq!(plain.get("ppid"), main.get("pid"));
    assert_eq!(setsid.get("sid"), setsid.get("pid"));
    assert_eq!(setsid.get("ppid"), main.get("pid"));
    assert_ne!(double.get("ppid"), main.get("pid"));
    assert_ne!(double.get("sid"), main.get("sid"));
    for line in [plain, setsid, double] {
        let status = Command::new("kill").arg(line.get("pid")).status();
        assert!(status.unwrap().success());
    }
    // The last one has another parent.
    let reaped = probe.lines("reaped", 2);
    assert!(reaped.iter().all(|line| line.number("status") == 15));
    probe.signal("KILL");
    assert_eq!(probe.wait().signal(), Some(9));
}
