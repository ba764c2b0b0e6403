//! A supervisor of its own in a state directory of its own, and services whose shell scripts
//! report into files.

#![allow(dead_code)] // Each test program uses a part of this.

pub mod kills;
pub mod lingering;
mod process;
mod reports;
pub mod stranger;

pub use process::*;
pub use reports::Reports;

use nix::sys::socket::{sendmsg, ControlMessage, MsgFlags, UnixCredentials};
use rc_sv_api::{Error, ServiceName, Spec, State, Status, Value};
use rc_sv_exec::place::Dir;
use rc_sv_exec::spec_file;
use rc_sv_internal::client::connection::Connection;
use rc_sv_internal::protocol::{Reply, Request};
use std::fs::{self, Permissions};
use std::io::IoSlice;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

pub type Result<T> = std::result::Result<T, Error>;

/// Longer than anything that a test waits for takes on a slow machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A scene of one test. Ends its supervisor, with all services, when it is dropped.
pub struct Scene {
    pub dir: PathBuf,
    pub svcdir: PathBuf,
    pub reports: Reports,
}

impl Scene {
    /// A scene with a supervisor.
    pub fn new() -> Scene {
        let scene = Scene::unattended();
        let begun = scene.begin();
        assert!(begun.status.success(), "{begun:?}");
        scene
    }

    /// A scene without one.
    pub fn unattended() -> Scene {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("rc-sv-scene-{}-{count}", std::process::id()));
        let svcdir = dir.join("openrc");
        fs::create_dir_all(&svcdir).unwrap();
        for path in [&dir, &svcdir] {
            fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
        }
        let reports = Reports::new(&dir.join("reports"));
        Scene {
            dir,
            svcdir,
            reports,
        }
    }

    /// The command that begins a supervisor in the background.
    pub fn beginning(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rc-sv-supervisor"));
        command.args(["--daemon", "--svcdir"]).arg(&self.svcdir);
        command
    }

    /// Begins a supervisor.
    pub fn begin(&self) -> Output {
        self.beginning().stdin(Stdio::null()).output().unwrap()
    }

    /// The pid of the supervisor, found without waking it up.
    pub fn supervisor(&self) -> i32 {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(pid) = self.supervisor_now() {
                return pid;
            }
            assert!(Instant::now() < deadline, "there is no supervisor");
        }
    }

    /// Its pid, if there is one at the moment.
    pub fn supervisor_now(&self) -> Option<i32> {
        let guardian = self.guardian();
        let is_it = |pid: &i32| {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            // A zombie is X while it is taken away.
            let is_dead = ["State:\tZ", "State:\tX"].map(|state| status.contains(state));
            status.contains("Name:\trc-sv-superviso\n")
                && status.contains(&format!("PPid:\t{guardian}\n"))
                && is_dead == [false, false]
        };
        processes().into_iter().find(is_it)
    }

    /// The pid of its guardian.
    pub fn guardian(&self) -> i32 {
        let path = self.svcdir.join("rc-sv/.internal/pid");
        fs::read_to_string(path).unwrap().trim().parse().unwrap()
    }

    /// A connection to the supervisor.
    pub fn connect(&self) -> Connection {
        let connection = Connection::open(&self.svcdir, PATIENCE).unwrap();
        connection.expect("there is no supervisor")
    }

    /// Asks on a connection of its own.
    pub fn ask(&self, request: Request) -> Result<Reply> {
        self.connect().ask(&request, Instant::now() + PATIENCE)
    }

    /// The spec of a service that runs `script`. `$R` is its report file.
    pub fn spec(&self, service: &str, script: &str) -> Spec {
        self.spec_of(service, &["/bin/sh", "-c", script])
    }

    /// The spec of a service that runs `argv`.
    pub fn spec_of(&self, service: &str, argv: &[&str]) -> Spec {
        let mut spec = Spec::of_service(&name(service));
        let report = format!("R={}", self.reports.path(service).display());
        spec.put("argv", list(argv));
        spec.put("environment", list(&["PATH=/usr/bin:/bin", &report]));
        spec.put("rc_supervise_oom_score_adj", Value::Int(0));
        spec
    }

    /// Puts a spec where the supervisor finds it.
    pub fn write(&self, spec: &Spec) -> ServiceName {
        let service = spec.settings().service().unwrap();
        let dir = Dir::make_service(&self.svcdir, &service).unwrap();
        spec_file::write(&dir, spec.settings()).unwrap();
        service
    }

    /// Starts a service, and waits until it runs.
    pub fn start(&self, spec: &Spec) -> Result<()> {
        let service = self.write(spec);
        self.order(Request::Start(service))
    }

    /// Stops it, and waits until it is down.
    pub fn stop(&self, service: &str) -> Result<()> {
        self.order(Request::Stop(name(service)))
    }

    pub fn order(&self, request: Request) -> Result<()> {
        match self.ask(request)? {
            Reply::Done => Ok(()),
            other => panic!("{other:?}"),
        }
    }

    pub fn status(&self, service: &str) -> Status {
        match self.ask(Request::Status(name(service))).unwrap() {
            Reply::Status(status) => status,
            other => panic!("{other:?}"),
        }
    }

    /// The pid of the main process, which must be there. One that was just made may have been seen
    /// before the supervisor knows of it.
    pub fn pid(&self, service: &str) -> i32 {
        let deadline = Instant::now() + PATIENCE;
        let mut status = self.status(service);
        while status.state == State::Starting && Instant::now() < deadline {
            status = self.status(service);
        }
        status
            .pid
            .unwrap_or_else(|| panic!("{service} does not run: {status:?}"))
    }

    /// The pid of the main process of a service that does not become ready. It may have said
    /// something before the supervisor knows of it.
    pub fn starting(&self, service: &str) -> i32 {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let status = self.until(service, State::Starting);
            if let Some(pid) = status.pid {
                return pid;
            }
            assert!(Instant::now() < deadline, "no pid: {status:?}");
        }
    }

    /// Asks until the service is in this state.
    pub fn until(&self, service: &str, state: State) -> Status {
        let deadline = Instant::now() + PATIENCE;
        let mut connection = self.connect();
        loop {
            let question = Request::Status(name(service));
            let Reply::Status(status) = connection.ask(&question, deadline).unwrap() else {
                panic!("no status");
            };
            if status.state == state {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "{service} is not {state:?}: {status:?}"
            );
        }
    }

    /// Ends the supervisor as init would, and waits until it has gone.
    pub fn end(&self) {
        if let Ok(Some(connection)) = Connection::open(&self.svcdir, PATIENCE) {
            let guardian = self.guardian();
            signal(guardian, libc::SIGTERM);
            await_end(connection);
            await_death(guardian);
        }
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.end();
        // What a test leaves behind is the business of the next clean-up of the directory.
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// Waits until the supervisor behind `connection` has closed it.
pub fn await_end(mut connection: Connection) {
    let error = connection.receive(Instant::now() + PATIENCE).unwrap_err();
    assert_eq!(error.code, rc_sv_api::Code::NotRunning, "{error}");
}

/// Says something to a supervisor in the name of a process, as root may.
pub fn say(speaker: &UnixDatagram, pid: i32, words: &[u8], fd: Option<&OwnedFd>) {
    let credentials = UnixCredentials::from(libc::ucred {
        pid,
        uid: 0,
        gid: 0,
    });
    let fds: Vec<i32> = fd.map(|fd| fd.as_raw_fd()).into_iter().collect();
    let mut control = vec![ControlMessage::ScmCredentials(&credentials)];
    if !fds.is_empty() {
        control.push(ControlMessage::ScmRights(&fds));
    }
    let parts = [IoSlice::new(words)];
    let flags = MsgFlags::empty();
    sendmsg::<()>(speaker.as_raw_fd(), &parts, &control, flags, None).unwrap();
}

pub fn name(service: &str) -> ServiceName {
    ServiceName::new(service.as_bytes()).unwrap()
}

pub fn list(words: &[&str]) -> Value {
    Value::List(words.iter().map(|word| word.as_bytes().to_vec()).collect())
}

/// Sets settings as an administrator writes them.
pub fn with(mut spec: Spec, settings: &[(&str, &str)]) -> Spec {
    for (name, value) in settings {
        spec.set(name, value.as_bytes(), "test").unwrap();
    }
    spec
}

/// Waits until there is such a file.
pub fn until_there(path: &Path) {
    let deadline = Instant::now() + PATIENCE;
    while !path.exists() {
        assert!(Instant::now() < deadline, "no {}", path.display());
    }
}

/// Waits until there is no such file.
pub fn until_gone(path: &Path) {
    let deadline = Instant::now() + PATIENCE;
    while path.exists() {
        assert!(Instant::now() < deadline, "{} stays", path.display());
    }
}

/// The file for the output of commands that are to be looked into later.
pub fn executable(path: &Path, text: &str) {
    // By another process: what a child that another test has just forked can write cannot be executed.
    let line = "printf %s \"$1\" >\"$0\" && chmod 755 \"$0\"";
    let mut shell = Command::new("/bin/sh");
    let written = shell.args(["-c", line]).arg(path).arg(text).status();
    assert!(written.unwrap().success());
}
