//! rc-sv-exec called as s6-supervise and runsv call it.

mod seat;

use nix::fcntl::{fcntl, FcntlArg};
use rc_sv_api::exit::Exit;
use rc_sv_exec::run::record::Phase;
use rc_sv_exec::run::{await_executed, is_executing};
use seat::{finished, range, said, Seat};
use std::fs;
use std::process::Stdio;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(30);

#[test]
fn run_is_the_program_and_finish_takes_down_how_it_ended() {
    let seat = Seat::new("echo $PPID $OUTSIDE >out; exit 3");
    let child = seat.command("run").spawn().unwrap();
    let pid = child.id() as i32;
    assert_eq!(finished(child).status.code(), Some(3));
    assert_eq!(
        seat.text("out"),
        format!("{}\n", std::process::id()),
        "nothing in between"
    );
    let record = seat.record();
    assert_eq!((record.phase, record.pid), (Phase::Running, Some(pid)));
    assert_eq!(await_executed(&seat.dir(), SOON).unwrap(), record);
    // As s6-supervise 2.13 and later call it.
    assert_eq!(seat.finish(&["3", "0", "foo", "77"]), 0);
    let record = seat.record();
    assert_eq!(
        (record.phase, record.last_exit),
        (Phase::Waiting, Some(Exit::Code(3)))
    );
    assert_eq!(
        (record.restarts, record.count, record.note.as_str()),
        (0, 1, "exited 3")
    );
    seat.run();
    assert_eq!(seat.record().restarts, 1);
}

#[test]
fn what_each_supervisor_says_is_understood() {
    let seat = Seat::new("exit 0").set("respawn_max", "0");
    let ends: [(&[&str], Exit); 9] = [
        (&["7", "0"], Exit::Code(7)),
        (&["256", "9", "foo"], Exit::Signal(9)),
        (&["-1", "9"], Exit::Signal(9)),
        (&["-1", "139"], Exit::Dumped(11)),
        (&["111", "0"], Exit::Code(111)),
        (&["-1", "0"], Exit::Unknown),
        (&[], Exit::Unknown),
        (&["256", "700"], Exit::Unknown),
        (&["x\n", "$(id)"], Exit::Unknown),
    ];
    for (arguments, exit) in ends {
        seat.run();
        assert_eq!(seat.finish(arguments), 0, "{arguments:?}");
        assert_eq!(seat.record().last_exit, Some(exit), "{arguments:?}");
    }
}

#[test]
fn what_cannot_be_executed_is_said_in_words() {
    let cases = [
        (
            "chroot",
            "/nonexistent",
            "cannot change the root to /nonexistent: No such file or directory",
            2,
        ),
        (
            "directory",
            "/etc/passwd",
            "cannot change to the directory /etc/passwd: Not a directory",
            20,
        ),
        (
            "output_log",
            "/nonexistent/log",
            "cannot open output_log /nonexistent/log: No such file or directory",
            2,
        ),
    ];
    for (key, value, message, errno) in cases {
        let seat = Seat::new("exit 0").set(key, value);
        assert_eq!(seat.run().status.code(), Some(127));
        let record = seat.record();
        assert_eq!(
            (record.phase, record.last_exit),
            (Phase::Ended, Some(Exit::NotRun(errno)))
        );
        assert_eq!(seat.finish(&["127", "0"]), 125);
        assert_eq!(
            (seat.record().phase, seat.record().note.as_str()),
            (Phase::Down, message)
        );
        let error = await_executed(&seat.dir(), SOON).unwrap_err();
        assert_eq!((error.message.as_str(), error.os_errno), (message, errno));
    }
    let seat = Seat::new("exit 0").list("argv", &["not-absolute"]);
    assert_eq!(seat.run().status.code(), Some(127));
    seat.finish(&["127", "0"]);
    let error = await_executed(&seat.dir(), SOON).unwrap_err();
    assert_eq!(
        error.message,
        "argv=\"not-absolute\": must be an absolute path"
    );
}

#[test]
fn a_respawn_that_cannot_be_executed_is_tried_again() {
    let seat = Seat::new("exit 3");
    seat.run();
    seat.finish(&["3", "0"]);
    let seat = seat.list("argv", &["/nonexistent"]);
    assert_eq!(seat.run().status.code(), Some(127));
    assert_eq!(seat.finish(&["127", "0"]), 0);
    let record = seat.record();
    assert_eq!((record.phase, record.count), (Phase::Waiting, 2));
    assert_eq!(
        record.note,
        "cannot execute /nonexistent: No such file or directory"
    );
}

#[test]
fn a_run_that_is_recorded_may_not_be_executed_yet() {
    let seat = Seat::new("exit 0");
    let timeout = Duration::from_millis(10);
    let error = await_executed(&seat.dir(), timeout).unwrap_err();
    assert_eq!(error.message, "the program was not executed within 10 ms");
    seat.run();
    await_executed(&seat.dir(), SOON).unwrap();
    // As one does whose program lies on a dead file server.
    let lock = fs::OpenOptions::new()
        .write(true)
        .open(seat.own().join("lock"))
        .unwrap();
    fcntl(&lock, FcntlArg::F_OFD_SETLK(&range(2))).unwrap();
    assert!(is_executing(&seat.dir()).unwrap());
    assert!(await_executed(&seat.dir(), timeout).is_err());
    // By name: a child of another test may just have got the descriptor too.
    let free = libc::flock {
        l_type: libc::F_UNLCK as _,
        ..range(2)
    };
    fcntl(&lock, FcntlArg::F_OFD_SETLK(&free)).unwrap();
    assert!(!is_executing(&seat.dir()).unwrap());
    await_executed(&seat.dir(), SOON).unwrap();
}

#[test]
fn by_the_path_of_the_service() {
    let seat = Seat::new("echo $$ >out; exit 4");
    let by_path = |part: &str, rest: &[&str]| {
        let mut command = std::process::Command::new(seat::PROGRAM);
        command
            .arg(part)
            .arg(seat.own())
            .args(rest)
            .current_dir("/");
        finished(
            command
                .stderr(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap(),
        )
    };
    assert_eq!(by_path("run", &[]).status.code(), Some(4));
    assert_eq!(by_path("finish", &["4", "0"]).status.code(), Some(0));
    assert_eq!(seat.record().last_exit, Some(Exit::Code(4)));
    assert_eq!(said(&by_path("run", &[])), "");
    assert!(seat.text("out").trim().parse::<i32>().is_ok());
}
