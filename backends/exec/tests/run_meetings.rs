//! rc-sv-exec when signals, people, and other calls of it come in between.

mod seat;

use nix::fcntl::{fcntl, FcntlArg};
use nix::sys::signal::Signal;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use rc_sv_api::exit::Exit;
use rc_sv_exec::run::record::Phase;
use rc_sv_exec::run::{await_executed, is_at_work};
use seat::{blocks_term, finished, is_next, signal, until, Seat};
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(30);

#[test]
fn a_stop_ends_a_pause_at_once_and_other_signals_do_not() {
    let seat = Seat::new("exit 3")
        .set("respawn_delay", "1h")
        .set("respawn_delay_cap", "1h")
        .set("retry", "WINCH/5/KILL/5");
    seat.run();
    assert_eq!(seat.finish(&["3", "0"]), 0);
    let before = seat.record();
    assert!(before.next_ms.unwrap() > before.since_ms + 3_000_000);
    for stop in [
        Signal::SIGTERM,
        Signal::SIGINT,
        Signal::SIGQUIT,
        Signal::SIGWINCH,
    ] {
        let child = seat.command("run").spawn().unwrap();
        until("it waits", || blocks_term(child.id()).then_some(()));
        for other in [
            Signal::SIGHUP,
            Signal::SIGUSR1,
            Signal::SIGCONT,
            Signal::SIGALRM,
        ] {
            signal(&child, other);
        }
        signal(&child, stop);
        assert_eq!(finished(child).status.code(), Some(0), "{stop}");
        assert_eq!(seat.finish(&["0", "0"]), 0);
        assert_eq!(seat.record(), before, "nothing ran");
    }
}

#[test]
fn a_later_run_takes_over_from_one_that_waits() {
    let seat = Seat::new("exit 3")
        .set("respawn_delay", "1h")
        .set("respawn_delay_cap", "1h");
    seat.run();
    seat.finish(&["3", "0"]);
    let first = seat.command("run").spawn().unwrap();
    until("it waits", || is_next(&seat, first.id()).then_some(()));
    let second = seat.command("run").spawn().unwrap();
    assert_eq!(finished(first).status.signal(), Some(9));
    until("it waits", || is_next(&seat, second.id()).then_some(()));
    signal(&second, Signal::SIGTERM);
    assert_eq!(finished(second).status.code(), Some(0));
}

/// A supervisor was killed before its run came to anything, and the next one has begun another.
#[test]
fn an_earlier_run_gives_way_to_a_later_one() {
    let seat = Seat::new("exec sleep 1000");
    let run = seat.command("run");
    let mut late = Command::new("/bin/bash");
    late.args(["-c", "kill -STOP $$; exec -a run \"$0\""]);
    late.arg(run.get_program());
    late.current_dir(seat.here());
    let late = late.spawn().unwrap();
    until("it is stopped", || is_stopped(late.id()).then_some(()));
    let first = seat.command("run").spawn().unwrap();
    await_executed(&seat.dir(), SOON).unwrap();
    let second = seat.command("run").spawn().unwrap();
    until("it looks after it", || {
        is_at_work(&seat.dir()).unwrap().then_some(())
    });
    signal(&late, Signal::SIGCONT);
    assert_eq!(finished(late).status.code(), Some(0));
    assert!(is_alive(first.id()) && is_alive(second.id()));
    assert_passes_on(second, first);
}

/// Who looks after a run passes a signal on, and ends with it.
#[track_caller]
fn assert_passes_on(keeper: Child, run: Child) {
    signal(&keeper, Signal::SIGTERM);
    assert_eq!(finished(run).status.signal(), Some(15), "it was passed on");
    assert_eq!(finished(keeper).status.code(), Some(0));
}

fn is_stopped(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_some_and(|(_, rest)| rest.starts_with('T'))
}

#[test]
fn many_runs_at_once_are_one() {
    let seat = Seat::new("echo $$ >>out; exec sleep 1000");
    let children: Vec<_> = (0..8)
        .map(|_| seat.command("run").spawn().unwrap())
        .collect();
    let record = await_executed(&seat.dir(), SOON).unwrap();
    let pid = record.pid.unwrap();
    until("one is left, and who looks after it", || {
        let alive = children.iter().filter(|child| is_alive(child.id()));
        (alive.count() <= 2).then_some(())
    });
    assert!(is_alive(pid as u32));
    until("it has said so", || {
        seat.text("out").ends_with('\n').then_some(())
    });
    assert_eq!(seat.text("out"), format!("{pid}\n"));
    for child in children {
        if is_alive(child.id()) {
            signal(&child, Signal::SIGTERM);
        }
        finished(child);
    }
    assert_eq!(seat.text("out"), format!("{pid}\n"), "never a second copy");
}

fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

#[test]
fn nobody_has_to_read_what_it_says() {
    // A pipe that nobody reads, full, and one that nobody can read any more.
    for is_full in [true, false] {
        let seat = Seat::new("exec sleep 1000");
        let first = seat.command("run").spawn().unwrap();
        await_executed(&seat.dir(), SOON).unwrap();
        let (reader, writer) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).unwrap();
        let keep: Option<OwnedFd> = if is_full {
            fcntl(&writer, FcntlArg::F_SETPIPE_SZ(4096)).unwrap();
            nix::unistd::write(&writer, &[b'x'; 4096]).unwrap();
            Some(reader)
        } else {
            drop(reader);
            None
        };
        // It has something to say: the program still runs.
        let mut command = seat.command("run");
        let second = command.stderr(Stdio::from(writer)).spawn().unwrap();
        drop(command);
        until("it is about to look after it", || {
            blocks_term(second.id()).then_some(())
        });
        assert_passes_on(second, first);
        drop(keep);
        assert_eq!(seat.record().phase, Phase::Ended);
    }
}

/// A seat whose finish command is this line for the shell, in the service directory.
fn with_finish(line: &str, finish: &str) -> Seat {
    let seat = Seat::new(line);
    let line = format!("cd '{}'; {finish}", seat.here().display());
    seat.list("rc_supervise_finish", &["/bin/sh", "-c", &line])
}

#[test]
fn an_end_that_nobody_dealt_with_is_dealt_with_by_the_next_run() {
    let seat = with_finish("exit 3", "echo $0 $1 >>finished");
    seat.run();
    // Its supervisor was killed before it could run finish.
    seat.run();
    let record = seat.record();
    assert_eq!(
        (record.restarts, record.last_exit),
        (1, Some(Exit::Unknown))
    );
    assert_eq!((record.phase, record.count), (Phase::Running, 1));
    assert_eq!(seat.text("finished"), "256 0\n");
}

#[test]
fn a_run_waits_for_what_follows_the_end_of_the_one_before() {
    let seat = with_finish(
        "echo run >>out",
        "echo >begun; read line <gate; echo finish >>out",
    );
    let gate = seat.here().join("gate");
    mkfifo(&gate, Mode::from_bits_truncate(0o600)).unwrap();
    seat.run();
    let finish = seat.command("finish").args(["0", "0"]).spawn().unwrap();
    until("it begins", || {
        seat.here().join("begun").exists().then_some(())
    });
    // The supervisor was killed, and its successor knows nothing of it.
    let run = seat.command("run").spawn().unwrap();
    until("it waits", || blocks_term(run.id()).then_some(()));
    fs::write(gate, "\n").unwrap();
    finished(finish);
    finished(run);
    assert_eq!(seat.text("out"), "run\nfinish\nrun\n");
    assert_eq!(seat.record().restarts, 1);
}

#[test]
fn a_finish_that_was_killed_is_not_begun_again() {
    let seat = with_finish("echo run >>out", "echo >>begun; exec sleep 1000");
    let seat = seat.set("rc_supervise_finish_timeout", "1h");
    seat.run();
    let finish = seat.command("finish").args(["5", "0"]).spawn().unwrap();
    // It is there before anything is in it.
    until("it begins", || (seat.text("begun") == "\n").then_some(()));
    assert_eq!(seat.record().phase, Phase::Finishing);
    signal(&finish, Signal::SIGKILL);
    finished(finish);
    seat.run();
    let record = seat.record();
    assert_eq!((record.phase, record.restarts), (Phase::Running, 1));
    assert_eq!(record.last_exit, Some(Exit::Code(5)));
    assert_eq!(
        (seat.text("begun").as_str(), seat.text("out").as_str()),
        ("\n", "run\nrun\n")
    );
}

/// A stop that runs into the finish command lets it end.
#[test]
fn a_signal_for_finish_leaves_its_command_alone() {
    let seat = with_finish("exit 0", "echo >begun; read line <gate; echo >ended");
    let seat = seat.set("rc_supervise_finish_timeout", "1h");
    let gate = seat.here().join("gate");
    mkfifo(&gate, Mode::from_bits_truncate(0o600)).unwrap();
    seat.run();
    let finish = seat.command("finish").args(["0", "0"]).spawn().unwrap();
    until("it begins", || {
        seat.here().join("begun").exists().then_some(())
    });
    signal(&finish, Signal::SIGTERM);
    fs::write(gate, "\n").unwrap();
    assert_eq!(finished(finish).status.code(), Some(0));
    assert!(seat.here().join("ended").exists());
    assert_eq!(seat.record().phase, Phase::Waiting);
}
