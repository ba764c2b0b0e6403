//! Tests of what is known of services.

use super::*;
use nix::fcntl::{open, OFlag};
use nix::sys::stat::{stat, Mode};
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

fn foo() -> ServiceName {
    ServiceName::new(b"foo").unwrap()
}

/// How often a record was read for as many looks at the file.
fn reads(known: &mut Known, file: &Path, looks: usize) -> usize {
    let mut reads = 0;
    for _ in 0..looks {
        let found = stat(file).unwrap();
        let read = || {
            reads += 1;
            Ok(Some(Record::default()))
        };
        let record = known.content(&foo(), &found, |it| &mut it.record, read);
        assert_eq!(record.unwrap(), Some(Record::default()));
    }
    reads
}

#[test]
fn a_file_is_read_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("record");
    let aside = directory.path().join("aside");
    let mut known = Known::default();
    let hour_ago = SystemTime::now() - Duration::from_secs(3600);
    for _ in 0..2 {
        // The first one still is there, so its inode is not used again.
        let file = File::create(&aside).unwrap();
        file.set_modified(hour_ago).unwrap();
        let _first = File::open(&path);
        fs::rename(&aside, &path).unwrap();
        assert_eq!(reads(&mut known, &path, 3), 1);
    }
    known.forget(&foo());
    assert_eq!(reads(&mut known, &path, 2), 1);
}

#[test]
fn a_file_of_this_moment_is_not_trusted() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("record");
    let file = File::create(&path).unwrap();
    // By a clock that was set back.
    file.set_modified(SystemTime::now() + Duration::from_secs(3600))
        .unwrap();
    assert_eq!(reads(&mut Known::default(), &path, 3), 3);
    let edition = Edition::of(&stat(&path).unwrap());
    let written = UNIX_EPOCH + Duration::from_nanos(edition.written_ns as u64);
    assert!(!edition.is_final(written + Duration::from_millis(20)));
    assert!(edition.is_final(written + Duration::from_millis(21)));
}

#[test]
fn a_process_lives_until_it_ends() {
    let mut known = Known::default();
    let mut child = Command::new("sleep").arg("4242").spawn().unwrap();
    let pid = child.id() as i32;
    for _ in 0..2 {
        assert!(known.lives(&foo(), pid).unwrap());
        assert_eq!(known.held, 1);
    }
    // Another number: the process is another one.
    assert!(known.lives(&foo(), std::process::id() as i32).unwrap());
    assert!(known.lives(&foo(), pid).unwrap());
    assert_eq!(known.held, 1);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!known.lives(&foo(), pid).unwrap());
    assert_eq!(known.held, 0);
}

#[test]
fn a_supervisor_lives_while_somebody_reads() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("fifo");
    nix::unistd::mkfifo(&path, Mode::S_IRWXU).unwrap();
    let flags = OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let end = |flag| open(&path, flag | flags, Mode::empty());
    let mut known = Known::default();
    let mut look = || {
        known
            .supervised(&foo(), || Ok(end(OFlag::O_WRONLY).ok()))
            .unwrap()
    };
    assert!(!look());
    for _ in 0..2 {
        let reader = end(OFlag::O_RDONLY).unwrap();
        assert!(look() && look());
        drop(reader);
        // A child that another test has just forked reads too, until it executes its program.
        let deadline = Instant::now() + Duration::from_secs(30);
        while look() {
            assert!(Instant::now() < deadline, "nobody reads, but it lives");
        }
    }
    // Of the same FIFO another one may be the reader by now.
    let first = end(OFlag::O_RDONLY).unwrap();
    assert!(look());
    let _second = end(OFlag::O_RDONLY).unwrap();
    drop(first);
    assert!(look());
    assert_eq!(known.held, 1);
    known.forget(&foo());
    assert_eq!(known.held, 0);
}

#[test]
fn few_processes_are_held() {
    let mut known = Known::default();
    let own = std::process::id() as i32;
    let name = |number: usize| ServiceName::new(format!("s{number}").as_bytes()).unwrap();
    for number in 0..2 * MOST_HELD {
        assert!(known.lives(&name(number), own).unwrap());
    }
    assert_eq!(known.held, MOST_HELD);
    (0..2 * MOST_HELD).for_each(|number| known.forget(&name(number)));
    assert_eq!(known.held, 0);
}
