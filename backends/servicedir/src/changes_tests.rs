//! Tests of looks that need no file: real FIFOs and files, and everything that can change.

use crate::status::look;
use crate::suite::RUNIT;
use crate::tree::Tree;
use nix::fcntl::{open, OFlag};
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use rc_sv_api::{ServiceName, State, Status};
use rc_sv_exec::place::Dir;
use rc_sv_exec::run::record;
use std::fs::{self, DirBuilder};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{symlink, DirBuilderExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The service `foo` of runit, which runs as this process, long since.
struct Scene {
    temporary: tempfile::TempDir,
    tree: Tree,
    foo: ServiceName,
    supervisor: Option<OwnedFd>,
}

impl Scene {
    fn new() -> Scene {
        let temporary = tempfile::tempdir().unwrap();
        let svcdir = temporary.path().join("svcdir");
        DirBuilder::new().mode(0o755).create(&svcdir).unwrap();
        let tree = Tree::make(&svcdir, &RUNIT).unwrap();
        let foo = ServiceName::new(b"foo").unwrap();
        let own = Dir::make_service(&svcdir, &foo).unwrap();
        let path = tree.path(&foo);
        fs::create_dir_all(path.join("supervise")).unwrap();
        symlink(own.path(), path.join("rc-sv")).unwrap();
        mkfifo(&path.join("supervise/ok"), Mode::from_bits_truncate(0o600)).unwrap();
        let mut scene = Scene {
            temporary,
            tree,
            foo,
            supervisor: None,
        };
        scene.supervisor = Some(scene.reader());
        scene.write_status(b'u');
        scene.write_record("waiting for its index");
        scene
    }

    /// As a supervisor has its FIFO open.
    fn reader(&self) -> OwnedFd {
        let fifo = self.supervise().join("ok");
        let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        open(&fifo, flags, Mode::empty()).unwrap()
    }

    /// It has no FIFO open any more, nor has what another test forked meanwhile.
    fn end_supervisor(&mut self) {
        let fifo = self.supervise().join("ok");
        let flags = OFlag::O_WRONLY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let writer = open(&fifo, flags, Mode::empty()).unwrap();
        self.supervisor = None;
        let mut ends = [PollFd::new(writer.as_fd(), PollFlags::empty())];
        assert_eq!(poll(&mut ends, PollTimeout::from(30_000_u16)), Ok(1));
    }

    fn svcdir(&self) -> PathBuf {
        self.temporary.path().join("svcdir")
    }

    fn supervise(&self) -> PathBuf {
        self.tree.path(&self.foo).join("supervise")
    }

    fn own(&self) -> Dir {
        Dir::make_service(&self.svcdir(), &self.foo).unwrap()
    }

    fn write_status(&self, wants: u8) {
        let mut bytes = vec![0x40, 0, 0, 0, 0x69, 0, 0, 0, 0, 0, 0, 0];
        bytes.extend(std::process::id().to_le_bytes());
        bytes.extend([0, wants, 0, 1]);
        let aside = self.supervise().join("status.new");
        fs::write(&aside, bytes).unwrap();
        let long_ago = SystemTime::now() - Duration::from_secs(60);
        age(&aside, long_ago);
        fs::rename(aside, self.supervise().join("status")).unwrap();
    }

    fn write_record(&self, note: &str) {
        let text = format!(
            "rc-sv record 1\nphase running\npid {}\nrestarts 0\nsince-ns 0\nsince-ms 0\n\
             began-ms 0\ncalm-ms 0\nnext-ms -\nready -\nready-until-ms -\nhealthy -\ncause -\nstarved no\n\
             memory-kills -\nprobation no\nexit -\nlimit 10\ncount 0\nstreak 0\nrespawns \n\
             limits \nnote {note}\n",
            std::process::id()
        );
        self.own()
            .replace("record", 0o600, text.as_bytes())
            .unwrap();
        let long_ago = SystemTime::now() - Duration::from_secs(50);
        age(&self.own().path().join("record"), long_ago);
    }

    fn look(&self) -> Status {
        let dir = || Dir::open_service(&self.svcdir(), &self.foo);
        look(&self.tree, &self.foo, dir).unwrap()
    }

    fn is_settled(&self) -> bool {
        self.tree.refresh();
        self.tree.settled(&self.foo).is_some()
    }

    /// Looks as often as it takes to need no file.
    #[track_caller]
    fn settle(&self) {
        for _ in 0..2 {
            assert_eq!(self.look().state, State::Up);
        }
        assert!(self.is_settled());
        assert_eq!(self.look().state, State::Up);
        assert!(self.is_settled(), "a look changes nothing");
    }
}

fn age(path: &Path, time: SystemTime) {
    fs::File::options()
        .append(true)
        .open(path)
        .unwrap()
        .set_modified(time)
        .unwrap();
}

#[test]
fn every_change_is_seen_at_the_next_look() {
    let mut scene = Scene::new();
    assert_eq!(scene.look().detail, "waiting for its index");
    assert!(!scene.is_settled(), "nobody is watched for one look");
    scene.settle();
    scene.write_record("serving");
    assert_eq!(scene.look().detail, "serving");
    scene.settle();
    scene.write_status(b'd');
    assert_eq!(scene.look().state, State::Stopping);
    scene.write_status(b'u');
    scene.settle();
    // Its supervisor is killed.
    scene.end_supervisor();
    let status = scene.look();
    assert_eq!(status.state, State::Unmanaged, "{status:?}");
    scene.supervisor = Some(scene.reader());
    scene.settle();
    // It is forgotten what ran before.
    record::forget(&scene.own()).unwrap();
    assert_eq!(scene.look().state, State::Starting);
    scene.write_record("");
    scene.settle();
    scene.tree.remove(&scene.foo).unwrap();
    assert_eq!(scene.look().state, State::Unmanaged);
}

#[test]
fn what_others_read_changes_nothing() {
    let scene = Scene::new();
    scene.settle();
    fs::read(scene.supervise().join("status")).unwrap();
    fs::read(scene.own().path().join("record")).unwrap();
    fs::write(scene.own().path().join("spec"), "").unwrap();
    assert!(scene.is_settled());
}

#[test]
fn more_changes_than_the_kernel_remembers_are_all_changes() {
    let scene = Scene::new();
    scene.settle();
    let limit = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
    let limit: usize = limit.trim().parse().unwrap();
    let (a, b) = (scene.supervise().join("a"), scene.supervise().join("b"));
    fs::write(&a, "").unwrap();
    // There and back: the kernel tells of the same event twice only once.
    for _ in 0..=limit / 2 {
        fs::rename(&a, &b).unwrap();
        fs::rename(&b, &a).unwrap();
    }
    assert!(!scene.is_settled());
    scene.settle();
}
