//! The file that tells which process runs as a service, beyond the life of a supervisor.
//!
//! A pid alone may be another process by now, so the file also has the time at which the kernel
//! began it, counted from boot, and the id of the boot; and where the kernel gives one, the handle
//! that no other process of this boot has.

mod as_of;

use crate::handle::Handle;
use crate::place::Dir;
use crate::process;
use crate::stat::{self, Stat};
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use rc_sv_api::Result;
use std::fs;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;

pub use as_of::AsOf;

/// The name of the file in a service's directory.
const NAME: &str = "instance";

/// A main process that cannot be taken for another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Its pid.
    pub pid: i32,
    /// In clock ticks since boot: proc(5), `/proc/pid/stat`, field 22.
    began: u64,
    handle: Option<Handle>,
}

impl Instance {
    /// The process that has this pid now; it must not be reaped meanwhile.
    ///
    /// # Errors
    /// There is none, or its time cannot be read.
    pub fn of(pid: i32) -> io::Result<Instance> {
        let began = Stat::of(pid)?.began;
        let handle = handle_of(pid);
        Ok(Instance { pid, began, handle })
    }

    /// Writes it into the directory of its service.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, dir: &Dir) -> Result<()> {
        self.write_as(dir, NAME)
    }

    /// The same, for another process of the service.
    pub(crate) fn write_as(&self, dir: &Dir, name: &str) -> Result<()> {
        dir.overwrite(name, 0o600, self.text().as_bytes())
    }

    /// Of one length, for `overwrite`: the longest numbers fit, and the boot's id has one.
    fn text(&self) -> String {
        let handle = self.handle.map_or(0, Handle::number);
        let boot = boot_id();
        format!("{:10} {:20} {boot} {handle:20}\n", self.pid, self.began)
    }

    /// The last one of the service with this directory, if it still runs.
    pub fn living(dir: &Dir) -> Option<Instance> {
        Instance::living_as(dir, NAME)
    }

    /// The same of the one that was written as `name`.
    pub(crate) fn living_as(dir: &Dir, name: &str) -> Option<Instance> {
        let mut text = String::new();
        let file = dir.open_private(name).ok()?;
        file.take(128).read_to_string(&mut text).ok()?;
        let instance = Instance::parse(&text)?;
        instance.is_alive().then_some(instance)
    }

    /// A descriptor of the process; `None` when it has ended.
    ///
    /// # Errors
    /// It may be there, but no descriptor can be had.
    pub fn open(&self) -> io::Result<Option<OwnedFd>> {
        open(self.pid, self.handle, |stat| self.is_it(stat))
    }

    /// Whether it is no older than `other`.
    pub(crate) fn began_after(&self, other: &Instance) -> bool {
        self.began >= other.began
    }

    /// Whether it runs; a zombie does not.
    pub fn is_alive(&self) -> bool {
        if self.handle.is_some() {
            // Where no descriptor can be had, the time has to do.
            if let Ok(found) = self.open() {
                return found.is_some();
            }
        }
        Stat::of(self.pid).is_ok_and(|stat| stat.is_alive() && self.is_it(&stat))
    }

    fn is_it(&self, stat: &Stat) -> bool {
        stat.began == self.began
    }

    fn parse(text: &str) -> Option<Instance> {
        let mut words = text.split_whitespace();
        let instance = Instance {
            pid: words.next()?.parse().ok().filter(|pid| *pid > 1)?,
            began: words.next()?.parse().ok()?,
            handle: None,
        };
        let is_of_this_boot = words.next() == Some(boot_id());
        // The version before had none.
        let handle = match words.next() {
            Some(number) => Handle::of_number(number.parse().ok()?),
            None => None,
        };
        let instance = Instance { handle, ..instance };
        (is_of_this_boot && words.next().is_none()).then_some(instance)
    }
}

/// A descriptor of the process that has this pid, if that runs and is the one of `handle`; where
/// there are none, if `is_it`.
fn open(
    pid: i32,
    handle: Option<Handle>,
    is_it: impl FnOnce(&Stat) -> bool,
) -> io::Result<Option<OwnedFd>> {
    let pidfd = match process::open_process(pid) {
        Err(cause) if stat::is_gone(&cause) || is_thread(&cause) => return Ok(None),
        pidfd => pidfd?,
    };
    if let (Some(known), Some(found)) = (handle, Handle::of(pidfd.as_fd())) {
        let is_it = known == found && !has_ended(pidfd.as_fd());
        return Ok(is_it.then_some(pidfd));
    }
    // Who has the pid by now began no earlier than the process behind the descriptor.
    let stat = match Stat::of(pid) {
        Err(cause) if stat::is_gone(&cause) => return Ok(None),
        stat => stat?,
    };
    Ok((stat.is_alive() && is_it(&stat)).then_some(pidfd))
}

/// The handle of the process that has this pid now.
fn handle_of(pid: i32) -> Option<Handle> {
    let pidfd = process::open_process(pid).ok()?;
    Handle::of(pidfd.as_fd())
}

/// A descriptor of a process is readable from its end on.
fn has_ended(pidfd: BorrowedFd<'_>) -> bool {
    let mut fds = [PollFd::new(pidfd, PollFlags::POLLIN)];
    poll(&mut fds, PollTimeout::ZERO) == Ok(1)
}

/// What has the number now is a thread of another process.
fn is_thread(cause: &io::Error) -> bool {
    cause.raw_os_error() == Some(libc::EINVAL)
}

/// The id of the running boot: 36 characters. Times are counted from it, and a state directory on
/// a disk outlives it.
pub fn boot_id() -> &'static str {
    static ID: OnceLock<String> = OnceLock::new();
    ID.get_or_init(|| {
        let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        // Where it cannot be read, it can be of no other boot either.
        let id = id.trim();
        if id.is_empty() { "-" } else { id }.to_string()
    })
}

/// What fuzz/ calls besides.
#[cfg(fuzzing)]
pub mod fuzzed {
    use super::Instance;

    /// The instance in the text of a file.
    pub fn parse(text: &str) -> Option<Instance> {
        Instance::parse(text)
    }

    /// The text of the file of an instance.
    pub fn text(instance: &Instance) -> String {
        instance.text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};
    use std::sync::mpsc;

    #[test]
    fn one_that_ended_is_not_alive() {
        let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
        let instance = Instance::of(child.id() as i32).unwrap();
        assert!(instance.is_alive());
        assert!(instance.open().unwrap().is_some());
        // As a kernel without handles knows it, and a file of the version before.
        let by_time = Instance {
            handle: None,
            ..instance
        };
        assert!(by_time.is_alive());
        assert!(by_time.open().unwrap().is_some());
        let other = Instance {
            began: instance.began + 1,
            ..by_time
        };
        assert!(!other.is_alive(), "the same pid, another process");
        if let Some(handle) = instance.handle {
            // Begun within the same tick.
            let handle = Handle::of_number(handle.number() + 1);
            let other = Instance { handle, ..instance };
            assert!(!other.is_alive(), "the same pid and time, another process");
            assert!(other.open().unwrap().is_none());
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!instance.is_alive());
        assert!(instance.open().unwrap().is_none());
    }

    #[test]
    fn a_thread_that_has_the_number_is_another_one() {
        let (told, done) = (mpsc::channel(), mpsc::channel::<()>());
        let thread = std::thread::spawn(move || {
            told.0.send(nix::unistd::gettid().as_raw()).unwrap();
            let _ = done.1.recv();
        });
        let pid = told.1.recv().unwrap();
        let instance = Instance {
            pid,
            began: 1,
            handle: None,
        };
        assert!(instance.open().unwrap().is_none());
        let (boot_ms, handle) = (1, None);
        let as_of = AsOf {
            pid,
            boot_ms,
            handle,
        };
        assert!(as_of.open().unwrap().is_none());
        drop(done.0);
        thread.join().unwrap();
    }

    #[test]
    fn a_name_that_is_no_text_hides_nobody() {
        let script = "printf '\\377) Z 1' > /proc/$$/comm && echo; exec 1>&-; read line";
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut told = String::new();
        let mut out = child.stdout.take().unwrap();
        out.read_to_string(&mut told).unwrap();
        assert_eq!(told, "\n", "it could not name itself");
        let instance = Instance::of(child.id() as i32).unwrap();
        assert!(instance.is_alive());
        drop(child.stdin.take());
        child.wait().unwrap();
    }

    #[test]
    fn what_is_no_file_of_ours_names_nobody() {
        let id = boot_id();
        assert_eq!(id.len(), 36);
        let other = "00000000-0000-0000-0000-000000000000";
        let foreign = [
            "12 5".to_string(),
            format!("12 5 {other}"),
            format!("12 5 {id} 7 7"),
            format!("12 5 {id} x"),
        ];
        let nobody = ["", "x"].map(str::to_string);
        let numbers = ["1 5", "-1 5", "0 5", "12", "12 x"].map(|text| format!("{text} {id}"));
        for text in foreign.iter().chain(&nobody).chain(&numbers) {
            assert_eq!(Instance::parse(text), None, "{text}");
        }
        let known = |text: &str| Instance::parse(&format!("        12  5 {id}{text}\n"));
        for (text, number) in [("", 0), (" 0", 0), ("    7", 7)] {
            let instance = Instance {
                pid: 12,
                began: 5,
                handle: Handle::of_number(number),
            };
            assert_eq!(known(text), Some(instance));
            assert_eq!(Instance::parse(&instance.text()), Some(instance));
        }
    }
}
