//! The machine as its administrator has it: a shell, services, processes.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;
use rc_sv_tests::lab::until;
use rc_sv_tests::Line;

/// Far longer than anything here takes, on an emulated processor too.
pub const SOON: Duration = Duration::from_secs(120);

/// The program that reports how it was started and does as it is told.
pub const PROBE: &str = "/usr/lib/rc-sv-tests/probe-daemon";

/// No pause between two runs.
pub const AT_ONCE: &str = "respawn_delay=0\nrc_supervise_min_interval=0\n";

/// What stands behind `name=` among the arguments of the kernel.
pub fn argument(name: &str) -> Option<String> {
    let arguments = text("/proc/cmdline");
    let mut words = arguments.split_whitespace();
    words.find_map(|word| word.strip_prefix(name).map(str::to_owned))
}

/// What a script did: whether it succeeded, and all that it wrote.
pub fn sh(script: &str) -> (bool, String) {
    sh_within(120, script)
}

/// The same of one that may take so many seconds.
pub fn sh_within(seconds: u32, script: &str) -> (bool, String) {
    let mut command = Command::new("/usr/bin/timeout");
    let seconds = seconds.to_string();
    command.args(["--kill-after=5", &seconds, "/bin/sh", "-c", script]);
    command.env("EINFO_COLOR", "no").stdin(Stdio::null());
    let output = command.output().expect("timeout(1)");
    let all = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&all).into_owned();
    (output.status.success(), text)
}

/// What a script wrote that has to succeed.
#[track_caller]
pub fn ok(script: &str) -> String {
    let (is_done, text) = sh(script);
    assert!(is_done, "{script}: {text}");
    text
}

/// The text of a file; empty where there is none.
pub fn text(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// Whether there is such a file.
pub fn exists(path: impl AsRef<Path>) -> bool {
    path.as_ref().exists()
}

/// A service of its own for each test. It is stopped when dropped.
pub struct Service(&'static str);

impl Service {
    /// The probe daemon with `args`, which reports to /tmp/NAME, with more lines of conf.d.
    pub fn probe(name: &'static str, args: &str, conf: &str) -> Service {
        let command = format!("command={PROBE}\ncommand_args='--report /tmp/{name} {args}'\n");
        Service::new(name, &command, conf)
    }

    /// A service under the internal module.
    pub fn new(name: &'static str, script: &str, conf: &str) -> Service {
        let path = format!("/etc/init.d/{name}");
        fs::write(&path, format!("#!/sbin/openrc-run\n{script}\n")).expect("a script");
        fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("its mode");
        let conf = format!("rc_supervise_module=internal\n{conf}\n");
        fs::create_dir_all("/etc/conf.d").expect("conf.d");
        fs::write(format!("/etc/conf.d/{name}"), conf).expect("its conf.d");
        // Another test may have had one of this name.
        let _ = fs::remove_file(format!("/tmp/{name}"));
        Service(name)
    }

    #[track_caller]
    pub fn start(&self) {
        ok(&format!("rc-service {} start", self.0));
    }

    #[track_caller]
    pub fn stop(&self) {
        ok(&format!("rc-service {} stop", self.0));
    }

    /// One line of what the module says of it.
    pub fn status(&self) -> String {
        sh(&format!("rc-sv-loader status {}", self.0)).1
    }

    /// The same for programs.
    pub fn json(&self) -> String {
        sh(&format!("rc-sv-loader status {} --json", self.0)).1
    }

    /// Its cgroup.
    pub fn cgroup(&self) -> String {
        format!("/sys/fs/cgroup/{}", self.0)
    }

    /// Waits until the status has all these words.
    #[track_caller]
    pub fn until_status(&self, words: &[&str]) -> String {
        let end = Instant::now() + SOON;
        until(&format!("{}: {words:?}", self.0), SOON * 2, || {
            let said = self.status();
            let has_all = words.iter().all(|word| said.contains(word));
            assert!(has_all || Instant::now() < end, "not {words:?}: {said}");
            has_all.then_some(said)
        })
    }

    /// The starts of the probe, when there are at least `count`.
    #[track_caller]
    pub fn starts(&self, count: usize) -> Vec<Line> {
        until(&format!("{} starts of {}", count, self.0), SOON, || {
            let starts = self.reports("start");
            (starts.len() >= count).then_some(starts)
        })
    }

    /// The lines of that kind so far.
    pub fn reports(&self, kind: &str) -> Vec<Line> {
        let report = text(format!("/tmp/{}", self.0));
        // The last line may be half written.
        let whole = report.rfind('\n').map_or("", |end| &report[..end]);
        let lines = whole.lines().map(Line::parse);
        lines.filter(|line| line.kind == kind).collect()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let name = self.0;
        sh(&format!("rc-service {name} stop; rc-service {name} zap"));
    }
}

/// How long the kernel has been up.
pub fn up() -> Duration {
    uptime_lines("/proc/uptime")
        .first()
        .copied()
        .unwrap_or_default()
}

/// The first word of each line, in seconds as /proc/uptime has them.
pub fn uptime_lines(path: &str) -> Vec<Duration> {
    let text = text(path);
    let words = text.lines().filter_map(|line| line.split(' ').next());
    words
        .filter_map(|word| word.parse().ok().map(Duration::from_secs_f64))
        .collect()
}

/// Whether there is a process that has not ended.
pub fn is_alive(pid: i32) -> bool {
    let stat = text(format!("/proc/{pid}/stat"));
    let state = stat
        .rsplit(") ")
        .next()
        .and_then(|rest| rest.chars().next());
    state.is_some_and(|state| state != 'Z' && state != 'X')
}

/// The processes of that name (comm) which have not ended.
pub fn called(name: &str) -> Vec<i32> {
    let entries = fs::read_dir("/proc").expect("/proc");
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let is_called = |pid: &i32| text(format!("/proc/{pid}/comm")).trim_end() == name;
    pids.filter(is_called)
        .filter(|pid| is_alive(*pid))
        .collect()
}

#[track_caller]
pub fn send(pid: i32, signal: Signal) {
    kill(Pid::from_raw(pid), signal).unwrap_or_else(|errno| panic!("{signal} to {pid}: {errno}"));
}

/// Kills a process and waits for its end.
#[track_caller]
pub fn kill_and_wait(pid: i32) {
    send(pid, Signal::SIGKILL);
    until(&format!("the end of {pid}"), SOON, || {
        (!is_alive(pid)).then_some(())
    });
}
