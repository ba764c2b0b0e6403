//! rc-sv-exec runs a program for monit, which may kill whom it made.

mod seat;

use nix::fcntl::OFlag;
use nix::sys::signal::Signal;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use seat::{signal, until, PROGRAM};
use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Command, Stdio};

fn plain(line: &str) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(["plain", "/bin/sh", "-c", line]);
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn its_output_and_its_end_are_those_of_the_program() {
    let run = |line: &str| {
        let output = plain(line).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            output.status.code(),
            text(output.stdout),
            text(output.stderr),
        )
    };
    let said = |code, output: &str, error: &str| (Some(code), output.into(), error.into());
    assert_eq!(
        run("echo out; echo error >&2; exit 3"),
        said(3, "out\n", "error\n")
    );
    assert_eq!(run("kill -9 $$"), said(137, "", ""));
    let much = "0123456789abcdef".repeat(4) + "\n";
    let line = format!("for i in $(seq 5000); do echo {}; done", much.trim());
    assert_eq!(run(&line), said(0, &much.repeat(5000), ""));
    let output = Command::new(PROGRAM).args(["plain", "/nowhere"]).output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(100));
    assert_eq!(
        seat::said(&output),
        "rc-sv-exec: cannot execute /nowhere: No such file or directory"
    );
}

#[test]
fn the_program_goes_on_when_who_waits_is_killed() {
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name);
    mkfifo(&path("gate"), Mode::S_IRWXU).unwrap();
    let line = format!(
        "cd {}; read line <gate; echo out; echo error >&2; echo done >done",
        place.path().display()
    );
    let mut waiting = plain(&line).spawn().unwrap();
    // Whoever reads at the gate is the program.
    let gate = until("the program", || {
        let mut options = fs::OpenOptions::new();
        let options = options.write(true).custom_flags(OFlag::O_NONBLOCK.bits());
        options.open(path("gate")).ok()
    });
    signal(&waiting, Signal::SIGKILL);
    waiting.wait().unwrap();
    // Nobody reads what it says any more, as after monit.
    drop(waiting);
    nix::unistd::write(&gate, b"go\n").unwrap();
    until("its end", || {
        let text = fs::read_to_string(path("done")).ok()?;
        (text == "done\n").then_some(())
    });
}
