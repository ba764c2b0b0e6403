//! Processes that are made by threads and share memory until they execute their program. A process
//! of its own, because it is not dumpable afterwards; and these tests are for root.

mod scene;

use nix::mount::{mount, MsFlags};
use nix::poll::{poll, PollFd, PollFlags};
use nix::sched::{unshare, CloneFlags};
use nix::sys::resource::{getrlimit, setrlimit, Resource};
use nix::sys::signal::{killpg, Signal};
use nix::sys::wait::WaitStatus;
use nix::unistd::Pid;
use rc_sv_exec::launch::{spawn, Launch, News, Spawner, Stage};
use scene::lease::Lease;
use scene::{field, Scene};
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// As many as the spawner has threads.
const THREADS: u64 = 4;

/// Long after every order became slow.
const LATE: u64 = 1_000_000;

/// One at a time: whoever forks has a copy of what another one has open.
static TURN: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn spawner() -> Spawner {
    let spawner = Spawner::new().unwrap();
    spawner.expect("root, and a machine for which there is a way")
}

fn launch(scene: &Scene) -> Arc<Launch> {
    Arc::new(Launch::from_settings(scene.spec.settings()).unwrap())
}

fn order(spawner: &mut Spawner, ticket: u64, scene: &Scene) {
    let taken = spawner.order(ticket, &launch(scene), None, 0);
    assert!(taken.is_ok(), "order {ticket} was not taken");
}

/// The next news at the very beginning, when nothing is slow.
fn news(spawner: &mut Spawner) -> News {
    loop {
        if let Some(news) = spawner.news(0) {
            return news;
        }
        let mut fds = [PollFd::new(spawner.as_fd(), PollFlags::POLLIN)];
        assert_eq!(poll(&mut fds, 30_000u16), Ok(1), "no news");
    }
}

/// Its pid and descriptor, and why it was not executed.
fn done(news: News, wanted: u64) -> (i32, OwnedFd, Option<rc_sv_exec::launch::Failure>) {
    match news {
        News::Done {
            ticket,
            made: Some((pid, pidfd)),
            failure,
        } if ticket == wanted => (pid, pidfd, failure),
        other => panic!("{other:?}"),
    }
}

/// The news much later: that this order is slow.
fn slow(spawner: &mut Spawner, wanted: u64) -> (i32, OwnedFd) {
    match spawner.news(LATE) {
        Some(News::Slow { ticket, pid, pidfd }) if ticket == wanted => (pid, pidfd),
        other => panic!("{other:?}"),
    }
}

/// The program of a scene, which hangs while it is executed.
fn hanging() -> (Scene, Lease) {
    let scene = Scene::program("#!/bin/sh\nexit 7\n", 0o755);
    let lease = Lease::of(&scene.path("program"));
    (scene, lease)
}

fn exits(pidfd: &OwnedFd, code: i32) {
    let status = scene::wait_for(pidfd);
    assert!(
        matches!(status, WaitStatus::Exited(_, exit) if exit == code),
        "{status:?}"
    );
}

#[test]
fn all_steps_are_taken_and_nothing_is_inherited() {
    let _turn = turn();
    let mut spawner = spawner();
    // Not closed by execve.
    let inherited = nix::unistd::dup(fs::File::open("/dev/null").unwrap()).unwrap();
    let mut scene = Scene::new(&["/bin/cat", "/proc/self/status"]);
    scene.as_nobody().text("directory", "/tmp");
    scene.int("umask", 0o27).int("rc_supervise_nice", 5);
    scene.list("rlimits", &["9=1048576000:1048576000", "7=64:64"]);
    order(&mut spawner, 7, &scene);
    let (pid, pidfd, failure) = done(news(&mut spawner), 7);
    assert_eq!(failure, None);
    exits(&pidfd, 0);
    let status = String::from_utf8(scene.read("out")).unwrap();
    assert_eq!(field(&status, "Pid"), pid.to_string());
    assert_eq!(field(&status, "NSsid"), pid.to_string());
    assert_eq!(field(&status, "Umask"), "0027");
    assert!(field(&status, "Uid").starts_with("65534\t65534\t65534"));
    for set in ["SigIgn", "SigBlk", "SigCgt"] {
        assert_eq!(field(&status, set), "0000000000000000", "{set}");
    }
    // What was the child's only did not become that of this process.
    let own = fs::read_to_string("/proc/self/status").unwrap();
    assert!(field(&own, "Uid").starts_with("0\t0\t0"));
    assert_ne!(field(&own, "Umask"), "0027");
    assert_ne!(getrlimit(Resource::RLIMIT_NOFILE).unwrap(), (64, 64));
    assert!(nix::sys::stat::fstat(&inherited).is_ok());

    let listing = Scene::new(&["/bin/ls", "/proc/self/fd"]);
    order(&mut spawner, 8, &listing);
    exits(&done(news(&mut spawner), 8).1, 0);
    assert_eq!(
        listing.read("out"),
        b"0\n1\n2\n3\n",
        "the last is what ls reads"
    );
}

#[test]
fn a_failure_is_told_with_its_stage() {
    let _turn = turn();
    let mut spawner = spawner();
    let mut scene = Scene::new(&["/nonexistent/program"]);
    scene.as_nobody();
    for ticket in 0..3 {
        order(&mut spawner, ticket, &scene);
        let (_, pidfd, failure) = done(news(&mut spawner), ticket);
        let failure = failure.expect("it was executed");
        assert_eq!(
            (failure.stage, failure.errno),
            (Stage::Execute, libc::ENOENT)
        );
        assert_eq!(
            failure.message(&launch(&scene)),
            "cannot execute /nonexistent/program: No such file or directory"
        );
        exits(&pidfd, 127);
    }
    scene.text("directory", "/nonexistent");
    order(&mut spawner, 9, &scene);
    let (_, pidfd, failure) = done(news(&mut spawner), 9);
    assert_eq!(failure.map(|failure| failure.stage), Some(Stage::Directory));
    exits(&pidfd, 127);
}

#[test]
fn without_descriptors_there_is_no_process() {
    let _turn = turn();
    let mut spawner = spawner();
    let scene = Scene::new(&["/bin/true"]);
    // The threads have what they need.
    order(&mut spawner, 1, &scene);
    exits(&done(news(&mut spawner), 1).1, 0);
    let launch = launch(&scene);
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, 3, hard).unwrap();
    let taken = spawner.order(2, &launch, None, 0);
    let told = news(&mut spawner);
    setrlimit(Resource::RLIMIT_NOFILE, soft, hard).unwrap();
    assert!(taken.is_ok());
    let News::NotMade { ticket: 2, error } = told else {
        panic!("{told:?}");
    };
    assert_eq!(error.os_errno, libc::EMFILE);
    assert_eq!(error.message, "cannot make a process: Too many open files");
    assert_eq!(spawner.deadline(), None);
    // Whatever is one too many is told as that, until there are enough.
    let (_read, write) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).unwrap();
    let mut launch = Launch::from_settings(scene.spec.settings()).unwrap();
    launch.give(write, 30);
    let launch = Arc::new(launch);
    for limit in 4.. {
        setrlimit(Resource::RLIMIT_NOFILE, limit, hard).unwrap();
        let taken = spawner.order(limit, &launch, None, 0);
        let told = news(&mut spawner);
        setrlimit(Resource::RLIMIT_NOFILE, soft, hard).unwrap();
        assert!(taken.is_ok());
        let errno = match told {
            News::NotMade { error, .. } => error.os_errno,
            told => match done(told, limit) {
                (_, pidfd, Some(failure)) => {
                    exits(&pidfd, 127);
                    failure.errno
                }
                (_, pidfd, None) => return exits(&pidfd, 0),
            },
        };
        assert_eq!(errno, libc::EMFILE, "with {limit}");
    }
}

#[test]
fn a_program_that_hangs_holds_up_one_thread_and_tells_its_pid() {
    let _turn = turn();
    let mut spawner = spawner();
    let (hanging, lease) = hanging();
    order(&mut spawner, 1, &hanging);
    lease.until_wanted();
    let (pid, pidfd) = slow(&mut spawner, 1);
    assert_eq!(spawner.deadline(), None, "it is told once");

    let quick = Scene::new(&["/bin/true"]);
    order(&mut spawner, 2, &quick);
    let (other, other_pidfd, failure) = done(news(&mut spawner), 2);
    assert_ne!(other, pid);
    assert_eq!(failure, None);
    exits(&other_pidfd, 0);

    drop(lease);
    match news(&mut spawner) {
        News::Done {
            ticket: 1,
            made: None,
            failure: None,
        } => exits(&pidfd, 7),
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_that_hangs_can_be_killed() {
    let _turn = turn();
    let mut spawner = spawner();
    let (hanging, lease) = hanging();
    order(&mut spawner, 1, &hanging);
    lease.until_wanted();
    let (pid, pidfd) = slow(&mut spawner, 1);
    killpg(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
    assert!(matches!(
        news(&mut spawner),
        News::Done {
            ticket: 1,
            made: None,
            failure: None
        }
    ));
    let status = scene::wait_for(&pidfd);
    assert!(
        matches!(status, WaitStatus::Signaled(_, Signal::SIGKILL, _)),
        "{status:?}"
    );
}

#[test]
fn while_all_threads_are_held_up_the_other_way_is_left() {
    let _turn = turn();
    let mut spawner = spawner();
    let (scenes, leases): (Vec<_>, Vec<_>) = (0..THREADS).map(|_| hanging()).unzip();
    for (ticket, (scene, lease)) in (0..).zip(scenes.iter().zip(&leases)) {
        order(&mut spawner, ticket, scene);
        lease.until_wanted();
    }
    let quick = Scene::new(&["/bin/true"]);
    order(&mut spawner, 99, &quick);
    let held_up: Vec<_> = (0..THREADS)
        .map(|ticket| slow(&mut spawner, ticket))
        .collect();
    let told = spawner.news(LATE);
    assert!(
        matches!(
            told,
            Some(News::Untaken {
                ticket: 99,
                cgroup: None
            })
        ),
        "{told:?}"
    );
    let launch = launch(&quick);
    assert!(spawner.order(100, &launch, None, LATE).is_err());
    // That way waits for nobody.
    let child = spawn(&launch, None).unwrap();
    assert_eq!(scene::report(&child), None);
    exits(&child.pidfd, 0);

    drop(leases);
    for _ in 0..THREADS {
        assert!(matches!(
            news(&mut spawner),
            News::Done {
                made: None,
                failure: None,
                ..
            }
        ));
    }
    for (_, pidfd) in &held_up {
        exits(pidfd, 7);
    }
    order(&mut spawner, 101, &quick);
    exits(&done(news(&mut spawner), 101).1, 0);
}

/// Has this thread see the file `other` in place of another, in mounts of its own.
fn see_instead(path: &Path, other: &Path) {
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    let none = None::<&str>;
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(none, "/", none, private, none).unwrap();
    mount(Some(other), path, none, MsFlags::MS_BIND, none).unwrap();
}

#[test]
fn memory_that_a_user_could_look_into_is_not_shared() {
    let _turn = turn();
    let mut spawner = spawner();
    let own = Scene::new(&["/bin/true"]);
    let mut nobodys = Scene::new(&["/bin/true"]);
    nobodys.as_nobody();
    // The setting is that of the whole machine: this thread alone sees another one, and a test that
    // is killed leaves nothing.
    let mut refused = Vec::new();
    thread::scope(|scope| {
        let changed = scope.spawn(|| {
            let setting = Path::new("/proc/sys/fs/suid_dumpable");
            let file = tempfile::NamedTempFile::new().unwrap();
            see_instead(setting, file.path());
            for value in ["1", "2"] {
                fs::write(file.path(), value).unwrap();
                assert_eq!(fs::read_to_string(setting).unwrap(), value);
                refused.push(spawner.order(1, &launch(&nobodys), None, 0).is_err());
            }
            order(&mut spawner, 2, &own);
        });
        changed.join().expect("the thread");
    });
    assert_eq!(refused, [true, true]);
    exits(&done(news(&mut spawner), 2).1, 0);
    assert!(!nix::sys::prctl::get_dumpable().unwrap());
    order(&mut spawner, 3, &nobodys);
    exits(&done(news(&mut spawner), 3).1, 0);
    assert!(!nix::sys::prctl::get_dumpable().unwrap());
}

#[test]
fn a_gift_leaves_the_descriptors_of_the_maker_alone() {
    let _turn = turn();
    let mut spawner = spawner();
    let open = || fs::read_dir("/proc/self/fd").unwrap().count();
    let before = open();
    for (ticket, place) in (3..=20).enumerate() {
        let (told, write) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).unwrap();
        let scene = Scene::shell(&format!("echo {place} >/proc/self/fd/{place}"));
        let mut launch = Launch::from_settings(scene.spec.settings()).unwrap();
        launch.give(write, place);
        let taken = spawner.order(ticket as u64, &Arc::new(launch), None, 0);
        assert!(taken.is_ok());
        let (_, pidfd, failure) = done(news(&mut spawner), ticket as u64);
        assert!(failure.is_none());
        assert!(matches!(scene::wait_for(&pidfd), WaitStatus::Exited(_, 0)));
        let text = std::io::read_to_string(fs::File::from(told)).unwrap();
        assert_eq!(text, format!("{place}\n"));
    }
    // Threads of an earlier test's spawner may have ended meanwhile.
    assert!(open() <= before, "{} of {before}", open());
}
