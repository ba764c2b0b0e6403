//! Running a resolved spec.
//!
//! [`Launch::from_settings`] prepares everything in the parent; [`spawn`] makes the child, which
//! only makes system calls until it executes the program. In which order it does what, and why,
//! stands in `steps.rs`.

mod child;
pub mod dependents;
mod failure;
mod gift;
mod hook;
mod in_place;
mod inherited;
mod logging;
mod news;
mod plain;
mod running;
mod settings;
mod sharing;
mod spawn;
mod spawner;
mod steps;
mod syscall;
mod word;

use crate::capability::Iab;
use crate::rlimit::Rlimit;
use crate::securebits;
use gift::{Gift, OwnPid};
use rc_sv_api::{Error, Result, Settings};
use std::ffi::{CStr, CString, OsStr};
use std::os::fd::{OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use steps::Identity;

pub use child::NOT_RUN;
pub use failure::{Failure, Stage};
pub use hook::Ending;
pub use in_place::replace;
pub use news::News;
pub use running::Running;
pub use spawn::{spawn, Child};
pub use spawner::Spawner;
pub use steps::Keep;
pub use word::{Left, Word};

/// A program ready to be run. Cheap to make; made anew for each spawn.
#[derive(Clone, Debug)]
pub struct Launch {
    /// Never empty; the first is the program.
    argv: Vec<CString>,
    environment: Vec<CString>,
    /// The `cgroup.procs` of each.
    cgroups_v1: Vec<CString>,
    oom_score_adj: Option<String>,
    nice: Option<(i32, String)>,
    ioprio: Option<i32>,
    rlimits: Vec<Rlimit>,
    umask: Option<u32>,
    chroot: Option<CString>,
    directory: CString,
    identity: Identity,
    capabilities: Option<Iab>,
    /// `None` for 0 too: that is what everybody has, and only root may say so.
    securebits: Option<u32>,
    no_new_privs: bool,
    input: Option<CString>,
    output: Option<CString>,
    error: Option<CString>,
    /// As whom the files are opened, where that is not who the program is run as.
    log_owner: Option<LogOwner>,
    gifts: Vec<Gift>,
    /// There where gifts are told by number.
    own_pid: Option<Arc<OwnPid>>,
    word: Option<Word>,
}

/// Of a hook, which runs as the caller but writes to the log of the service.
#[derive(Clone, Debug)]
struct LogOwner {
    of_logs: Identity,
    of_caller: Identity,
}

impl Launch {
    /// Prepares the daemon of a *resolved* spec. Asks no name service and opens nothing.
    ///
    /// # Errors
    /// [`rc_sv_api::Code::Invalid`]: the spec is not resolved, or a value does not fit.
    pub fn from_settings(spec: &dyn Settings) -> Result<Launch> {
        let launch = Launch::in_surroundings(spec, settings::command(spec, "argv")?)?;
        let directory = settings::text(spec, "directory")?;
        let bits = settings::parsed(spec, "secbits", securebits::parse)?;
        Ok(Launch {
            cgroups_v1: settings::cgroups_v1(spec)?,
            chroot: settings::text(spec, "chroot")?,
            directory: directory.unwrap_or(launch.directory),
            identity: settings::identity(spec)?,
            capabilities: settings::parsed(spec, "capabilities", Iab::parse)?,
            securebits: bits.filter(|bits| *bits != 0),
            no_new_privs: spec.flag("no_new_privs"),
            input: settings::text(spec, "input_file")?,
            output: settings::text(spec, "output_log")?,
            error: settings::text(spec, "error_log")?,
            ..launch
        })
    }

    /// The program gets `fd` as its descriptor `place`, a standard one instead of what it would
    /// have. What is left of it here is closed with the last copy of this.
    pub fn give(&mut self, fd: OwnedFd, place: RawFd) {
        self.share(Arc::new(fd), place);
    }

    /// The same with a descriptor that others have too.
    pub fn share(&mut self, fd: Arc<OwnedFd>, place: RawFd) {
        self.gifts.push(Gift { fd, place });
    }

    /// The program gets these as its descriptors from 3 on, and is told so as sd_listen_fds(3) says:
    /// how many, for whom, and by which names.
    ///
    /// # Errors
    /// [`rc_sv_api::Code::Invalid`]: a NUL byte is in a name.
    pub fn hand_on(&mut self, descriptors: Vec<(String, OwnedFd)>) -> Result<()> {
        let names: Vec<&str> = descriptors.iter().map(|(name, _)| name.as_str()).collect();
        self.set_variable("LISTEN_FDS", &descriptors.len().to_string())?;
        self.set_variable("LISTEN_FDNAMES", &names.join(":"))?;
        self.environment
            .retain(|known| !known.as_bytes().starts_with(b"LISTEN_PID="));
        self.own_pid = Some(Arc::new(OwnPid::new()));
        for ((_, fd), place) in descriptors.into_iter().zip(3..) {
            self.give(fd, place);
        }
        Ok(())
    }

    /// The child leaves this word of itself before it does anything else.
    pub fn leave_word(&mut self, word: Word) {
        self.word = Some(word);
    }

    /// Sets a variable of the program's environment.
    ///
    /// # Errors
    /// [`rc_sv_api::Code::Invalid`]: a NUL byte is in it.
    pub fn set_variable(&mut self, name: &str, value: &str) -> Result<()> {
        let variable = CString::new(format!("{name}={value}"))
            .map_err(|_| Error::invalid(format!("{name}: must be free of NUL bytes")))?;
        let start = name.len() + 1;
        let is_it =
            |known: &CString| known.as_bytes().get(..start) == variable.as_bytes().get(..start);
        match self.environment.iter().position(is_it) {
            Some(index) => self.environment[index] = variable,
            None => self.environment.push(variable),
        }
        Ok(())
    }

    /// The program, as seen in its root directory.
    pub fn program(&self) -> &Path {
        path_of(self.file())
    }

    /// Whether the child takes on ids that are not the caller's.
    fn changes_user(&self) -> bool {
        self.identity != Identity::default() || self.log_owner.is_some()
    }

    /// A program in the priorities, limits, umask and environment of the service; as the caller,
    /// in `/`, without files.
    fn in_surroundings(spec: &dyn Settings, argv: Vec<CString>) -> Result<Launch> {
        let score = settings::number::<i32>(spec, "rc_supervise_oom_score_adj")?;
        let nice = settings::number::<i32>(spec, "rc_supervise_nice")?;
        Ok(Launch {
            environment: settings::variables(spec)?,
            oom_score_adj: score.map(|score| score.to_string()),
            nice: nice.map(|level| (level, level.to_string())),
            ioprio: settings::ioprio(spec)?,
            rlimits: settings::rlimits(spec)?,
            umask: settings::number(spec, "umask")?,
            ..Launch::bare(argv)
        })
    }

    /// A program as the caller, in `/`, with an empty environment.
    fn bare(argv: Vec<CString>) -> Launch {
        Launch {
            argv,
            environment: Vec::new(),
            cgroups_v1: Vec::new(),
            oom_score_adj: None,
            nice: None,
            ioprio: None,
            rlimits: Vec::new(),
            umask: None,
            chroot: None,
            directory: c"/".into(),
            identity: Identity::default(),
            capabilities: None,
            securebits: None,
            no_new_privs: false,
            input: None,
            output: None,
            error: None,
            log_owner: None,
            gifts: Vec::new(),
            own_pid: None,
            word: None,
        }
    }

    fn file(&self) -> &CStr {
        self.argv.first().map(CString::as_c_str).unwrap_or_default()
    }

    /// Whether the program's file exists. Only for words about a failure.
    fn program_is_there(&self) -> bool {
        let root = self.chroot.as_deref().map_or(Path::new("/"), path_of);
        root.join(self.program().strip_prefix("/").unwrap_or(Path::new("")))
            .exists()
    }
}

fn path_of(text: &CStr) -> &Path {
    Path::new(OsStr::from_bytes(text.to_bytes()))
}
