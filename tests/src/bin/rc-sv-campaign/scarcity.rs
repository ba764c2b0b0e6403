//! What the system has no more of, for a while. One thing at a time.

use std::fs::{self, File};
use std::io::Write;
use std::process::Command;
use std::sync::mpsc::{channel, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread::{Builder, JoinHandle};

use nix::mount::{mount, umount2, MntFlags, MsFlags};

use crate::process;
use crate::scene::RUN;
use crate::Result;

/// The file that fills the state directory.
const FILLER: &str = "/run/openrc/rc-sv/filler";

/// As many descriptors as a process usually may have.
const ENOUGH: usize = 1024;

/// What there can be no more of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Processes: fork fails with EAGAIN.
    Processes,
    /// Descriptors of the supervisor: EMFILE.
    Descriptors,
    /// Space in the state directory: ENOSPC.
    Space,
    /// The right to write there: EROFS, for all who come by its path.
    Writing,
}

impl Kind {
    pub const ALL: [Kind; 4] = [
        Kind::Processes,
        Kind::Descriptors,
        Kind::Space,
        Kind::Writing,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Kind::Processes => "no processes",
            Kind::Descriptors => "no descriptors",
            Kind::Space => "no space",
            Kind::Writing => "read-only",
        }
    }
}

/// A scarcity, until it is ended.
pub enum Scarcity {
    /// Threads take the numbers of processes; they end when the sender is gone.
    Threads(Sender<()>, Vec<JoinHandle<()>>),
    /// Of a supervisor. What it has begun meanwhile has it too.
    Limit,
    File,
    Mount,
}

impl Scarcity {
    /// Begins it; `supervisor` is the one whose descriptors are taken.
    pub fn begin(kind: Kind, supervisor: i32) -> Result<Scarcity> {
        Ok(match kind {
            Kind::Processes => threads()?,
            Kind::Descriptors => {
                let open = fs::read_dir(format!("/proc/{supervisor}/fd")).map(Iterator::count);
                limit(supervisor, open.unwrap_or(3))?;
                Scarcity::Limit
            }
            Kind::Space => {
                let mut file =
                    File::create(FILLER).map_err(|error| format!("{FILLER}: {error}"))?;
                while file.write_all(&[0; 4096]).is_ok() {}
                Scarcity::File
            }
            Kind::Writing => {
                bind(MsFlags::MS_BIND)?;
                bind(MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY)?;
                Scarcity::Mount
            }
        })
    }

    /// There is enough again.
    pub fn end(self) -> Result<()> {
        match self {
            Scarcity::Threads(hold, threads) => {
                drop(hold);
                let all = threads.into_iter().try_for_each(JoinHandle::join);
                all.map_err(|_| "a thread has failed".to_string())
            }
            Scarcity::Limit => {
                let names = ["rc-sv-guardian", "rc-sv-supervisor"];
                for one in names.into_iter().flat_map(process::called) {
                    // It may be killed meanwhile.
                    limit(one.pid, ENOUGH).or_else(|error| match one.is_alive() {
                        true => Err(error),
                        false => Ok(()),
                    })?;
                }
                Ok(())
            }
            Scarcity::File => fs::remove_file(FILLER).map_err(|error| format!("{FILLER}: {error}")),
            Scarcity::Mount => {
                umount2(RUN, MntFlags::MNT_DETACH).map_err(|errno| format!("umount {RUN}: {errno}"))
            }
        }
    }
}

/// As many as there is room for.
fn threads() -> Result<Scarcity> {
    let (hold, held) = channel();
    let held: Arc<Mutex<Receiver<()>>> = Arc::new(Mutex::new(held));
    let mut threads = Vec::new();
    loop {
        let held = held.clone();
        // Ends when the sender is gone; whoever has the lock wakes up the next by that.
        let wait = move || {
            let _ = held.lock().map(|held| held.recv());
        };
        match Builder::new().stack_size(16 << 10).spawn(wait) {
            Ok(thread) => threads.push(thread),
            Err(_) => return Ok(Scarcity::Threads(hold, threads)),
        }
        if threads.len() > crate::scene::MOST_PIDS {
            return Err("the limit of processes does not hold".to_string());
        }
    }
}

fn limit(pid: i32, descriptors: usize) -> Result<()> {
    let mut command = Command::new("prlimit");
    command.args([
        "--pid",
        &pid.to_string(),
        &format!("--nofile={descriptors}:"),
    ]);
    match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        other => Err(format!("prlimit: {other:?}")),
    }
}

fn bind(flags: MsFlags) -> Result<()> {
    mount(Some(RUN), RUN, None::<&str>, flags, None::<&str>)
        .map_err(|errno| format!("mount {RUN}: {errno}"))
}
