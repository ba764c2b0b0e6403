#![allow(unsafe_code)]

use super::*;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

fn sh(script: &str, input: &[u8], timeout: Duration) -> Result<Ran> {
    let argv = ["/bin/sh", "-c", script].map(|word| CString::new(word).unwrap());
    let environment = [c"PATH=/bin:/usr/bin".to_owned(), c"A=b".to_owned()];
    let command = Command {
        argv: &argv,
        environment: &environment,
        directory: c"/",
        input,
        merge_stderr: true,
        timeout,
    };
    run(&command, 64)
}

const LONG: Duration = Duration::from_secs(20);

#[test]
fn output_status_and_surroundings() {
    let ran = sh("cat; echo $A; pwd; echo e >&2; exit 3", b"in\n", LONG).unwrap();
    assert_eq!(String::from_utf8(ran.output).unwrap(), "in\nb\n/\ne\n");
    assert_eq!(ExitStatus::from_raw(ran.wait_status).code(), Some(3));
    assert!(!ran.timed_out && !ran.truncated);
    let killed = sh("kill -9 $$", b"", LONG).unwrap();
    assert_eq!(ExitStatus::from_raw(killed.wait_status).signal(), Some(9));
}

#[test]
fn nothing_of_the_hosts_is_left_open() {
    let (open, _other) = nix::unistd::pipe().unwrap();
    let number = std::os::fd::AsRawFd::as_raw_fd(&open);
    let script = format!("test -e /proc/self/fd/{number} && echo open");
    assert_eq!(sh(&script, b"", LONG).unwrap().output, b"");
}

#[test]
fn more_output_than_wanted_is_cut_but_read() {
    let ran = sh("dd if=/dev/zero bs=1000 count=1000 2>/dev/null", b"", LONG).unwrap();
    assert_eq!(
        (ran.output.len(), ran.truncated, ran.wait_status),
        (64, true, 0)
    );
}

#[test]
fn the_group_is_killed_when_its_time_is_over() {
    let begin = Instant::now();
    let ran = sh("sleep 100 & sleep 100", b"", Duration::from_millis(100)).unwrap();
    assert!(ran.timed_out && begin.elapsed() < LONG);
    assert_eq!(ExitStatus::from_raw(ran.wait_status).signal(), Some(9));
}

#[test]
fn a_grandchild_that_keeps_the_pipe_does_not_keep_us() {
    let begin = Instant::now();
    let ran = sh("sleep 100 & echo $!", b"", LONG).unwrap();
    assert!(begin.elapsed() < LONG);
    let pid = String::from_utf8(ran.output)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    // SAFETY: no memory is involved; the sleeper is ours.
    unsafe { libc::kill(pid, libc::SIGKILL) };
}

#[test]
fn what_cannot_be_run_is_named() {
    let argv = [c"/nonexistent/tool".to_owned()];
    let command = Command {
        argv: &argv,
        environment: &[],
        directory: c"/",
        input: b"",
        merge_stderr: false,
        timeout: LONG,
    };
    let error = run(&command, 0).unwrap_err();
    assert_eq!(
        error.message,
        "cannot execute /nonexistent/tool: No such file or directory"
    );
}

#[test]
fn a_host_that_reaps_everything_does_not_disturb() {
    extern "C" fn reap_all(_: c_int) {
        // SAFETY: what openrc-run does in its handler.
        unsafe { while libc::waitpid(-1, ptr::null_mut(), libc::WNOHANG) > 0 {} }
    }
    // SAFETY: forks so that the handler is that of a process of our own.
    let host = unsafe {
        let host = libc::fork();
        if host == 0 {
            libc::signal(libc::SIGCHLD, reap_all as *const () as libc::sighandler_t);
            let right =
                (0..50).all(|_| sh("exit 7", b"", LONG).is_ok_and(|ran| ran.wait_status == 7 << 8));
            libc::_exit(if right { 0 } else { 1 });
        }
        host
    };
    let mut status = -1;
    // SAFETY: our child and our memory.
    unsafe { libc::waitpid(host, &mut status, 0) };
    assert_eq!(status, 0);
}
