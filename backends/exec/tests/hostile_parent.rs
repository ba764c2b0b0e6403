//! A parent with everything that a child must not inherit. A process of its own, so one test; the
//! only test file with unsafe code.

#![allow(unsafe_code)]

mod scene;
use nix::sys::signal::{pthread_sigmask, SigSet, SigmaskHow, Signal};
use nix::sys::wait::WaitStatus;
use rc_sv_exec::launch::{spawn, Child, Launch};
use scene::{field, Scene};
use std::fs;

extern "C" fn never(_: i32) {
    // SAFETY: ends the process at once.
    unsafe { libc::_exit(99) }
}

#[test]
fn nothing_of_it_is_inherited() {
    // In this order: what is ignored is looked up at the first spawn.
    what_it_ignores_blocks_and_has_open_is_not_handed_on();
    no_handler_of_it_runs_in_a_child();
}

fn no_handler_of_it_runs_in_a_child() {
    let scene = Scene::new(&["/bin/sleep", "60"]);
    let launch = Launch::from_settings(scene.spec.settings()).unwrap();
    // SAFETY: a child can be waited for again.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
    for _ in 0..100 {
        // SAFETY: `never` ends the process, which is all that a handler may do.
        unsafe { libc::signal(libc::SIGUSR1, never as *const () as libc::sighandler_t) };
        let child = spawn(&launch, None).unwrap();
        // Before, while or after it executes its program, as it happens.
        // SAFETY: it was not waited for, so the number is still that of the child.
        unsafe { libc::kill(child.pid, libc::SIGUSR1) };
        let status = scene::wait(&child);
        assert!(
            matches!(status, WaitStatus::Signaled(_, Signal::SIGUSR1, _)),
            "{status:?}"
        );
    }
}

fn what_it_ignores_blocks_and_has_open_is_not_handed_on() {
    // SAFETY: sets dispositions of this process, whose only test this is.
    unsafe {
        for signal in [
            libc::SIGPIPE,
            libc::SIGXFSZ,
            libc::SIGCHLD,
            libc::SIGTTOU,
            32,
            33,
            34,
            50,
            64,
        ] {
            let mut action: [u64; 8] = [0; 8];
            action[0] = libc::SIG_IGN as u64;
            // Raw, because the C library keeps 32 and 33 to itself.
            libc::syscall(libc::SYS_rt_sigaction, signal, action.as_ptr(), 0, 8);
        }
        let all = u64::MAX;
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            libc::SIG_BLOCK,
            &raw const all,
            0,
            8,
        );
        for fd in [50, 500, 1000] {
            assert_eq!(libc::dup2(2, fd), fd);
        }
    }
    let own = fs::read_to_string("/proc/thread-self/status").unwrap();
    assert_ne!(field(&own, "SigIgn"), "0000000000000000");
    let mut scene = Scene::new(&["/bin/cat", "/proc/self/status"]);
    scene.file("input_file", "out").file("error_log", "err");
    fs::write(scene.path("out"), "").unwrap();
    // SAFETY: what the harness prints goes to a copy meanwhile.
    let saved = unsafe { [libc::dup(0), libc::dup(1), libc::dup(2)] };
    for standard in 0..3 {
        // SAFETY: nothing prints before they are back.
        unsafe { libc::close(standard) };
    }
    let listing = Scene::new(&["/bin/ls", "/proc/self/fd"]);
    let children = [&scene, &listing].map(|scene| {
        let launch = Launch::from_settings(scene.spec.settings()).unwrap();
        let child = spawn(&launch, None).unwrap();
        // Its descriptors may have the free numbers; copies do not.
        Child {
            pid: child.pid,
            pidfd: child.pidfd.try_clone().unwrap(),
            report: child.report.try_clone().unwrap(),
        }
    });
    for (standard, copy) in saved.into_iter().enumerate() {
        // SAFETY: puts them back.
        unsafe { libc::dup2(copy, standard as i32) };
    }
    for child in children {
        assert_eq!(scene::report(&child), None);
        // SIGCHLD is ignored here, so nobody can be waited for; the descriptor still tells.
        scene::ended(&child);
    }
    let status = String::from_utf8(scene.read("out")).unwrap();
    for set in ["SigIgn", "SigBlk", "SigPnd", "ShdPnd", "SigCgt"] {
        assert_eq!(field(&status, set), "0000000000000000", "{set}");
    }
    assert_eq!(
        listing.read("out"),
        b"0\n1\n2\n3\n",
        "the last is what ls reads"
    );
    // The parent's own mask is as it was.
    let mask = SigSet::thread_get_mask().unwrap();
    assert!(mask.contains(Signal::SIGUSR1) && mask.contains(Signal::SIGTERM));
    pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None).unwrap();
}
