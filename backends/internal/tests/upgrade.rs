//! Another program in place of the one that runs.

mod scene;

use nix::sys::stat::Mode;
use rc_sv_api::exit::Exit;
use rc_sv_api::{Code, State};
use rc_sv_internal::protocol::Request;
use scene::{exists, name, signal, with, Scene, PATIENCE};
use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

const STAYS: &str = "echo $$ >> $R; exec sleep 1000";

/// A program of another path.
fn another(scene: &Scene, name: &str) -> PathBuf {
    let path = scene.dir.join(name);
    // By another process: a child that another test has just forked would have it open, too.
    let mut copy = Command::new("cp");
    copy.arg(env!("CARGO_BIN_EXE_rc-sv-supervisor")).arg(&path);
    assert!(copy.status().unwrap().success());
    path
}

fn program_of(pid: i32) -> PathBuf {
    fs::read_link(format!("/proc/{pid}/exe")).unwrap()
}

/// Asks for this program; the answer, which is none when it is executed.
fn ask_for(scene: &Scene, program: &Path) -> rc_sv_api::Error {
    let request = Request::Upgrade(program.to_str().unwrap().into());
    scene.ask(request).unwrap_err()
}

#[test]
fn everything_goes_on_under_another_program() {
    let scene = Scene::new();
    scene.start(&scene.spec("up", STAYS)).unwrap();
    scene.reports.until("up", 1);
    // One waits for its respawn, one for the end of its stop.
    let pause = [("respawn_delay", "12"), ("rc_supervise_min_interval", "0")];
    scene
        .start(&with(scene.spec("pause", STAYS), &pause))
        .unwrap();
    scene.reports.until("pause", 1);
    signal(scene.pid("pause"), libc::SIGKILL);
    scene.until("pause", State::Backoff);
    let script = "trap 'echo term >> $R' TERM; echo up >> $R; \
                  while :; do sleep 1000 & wait; done";
    let slow = with(scene.spec("slow", script), &[("retry", "TERM/15/KILL/5")]);
    scene.start(&slow).unwrap();
    scene.reports.until_line("slow", "up");
    let deadline = Instant::now() + PATIENCE;
    let mut connection = scene.connect();
    connection
        .send(&Request::Stop(name("slow")), deadline)
        .unwrap();
    scene.reports.until_line("slow", "term");
    // One has stored something.
    let script = "echo $NOTIFY_SOCKET > $R.path; echo $LISTEN_FDNAMES >> $R; exec sleep 1000";
    let settings = [("notify", "socket:ready"), ("respawn_delay", "0")];
    let service = scene.write(&with(scene.spec("store", script), &settings));
    let mut starter = scene.connect();
    starter.send(&Request::Start(service), deadline).unwrap();
    scene.reports.until("store", 1);
    let speaker = UnixDatagram::unbound().unwrap();
    speaker
        .connect(scene.reports.until("store.path", 1)[0].clone())
        .unwrap();
    let store = scene.starting("store");
    let (read, write) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).unwrap();
    scene::say(
        &speaker,
        store,
        b"FDSTORE=1\nFDNAME=thing\nREADY=1",
        Some(&write),
    );
    drop(write);
    starter.receive(deadline).unwrap();

    let (up, guardian, supervisor) = (scene.pid("up"), scene.guardian(), scene.supervisor());
    for round in 0..3 {
        let program = another(&scene, &format!("program.{round}"));
        let mut upgrade = Command::new(&program);
        upgrade.arg("--upgrade").arg("--svcdir").arg(&scene.svcdir);
        let output = upgrade.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert_eq!(scene.guardian(), guardian);
        assert_eq!(program_of(guardian), program);
        assert_eq!(program_of(scene.supervisor()), program);
    }
    assert!(!exists(supervisor));
    assert_eq!((scene.pid("up"), scene.pid("store")), (up, store));
    scene.stop("slow").unwrap();
    assert_eq!(scene.status("slow").last_exit, Some(Exit::Signal(9)));
    assert!(
        scene
            .reports
            .lines("slow")
            .iter()
            .filter(|line| *line == "up")
            .count()
            == 1
    );
    scene.reports.until("pause", 2);
    signal(store, libc::SIGKILL);
    assert_eq!(scene.reports.until("store", 2), ["", "thing"]);
    scene.stop("store").unwrap();
    assert_eq!(nix::unistd::read(&read, &mut [0]), Ok(0));
    assert_eq!(scene.reports.lines("up").len(), 1);
}

#[test]
fn what_cannot_be_executed_is_refused_and_nothing_happens() {
    let scene = Scene::new();
    scene.start(&scene.spec("foo", STAYS)).unwrap();
    let both = (scene.guardian(), scene.supervisor(), scene.pid("foo"));
    let text = scene.dir.join("text");
    fs::write(&text, "no program\n").unwrap();
    let fifo = scene.dir.join("fifo");
    nix::unistd::mkfifo(&fifo, Mode::from_bits_truncate(0o600)).unwrap();
    for path in [text, fifo, scene.dir.join("nothing")] {
        let error = ask_for(&scene, &path);
        assert_eq!(error.code, Code::Failed, "{error}");
        assert!(error.message.contains(path.to_str().unwrap()), "{error}");
    }
    assert_eq!(
        (scene.guardian(), scene.supervisor(), scene.pid("foo")),
        both
    );
    // It is the same as before: another one can take over, and nobody is lost.
    let program = another(&scene, "program");
    let error = ask_for(&scene, &program);
    assert_eq!(error.code, Code::NotRunning, "{error}");
    assert_eq!(scene.pid("foo"), both.2);
    assert_eq!(program_of(scene.guardian()), program);
}

#[test]
fn one_that_does_not_stay_is_succeeded_by_the_old_one() {
    let scene = Scene::new();
    let own = program_of(scene.guardian());
    scene.start(&scene.spec("foo", STAYS)).unwrap();
    let (supervisor, pid) = (scene.supervisor(), scene.pid("foo"));
    let error = ask_for(&scene, Path::new("/bin/false"));
    assert_eq!(error.code, Code::NotRunning, "{error}");
    assert_eq!(scene.pid("foo"), pid);
    assert_eq!(scene.guardian(), supervisor);
    assert_eq!(program_of(scene.guardian()), own);
    scene.stop("foo").unwrap();
}

#[test]
fn only_a_supervisor_that_runs_can_be_replaced() {
    let scene = Scene::unattended();
    let mut upgrade = Command::new(scene.beginning().get_program());
    upgrade.arg("--upgrade").arg("--svcdir").arg(&scene.svcdir);
    let output = upgrade.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, "rc-sv-supervisor: the supervisor does not run\n");
}
