//! The files of a lab, seen from outside. Symbolic links are followed inside
//! of the lab only: a path can never lead to a file of the machine.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};
use std::sync::RwLock;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{openat2, OFlag, OpenHow, ResolveFlag};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use nix::sys::stat::{mkdirat, Mode};

use super::{wait, Lab};

/// Held for reading while a file is written, and for writing while a process is made: until its
/// execve that has the file open too, and what can be written cannot be executed (ETXTBSY).
pub(super) static WRITING: RwLock<()> = RwLock::new(());

impl Lab {
    /// Writes a file with exactly these permissions, and the directories above
    /// it (0755) if they are missing.
    ///
    /// # Panics
    /// When it cannot be written.
    #[track_caller]
    pub fn write(&self, path: impl AsRef<Path>, bytes: impl AsRef<[u8]>, mode: u32) {
        let path = path.as_ref();
        self.try_write(path, bytes.as_ref(), mode)
            .unwrap_or_else(|error| panic!("write {} in the lab: {error}", path.display()));
    }

    /// Writes /etc/init.d/`name`, an OpenRC script; the line `#!` is added.
    #[track_caller]
    pub fn service(&self, name: &str, script: &str) {
        let text = format!("#!/sbin/openrc-run\n{script}\n");
        self.write(format!("/etc/init.d/{name}"), text, 0o755);
    }

    /// Writes /etc/conf.d/`name`.
    #[track_caller]
    pub fn conf(&self, name: &str, text: &str) {
        self.write(format!("/etc/conf.d/{name}"), text, 0o644);
    }

    /// Reads a file. Some in /proc and /sys, as cgroup.procs and
    /// /proc/PID/cgroup, show what the *reader's* namespaces see: use
    /// `lab.sh("cat ...")` for those.
    ///
    /// # Panics
    /// When it cannot be read.
    #[track_caller]
    pub fn read(&self, path: impl AsRef<Path>) -> Vec<u8> {
        let path = path.as_ref();
        self.try_read(path)
            .unwrap_or_else(|error| panic!("read {} in the lab: {error}", path.display()))
    }

    /// Reads a file as text, bytes that are not UTF-8 replaced.
    ///
    /// # Panics
    /// When it cannot be read.
    #[track_caller]
    pub fn text(&self, path: impl AsRef<Path>) -> String {
        String::from_utf8_lossy(&self.read(path)).into_owned()
    }

    /// Reads a file; a missing one is an error, not a panic.
    pub fn try_read(&self, path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut file = File::from(self.open(path.as_ref(), OFlag::O_RDONLY, 0)?);
        io::Read::read_to_end(&mut file, &mut bytes)?;
        Ok(bytes)
    }

    /// Whether something has that path, symbolic links followed.
    pub fn exists(&self, path: impl AsRef<Path>) -> bool {
        self.open(path.as_ref(), OFlag::O_PATH, 0).is_ok()
    }

    /// Waits until the file is there and `done` says yes to its contents, which
    /// are returned. Waits for events of the file and its directory, so it is
    /// for real files: /proc and /sys send none (see [`until`](super::until)).
    ///
    /// # Panics
    /// After `timeout`, with the contents so far.
    #[track_caller]
    pub fn wait_for_file(
        &self,
        path: impl AsRef<Path>,
        mut done: impl FnMut(&[u8]) -> bool,
        timeout: Duration,
    ) -> Vec<u8> {
        let path = path.as_ref();
        self.watch(path, &mut |bytes| bytes.is_some_and(&mut done), timeout)
            .unwrap_or_else(|error| panic!("wait for {} in the lab: {error}", path.display()))
            .unwrap_or_default()
    }

    /// As [`Lab::wait_for_file`], for text with at least `count` lines, which
    /// are returned. The way to wait for reports of the probe daemon.
    #[track_caller]
    pub fn wait_for_lines(
        &self,
        path: impl AsRef<Path>,
        count: usize,
        timeout: Duration,
    ) -> Vec<String> {
        let full = |bytes: &[u8]| bytes.iter().filter(|&&byte| byte == b'\n').count() >= count;
        let bytes = self.wait_for_file(path, full, timeout);
        String::from_utf8_lossy(whole_lines(&bytes))
            .lines()
            .map(str::to_owned)
            .collect()
    }

    /// Waits until nothing has that path.
    ///
    /// # Panics
    /// After `timeout`.
    #[track_caller]
    pub fn wait_for_absence(&self, path: impl AsRef<Path>, timeout: Duration) {
        let path = path.as_ref();
        self.watch(path, &mut |bytes| bytes.is_none(), timeout)
            .unwrap_or_else(|error| panic!("absence of {} in the lab: {error}", path.display()));
    }

    fn try_write(&self, path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
        let mut above = PathBuf::from("/");
        for part in path.parent().into_iter().flat_map(Path::components) {
            let parent = self.open(&above, OFlag::O_PATH, 0)?;
            above.push(part);
            if let Component::Normal(name) = part {
                match mkdirat(&parent, name, Mode::from_bits_truncate(0o755)) {
                    Ok(()) | Err(Errno::EEXIST) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_TRUNC;
        let _nobody_forks = WRITING.read();
        let mut file = File::from(self.open(path, flags, 0o600)?);
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.write_all(bytes)
    }

    pub(super) fn open(&self, path: &Path, flags: OFlag, mode: u32) -> io::Result<OwnedFd> {
        let how = OpenHow::new()
            .flags(flags | OFlag::O_CLOEXEC)
            .mode(Mode::from_bits_truncate(mode))
            .resolve(ResolveFlag::RESOLVE_IN_ROOT);
        loop {
            match openat2(&self.root, path, how) {
                // Somebody, in whatever lab, mounted or renamed while a `..` was followed: the
                // kernel wants to be asked again (openat2(2)).
                Err(Errno::EAGAIN) => {}
                other => return Ok(other?),
            }
        }
    }

    /// Calls `done` with the contents (None: no such file) now and after each
    /// event, until it says yes.
    fn watch(
        &self,
        path: &Path,
        done: &mut dyn FnMut(Option<&[u8]>) -> bool,
        timeout: Duration,
    ) -> io::Result<Option<Vec<u8>>> {
        let deadline = Instant::now() + timeout;
        loop {
            // Watches first, then a look: what changes between is not lost.
            // They are made anew each time, as directories may come and go.
            let inotify = self.watches(path)?;
            let bytes = match self.try_read(path) {
                Ok(bytes) => Some(bytes),
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err(error),
            };
            if done(bytes.as_deref()) {
                return Ok(bytes);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if !wait::changed(inotify.as_ref(), left) {
                let so_far = bytes.map_or("it is not there".into(), |bytes| {
                    format!("so far:\n{}", String::from_utf8_lossy(&bytes))
                });
                return Err(io::Error::other(format!("not after {timeout:?}; {so_far}")));
            }
        }
    }

    /// Watches for `path` and all that has to come before it. `None`: the user has as many
    /// instances of inotify as he may have (fs.inotify.max_user_instances), in whatever labs.
    fn watches(&self, path: &Path) -> io::Result<Option<Inotify>> {
        let inotify = match Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK) {
            Err(Errno::EMFILE) => return Ok(None),
            other => other?,
        };
        for place in path.ancestors() {
            if self.watch_place(&inotify, place)? && place != path {
                break;
            }
        }
        Ok(Some(inotify))
    }

    /// False when there is no such place.
    fn watch_place(&self, inotify: &Inotify, place: &Path) -> io::Result<bool> {
        let fd = match self.open(place, OFlag::O_PATH, 0) {
            Ok(fd) => fd,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        let flags = AddWatchFlags::IN_CREATE
            | AddWatchFlags::IN_MOVED_TO
            | AddWatchFlags::IN_MOVED_FROM
            | AddWatchFlags::IN_DELETE
            | AddWatchFlags::IN_MODIFY
            | AddWatchFlags::IN_CLOSE_WRITE
            | AddWatchFlags::IN_DELETE_SELF
            | AddWatchFlags::IN_MOVE_SELF;
        // By number: inotify takes no descriptor.
        let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
        inotify.add_watch(path.as_str(), flags)?;
        Ok(true)
    }
}

/// Without the beginning of a line that is being written: a reader may see a long one by half,
/// whole though its one write is.
pub(crate) fn whole_lines(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|&byte| byte == b'\n');
    &bytes[..end.map_or(0, |end| end + 1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_line_is_none() {
        assert_eq!(whole_lines(b""), b"");
        assert_eq!(whole_lines(b"start p"), b"");
        assert_eq!(whole_lines(b"start pid=7\nsig"), b"start pid=7\n");
        assert_eq!(whole_lines(b"a\nb\n"), b"a\nb\n");
    }
}
