//! One spec, a directory for its files, and what comes of running it.
#![allow(dead_code)] // Each test file uses its part.

pub mod lease;

use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::wait::{waitid, Id, WaitPidFlag, WaitStatus};
use rc_sv_api::{ServiceName, Spec, Value};
use rc_sv_exec::launch::{spawn, Child, Failure, Launch, Stage};
use std::fs::{self, File, Permissions};
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

/// A user and a group that each system has.
pub const NOBODY: u32 = 65534;

/// Longer than anything here takes, even on a busy machine, in milliseconds.
const PATIENCE: u16 = 20_000;

/// A spec in the making, with a directory in which everybody may write.
pub struct Scene {
    dir: tempfile::TempDir,
    pub spec: Spec,
}

impl Scene {
    /// A service that runs `argv` and writes its standard output to the file `out`.
    pub fn new<A: AsRef<[u8]>>(argv: &[A]) -> Scene {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), Permissions::from_mode(0o777)).unwrap();
        let mut spec = Spec::of_service(&ServiceName::new(b"foo").unwrap());
        let argv = argv.iter().map(|word| word.as_ref().to_vec()).collect();
        spec.put("argv", Value::List(argv));
        let mut scene = Scene { dir, spec };
        scene.list("environment", &["PATH=/usr/bin:/bin"]);
        scene.file("output_log", "out");
        scene
    }

    /// A service that is a line for the shell.
    pub fn shell(line: &str) -> Scene {
        Scene::new(&["/bin/sh", "-c", line])
    }

    /// A service that is a file with this text. Another process writes it: a descriptor for
    /// writing that leaked into a child of another test would make it busy.
    pub fn program(text: &str, mode: u32) -> Scene {
        let mut scene = Scene::shell("");
        let path = scene.path("program");
        let line = "printf %s \"$1\" >\"$0\" && chmod $2 \"$0\"";
        let mode = format!("{mode:o}");
        let written = Command::new("/bin/sh")
            .args(["-c", line])
            .arg(&path)
            .args([text, &mode])
            .status();
        assert!(written.unwrap().success());
        scene.list("argv", &[path.to_str().unwrap()]);
        scene
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn text(&mut self, key: &str, value: &str) -> &mut Scene {
        self.spec.put(key, Value::Text(value.as_bytes().to_vec()));
        self
    }

    /// Sets `key` to the path of a file of this scene.
    pub fn file(&mut self, key: &str, name: &str) -> &mut Scene {
        let path = self.path(name).to_str().unwrap().to_string();
        self.text(key, &path)
    }

    pub fn int(&mut self, key: &str, value: i64) -> &mut Scene {
        self.spec.put(key, Value::Int(value));
        self
    }

    pub fn list(&mut self, key: &str, values: &[&str]) -> &mut Scene {
        let values = values.iter().map(|value| value.as_bytes().to_vec());
        self.spec.put(key, Value::List(values.collect()));
        self
    }

    /// Makes it run as somebody who is not root.
    pub fn as_nobody(&mut self) -> &mut Scene {
        let id = i64::from(NOBODY);
        self.int("uid", id)
            .int("gid", id)
            .list("groups", &["65534"])
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// Runs it to its end, which must be exit 0, and returns what it wrote.
    pub fn output(&self) -> String {
        self.output_in(None)
    }

    /// The same in a cgroup.
    pub fn output_in(&self, cgroup: Option<BorrowedFd<'_>>) -> String {
        let launch = Launch::from_settings(self.spec.settings()).unwrap();
        let child = spawn(&launch, cgroup).unwrap();
        if let Some(failure) = report(&child) {
            panic!("{}", failure.message(&launch));
        }
        let status = wait(&child);
        let log = String::from_utf8_lossy(&self.read("out")).into_owned();
        assert!(
            matches!(status, WaitStatus::Exited(_, 0)),
            "{status:?}: {log}"
        );
        log
    }

    /// Runs it, which must fail before its program is executed.
    pub fn failure(&self) -> (Stage, i32, String) {
        let launch = Launch::from_settings(self.spec.settings()).unwrap();
        let child = spawn(&launch, None).unwrap();
        let failure = report(&child).expect("it was executed");
        assert!(matches!(wait(&child), WaitStatus::Exited(_, 127)));
        (failure.stage, failure.errno, failure.message(&launch))
    }
}

/// Waits until the program was executed, or returns why not.
pub fn report(child: &Child) -> Option<Failure> {
    ready(&child.report);
    let mut record = [0; Failure::SIZE + 1];
    let length = File::from(child.report.try_clone().unwrap())
        .read(&mut record)
        .unwrap();
    (length > 0).then(|| Failure::decode(&record[..length]).expect("a record"))
}

/// Waits for the end.
pub fn wait(child: &Child) -> WaitStatus {
    let status = wait_for(&child.pidfd);
    assert_eq!(
        status.pid().unwrap().as_raw(),
        child.pid,
        "pid and pidfd are of one process"
    );
    status
}

/// Waits for the end of the process behind a descriptor.
pub fn wait_for(pidfd: &OwnedFd) -> WaitStatus {
    ready(pidfd);
    waitid(Id::PIDFd(pidfd.as_fd()), WaitPidFlag::WEXITED).unwrap()
}

/// Waits for the end of what is nobody's child.
pub fn ended(child: &Child) {
    ready(&child.pidfd);
}

fn ready(fd: &OwnedFd) {
    let mut fds = [PollFd::new(fd.as_fd(), PollFlags::POLLIN)];
    assert_eq!(
        poll(&mut fds, PollTimeout::from(PATIENCE)).unwrap(),
        1,
        "it takes too long"
    );
}

/// The value of a line such as `Umask:\t0022` or `Umask: 0022`.
pub fn field<'a>(text: &'a str, name: &str) -> &'a str {
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    let mut values = lines
        .filter(|(known, _)| *known == name)
        .map(|(_, value)| value.trim());
    values
        .next()
        .unwrap_or_else(|| panic!("no {name} in {text}"))
}
