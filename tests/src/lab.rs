//! The harness side of a lab: [`Lab`] and its [`Builder`].

mod builder;
mod cgroup;
mod file;
mod init;
mod job;
mod keeper;
mod mounts;
mod output;
mod place;
mod plan;
mod process;
mod wait;
mod wire;

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

pub use builder::{Builder, Shell};
pub(crate) use file::whole_lines;
pub use job::{Job, Run};
pub use output::Output;
pub use place::{root, stage};
pub use wait::{until, until_ok};

use plan::Plan;

/// Time-out of [`Lab::sh`] and of everything that does not name another one.
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// How long making and removing a lab may take. Normally some milliseconds.
const LIFE_TIMEOUT: Duration = Duration::from_secs(30);

const KEEPER_ARGUMENT: &str = "@keeper";
const PID_1_ARGUMENT: &str = "@pid1";

/// A private machine. Dropping it kills and removes everything in it.
///
/// It may be shared between threads.
#[derive(Debug)]
pub struct Lab {
    /// Closed to end the lab. None afterwards.
    control: Option<OwnedFd>,
    root: OwnedFd,
    keeper: Child,
    cgroup: Option<PathBuf>,
}

impl Lab {
    /// A lab with dash, a cgroup and the installed rc-sv tree.
    ///
    /// # Panics
    /// As [`Builder::build`].
    pub fn new() -> Lab {
        Lab::builder().build()
    }

    /// Settings other than those of [`Lab::new`].
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Runs a script with /bin/sh and returns when it is done. Standard input
    /// is empty.
    ///
    /// # Panics
    /// After 60 seconds; the script is killed and its output shown.
    pub fn sh(&self, script: &str) -> Output {
        self.run(["/bin/sh", "-c", script]).output()
    }

    /// Starts a script with /bin/sh and returns at once. The job goes on when
    /// the [`Job`] is dropped, up to the end of the lab.
    pub fn spawn(&self, script: &str) -> Job<'_> {
        self.run(["/bin/sh", "-c", script]).spawn()
    }

    /// A program to run, with settings: see [`Run`].
    pub fn run<I>(&self, argv: I) -> Run<'_>
    where
        I: IntoIterator,
        I::Item: AsRef<std::ffi::OsStr>,
    {
        Run::new(self, argv)
    }

    /// Whether OpenRC can put services into cgroups here.
    pub fn has_cgroup(&self) -> bool {
        self.cgroup.is_some()
    }

    /// Ends the lab, as dropping it does, with a complaint as a value.
    pub fn end(mut self) -> Result<(), String> {
        self.clean_up()
    }

    fn clean_up(&mut self) -> Result<(), String> {
        match self.control.take() {
            Some(control) => drop(control),
            None => return Ok(()),
        }
        end(&mut self.keeper)
    }

    fn start(program: &Path, plan: &Plan) -> Result<Lab, String> {
        let say = |what: &'static str| move |error: io::Error| format!("{what}: {error}");
        let (ours, theirs) = wire::pair().map_err(say("socket"))?;
        let mut command = Command::new(program);
        command.arg(KEEPER_ARGUMENT).args(plan.to_args());
        command.stdin(theirs).stdout(Stdio::piped());
        let keeper = {
            let _nobody_writes = file::WRITING.write();
            command.spawn()
        };
        let keeper = keeper.map_err(|error| format!("{}: {error}", program.display()))?;
        drop(command);
        let ready = Some(ours.as_fd())
            .filter(|fd| wait::readable(fd, LIFE_TIMEOUT))
            .ok_or_else(|| format!("pid 1 is not ready after {LIFE_TIMEOUT:?}"))
            .and_then(|fd| wire::receive(fd).map_err(say("pid 1")))
            .and_then(|message| message.ok_or_else(|| "pid 1 is gone; see above".to_owned()))
            .and_then(|mut message| {
                let root = message.fds.pop();
                root.ok_or_else(|| message.text(1).to_owned())
            });
        let mut keeper = keeper;
        match ready {
            Ok(root) => Ok(Lab {
                control: Some(ours),
                root,
                keeper,
                cgroup: plan.cgroup.clone(),
            }),
            Err(error) => {
                drop(ours);
                let ended = end(&mut keeper);
                Err(ended
                    .err()
                    .map_or(error.clone(), |other| format!("{error} ({other})")))
            }
        }
    }

    /// One request with one answer.
    fn ask(&self, fields: &[String]) -> io::Result<Vec<OwnedFd>> {
        let (ours, theirs) = wire::pair()?;
        let fields: Vec<&[u8]> = fields.iter().map(String::as_bytes).collect();
        wire::send(self.control(), &fields, &[theirs.as_fd()])?;
        drop(theirs);
        Ok(answer(&ours, TIMEOUT)?.fds)
    }

    fn control(&self) -> BorrowedFd<'_> {
        self.control
            .as_ref()
            .unwrap_or_else(|| panic!("the lab has ended"))
            .as_fd()
    }
}

impl Default for Lab {
    fn default() -> Lab {
        Lab::new()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let ended = self.clean_up();
        if let (Err(error), false) = (ended, thread::panicking()) {
            panic!("end of the lab: {error}");
        }
    }
}

/// Runs what the program `rc-sv-lab` is asked for by the library itself: the
/// keeper or pid 1 of a lab. `None` when it is not that.
pub fn inner(args: &[OsString]) -> Option<Result<(), String>> {
    let (first, rest) = args.split_first()?;
    match first.to_str()? {
        KEEPER_ARGUMENT => Some(keeper::run(rest.to_vec())),
        PID_1_ARGUMENT => Some(init::run(rest.to_vec())),
        _ => None,
    }
}

/// Receives an answer of pid 1; its complaint becomes an error.
fn answer(socket: &OwnedFd, timeout: Duration) -> io::Result<wire::Message> {
    if !wait::readable(socket, timeout) {
        return Err(io::Error::other("pid 1 of the lab does not answer"));
    }
    let message =
        wire::receive(socket)?.ok_or_else(|| io::Error::other("pid 1 of the lab is gone"))?;
    if message.text(0) != "error" {
        return Ok(message);
    }
    match message.number(2) {
        Ok(number) if number != 0 => Err(io::Error::from_raw_os_error(number)),
        _ => Err(io::Error::other(message.text(1))),
    }
}

/// Waits until the keeper has cleaned up. Its output ends with it.
fn end(keeper: &mut Child) -> Result<(), String> {
    let said = |error: &dyn Display| error.to_string();
    if let Some(mut output) = keeper.stdout.take() {
        if !wait::readable(&output, LIFE_TIMEOUT) {
            keeper.kill().map_err(|error| said(&error))?;
        }
        let mut text = String::new();
        output
            .read_to_string(&mut text)
            .map_err(|error| said(&error))?;
    }
    let status = keeper.wait().map_err(|error| said(&error))?;
    keeper::describe(status).map_err(|error| said(&error))
}
