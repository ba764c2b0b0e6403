//! Files into which services write what happens to them, and waiting for that.

use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use std::fs::{self, Permissions};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// A directory of reports, writable for every user.
pub struct Reports(PathBuf);

impl Reports {
    pub fn new(dir: &Path) -> Reports {
        fs::create_dir(dir).unwrap();
        fs::set_permissions(dir, Permissions::from_mode(0o777)).unwrap();
        Reports(dir.to_path_buf())
    }

    /// Where `service` reports.
    pub fn path(&self, service: &str) -> PathBuf {
        self.0.join(service)
    }

    /// What it has reported so far. The last line may be there by half: that is none yet.
    pub fn lines(&self, service: &str) -> Vec<String> {
        let text = fs::read_to_string(self.path(service)).unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
        whole.lines().map(str::to_string).collect()
    }

    /// Its lines, when there are at least `count`.
    pub fn until(&self, service: &str, count: usize) -> Vec<String> {
        self.wait(|| {
            let lines = self.lines(service);
            (lines.len() >= count).then_some(lines)
        })
        .unwrap_or_else(|| panic!("{service}: {count} lines wanted: {:?}", self.lines(service)))
    }

    /// Its lines, when this is one of them.
    pub fn until_line(&self, service: &str, wanted: &str) -> Vec<String> {
        self.wait(|| {
            let lines = self.lines(service);
            lines.iter().any(|line| line == wanted).then_some(lines)
        })
        .unwrap_or_else(|| panic!("{service}: {wanted:?} wanted: {:?}", self.lines(service)))
    }

    /// Looks again after each change, until there is what is looked for.
    fn wait<T>(&self, mut look: impl FnMut() -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + super::PATIENCE;
        let watch = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK).unwrap();
        let changes = AddWatchFlags::IN_MODIFY | AddWatchFlags::IN_CREATE;
        watch.add_watch(&self.0, changes).unwrap();
        loop {
            if let Some(found) = look() {
                return Some(found);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout = PollTimeout::try_from(left).unwrap();
            let mut fds = [PollFd::new(watch.as_fd(), PollFlags::POLLIN)];
            if poll(&mut fds, timeout) == Ok(0) {
                return None;
            }
            while watch.read_events().is_ok_and(|events| !events.is_empty()) {}
        }
    }
}
