//! Which services may be other than they were at the last look: the kernel tells of every change of
//! their files, so a host that looks again and again needs none of them.

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, InotifyEvent, WatchDescriptor};
use rc_sv_api::ServiceName;
use rc_sv_exec::run::record;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::Path;

/// So many directories are watched at most: it is the kernel's memory.
const MOST: usize = 8192;

/// The directories that are watched.
#[derive(Debug)]
pub(crate) struct Changes {
    inotify: Inotify,
    /// Who watches. What a child of the host takes in, the host would miss.
    owner: u32,
    watched: HashMap<WatchDescriptor, (ServiceName, Directory)>,
}

/// A directory of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Directory {
    /// That of its supervisor.
    Supervise,
    /// Its own, with its record.
    Own,
}

impl Changes {
    /// Nothing is watched yet. `None`: the kernel has no more for this user.
    pub(crate) fn new() -> Option<Changes> {
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK).ok()?;
        Some(Changes {
            inotify,
            owner: std::process::id(),
            watched: HashMap::new(),
        })
    }

    /// Watches the directories of a service; `false` where that cannot be.
    pub(crate) fn watch(&mut self, service: &ServiceName, supervise: &Path, own: &Path) -> bool {
        let replaced = AddWatchFlags::IN_MOVED_TO | AddWatchFlags::IN_DELETE;
        let gone = AddWatchFlags::IN_DELETE_SELF | AddWatchFlags::IN_MOVE_SELF;
        let both = [
            // A supervisor closes its FIFO when it ends, however it does.
            (
                Directory::Supervise,
                supervise,
                AddWatchFlags::IN_CLOSE_NOWRITE,
            ),
            (Directory::Own, own, AddWatchFlags::empty()),
        ];
        both.into_iter().all(|(which, path, more)| {
            let wanted = replaced | gone | more | AddWatchFlags::IN_ONLYDIR;
            if self.watched.len() >= MOST {
                return false;
            }
            let added = self.inotify.add_watch(path, wanted);
            added.is_ok_and(|watch| {
                self.watched.insert(watch, (service.clone(), which));
                true
            })
        })
    }

    /// The services of which something has changed since; `alive` is the FIFO of their supervisors.
    /// `None`: that is not known, and all may have.
    pub(crate) fn take(&mut self, alive: &str) -> Option<Vec<ServiceName>> {
        if self.owner != std::process::id() {
            return None;
        }
        let mut changed = Vec::new();
        while let Ok(events) = self.inotify.read_events() {
            for event in events {
                if event.mask.contains(AddWatchFlags::IN_Q_OVERFLOW) {
                    return None;
                }
                let known = self.watched.get(&event.wd);
                changed.extend(
                    known
                        .filter(|(_, which)| is_of_interest(*which, &event, alive))
                        .map(|(service, _)| service.clone()),
                );
                if event.mask.contains(AddWatchFlags::IN_IGNORED) {
                    self.watched.remove(&event.wd);
                }
            }
        }
        Some(changed)
    }
}

fn is_of_interest(which: Directory, event: &InotifyEvent, alive: &str) -> bool {
    let name = event.name.as_deref();
    match which {
        // Who only reads a status closes it too.
        _ if name.is_none() => true,
        Directory::Supervise if event.mask.contains(AddWatchFlags::IN_CLOSE_NOWRITE) => {
            name == Some(OsStr::new(alive))
        }
        Directory::Supervise => true,
        Directory::Own => name == Some(OsStr::new(record::NAME)),
    }
}
