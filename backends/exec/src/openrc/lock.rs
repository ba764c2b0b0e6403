//! Whether an openrc-run is at work on a service.

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use nix::sys::stat::{major, minor};
use rc_sv_api::{Error, Result, ServiceName};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Whether an openrc-run works on `service` now: it holds `SVCDIR/exclusive/<service>` locked,
/// and will overwrite the state when it is done. Looks into `/proc/locks` and takes no lock, not
/// even for a moment: an openrc-run that wanted it then would fail.
///
/// # Errors
/// The file or `/proc/locks` cannot be read.
pub fn is_locked(svcdir: &Path, service: &ServiceName) -> Result<bool> {
    let path = svcdir.join("exclusive").join(service.as_str());
    let file = match fs::metadata(&path) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(false),
        file => file.map_err(|cause| Error::io(path.display(), &cause))?,
    };
    let file = identity(file.dev(), file.ino());
    for _ in 0..LOOKS {
        let (locks, pieces) = all_locks().map_err(|cause| Error::io("/proc/locks", &cause))?;
        if is_listed(&locks, &file) {
            return Ok(true);
        }
        if pieces <= 1 {
            break;
        }
    }
    Ok(false)
}

/// What becomes readable when an openrc-run ends its work on a service, on whichever.
///
/// # Errors
/// The directory of the locks cannot be watched.
pub fn watch_locks(svcdir: &Path) -> io::Result<Inotify> {
    let watch = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
    let ends = AddWatchFlags::IN_CLOSE | AddWatchFlags::IN_DELETE;
    watch.add_watch(&svcdir.join("exclusive"), ends)?;
    Ok(watch)
}

/// The kernel hands out the list in pieces. One that changes between two of them can lack a lock
/// that was held all the time, so one that is not seen is looked for again.
const LOOKS: usize = 5;

/// What a piece can hold at most, with room to spare.
const PIECE: usize = 64 * 1024;

/// `/proc/locks`, and in how many pieces it came.
fn all_locks() -> io::Result<(String, usize)> {
    let mut file = File::open("/proc/locks")?;
    let (mut locks, mut piece, mut pieces) = (Vec::new(), vec![0; PIECE], 0);
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok((String::from_utf8_lossy(&locks).into_owned(), pieces)),
            Ok(length) => {
                locks.extend_from_slice(&piece[..length]);
                pieces += 1;
            }
            Err(cause) if cause.kind() == ErrorKind::Interrupted => {}
            Err(cause) => return Err(cause),
        }
    }
}

/// A file as `/proc/locks` names it.
fn identity(device: u64, inode: u64) -> String {
    format!("{:02x}:{:02x}:{inode}", major(device), minor(device))
}

/// Whether somebody holds a flock(2) for writing on `file`; see proc_locks(5). Who only waits for
/// one has an arrow in the second field.
fn is_listed(locks: &str, file: &str) -> bool {
    locks.lines().any(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        matches!(fields[..], [_, "FLOCK", _, "WRITE", _, held, ..] if held == file)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::fcntl::{Flock, FlockArg};
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    #[test]
    fn lines_of_proc_locks() {
        let locks = "1: POSIX  ADVISORY  WRITE 500 00:19:7 0 EOF\n\
            2: FLOCK  ADVISORY  WRITE 501 00:19:8 0 EOF\n\
            2: -> FLOCK  ADVISORY  WRITE 502 00:19:9 0 EOF\n\
            3: FLOCK  ADVISORY  READ  503 00:19:10 0 EOF\n";
        assert!(is_listed(locks, "00:19:8"));
        for file in ["00:19:7", "00:19:9", "00:19:10", "00:19:80", "00:1a:8"] {
            assert!(!is_listed(locks, file), "{file}");
        }
    }

    #[test]
    fn a_lock_is_seen_while_it_is_held() {
        // As OpenRC's state directory, in memory.
        let svcdir = tempfile::tempdir_in("/dev/shm").unwrap();
        let service = ServiceName::new(b"foo").unwrap();
        let locked = || is_locked(svcdir.path(), &service).unwrap();
        assert!(!locked(), "there is no file");
        fs::create_dir(svcdir.path().join("exclusive")).unwrap();
        let file = File::create(svcdir.path().join("exclusive/foo")).unwrap();
        assert!(!locked(), "nobody holds it");
        let held = Flock::lock(file, FlockArg::LockExclusiveNonblock).unwrap();
        // Whatever others lock and unlock meanwhile.
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let (svcdir, over) = (svcdir.path(), &over);
            for name in ["a", "b", "c"] {
                scope.spawn(move || {
                    while !over.load(Ordering::Relaxed) {
                        let file = File::create(svcdir.join(name)).unwrap();
                        drop(Flock::lock(file, FlockArg::LockExclusiveNonblock).unwrap());
                    }
                });
            }
            let seen = (0..2_000).filter(|_| locked()).count();
            over.store(true, Ordering::Relaxed);
            assert_eq!(seen, 2_000);
        });
        drop(held);
        assert!(!locked());
    }
}
