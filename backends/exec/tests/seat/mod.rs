//! A service directory and a service's own, and rc-sv-exec called in it as supervisors call it.
#![allow(dead_code)] // Each test file uses its part.

use nix::fcntl::{fcntl, FcntlArg};
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;
use rc_sv_api::{ServiceName, Spec, Value};
use rc_sv_exec::place::Dir;
use rc_sv_exec::process;
use rc_sv_exec::run::record::{self, Record};
use rc_sv_exec::spec_file;
use std::fs::{self, Permissions};
use std::os::fd::AsFd;
use std::os::unix::fs::{symlink, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_rc-sv-exec");

/// Far longer than anything here takes.
const SOON: Duration = Duration::from_secs(30);

pub struct Seat {
    root: tempfile::TempDir,
    pub spec: Spec,
}

impl Seat {
    /// The service `foo`, a line for the shell, under a supervisor that runs `finish`. No pauses.
    pub fn new(line: &str) -> Seat {
        let root = tempfile::tempdir().unwrap();
        fs::set_permissions(root.path(), Permissions::from_mode(0o755)).unwrap();
        let seat = Seat {
            root,
            spec: Spec::of_service(&ServiceName::new(b"foo").unwrap()),
        };
        seat.dir();
        let here = seat.here();
        fs::create_dir_all(here.join("supervise")).unwrap();
        symlink(seat.own(), here.join("rc-sv")).unwrap();
        symlink(PROGRAM, here.join("finish")).unwrap();
        let made = Command::new("mkfifo")
            .arg(here.join("supervise/control"))
            .status();
        assert!(made.unwrap().success());
        let mut seat = seat
            .list("argv", &["/bin/sh", "-c", line])
            .list("environment", &["PATH=/usr/bin:/bin"]);
        let here = seat.here().display().to_string();
        seat = seat.set("directory", &here);
        seat.set("respawn_delay", "0")
            .set("rc_supervise_min_interval", "0")
    }

    pub fn list(mut self, key: &str, words: &[&str]) -> Seat {
        let words = words.iter().map(|word| word.as_bytes().to_vec()).collect();
        self.spec.put(key, Value::List(words));
        self.written()
    }

    pub fn set(mut self, key: &str, value: &str) -> Seat {
        self.spec.set(key, value.as_bytes(), "test").unwrap();
        self.written()
    }

    fn written(self) -> Seat {
        spec_file::write(&self.dir(), self.spec.settings()).unwrap();
        self
    }

    /// The service directory.
    pub fn here(&self) -> PathBuf {
        self.root.path().join("sv")
    }

    pub fn svcdir(&self) -> &Path {
        self.root.path()
    }

    /// The service's own directory.
    pub fn own(&self) -> PathBuf {
        self.root.path().join("rc-sv/foo")
    }

    pub fn dir(&self) -> Dir {
        Dir::make_service(self.root.path(), &ServiceName::new(b"foo").unwrap()).unwrap()
    }

    pub fn record(&self) -> Record {
        record::read(&self.dir()).unwrap().expect("a record")
    }

    /// What a file of the service directory says.
    pub fn text(&self, name: &str) -> String {
        fs::read_to_string(self.here().join(name)).unwrap_or_default()
    }

    /// The program called by this name in the service directory.
    pub fn command(&self, name: &str) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .arg0(name)
            .current_dir(self.here())
            .env("OUTSIDE", "the spec");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// `run` to its end.
    pub fn run(&self) -> Output {
        finished(self.command("./run").spawn().unwrap())
    }

    /// `finish` with what the supervisor says. Answers its exit code.
    pub fn finish(&self, arguments: &[&str]) -> i32 {
        let output = finished(self.command("./finish").args(arguments).spawn().unwrap());
        output.status.code().unwrap()
    }
}

/// Waits for an end, and kills what takes too long.
#[track_caller]
pub fn finished(mut child: Child) -> Output {
    let pidfd = process::open_process(child.id() as i32).unwrap();
    let mut fds = [PollFd::new(pidfd.as_fd(), PollFlags::POLLIN)];
    let timeout = PollTimeout::try_from(SOON).unwrap();
    if poll(&mut fds, timeout).unwrap() == 0 {
        child.kill().unwrap();
        panic!("it does not end");
    }
    child.wait_with_output().unwrap()
}

pub fn signal(child: &Child, signal: Signal) {
    kill(Pid::from_raw(child.id() as i32), signal).unwrap();
}

/// Waits until something holds, looking again every few milliseconds: for what sends no event.
#[track_caller]
pub fn until<T>(what: &str, mut done: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(value) = done() {
            return value;
        }
        assert!(begun.elapsed() < SOON, "{what}: not in time");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr)
        .trim_end()
        .to_string()
}

/// Whether it has come so far that signals wait until it asks for them.
pub fn blocks_term(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:"));
    let mask = u64::from_str_radix(mask.unwrap_or_default().trim(), 16).unwrap_or(0);
    mask & 1 << (libc::SIGTERM - 1) != 0
}

/// Whether it is the one that begins the next run.
pub fn is_next(seat: &Seat, pid: u32) -> bool {
    let Ok(file) = fs::File::open(seat.own().join("lock")) else {
        return false;
    };
    let mut range = range(0);
    fcntl(&file, FcntlArg::F_GETLK(&mut range)).unwrap();
    i32::from(range.l_type) != libc::F_UNLCK && range.l_pid == pid as i32
}

/// A byte of the lock file.
pub fn range(byte: i64) -> libc::flock {
    libc::flock {
        l_type: libc::F_WRLCK as _,
        l_whence: libc::SEEK_SET as _,
        l_start: byte,
        l_len: 1,
        l_pid: 0,
    }
}
