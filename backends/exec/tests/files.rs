//! Which files a program finds open.

mod scene;
use nix::sys::stat::Mode;
use rc_sv_exec::launch::Stage;
use scene::{Scene, NOBODY};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};

#[test]
fn three_descriptors_and_no_others() {
    // These are inherited by everything that is not careful.
    let careless: Vec<_> = (0..20)
        .map(|_| nix::unistd::dup(File::open("/dev/zero").unwrap()).unwrap())
        .collect();
    let scene = Scene::new(&["/bin/ls", "-l", "/proc/self/fd"]);
    let output = scene.output();
    let seen: Vec<&str> = output
        .lines()
        .filter_map(|line| line.split_once(" -> "))
        .map(|(_, target)| target)
        .collect();
    let out = scene.path("out");
    // The last one is the directory that ls reads.
    assert_eq!(seen[..3], ["/dev/null", out.to_str().unwrap(), "/dev/null"]);
    assert!(seen.len() == 4 && seen[3].starts_with("/proc/"), "{output}");
    drop(careless);
}

#[test]
fn a_supervisor_may_have_more_open_than_the_service_may() {
    let many: Vec<_> = (0..200).map(|_| File::open("/dev/zero").unwrap()).collect();
    let mut scene = Scene::shell("ulimit -n; cat");
    // RLIMIT_NOFILE.
    scene.list("rlimits", &["7=64:64"]);
    scene.text("input_file", "/dev/null");
    assert_eq!(scene.output(), "64\n");
    drop(many);
}

#[test]
fn nothing_of_the_supervisor_is_seen_where_nothing_is_set() {
    let mut scene = Scene::shell("readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2 | cat >$OUT");
    scene.spec.remove("output_log");
    let out = format!("OUT={}", scene.path("out").display());
    scene.list("environment", &["PATH=/usr/bin:/bin", &out]);
    assert_eq!(scene.output(), "/dev/null\n/dev/null\n/dev/null\n");
}

#[test]
fn logs_are_appended_and_made_private_whatever_the_umask_is() {
    let mut scene = Scene::shell("echo out; echo err >&2");
    scene.file("error_log", "err").int("umask", 0).as_nobody();
    scene.output();
    assert_eq!(scene.output(), "out\nout\n");
    assert_eq!(scene.read("err"), b"err\nerr\n");
    for name in ["out", "err"] {
        let log = fs::metadata(scene.path(name)).unwrap();
        assert_eq!((log.mode() & 0o7777, log.uid()), (0o600, NOBODY), "{name}");
    }
}

#[test]
fn an_existing_log_keeps_its_mode() {
    let scene = Scene::shell("echo out");
    let mut log = File::options()
        .create(true)
        .append(true)
        .mode(0o640)
        .open(scene.path("out"))
        .unwrap();
    log.write_all(b"before\n").unwrap();
    assert_eq!(scene.output(), "before\nout\n");
    assert_eq!(
        fs::metadata(scene.path("out")).unwrap().mode() & 0o777,
        0o640
    );
}

#[test]
fn one_log_for_both_is_one_description() {
    let mut scene = Scene::shell(
        "echo one; echo two >&2; echo three; grep -H flags /proc/$$/fdinfo/1 /proc/$$/fdinfo/2",
    );
    scene.file("error_log", "out");
    let output = scene.output();
    assert!(output.starts_with("one\ntwo\nthree\n"), "{output}");
    let flags: Vec<u32> = output
        .lines()
        .filter_map(|line| line.split_once("flags:"))
        .map(|(_, flags)| u32::from_str_radix(flags.trim(), 8).unwrap())
        .collect();
    let wanted = (libc::O_WRONLY | libc::O_APPEND) as u32;
    let ignored = !(libc::O_LARGEFILE as u32 | 0o100000);
    assert_eq!(
        flags
            .iter()
            .map(|flags| flags & ignored)
            .collect::<Vec<_>>(),
        [wanted, wanted]
    );
}

#[test]
fn input_comes_from_its_file() {
    let mut scene = Scene::new(&["/bin/cat"]);
    scene.file("input_file", "in").as_nobody();
    fs::write(scene.path("in"), "some input\n").unwrap();
    assert_eq!(scene.output(), "some input\n");
}

#[test]
fn without_an_input_file_there_is_no_input() {
    assert_eq!(Scene::new(&["/bin/cat"]).output(), "");
}

#[test]
fn a_fifo_that_nobody_reads_fails_at_once() {
    let mut scene = Scene::shell("echo err >&2");
    scene.file("error_log", "fifo");
    nix::unistd::mkfifo(&scene.path("fifo"), Mode::from_bits_truncate(0o600)).unwrap();
    let (stage, errno, message) = scene.failure();
    assert_eq!((stage, errno), (Stage::Error, libc::ENXIO));
    assert!(message.contains("a FIFO that nobody reads"), "{message}");
}

#[test]
fn a_fifo_with_a_reader_is_a_log_and_waits_when_it_is_full() {
    let mut scene = Scene::new(&[
        "/bin/dd",
        "if=/dev/zero",
        "bs=200000",
        "count=1",
        "status=none",
    ]);
    scene.file("output_log", "fifo");
    nix::unistd::mkfifo(&scene.path("fifo"), Mode::from_bits_truncate(0o600)).unwrap();
    // More than fits: with O_NONBLOCK left on, dd would fail.
    let mut options = File::options();
    let reader = options
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(scene.path("fifo"));
    let reader = reader.unwrap();
    let launch = rc_sv_exec::launch::Launch::from_settings(scene.spec.settings()).unwrap();
    let child = rc_sv_exec::launch::spawn(&launch, None).unwrap();
    assert_eq!(scene::report(&child), None);
    let flags = nix::fcntl::FcntlArg::F_SETFL(nix::fcntl::OFlag::empty());
    nix::fcntl::fcntl(&reader, flags).unwrap();
    let mut log = Vec::new();
    (&reader).read_to_end(&mut log).unwrap();
    assert_eq!(log.len(), 200_000);
    assert!(matches!(
        scene::wait(&child),
        nix::sys::wait::WaitStatus::Exited(_, 0)
    ));
}

#[test]
fn an_input_fifo_does_not_hold_the_start_up() {
    let mut scene = Scene::new(&["/bin/true"]);
    scene.file("input_file", "fifo");
    nix::unistd::mkfifo(&scene.path("fifo"), Mode::from_bits_truncate(0o600)).unwrap();
    scene.output();
}

#[test]
fn a_log_that_its_user_may_not_write_is_refused() {
    let mut scene = Scene::shell("echo out");
    scene.as_nobody();
    File::options()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(scene.path("out"))
        .unwrap();
    let (stage, errno, message) = scene.failure();
    assert_eq!((stage, errno), (Stage::Output, libc::EACCES));
    assert!(message.starts_with("cannot open output_log /"), "{message}");
    assert!(
        message.ends_with("Permission denied (it is opened as user 65534)"),
        "{message}"
    );
}

#[test]
fn missing_files_and_directories_are_named() {
    let mut scene = Scene::shell("true");
    scene.file("input_file", "none");
    let (stage, errno, message) = scene.failure();
    assert_eq!((stage, errno), (Stage::Input, libc::ENOENT));
    assert!(message.starts_with("cannot open input_file /"), "{message}");
    let mut scene = Scene::shell("true");
    scene.file("output_log", "none/out");
    assert_eq!(scene.failure().0, Stage::Output);
}
