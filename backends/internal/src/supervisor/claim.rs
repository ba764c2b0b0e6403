//! Being the only supervisor of a state directory, and being reachable.

use super::sys;
use crate::wire::{self, Address, LOCK, PID, SOCKET};
use nix::errno::Errno;
use nix::fcntl::{fcntl, openat, renameat, FcntlArg, OFlag};
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use nix::sys::socket::{bind, listen, socket, AddressFamily, Backlog, SockFlag, SockType};
use nix::sys::stat::{fchmodat, FchmodatFlags, Mode};
use nix::unistd::{unlinkat, UnlinkatFlags};
use rc_sv_api::{Code, Error, Result};
use rc_sv_exec::place::Dir;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

/// Names under which files are made before they get their own.
const NEW_SOCKET: &str = "socket.new";
const NEW_PID: &str = "pid.new";

/// How long connections may queue up; the kernel bounds it by `net.core.somaxconn`.
const BACKLOG: i32 = 4096;

/// How long a probing connection may wait in the other supervisor's queue.
const PROBE: Duration = Duration::from_millis(500);

/// The supervisor's directory, while it is ours alone: of a guardian, and of the supervisor that it
/// makes, each of which locks a byte of its own. Whoever wants to claim the directory locks both, so
/// nobody can while one of them lives.
pub(super) struct Claim {
    dir: Dir,
    /// A record lock: it ends with this process and, unlike others, not later. A child that hangs
    /// before its `execve` cannot keep it.
    lock: OwnedFd,
}

/// What the attempt to be the only one came to.
pub(super) enum Claimed {
    /// It is ours.
    Ours(Claim),
    /// Another supervisor has it and can be reached.
    Others,
}

/// Claims the directory. Where another one has it, waits until that one can be reached, or until
/// it is gone; but not for longer than `patience`.
pub(super) fn claim(svcdir: &Path, patience: Duration) -> Result<Claimed> {
    let dir = Dir::make_internal(svcdir)?;
    let failed = |what: &str, errno: Errno| {
        Error::io(
            format_args!("{what} {}", dir.path().display()),
            &errno.into(),
        )
    };
    let lock = open_lock(&dir).map_err(|errno| failed("open the lock in", errno))?;
    let deadline = Instant::now() + patience;
    let changes = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)
        .map_err(|errno| failed("watch", errno))?;
    // The socket appears, or the holder ends and so closes its lock.
    let wanted = AddWatchFlags::IN_MOVED_TO | AddWatchFlags::IN_CLOSE_WRITE;
    changes
        .add_watch(dir.path(), wanted)
        .map_err(|errno| failed("watch", errno))?;
    loop {
        match fcntl(&lock, FcntlArg::F_SETLK(&whole_file())) {
            Ok(_) => break,
            Err(Errno::EAGAIN | Errno::EACCES) => {}
            Err(errno) => return Err(failed("lock", errno)),
        }
        if wire::reach(svcdir, PROBE).is_ok() {
            return Ok(Claimed::Others);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let message = format!("{} is locked, but nobody listens", dir.path().display());
            return Err(Error::new(Code::Timeout, message));
        }
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        let mut fds = [PollFd::new(changes.as_fd(), PollFlags::POLLIN)];
        match poll(&mut fds, timeout) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(failed("watch", errno)),
        }
        // Which change it was does not matter: everything is looked at again.
        let _ = changes.read_events();
    }
    let claim = Claim { dir, lock };
    claim.leave_room()?;
    Ok(Claimed::Ours(claim))
}

/// Claims the directory, however long another one has it.
pub(super) fn claim_at_last(svcdir: &Path) -> Result<Claim> {
    let dir = Dir::make_internal(svcdir)?;
    let failed =
        |errno: Errno| Error::io(format_args!("lock {}", dir.path().display()), &errno.into());
    let lock = open_lock(&dir).map_err(failed)?;
    loop {
        match fcntl(&lock, FcntlArg::F_SETLKW(&whole_file())) {
            Ok(_) => break,
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(failed(errno)),
        }
    }
    let claim = Claim { dir, lock };
    claim.leave_room()?;
    Ok(claim)
}

fn open_lock(dir: &Dir) -> nix::Result<OwnedFd> {
    let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW;
    openat(dir, LOCK, flags, Mode::from_bits_truncate(0o600))
}

/// The bytes of the lock file.
const OF_GUARDIAN: libc::off_t = 0;
const OF_SUPERVISOR: libc::off_t = 1;

fn whole_file() -> libc::flock {
    part(libc::F_WRLCK, OF_GUARDIAN, 0)
}

/// `length` 0 is everything from `start` on.
fn part(kind: libc::c_int, start: libc::off_t, length: libc::off_t) -> libc::flock {
    libc::flock {
        l_type: kind as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: start,
        l_len: length,
        l_pid: 0,
    }
}

impl AsFd for Claim {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.lock.as_fd()
    }
}

impl Claim {
    /// Leaves the byte of the supervisor to it.
    fn leave_room(&self) -> Result<()> {
        let lock = part(libc::F_UNLCK, OF_SUPERVISOR, 0);
        self.set(&lock)
    }

    /// Takes part in the claim, as the supervisor.
    ///
    /// # Errors
    /// Another one does.
    pub(super) fn join(&self) -> Result<()> {
        self.set(&part(libc::F_WRLCK, OF_SUPERVISOR, 1))
    }

    /// Takes the part of a guardian that is gone, too.
    ///
    /// # Errors
    /// Somebody else has it.
    pub(super) fn take_all(&self) -> Result<()> {
        self.set(&whole_file())
    }

    /// Goes on with a claim whose `lock` went through an execve, as the guardian; `is_alone`: there
    /// is no supervisor.
    ///
    /// # Errors
    /// It is no claim, or the directory is not safe.
    pub(super) fn go_on(svcdir: &Path, lock: OwnedFd, is_alone: bool) -> Result<Claim> {
        let dir = Dir::make_internal(svcdir)?;
        let claim = Claim { dir, lock };
        if is_alone {
            claim.take_all()?;
            claim.leave_room()?;
        }
        Ok(claim)
    }

    fn set(&self, lock: &libc::flock) -> Result<()> {
        fcntl(&self.lock, FcntlArg::F_SETLK(lock))
            .map(drop)
            .map_err(|errno| {
                let what = format_args!("lock {}", self.dir.path().display());
                Error::io(what, &errno.into())
            })
    }

    /// The path of the supervisor's pid file.
    pub(super) fn pid_file(&self) -> std::path::PathBuf {
        self.dir.path().join(PID)
    }

    /// Writes the pid file, and begins to listen. Whoever finds the socket can connect to it.
    pub(super) fn listen(&self) -> Result<OwnedFd> {
        let failed = |what: &str, cause: std::io::Error| {
            Error::io(format_args!("{what} {}", self.dir.path().display()), &cause)
        };
        self.tell_pid()?;
        self.bind()
            .map_err(|errno| failed("listen in", errno.into()))
    }

    fn bind(&self) -> nix::Result<OwnedFd> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let listener = socket(AddressFamily::Unix, SockType::SeqPacket, flags, None)?;
        sys::take_no_descriptors(listener.as_fd());
        self.unlink(NEW_SOCKET);
        let address = Address::new(self.dir.path(), NEW_SOCKET)
            .map_err(|cause| Errno::from_raw(cause.raw_os_error().unwrap_or(libc::EINVAL)))?;
        bind(listener.as_raw_fd(), &address.address)?;
        listen(&listener, Backlog::new(BACKLOG)?)?;
        // Who may do what is decided by the peer's credentials.
        let everybody = Mode::from_bits_truncate(0o666);
        fchmodat(
            &self.dir,
            NEW_SOCKET,
            everybody,
            FchmodatFlags::FollowSymlink,
        )?;
        renameat(&self.dir, NEW_SOCKET, &self.dir, SOCKET)?;
        Ok(listener)
    }

    /// Tells who is the guardian.
    ///
    /// # Errors
    /// The pid file cannot be written.
    pub(super) fn tell_pid(&self) -> Result<()> {
        self.write_pid().map_err(|cause| {
            let shown = self.dir.path().display();
            Error::io(format_args!("write the pid file in {shown}"), &cause)
        })
    }

    fn write_pid(&self) -> std::io::Result<()> {
        self.unlink(NEW_PID);
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC;
        let mode = Mode::from_bits_truncate(0o644);
        let mut file = File::from(openat(&self.dir, NEW_PID, flags, mode)?);
        writeln!(file, "{}", std::process::id())?;
        Ok(renameat(&self.dir, NEW_PID, &self.dir, PID)?)
    }

    /// Removes what others could take for a supervisor; then the directory is free.
    pub(super) fn release(self) {
        self.unlink(SOCKET);
        self.unlink(PID);
    }

    /// What is missing already is as good as removed; what cannot be removed is replaced by the
    /// next supervisor.
    fn unlink(&self, name: &str) {
        let _ = unlinkat(&self.dir, name, UnlinkatFlags::NoRemoveDir);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::socket::{shutdown, Shutdown};
    use std::os::unix::fs::PermissionsExt;

    fn svcdir() -> std::path::PathBuf {
        let dir = std::env::temp_dir().join(format!("rc-sv-claim-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o755)).unwrap();
        dir
    }

    #[test]
    fn who_has_claimed_it_can_be_reached_until_it_is_released() {
        let svcdir = svcdir();
        let Ok(Claimed::Ours(claim)) = claim(&svcdir, Duration::from_secs(30)) else {
            panic!("nobody else is there");
        };
        assert!(wire::reach(&svcdir, PROBE).is_err());
        let listener = claim.listen().unwrap();
        wire::reach(&svcdir, PROBE).unwrap();
        let pid = std::fs::read_to_string(claim.pid_file()).unwrap();
        assert_eq!(pid.trim(), std::process::id().to_string());
        // A child of another test may have a copy until it executes its program.
        shutdown(listener.as_raw_fd(), Shutdown::Both).unwrap();
        assert!(wire::reach(&svcdir, PROBE).is_err());
        claim.release();
        let left = std::fs::read_dir(wire::directory(&svcdir)).unwrap().count();
        assert_eq!(left, 1, "only the lock file stays");
        std::fs::remove_dir_all(&svcdir).unwrap();
    }
}
