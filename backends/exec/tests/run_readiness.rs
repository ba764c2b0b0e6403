//! rc-sv-exec listens where the supervisor cannot.

mod seat;

use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;
use rc_sv_api::exit::Exit;
use rc_sv_api::policy::Cause;
use rc_sv_exec::run::record::Phase;
use rc_sv_exec::run::{await_executed, await_ready};
use seat::{finished, signal, until, Seat};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(30);

/// A line for the shell that sends its arguments to the socket. In Perl there is no library to
/// need, and it is on every Debian.
const SEND: &str = r#"send() { perl -MSocket -e 'socket(S, AF_UNIX, SOCK_DGRAM, 0) or die; my $a = $ENV{NOTIFY_SOCKET}; $a =~ s/^@/\0/; send(S, join("\n", @ARGV), 0, pack_sockaddr_un($a)) or die $!' -- "$@"; }"#;

/// The same, said by the program itself, which stays: who has gone by the time that he is heard
/// cannot be told from another.
fn stay() -> String {
    SEND.replace("send()", "stay()")
        .replace("{ perl", "{ exec perl")
        .replace("or die $!'", "or die $!; sleep 1000'")
}

fn run(seat: &Seat) -> Child {
    seat.command("run").spawn().unwrap()
}

/// Ends the program, as whoever looks after it passes it on.
fn end(seat: &Seat, run: Child) {
    signal(&run, Signal::SIGTERM);
    assert_eq!(finished(run).status.code(), Some(0));
    assert_eq!(seat.record().last_exit, Some(Exit::Signal(15)));
    assert_eq!(seat.finish(&["0", "0"]), 0);
}

#[test]
fn a_newline_on_the_descriptor_makes_it_ready() {
    for number in [3, 4, 7, 30] {
        let line = format!("read line <gate; printf 'o\nk' >&{number}; exec sleep 1000");
        let seat = Seat::new("")
            .list("argv", &["/bin/bash", "-c", &line])
            .set("notify", &format!("fd:{number}"));
        let gate = seat.here().join("gate");
        nix::unistd::mkfifo(&gate, nix::sys::stat::Mode::from_bits_truncate(0o600)).unwrap();
        let run = run(&seat);
        let record = await_executed(&seat.dir(), SOON).unwrap();
        assert_eq!((record.phase, record.ready), (Phase::Running, Some(false)));
        assert_ne!(record.pid, Some(run.id() as i32), "somebody has to listen");
        let error = await_ready(&seat.dir(), Duration::from_millis(10)).unwrap_err();
        assert_eq!(
            error.message,
            "the program did not say that it is ready within 10 ms"
        );
        fs::write(gate, "\n").unwrap();
        assert_eq!(await_ready(&seat.dir(), SOON).unwrap().ready, Some(true));
        // 0, 1, 2 and this one, when the shell has done with its own.
        let fds = format!("/proc/{}/fd", record.pid.unwrap());
        until("four descriptors", || {
            (fs::read_dir(&fds).ok()?.count() == 4).then_some(())
        });
        end(&seat, run);
    }
}

#[test]
fn ready_1_on_the_socket_makes_it_ready() {
    let line = format!("{}; read line <gate; stay STATUS=almost READY=1", stay());
    let seat = Seat::new(&line).set("notify", "socket:ready");
    let gate = seat.here().join("gate");
    nix::unistd::mkfifo(&gate, nix::sys::stat::Mode::from_bits_truncate(0o600)).unwrap();
    let run = run(&seat);
    assert_eq!(
        await_executed(&seat.dir(), SOON).unwrap().ready,
        Some(false)
    );
    // A stranger says the same, and is not believed.
    let socket = socket_of(&seat);
    let mut stranger = Command::new("/bin/sh");
    stranger
        .args(["-c", &format!("{SEND}; send READY=1")])
        .env("NOTIFY_SOCKET", &socket);
    assert!(stranger.status().unwrap().success());
    assert!(await_ready(&seat.dir(), Duration::from_millis(50)).is_err());
    fs::write(gate, "\n").unwrap();
    await_ready(&seat.dir(), SOON).unwrap();
    end(&seat, run);
    assert!(!std::path::Path::new(&socket).exists(), "nothing is left");
}

/// The address that the program has.
fn socket_of(seat: &Seat) -> String {
    let pid = seat.record().pid.unwrap();
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap();
    let environment = String::from_utf8(environment).unwrap();
    let mut values = environment
        .split('\0')
        .filter_map(|word| word.strip_prefix("NOTIFY_SOCKET="));
    values.next().unwrap().to_string()
}

#[test]
fn a_program_that_talks_much_is_never_held_up() {
    let loud = "for i in 1 2 3 4 5 6 7 8; do send $(seq 40) & done; wait";
    let line = format!("{SEND}; {}; {loud}; stay READY=1", stay());
    let seat = Seat::new(&line).set("notify", "socket:ready");
    let run = run(&seat);
    await_ready(&seat.dir(), SOON).unwrap();
    end(&seat, run);
}

#[test]
fn an_end_before_it_is_ready_is_told() {
    let seat = Seat::new("exit 3").set("notify", "socket:ready");
    let first = run(&seat);
    assert_eq!(finished(first).status.code(), Some(0));
    assert_eq!(seat.finish(&["0", "0"]), 125);
    assert_eq!(seat.record().last_exit, Some(Exit::Code(3)));
    let error = await_ready(&seat.dir(), SOON).unwrap_err();
    assert_eq!(error.message, "exited 3 before it was ready");
    // Who is ready and ends at once was ready.
    rc_sv_exec::run::record::forget(&seat.dir()).unwrap();
    let program = SEND.split('\'').nth(1).unwrap().to_string() + "; exit 4";
    let seat = seat.list(
        "argv",
        &["/usr/bin/perl", "-MSocket", "-e", &program, "READY=1"],
    );
    finished(run(&seat));
    let record = seat.record();
    assert_eq!(
        (record.ready, record.last_exit),
        (Some(true), Some(Exit::Code(4)))
    );
}

#[test]
fn a_socket_is_heard_again_by_the_next_supervisor() {
    let line = format!("{}; read line <gate; stay READY=1", stay());
    let seat = Seat::new(&line).set("notify", "socket:ready");
    let gate = seat.here().join("gate");
    nix::unistd::mkfifo(&gate, nix::sys::stat::Mode::from_bits_truncate(0o600)).unwrap();
    let first = run(&seat);
    let record = await_executed(&seat.dir(), SOON).unwrap();
    let socket = socket_of(&seat);
    let which = || {
        let file = fs::metadata(&socket).ok()?;
        Some((file.ino(), file.ctime(), file.ctime_nsec()))
    };
    let before = which();
    let second = run(&seat);
    assert_eq!(finished(first).status.signal(), Some(9));
    until("it is bound by the second", || {
        which().filter(|now| Some(*now) != before).map(drop)
    });
    fs::write(gate, "\n").unwrap();
    let ready = await_ready(&seat.dir(), SOON).unwrap();
    assert_eq!((ready.pid, ready.ready), (record.pid, Some(true)));
    // Its new parent is whoever reaps orphans here.
    kill(Pid::from_raw(record.pid.unwrap()), Signal::SIGKILL).unwrap();
    finished(second);
}

#[test]
fn s6_is_told_when_it_is_ready() {
    let line = "read line <gate; echo ready >&7; exec sleep 1000";
    let seat = Seat::new(line).set("notify", "fd:7");
    fs::write(seat.here().join("notification-fd"), "5\n").unwrap();
    let gate = seat.here().join("gate");
    nix::unistd::mkfifo(&gate, nix::sys::stat::Mode::from_bits_truncate(0o600)).unwrap();
    // As s6-supervise does it.
    let mut inside = Command::new("/bin/bash");
    let line = format!("exec 5>told; exec -a run {}", seat::PROGRAM);
    let run = inside
        .args(["-c", &line])
        .current_dir(seat.here())
        .spawn()
        .unwrap();
    await_executed(&seat.dir(), SOON).unwrap();
    assert_eq!(seat.text("told"), "");
    fs::write(gate, "\n").unwrap();
    await_ready(&seat.dir(), SOON).unwrap();
    assert_eq!(seat.text("told"), "\n");
    end(&seat, run);
}

#[test]
fn one_that_closes_its_descriptor_never_becomes_ready() {
    let seat = Seat::new("exec 5>&-; exec sleep 1000").set("notify", "fd:5");
    assert_eq!(finished(run(&seat)).status.code(), Some(0));
    let record = seat.record();
    assert_eq!(record.cause, Cause::Timeout);
    let error = await_ready(&seat.dir(), SOON).unwrap_err();
    assert_eq!(
        error.message,
        "it can never become ready: it closed its descriptor without a newline"
    );
}

#[test]
fn where_nobody_can_be_heard_the_start_fails() {
    let seat = Seat::new("exit 0").set("notify", "nonsense");
    assert_eq!(finished(run(&seat)).status.code(), Some(127));
    seat.finish(&["127", "0"]);
    let error = await_ready(&seat.dir(), SOON).unwrap_err();
    assert_eq!(
        error.message,
        "notify=\"nonsense\": must be socket:ready, or fd:N with N from 3 to 1023"
    );
}

#[test]
fn one_that_is_not_ready_in_time_is_ended() {
    // Longer than it takes to execute it, or it would be ended before.
    let seat = Seat::new("exec sleep 1000")
        .set("notify", "socket:ready")
        .set("timeout_ready", "10000");
    let line = format!("echo $SERVICE_RESULT >>'{}/told'", seat.here().display());
    let seat = seat.list("rc_supervise_finish", &["/bin/sh", "-c", &line]);
    assert_eq!(finished(run(&seat)).status.code(), Some(0));
    let record = seat.record();
    assert_eq!(
        (record.last_exit, record.cause),
        (Some(Exit::Signal(15)), Cause::Timeout)
    );
    let error = await_ready(&seat.dir(), SOON).unwrap_err();
    assert_eq!(error.message, "it did not say within 10 s that it is ready");
    assert_eq!(error.code, rc_sv_api::Code::Timeout);
    // The start that a person asked for has failed, and nothing is tried again.
    assert_eq!(seat.finish(&["0", "0"]), 125);
    let record = seat.record();
    assert_eq!(
        (record.phase, record.note.as_str()),
        (Phase::Down, error.message.as_str())
    );
    assert_eq!(seat.text("told"), "timeout\n");
    // The next run has a chance of its own.
    let line = format!("{}; stay READY=1", stay());
    let seat = seat
        .list("argv", &["/bin/sh", "-c", &line])
        .set("timeout_ready", "30000");
    rc_sv_exec::run::record::forget(&seat.dir()).unwrap();
    let next = run(&seat);
    await_ready(&seat.dir(), SOON).unwrap();
    assert_eq!(seat.record().cause, Cause::Itself);
    end(&seat, next);
}
