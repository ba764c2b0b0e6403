use super::*;
use nix::sys::signal::Signal;
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};

fn child(script: &str) -> (Child, OwnedFd) {
    let mut command = Command::new("/bin/sh");
    let child = command
        .args(["-c", script])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let pidfd = open_process(child.id() as i32).unwrap();
    (child, pidfd)
}

fn ended(pidfd: &OwnedFd) {
    use nix::poll::{poll, PollFd, PollFlags};
    let mut fds = [PollFd::new(pidfd.as_fd(), PollFlags::POLLIN)];
    assert_eq!(poll(&mut fds, 30_000u16), Ok(1), "the child did not end");
}

#[test]
fn an_end_is_seen_before_and_at_the_reaping() {
    let (mut child, pidfd) = child("read line; exit 3");
    assert_eq!(ending(pidfd.as_fd(), false).unwrap(), None);
    drop(child.stdin.take());
    ended(&pidfd);
    assert_eq!(ending(pidfd.as_fd(), false).unwrap(), Some(Exit::Code(3)));
    assert_eq!(ending(pidfd.as_fd(), true).unwrap(), Some(Exit::Code(3)));
    assert!(ending(pidfd.as_fd(), true).is_err());
    assert!(send_signal(pidfd.as_fd(), 0).is_err());
}

#[test]
fn signals_arrive_real_time_ones_too() {
    for signal in [Signal::SIGKILL as i32, 40] {
        let (child, pidfd) = child("read line");
        send_signal(pidfd.as_fd(), signal).unwrap();
        ended(&pidfd);
        let exit = ending(pidfd.as_fd(), true).unwrap();
        assert_eq!(exit, Some(Exit::Signal(signal as u8)));
        drop(child);
    }
}

#[test]
fn nobody_signals_everybody() {
    for leader in [1, 0, -1] {
        assert!(kill_group(leader, 0).is_err());
    }
}

#[test]
fn random_numbers_differ() {
    assert_ne!(random(), random());
}

#[test]
fn a_copy_is_told_from_another_opening() {
    let open = || std::fs::File::open("/dev/null").unwrap();
    let (one, other) = (open(), open());
    let copy = one.try_clone().unwrap();
    assert!(is_copy(one.as_fd(), copy.as_fd()));
    assert!(!is_copy(one.as_fd(), other.as_fd()));
}
