//! The program: into the background, alone, and out again.

mod scene;

use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;
use rc_sv_internal::client::connection::Connection;
use scene::{await_death, await_end, signal, Scene, PATIENCE};
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// A file of a process in /proc.
fn proc(pid: i32, file: &str) -> String {
    fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap()
}

/// The pids of supervisors of `svcdir`.
fn supervisors(svcdir: &Path) -> Vec<i32> {
    let svcdir = svcdir.to_str().unwrap();
    let mut pids = Vec::new();
    for entry in fs::read_dir("/proc").unwrap() {
        let entry = entry.unwrap();
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let line = fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
        if line.split('\0').any(|word| word == svcdir) {
            pids.push(pid);
        }
    }
    pids.sort();
    pids
}

/// A set of signals in a process's status, without the two that glibc keeps for itself and that
/// its posix_spawn leaves ignored.
fn signals(status: &str, set: &str) -> u64 {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(set))
        .unwrap();
    u64::from_str_radix(line[1..].trim(), 16).unwrap() & !(3 << 31)
}

/// Whether this process has CAP_SYS_RESOURCE; root in a container may lack it.
fn may_raise_limits() -> bool {
    let status = proc(std::process::id() as i32, "status");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:\t"))
        .unwrap();
    u64::from_str_radix(line, 16).unwrap() & 1 << 24 != 0
}

#[test]
fn of_many_starters_one_wins_and_all_return_when_it_listens() {
    let scene = Scene::unattended();
    let start = |_| scene.beginning().stdin(Stdio::null()).spawn().unwrap();
    let mut starters: Vec<_> = (0..8).map(start).collect();
    for starter in &mut starters {
        assert!(starter.wait().unwrap().success());
        scene.connect();
    }
    // Those that lost are gone, or about to go.
    let deadline = Instant::now() + PATIENCE;
    let both = || [scene.guardian(), scene.supervisor()];
    while supervisors(&scene.svcdir) != both() {
        assert!(
            Instant::now() < deadline,
            "{:?}",
            supervisors(&scene.svcdir)
        );
    }
    // One more is content with the one that is there.
    let pids = both();
    assert!(scene.begin().status.success());
    assert_eq!(both(), pids);
}

#[test]
fn nothing_of_the_starter_is_kept() {
    let scene = Scene::unattended();
    let script = "ulimit -n 300; ulimit -t 77; umask 077; trap '' TERM; cd /tmp; exec 7>&1; \
                  exec setpriv --groups 4 taskset -c 0 nice -n 5 \"$@\"";
    let begin = scene.beginning();
    let output = Command::new("/bin/sh")
        .args(["-c", script, "sh"])
        .arg(begin.get_program())
        .args(begin.get_args())
        .env("SECRET", "x")
        .env("TZ", "Europe/Berlin")
        .output()
        .unwrap();
    // The pipes behind 1, 2 and 7 have ended, or this would not have returned.
    assert!(output.status.success(), "{output:?}");
    let pid = scene.supervisor();
    let status = proc(pid, "status");
    assert!(status.contains("Umask:\t0022"), "{status}");
    let line = |name: &str| {
        status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap()
    };
    assert_eq!(line("Groups:").trim(), "");
    if std::thread::available_parallelism().unwrap().get() > 1 {
        assert_ne!(line("Cpus_allowed_list:").trim(), "0");
    }
    assert_eq!(signals(&status, "SigCgt"), 0, "{status}");
    assert_eq!(
        signals(&status, "SigIgn"),
        1 << (libc::SIGPIPE - 1),
        "{status}"
    );
    assert_eq!(
        fs::read_link(format!("/proc/{pid}/cwd")).unwrap(),
        Path::new("/")
    );
    if may_raise_limits() {
        assert_eq!(proc(pid, "oom_score_adj"), "-900\n");
        let limits = proc(pid, "limits");
        let limit = |name: &str| {
            let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
            line[name.len()..]
                .split_whitespace()
                .next()
                .unwrap()
                .to_string()
        };
        assert!(
            limit("Max open files").parse::<u64>().unwrap() >= 65_536,
            "{limits}"
        );
        assert_ne!(limit("Max cpu time"), "77");
    }
    let stat = proc(pid, "stat");
    let fields: Vec<_> = stat[stat.rfind(')').unwrap() + 2..].split(' ').collect();
    assert_eq!(fields[16], "0", "nice: {stat}");
    assert_eq!(fields[4], "0", "terminal: {stat}");
    assert_ne!(
        fields[3],
        pid.to_string(),
        "it leads its session, and can get a terminal"
    );
    for fd in 0..3 {
        let file = fs::read_link(format!("/proc/{pid}/fd/{fd}")).unwrap();
        assert_eq!(file, Path::new("/dev/null"));
    }
    assert!(proc(pid, "cgroup")
        .lines()
        .any(|line| line.ends_with(":/rc-sv-supervisor")));
}

#[test]
fn errors_are_one_line_for_the_starter() {
    let scene = Scene::unattended();
    let program = || Command::new(scene.beginning().get_program());
    let said = |command: &mut Command| {
        let output = command.output().unwrap();
        assert_eq!(output.stdout, b"", "{output:?}");
        let line = String::from_utf8(output.stderr).unwrap();
        assert_eq!(line.lines().count(), 1, "{line}");
        (output.status.code().unwrap(), line)
    };
    let (code, line) = said(program().args(["--daemon", "--svcdir", "/nonexistent"]));
    assert_eq!(code, 1);
    assert_eq!(
        line,
        "rc-sv-supervisor: /nonexistent: No such file or directory\n"
    );
    let (code, line) = said(program().args(["--daemon", "--svcdir", "x"]));
    assert_eq!(
        (code, line.contains("must be absolute")),
        (2, true),
        "{line}"
    );
    let (code, line) = said(program().arg("--nonsense"));
    assert_eq!((code, line.contains("--nonsense")), (2, true), "{line}");
    // A directory that others can write to is not trusted.
    fs::create_dir(scene.svcdir.join("rc-sv")).unwrap();
    use std::os::unix::fs::PermissionsExt;
    let open = fs::Permissions::from_mode(0o777);
    fs::set_permissions(scene.svcdir.join("rc-sv"), open).unwrap();
    let (code, line) = said(&mut scene.beginning());
    assert_eq!((code, line.contains("has mode 0777")), (1, true), "{line}");
}

#[test]
fn term_stops_all_services_and_leaves_nothing() {
    let scene = Scene::new();
    let script = "trap 'echo end >> $R; exit 0' TERM; echo begin >> $R; \
                  while :; do sleep 1000 & wait; done";
    let services = ["a", "b", "c"];
    for service in services {
        scene.start(&scene.spec(service, script)).unwrap();
        scene.reports.until(service, 1);
    }
    let guardian = scene.guardian();
    let connection = scene.connect();
    for _ in 0..20 {
        // Further signals during the end change nothing. It may be gone before the last of them.
        if kill(Pid::from_raw(guardian), Signal::SIGTERM).is_err() {
            break;
        }
    }
    await_end(connection);
    await_death(guardian);
    for service in services {
        assert_eq!(scene.reports.lines(service), ["begin", "end"]);
    }
    let left: Vec<_> = fs::read_dir(scene.svcdir.join("rc-sv/.internal"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["lock"]);
    assert!(scene.begin().status.success());
}

#[test]
fn hup_ends_nothing() {
    let scene = Scene::new();
    scene.start(&scene.spec("foo", "exec sleep 1000")).unwrap();
    let pid = scene.pid("foo");
    for _ in 0..10 {
        signal(scene.supervisor(), libc::SIGHUP);
    }
    assert_eq!(scene.pid("foo"), pid);
}

#[test]
fn in_the_foreground_it_waits_for_its_turn_and_ends_well() {
    let scene = Scene::new();
    let first = scene.guardian();
    let mut command = Command::new(scene.beginning().get_program());
    command
        .arg("--foreground")
        .arg("--svcdir")
        .arg(&scene.svcdir);
    let mut second = command.stdin(Stdio::null()).spawn().unwrap();
    assert_eq!(scene.guardian(), first);
    scene.end();
    let deadline = Instant::now() + PATIENCE;
    while Connection::open(&scene.svcdir, PATIENCE).unwrap().is_none() {
        assert!(
            Instant::now() < deadline,
            "the second one did not take over"
        );
    }
    assert_eq!(scene.guardian(), second.id() as i32);
    scene.start(&scene.spec("foo", "exec sleep 1000")).unwrap();
    // Whichever of both is told to end.
    signal(scene.supervisor(), libc::SIGTERM);
    let status = second.wait().unwrap();
    assert_eq!((status.code(), status.signal()), (Some(0), None));
}
